"""Up to where a log can be relied on, for programs that look at it from outside."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from joule.errors import LogError
from joule.log._files import DISK, Files
from joule.log._head import Head, read_head
from joule.log._identity import read_identity
from joule.log._record import NodeRecord, load_records
from joule.log._recovery import is_whole, suspect_log

__all__ = ["Durability", "inspect_durability", "newest_record"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Durability:
    """How durable a log is at one moment.

    Attributes:
        rows: How many rows of its life would survive a power cut; None for a stream that keeps nothing.
        taken_us: When that was looked at, us; None where nothing was.
        fault: Why no further row becomes durable; empty where they do.
        certain: The state to read it at, where the power has failed since it was written and no `jouled` has put it
            right yet; None where all of it can be read.
    """

    rows: int | None
    taken_us: int | None
    fault: str = ""
    certain: Head | None = None


def newest_record(data_directory: Path, files: Files = DISK) -> NodeRecord | None:
    """Return what is durable of a node; None where nothing is known, as of a node of an earlier version."""
    try:
        boot = files.boot(data_directory)
        # In this boot a record may be seen that is not on the disk yet; another boot's was read from there.
        records = (r for r in load_records(data_directory, files) if r.is_confirmed or r.boot != boot)
        return next(records, None)
    except (LogError, OSError):  # the syncer and jouled say what is wrong with it
        return None


def inspect_durability(directory: Path, record: NodeRecord | None, files: Files = DISK) -> Durability:
    """Return how durable a log is.

    Args:
        directory: The log's.
        record: What is durable of its node, see `newest_record`.
        files: The file system.

    Raises:
        LogError: There is no log, or it cannot be read.
    """
    if record is None:
        return Durability(rows=0, taken_us=None)
    point = record.logs.get(read_identity(directory, files).log_id)
    suspect = suspect_log(directory, record, files.boot(directory), files)
    certain = suspect.point.head if suspect is not None and not is_whole(suspect) else None
    if read_head(directory, files).is_transient:
        return Durability(rows=None, taken_us=None, certain=Head() if certain else None)
    return Durability(
        rows=point.head.stored if point else 0,
        taken_us=record.taken_us,
        fault=point.fault if point else "",
        certain=certain,
    )
