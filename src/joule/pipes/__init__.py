"""How rows get from module to module: one contract, several kinds.

Local pipes (inside a process, and in tests), pipes over the stream log (between a node's processes), byte-stream pipes
(descriptors and sockets of other programs) and the terminal's (a reader run alone).
"""

from joule.pipes._byte_sink import WriterFactory
from joule.pipes._byte_source import ReaderFactory
from joule.pipes._byte_stream import InputPipe, OutputPipe, reader_factory, writer_factory
from joule.pipes._composition import Composition
from joule.pipes._descriptors import DescriptorManifest, open_descriptors
from joule.pipes._local import LocalNumpyPipe, LocalPipe
from joule.pipes._log_input import LogInput, follow_log
from joule.pipes._log_output import LogOutput
from joule.pipes._pipe import Direction, Pipe, PipeStatistics
from joule.pipes._read_side import ReadSide
from joule.pipes._session import Manifest, ModulePipes, PipeEntry, open_manifest
from joule.pipes._sink import RowSink
from joule.pipes._source import Horizon, RowSource
from joule.pipes._stdout import StdoutPipe
from joule.pipes._write_side import WriteSide

__all__ = [
    "Composition",
    "DescriptorManifest",
    "Direction",
    "Horizon",
    "InputPipe",
    "LocalNumpyPipe",
    "LocalPipe",
    "LogInput",
    "LogOutput",
    "Manifest",
    "ModulePipes",
    "OutputPipe",
    "Pipe",
    "PipeEntry",
    "PipeStatistics",
    "ReadSide",
    "ReaderFactory",
    "RowSink",
    "RowSource",
    "StdoutPipe",
    "WriteSide",
    "WriterFactory",
    "follow_log",
    "open_descriptors",
    "open_manifest",
    "reader_factory",
    "writer_factory",
]
