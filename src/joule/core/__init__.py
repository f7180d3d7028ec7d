"""Pure rules of the field, no I/O: layouts, rows, timestamps, durations, stream paths."""

from joule.core.clock import time_now
from joule.core.layout import DATATYPES, MAX_WIDTH, Layout
from joule.core.rows import Rows, first_disorder, flatten_rows, to_rows
from joule.core.stream import ElementSpec, StreamSpec

__all__ = [
    "DATATYPES",
    "MAX_WIDTH",
    "ElementSpec",
    "Layout",
    "Rows",
    "StreamSpec",
    "first_disorder",
    "flatten_rows",
    "time_now",
    "to_rows",
]
