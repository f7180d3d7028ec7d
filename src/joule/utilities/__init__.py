"""Names of the newest era's `joule.utilities`: times, spans of time, intervals, and arguments of modules."""

from joule.core import time_now
from joule.utilities.interval_tools import interval_difference
from joule.utilities.misc import parse_time_interval, yesno
from joule.utilities.time import (
    datetime_to_timestamp,
    human_to_timestamp,
    seconds_to_timestamp,
    timestamp_to_datetime,
    timestamp_to_human,
    timestamp_to_seconds,
)

__all__ = [
    "datetime_to_timestamp",
    "human_to_timestamp",
    "interval_difference",
    "parse_time_interval",
    "seconds_to_timestamp",
    "time_now",
    "timestamp_to_datetime",
    "timestamp_to_human",
    "timestamp_to_seconds",
    "yesno",
]
