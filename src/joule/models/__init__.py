"""Names of the newest era's `joule.models` that module files import; each means what it means elsewhere here.

Its database classes (`Worker`, `Master`, `TimescaleStore` and the like) have no counterpart and are not here.
"""

from joule.api import Annotation, DataStream, Element, EventStream, Folder, Module, Proxy
from joule.api import DataStreamInfo as StreamInfo
from joule.errors import DataError, InsufficientDecimationError
from joule.pipes import InputPipe, LocalPipe, OutputPipe, Pipe

__all__ = [
    "Annotation",
    "DataError",
    "DataStream",
    "Element",
    "EventStream",
    "Folder",
    "InputPipe",
    "InsufficientDecimationError",
    "LocalPipe",
    "Module",
    "OutputPipe",
    "Pipe",
    "Proxy",
    "StreamInfo",
]
