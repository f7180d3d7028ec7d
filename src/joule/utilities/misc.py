"""Arguments of modules as the newest era reads them."""

from __future__ import annotations

import re

from joule.client import yesno

__all__ = ["parse_time_interval", "yesno"]

_SECOND_US = 1_000_000
_DAY_US = 86_400 * _SECOND_US
# Here `m` is minutes, as in that era; in a stream's `keep` it is months.
_UNITS_US = {
    "s": _SECOND_US,
    "m": 60 * _SECOND_US,
    "h": 3600 * _SECOND_US,
    "d": _DAY_US,
    "w": 7 * _DAY_US,
    "y": 365 * _DAY_US,
}
_INTERVAL = re.compile(r"(\d+)\s*([smhdwy])", re.ASCII)


def parse_time_interval(interval: str) -> int:
    """Return a span of time in us: -1 for `all`, 0 for `none`, else a number with one of s, m (minutes), h, d, w, y.

    Raises:
        ValueError: The text is of another form.
    """
    text = interval.strip().lower()
    if text in ("all", "none"):
        return -1 if text == "all" else 0
    match = _INTERVAL.fullmatch(text)
    if match is None:
        raise ValueError(f"bad time interval {interval!r}: write all, none, or such as 90s, 15m, 6h, 7d, 2w or 1y")
    return int(match[1]) * _UNITS_US[match[2]]
