"""Amounts of memory, as configurations write them: `500 MB`, `1.5 GB`, `64 MiB`."""

from __future__ import annotations

import re

from joule.errors import BadSizeError

__all__ = ["format_size", "parse_size"]

_UNITS: dict[str, int] = {
    "b": 1,
    **{prefix + "b": 1000**power for power, prefix in enumerate("kmgtp", start=1)},
    **{prefix + "ib": 1024**power for power, prefix in enumerate("kmgtp", start=1)},
}
_SIZE = re.compile(r"(\d+)(?:\.(\d+))?\s*([a-z]+)", re.ASCII)
_SHOWN = ("B", "kB", "MB", "GB", "TB", "PB")


def parse_size(text: str) -> int:
    """Return a number of bytes.

    Args:
        text: A number with a unit: B, or kB to PB (of 1000), or KiB to PiB (of 1024); capitals make no
            difference.

    Raises:
        BadSizeError: The text is of another form.
    """
    match = _SIZE.fullmatch(text.strip().lower()) if len(text) <= 100 else None
    if match is None or match[3] not in _UNITS:
        raise BadSizeError(text)
    fraction = match[2] or ""
    scale: int = 10 ** len(fraction)
    return int(match[1] + fraction) * _UNITS[match[3]] // scale


def format_size(size_bytes: float) -> str:
    """Return a size with a decimal unit and about three digits, such as `1.50 MB`."""
    unit = _SHOWN[0]
    for unit in _SHOWN:
        if size_bytes < 999.5 or unit == _SHOWN[-1]:
            break
        size_bytes /= 1000
    return f"{size_bytes:.0f} B" if unit == "B" else f"{size_bytes:.3g} {unit}"
