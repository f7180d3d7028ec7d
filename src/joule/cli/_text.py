"""Text that is safe to show, and numbers as people read them.

Names, descriptions and log lines come from configuration files, modules and other machines. On a terminal an escape
sequence in one of them could move the cursor, rename the window or hide a line; here it is shown as what it is.
"""

from __future__ import annotations

__all__ = ["age", "duration", "plural", "printable", "size"]


def printable(text: object, *, keep: str = "") -> str:
    r"""Return `text` with every character that a terminal would act on written as its escape, such as `\x1b`.

    Args:
        text: Anything; its `str()` is used.
        keep: Characters to leave alone, such as a tab or a line end.
    """
    plain = str(text)
    if plain.isprintable():
        return plain
    return "".join(
        char if char.isprintable() or char in keep else char.encode("unicode_escape").decode("ascii") for char in plain
    )


def plural(count: int, noun: str) -> str:
    """Return `1 row`, `2 rows`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def size(size_bytes: float) -> str:
    """Return a size with a decimal unit and about three digits, such as `1.50 MB`."""
    from joule.core.sizes import format_size

    return format_size(size_bytes)


def duration(span_us: float) -> str:
    """Return a span of time in its two largest units, such as `0.3s`, `12s`, `5min 20s`, `2d 3h`."""
    from joule.core.durations import format_duration

    step_us = 100_000 if span_us < 10_000_000 else 1_000_000
    return format_duration(round(span_us / step_us) * step_us, parts=2)


def age(age_us: int) -> str:
    """Return how long ago something was; a timestamp ahead of this clock is said to be so."""
    if age_us < 0:
        return f"{duration(-age_us)} ahead of the clock"
    return f"{duration(age_us)} ago"
