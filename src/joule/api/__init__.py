"""The node client: what programs, the command line included, ask a node.

    async with open_node() as node:
        async for block in node.read_data("/house/power"):
            ...

A node is a name, a directory or a URL. Where no `jouled` runs, streams and stored rows are read from the directory's
files. Importing this package loads neither web client nor catalog; opening a node does. The names behind `describe_`,
`frame` and the like are for the server, which gives the same answers by the same code. `DataStream`, `get_node` and
their like are those of the newest era (docs/explanations/eras.md).
"""

from joule.api._clock_models import ClockChange, ClockInfo, RowsAside
from joule.api._frames import DATA_TYPE, END_FRAME, LAYOUT_HEADER, error_frame, frame, read_frames
from joule.api._log_lines import (
    JOULED,
    LogLine,
    LogMatcher,
    LogQuery,
    find_logs,
    merged_lines,
    module_log_file,
    stored_lines,
)
from joule.api._models import (
    ChangeInfo,
    CopyProgress,
    FolderInfo,
    ModuleChange,
    ModuleInfo,
    ModuleUsage,
    ProvenanceInfo,
    ReloadReport,
    StreamInfo,
    UsageSample,
    VersionInfo,
)
from joule.api._named_nodes import (
    BaseNode,
    NodeConfig,
    TcpNode,
    UnixNode,
    create_tcp_node,
    delete_node,
    get_node,
    get_nodes,
    save_node,
    set_default_node,
)
from joule.api._node import Node
from joule.api._node_parts import (
    Annotation,
    DataStreamInfo,
    Event,
    EventStream,
    EventStreamInfo,
    Folder,
    Module,
    ModuleStatistics,
    Proxy,
)
from joule.api._open import open_node
from joule.api._stored import (
    catalog_path,
    describe_folder,
    describe_provenance,
    describe_stream,
    describe_streams,
    log_directory,
    node_lock_path,
    read_stored,
)
from joule.core.data_stream import DataStream, Element

__all__ = [
    "DATA_TYPE",
    "END_FRAME",
    "JOULED",
    "LAYOUT_HEADER",
    "Annotation",
    "BaseNode",
    "ChangeInfo",
    "ClockChange",
    "ClockInfo",
    "CopyProgress",
    "DataStream",
    "DataStreamInfo",
    "Element",
    "Event",
    "EventStream",
    "EventStreamInfo",
    "Folder",
    "FolderInfo",
    "LogLine",
    "LogMatcher",
    "LogQuery",
    "Module",
    "ModuleChange",
    "ModuleInfo",
    "ModuleStatistics",
    "ModuleUsage",
    "Node",
    "NodeConfig",
    "ProvenanceInfo",
    "Proxy",
    "ReloadReport",
    "RowsAside",
    "StreamInfo",
    "TcpNode",
    "UnixNode",
    "UsageSample",
    "VersionInfo",
    "catalog_path",
    "create_tcp_node",
    "delete_node",
    "describe_folder",
    "describe_provenance",
    "describe_stream",
    "describe_streams",
    "error_frame",
    "find_logs",
    "frame",
    "get_node",
    "get_nodes",
    "log_directory",
    "merged_lines",
    "module_log_file",
    "node_lock_path",
    "open_node",
    "read_frames",
    "read_stored",
    "save_node",
    "set_default_node",
    "stored_lines",
]
