"""Pure rules of the field, no I/O: layouts, rows, timestamps, durations, stream paths, sizes."""

from joule.core.clock import NodeClock, clock_jumps, follow_clock, time_now
from joule.core.clock_law import ClockLaw
from joule.core.durations import format_duration, parse_duration, parse_keep
from joule.core.layout import DATATYPES, MAX_WIDTH, Layout
from joule.core.paths import check_stream_path, is_below, join_stream_path, split_stream_path
from joule.core.rows import Rows, first_disorder, flatten_rows, to_rows
from joule.core.sizes import format_size, parse_size
from joule.core.stream import ElementSpec, StreamSpec
from joule.core.times import format_time, parse_time

__all__ = [
    "DATATYPES",
    "MAX_WIDTH",
    "ClockLaw",
    "ElementSpec",
    "Layout",
    "NodeClock",
    "Rows",
    "StreamSpec",
    "check_stream_path",
    "clock_jumps",
    "first_disorder",
    "flatten_rows",
    "follow_clock",
    "format_duration",
    "format_size",
    "format_time",
    "is_below",
    "join_stream_path",
    "parse_duration",
    "parse_keep",
    "parse_size",
    "parse_time",
    "split_stream_path",
    "time_now",
    "to_rows",
]
