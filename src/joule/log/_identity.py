"""Which stream a log's directory holds, and making a new log.

`log.json` is written last when a log is made: a directory without it is no log. Only the path in it is ever replaced.
"""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

from joule.core import Layout
from joule.errors import BadLayoutError, DamagedLogError, ForeignFileError, LayoutMismatchError, LogError
from joule.log._breaks import BREAKS_NAME, make_breaks
from joule.log._files import DISK, Files, open_part, sync_directory, write_whole
from joule.log._head import HEAD_NAME, Head
from joule.log._segments import segment_names

__all__ = ["Identity", "create_log", "read_identity", "relabel_log", "streams_directory"]

_NAME = "log.json"
_FORMAT = "joule stream log"
_VERSION = 1
_MAX_BYTES = 65_536


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a log is.

    Attributes:
        stream: The stream's path when the log was made or its stream last moved.
        layout: Of its rows.
        log_id: Unique to this log, so that positions are never taken for another one's.
    """

    stream: str
    layout: Layout
    log_id: str


def streams_directory(data_directory: Path) -> Path:
    """Return the directory of a node's logs."""
    return data_directory / "streams"


def create_log(directory: Path, layout: Layout, stream: str, files: Files = DISK) -> Identity:
    """Make a log, or make sure that the one there is for these rows.

    Args:
        directory: Made if there is none.
        layout: Of the stream's rows.
        stream: The stream's path, for messages.
        files: The file system.

    Raises:
        LayoutMismatchError: There is a log with another layout.
        ForeignFileError: The directory holds other files; they are left alone.
        OSError: The disk is full, or may not be written.
    """
    text = _read_text(directory, files)
    if text is not None:
        identity = _checked(directory, text, files)
        if identity.layout != layout:
            raise LayoutMismatchError(stream, str(identity.layout), str(layout))
        return identity
    return _make(directory, layout, stream, files)


def _make(directory: Path, layout: Layout, stream: str, files: Files) -> Identity:
    files.make_directory(directory)
    if segment_names(directory, files):
        raise ForeignFileError(str(directory), f"it holds rows but no {_NAME}")
    make_breaks(directory, files)
    write_whole(directory / HEAD_NAME, Head(boot=files.boot(directory)).pack(), files)
    identity = Identity(stream=stream, layout=layout, log_id=os.urandom(16).hex())
    sync_directory(directory, files)  # else a power cut might keep the name of the description and lose the others
    _put(directory, identity, files)
    sync_directory(directory, files)
    sync_directory(directory.parent, files)
    return identity


def _put(directory: Path, identity: Identity, files: Files) -> None:
    facts = {
        "format": _FORMAT,
        "version": _VERSION,
        "stream": identity.stream,
        "layout": str(identity.layout),
        "log_id": identity.log_id,
    }
    making = directory / f"{_NAME}.new"
    write_whole(making, json.dumps(facts, indent=1).encode(), files)
    files.rename(making, directory / _NAME)


def relabel_log(directory: Path, stream: str, files: Files = DISK) -> None:
    """Let a log say that it is of another path: its stream was moved. Rows, id, readers and cursors are not touched.

    Raises:
        LogError: There is no log, or its description cannot be read.
        OSError: It cannot be written; it is as it was.
    """
    identity = read_identity(directory, files)
    if identity.stream != stream:  # its directory is not synced: the old path does until the next change
        _put(directory, dataclasses.replace(identity, stream=stream), files)


def read_identity(directory: Path, files: Files = DISK) -> Identity:
    """Return what the log in a directory is.

    Raises:
        LogError: There is none.
        ForeignFileError: Its description is not ours, or of a newer version.
        DamagedLogError: Its description cannot be read, or a part of the log is missing.
    """
    text = _read_text(directory, files)
    if text is None:
        raise LogError(f"there is no stream log in {directory} ({_NAME} is missing)", path=str(directory))
    return _checked(directory, text, files)


def _read_text(directory: Path, files: Files) -> bytes | None:
    """Return the description of the log in a directory, None where there is no log."""
    try:
        fd = files.open(directory / _NAME)
    except FileNotFoundError:
        return None
    try:
        return files.read(fd, _MAX_BYTES, 0)
    finally:
        files.close(fd)


def _checked(directory: Path, text: bytes, files: Files) -> Identity:
    """Return the identity in a description, of a log that has its other parts too."""
    identity = _parse(directory / _NAME, text)
    for name in (HEAD_NAME, BREAKS_NAME):
        files.close(open_part(directory / name, files))
    return identity


def _parse(path: Path, text: bytes) -> Identity:
    try:
        facts = json.loads(text)
    except ValueError as error:
        raise DamagedLogError(str(path), f"it is no JSON ({error})") from error
    if not isinstance(facts, dict) or facts.get("format") != _FORMAT:
        raise ForeignFileError(str(path), "it does not describe a stream log")
    if facts.get("version") != _VERSION:
        raise ForeignFileError(
            str(path), f"it has format version {facts.get('version')}, this Joule reads version {_VERSION}"
        )
    try:
        return Identity(stream=str(facts["stream"]), layout=Layout.parse(facts["layout"]), log_id=str(facts["log_id"]))
    except (KeyError, BadLayoutError) as error:
        raise DamagedLogError(str(path), f"it lacks {error}") from error
