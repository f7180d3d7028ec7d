"""The present, as streams count it."""

from __future__ import annotations

import time

__all__ = ["time_now"]


def time_now() -> int:
    """Return the present as whole Unix microseconds, the unit of every timestamp in Joule."""
    return (time.time_ns() + 500) // 1000
