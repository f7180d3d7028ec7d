"""Spans of time, as configurations write them: `keep = 6m`, `90 s`, `1h 30min`.

A month counts 31 days and a year 366, so that rows are never removed before the calendar says that their time is over.
A bare `m` is a month where streams say how long to keep rows (it was minutes for a while: too dangerous a difference to
guess in other places, where it is refused).
"""

from __future__ import annotations

import re

from joule.errors import BadDurationError

__all__ = ["format_duration", "parse_duration", "parse_keep"]

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_UNITS_US = {
    "us": 1,
    "ms": 1_000,
    "s": _SECOND,
    "min": 60 * _SECOND,
    "h": 3_600 * _SECOND,
    "d": _DAY,
    "w": 7 * _DAY,
    "mo": 31 * _DAY,
    "y": 366 * _DAY,
}
_SPELLINGS = {
    **{unit: unit for unit in _UNITS_US},
    "microsecond": "us",
    "millisecond": "ms",
    "sec": "s",
    "second": "s",
    "minute": "min",
    "hr": "h",
    "hour": "h",
    "day": "d",
    "week": "w",
    "month": "mo",
    "year": "y",
}
_TERM = re.compile(r"(\d+)(?:\.(\d+))?\s*([a-z]+)[\s,]*", re.ASCII)
_NOTHING = frozenset({"none", "false", "no", "0"})
_MAX_US = 2**63 - 1


def parse_duration(text: str) -> int:
    """Return a span of time in us.

    Args:
        text: Numbers with units, such as `90 s`, `1h 30min`, `2 weeks`: us, ms, s, min, h, d, w, mo, y, or their names.

    Raises:
        BadDurationError: The text is of another form, says a bare `m`, or is longer than 292,000 years.
    """
    return _parse(text, months=False)


def parse_keep(text: str) -> int | None:
    """Return how long rows are kept, in us: None for `all`; 0 for `none`, `no`, `false` and `0`.

    Args:
        text: As for `parse_duration`; a bare `m` is months.

    Raises:
        BadDurationError: The text is no such span.
    """
    word = text.strip().lower()
    if word == "all":
        return None
    return 0 if word in _NOTHING else _parse(text, months=True)


def format_duration(duration_us: int, parts: int | None = None) -> str:
    """Return a span as text such as `1d 2h 3min 4.5s`; `parse_duration` gives it back exactly.

    Args:
        duration_us: Not negative.
        parts: Show at most so many units, the largest ones, and cut the rest off.
    """
    if not duration_us:
        return "0s"
    terms = []
    rest = duration_us
    for unit in ("d", "h", "min"):
        count, rest = divmod(rest, _UNITS_US[unit])
        if count:
            terms.append(f"{count}{unit}")
    if rest:
        terms.append(_seconds(rest, exact=parts is None or not terms))
    return " ".join([term for term in terms if term][:parts])


def _seconds(rest_us: int, *, exact: bool) -> str:
    whole, fraction = divmod(rest_us, _SECOND)
    if not exact:
        return f"{whole}s" if whole else ""
    if not fraction:
        return f"{whole}s"
    return f"{whole}.{fraction:06d}".rstrip("0") + "s"


def _parse(text: str, *, months: bool) -> int:
    rest = text.strip().lower()
    total = 0
    if not rest or len(rest) > 100:
        raise BadDurationError(text, "a span is numbers with units")
    while rest:
        term = _TERM.match(rest)
        if term is None:
            raise BadDurationError(text, f"{rest!r} is no number with a unit")
        total += _microseconds(term[1], term[2] or "", _UNITS_US[_unit(term[3], text, months=months)])
        rest = rest[term.end() :]
    if total > _MAX_US:
        raise BadDurationError(text, "it is longer than streams can count")
    return total


def _microseconds(whole: str, fraction: str, unit_us: int) -> int:
    """Return `whole.fraction` units to the nearest us, exact for any number of digits."""
    scale: int = 10 ** len(fraction)
    return (2 * int(whole + fraction) * unit_us + scale) // (2 * scale)


def _unit(word: str, text: str, *, months: bool) -> str:
    if word == "m":
        if months:
            return "mo"
        raise BadDurationError(text, "a bare m may mean minutes or months: write min or mo")
    unit = _SPELLINGS.get(word) or _SPELLINGS.get(word.removesuffix("s"))
    if unit is None:
        raise BadDurationError(text, f"there is no unit {word!r}")
    return unit
