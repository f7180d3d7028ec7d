"""What a node's clock does when it and the system's clock differ.

    the node's clock is behind               it jumps forward to the system's clock at once
    it is ahead by up to a day               it goes at half speed until they meet
    it is ahead by more than a day           it keeps its own time until somebody says that the system's clock is right

A forward jump may be wrong as well, so it is counted as unconfirmed until the kernel calls its clock synchronised, or a
person says so: meanwhile nothing is removed for its age on the strength of more than a day of that.
"""

from __future__ import annotations

import dataclasses
import enum

from joule.core.clock_law import ClockLaw

__all__ = ["DAY_US", "NO_STEP_US", "Adjustment", "ClockState", "adjust"]

DAY_US = 86_400_000_000
NO_STEP_US = 100
"""What two clocks that are read one after the other may differ by; nobody sets a clock by so little."""


class ClockState(enum.StrEnum):
    """How a node's clock stands to the system's."""

    FOLLOWING = "following"
    SLOWING = "slowing"
    OWN = "own"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """What is to be done about a clock.

    Attributes:
        law: The new law; None when the present one is right.
        state: How the clock stands to the system's then.
        jumped_us: By how much it jumps forward.
        again_after_us: Ask again after this long, us; None for no special time.
    """

    state: ClockState
    law: ClockLaw | None = None
    jumped_us: int = 0
    again_after_us: int | None = None


def adjust(law: ClockLaw, boot_us: int, system_us: int) -> Adjustment:
    """Return what a node's clock does.

    Args:
        law: How it goes.
        boot_us: Now, us since boot.
        system_us: The system's clock at the same moment.
    """
    offset_us = system_us - boot_us
    if abs(law.offset_us - offset_us) <= NO_STEP_US:
        return Adjustment(state=ClockState.SLOWING if boot_us < law.settles_us else ClockState.FOLLOWING)
    node_us = law.node_us(boot_us)
    ahead_us = node_us - system_us
    if ahead_us <= 0:
        return Adjustment(state=ClockState.FOLLOWING, law=law.jump(boot_us, system_us), jumped_us=-ahead_us)
    if ahead_us > DAY_US:
        is_even = boot_us >= law.settles_us
        return Adjustment(state=ClockState.OWN, law=None if is_even else law.jump(boot_us, node_us))
    slows_from_us = law.slows_from_us(boot_us)
    if slows_from_us is not None:  # a law has room for one slow-down that lies ahead
        return Adjustment(state=ClockState.SLOWING, again_after_us=slows_from_us - boot_us)
    return Adjustment(state=ClockState.SLOWING, law=law.slow_down(boot_us, offset_us))
