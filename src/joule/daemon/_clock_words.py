"""What is said about a node's clock, in its log and in every status."""

from __future__ import annotations

from joule.core import format_duration, format_time
from joule.core.clock_rules import ClockState

__all__ = ["consequence", "difference", "doubt", "no_time", "span", "step"]


def span(span_us: int) -> str:
    """Return a span of time, rounded, in its two largest units; below a second in ms."""
    us = abs(span_us)
    if us < 1_000_000:
        return f"{us / 1000:g} ms"
    step_us = 100_000 if us < 10_000_000 else 1_000_000  # two clocks are never read at one instant
    return format_duration(round(us / step_us) * step_us, 2)


def step(step_us: int) -> str:
    """Return what has happened to the system's clock."""
    return f"the system's clock was set {'forward' if step_us > 0 else 'back'} by {span(step_us)}"


def difference(ahead_us: int) -> str:
    """Return how the node's clock stands to the system's."""
    if not ahead_us:
        return "the node's clock and the system's agree"
    return f"the node's clock is {span(ahead_us)} {'ahead of' if ahead_us > 0 else 'behind'} the system's"


def consequence(state: ClockState, ahead_us: int, meets_us: int) -> str:
    """Return what the node's clock does about that.

    Args:
        state: How it stands to the system's.
        ahead_us: How far it is ahead.
        meets_us: How long it takes until both meet, if it goes slower for that.
    """
    if state is ClockState.SLOWING:
        return f"{difference(ahead_us)} and goes at half speed until they meet, in {span(meets_us)}"
    if state is ClockState.OWN:
        return (
            f"{difference(ahead_us)}, and keeps its own time: correct the system's clock if it is wrong, or type "
            "'joule clock follow' if it is right"
        )
    return "the node's clock goes with it"


def no_time(now_us: int) -> str:
    """Return what is said where the clock cannot be right, as on a new node on a machine without one."""
    return (
        f"the node's clock says {format_time(now_us)}, long before there was this Joule: nothing has told this machine "
        "the time yet; rows get these timestamps until the system's clock is set"
    )


def doubt(unconfirmed_us: int, now_us: int) -> str:
    """Return what a large step forward that nobody has confirmed means."""
    return (
        f"the node's clock went forward by {span(unconfirmed_us)} to {format_time(now_us)}, and nobody has confirmed "
        "that: no row is removed for its age on the strength of it until the system's clock is synchronised, or "
        "'joule clock confirm' says that it is right"
    )
