"""The first eras' clock."""

from joule.core import time_now

__all__ = ["now", "time_now"]

now = time_now
