"""Times in the forms that people and other libraries use, and back: Unix microseconds are what streams count."""

from __future__ import annotations

import datetime as dt

from joule.core import parse_time, time_now

__all__ = [
    "datetime_to_timestamp",
    "human_to_timestamp",
    "seconds_to_timestamp",
    "time_now",
    "timestamp_to_datetime",
    "timestamp_to_human",
    "timestamp_to_seconds",
]

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


def seconds_to_timestamp(seconds: float) -> int:
    """Return Unix microseconds for Unix seconds."""
    return round(seconds * 1e6)


def timestamp_to_seconds(timestamp_us: int) -> float:
    """Return Unix seconds for Unix microseconds."""
    return int(timestamp_us) / 1e6


def timestamp_to_datetime(timestamp_us: int) -> dt.datetime:
    """Return a timestamp as a datetime in UTC, exactly."""
    return _EPOCH + int(timestamp_us) * _MICROSECOND


def datetime_to_timestamp(moment: dt.datetime) -> int:
    """Return Unix microseconds for a datetime, exactly; one without a zone is taken for UTC."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)
    return (aware - _EPOCH) // _MICROSECOND


def timestamp_to_human(timestamp_us: int) -> str:
    """Return a timestamp as local time in words, such as `Tue, 24 Nov 2026 08:00:00 +0100`."""
    return timestamp_to_datetime(timestamp_us).astimezone().strftime("%a, %d %b %Y %H:%M:%S %z")


def human_to_timestamp(time: str) -> int:
    """Return Unix microseconds for what a person wrote: see `joule.core.parse_time`.

    Raises:
        BadTimeError: The text names no time; it is a ValueError, too.
    """
    return parse_time(time)
