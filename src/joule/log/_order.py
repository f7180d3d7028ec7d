"""Which rows of a write may be stored: each newer than all before it, and none far ahead of the node's clock.

Without the second rule one wild timestamp would block its stream until that time has come.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from joule.core import time_now
from joule.errors import OutOfOrderError, TooFarAheadError
from joule.log._head import NO_TIMESTAMP

__all__ = ["Horizon", "refusal", "sift"]

_MAX_US = 2**63 - 1


class Horizon:
    """How far ahead of the clock the timestamps of a stream may be.

    The clock is asked only about a timestamp that was too far ahead when it was asked last, since it never runs back.

    Args:
        max_ahead_us: How far, us; None for any.
    """

    def __init__(self, max_ahead_us: int | None) -> None:
        self.max_ahead_us = max_ahead_us
        self._last_us = _MAX_US if max_ahead_us is None else NO_TIMESTAMP

    def includes(self, timestamp_us: int) -> bool:
        """Whether a row of this timestamp may be stored now."""
        return timestamp_us <= self._last_us or timestamp_us <= self.last_us()

    def last_us(self) -> int:
        """Return the last timestamp that may be stored now."""
        if self.max_ahead_us is not None:
            self._last_us = min(_MAX_US, time_now() + self.max_ahead_us)
        return self._last_us


def sift(times: npt.NDArray[np.int64], last_us: int, latest_us: int) -> npt.NDArray[np.bool_]:
    """Return which rows are newer than every good row before them and not later than `latest_us`.

    Args:
        times: Timestamps, shape (n,), n > 0, us.
        last_us: The timestamp before the first.
        latest_us: The last one that is allowed.

    Returns:
        Shape (n,).
    """
    is_near: npt.NDArray[np.bool_] = times <= latest_us
    newest = np.maximum.accumulate(np.where(is_near, times, NO_TIMESTAMP))
    before = np.empty(len(times), np.int64)
    before[0] = last_us
    np.maximum(newest[:-1], last_us, out=before[1:])
    good: npt.NDArray[np.bool_] = is_near & (times > before)
    return good


def refusal(
    stream: str, times: npt.NDArray[np.int64], good: npt.NDArray[np.bool_], last_us: int, horizon: Horizon
) -> OutOfOrderError:
    """Return what is said about the rows of a write that are not good; about the first of them by name.

    Args:
        stream: The stream's path.
        times: Timestamps, shape (n,), us.
        good: What `sift` has returned for them; not all are.
        last_us: The timestamp before the first.
        horizon: The one that gave `sift` its limit.
    """
    first = int(np.argmin(good))
    time_us = int(times[first])
    refused = len(good) - int(np.count_nonzero(good))
    newest_us = int(times[:first].max()) if first else last_us  # the rows before it are all good
    if time_us <= newest_us:
        return OutOfOrderError(stream, time_us, newest_us, refused)
    assert horizon.max_ahead_us is not None, "without a limit nothing is too far ahead"
    return TooFarAheadError(stream, time_us, time_now(), horizon.max_ahead_us, refused)
