"""The stream log: an append-only log of fixed-size rows in files, one writer, any number of readers.

Rows go from process to process through it and stay in it. A stored row survives the death of any process; a reader
goes on at exactly the row where it stopped; nobody waits for anybody. See `ARCHITECTURE.md` for the life of a row.
"""

from typing import TYPE_CHECKING, Any

from joule.log._bells import Bell
from joule.log._clock_file import ClockFile, ClockMemory, clock_path, following_clock
from joule.log._cursors import CursorFile, InnerPosition, InputPosition, cursor_path
from joule.log._files import DISK, DiskFiles, Files
from joule.log._head import Head, read_head
from joule.log._history import (
    BREAK,
    Break,
    LogSummary,
    count_rows,
    current_writer,
    inspect_log,
    later_rows,
    newest_timestamps,
    read_log,
    trim_log,
)
from joule.log._identity import Identity, create_log, read_identity, relabel_log, streams_directory
from joule.log._lock import ProcessLock, lock_holder
from joule.log._positions import ensure_cursors, lowest_rows
from joule.log._provenance import Origin, Stretch, add_origin, add_process, inspect_provenance
from joule.log._reader import LogReader
from joule.log._record import NodeRecord, load_records
from joule.log._runtime import find_runtime_directory, runtime_directory
from joule.log._sealing import seal_log
from joule.log._set_aside import copy_later_rows, cut_later_rows
from joule.log._writer import SEGMENT_BYTES, SEGMENT_US, LogWriter

if TYPE_CHECKING:
    from joule.log._durability import Durability, inspect_durability, newest_record
    from joule.log._recovery import Recovered, recover_node
    from joule.log._syncer import Syncer

__all__ = [
    "BREAK",
    "DISK",
    "SEGMENT_BYTES",
    "SEGMENT_US",
    "Bell",
    "Break",
    "ClockFile",
    "ClockMemory",
    "CursorFile",
    "DiskFiles",
    "Durability",
    "Files",
    "Head",
    "Identity",
    "InnerPosition",
    "InputPosition",
    "LogReader",
    "LogSummary",
    "LogWriter",
    "NodeRecord",
    "Origin",
    "ProcessLock",
    "Recovered",
    "Stretch",
    "Syncer",
    "add_origin",
    "add_process",
    "clock_path",
    "copy_later_rows",
    "count_rows",
    "create_log",
    "current_writer",
    "cursor_path",
    "cut_later_rows",
    "ensure_cursors",
    "find_runtime_directory",
    "following_clock",
    "inspect_durability",
    "inspect_log",
    "inspect_provenance",
    "later_rows",
    "load_records",
    "lock_holder",
    "lowest_rows",
    "newest_record",
    "newest_timestamps",
    "read_head",
    "read_identity",
    "read_log",
    "recover_node",
    "relabel_log",
    "runtime_directory",
    "seal_log",
    "streams_directory",
    "trim_log",
]


def __getattr__(name: str) -> Any:
    """Load what makes rows durable when it is asked for: no module process needs it."""
    if name == "Syncer":
        from joule.log._syncer import Syncer

        return Syncer
    if name in ("Recovered", "recover_node"):
        from joule.log import _recovery

        return getattr(_recovery, name)
    if name in ("Durability", "inspect_durability", "newest_record"):
        from joule.log import _durability

        return getattr(_durability, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
