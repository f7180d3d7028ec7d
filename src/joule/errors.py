"""Every error that Joule raises on purpose: one tree, a stable code each.

A class builds its own message from facts (subject, rule, what came, what to do about it) and keeps those facts in
`detail`, so that programs branch on class or code and never on text. The same class is raised on both sides of HTTP:
the server sends `to_wire()`, the client raises what `from_wire()` gives back.

    JouleError                      joule
    ├── PipeError                   pipe                 (also NumpyPipeError)
    │   ├── EmptyPipeError          pipe_empty           (also EmptyPipe)
    │   ├── ClosedPipeError         pipe_closed
    │   ├── PeerGoneError           pipe_broken          also a BrokenPipeError
    │   ├── BadLayoutError          layout               also a ValueError
    │   ├── BadRowsError            rows                 also a ValueError
    │   │   ├── RowWidthError       row_width
    │   │   └── BadTimestampError   timestamp
    │   └── OutOfOrderError         out_of_order
    │       └── TooFarAheadError    too_far_ahead
    ├── LogError                    log                  (also DataError)
    │   ├── DecimationError         decimation
    │   │   └── InsufficientDecimationError       decimation_insufficient
    │   ├── DiskFullError           disk_full
    │   ├── LayoutMismatchError     layout_mismatch
    │   ├── StreamBusyError         stream_busy
    │   ├── DamagedLogError         log_damaged
    │   └── ForeignFileError        log_foreign_file
    ├── CatalogError                catalog
    │   ├── DamagedCatalogError     catalog_damaged
    │   ├── ForeignCatalogError     catalog_foreign
    │   ├── BadMoveError            bad_move
    │   ├── FolderNotEmptyError     folder_not_empty
    │   └── NameTakenError          name_taken
    ├── ConfigurationError          configuration
    ├── BadTextError                text                 also a ValueError
    │   ├── BadAttributeError       attribute
    │   ├── BadDurationError        duration
    │   ├── BadPathError            path
    │   ├── BadSizeError            size
    │   └── BadTimeError            time
    ├── ModuleError                 module
    └── NodeError                   node                 (also ApiError)
        ├── NodeBusyError           node_busy
        ├── NodeUnreachableError    node_unreachable     (also ConnectionError)
        ├── NotFoundError           not_found            (also StreamNotFound)
        ├── BadRequestError         bad_request
        │   ├── InvalidDataStreamParameter    data_stream_parameter
        │   └── InvalidEventStreamParameter   event_stream_parameter
        ├── SubscriptionError       subscription
        ├── StreamHeldError         stream_held
        └── NotYetError             not_yet
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

__all__ = [
    "ApiError",
    "BadAttributeError",
    "BadDurationError",
    "BadLayoutError",
    "BadMoveError",
    "BadPathError",
    "BadRequestError",
    "BadRowsError",
    "BadSizeError",
    "BadTextError",
    "BadTimeError",
    "BadTimestampError",
    "CatalogError",
    "ClosedPipeError",
    "ConfigurationError",
    "ConnectionError",
    "DamagedCatalogError",
    "DamagedLogError",
    "DataError",
    "DecimationError",
    "DiskFullError",
    "EmptyPipe",
    "EmptyPipeError",
    "FolderNotEmptyError",
    "ForeignCatalogError",
    "ForeignFileError",
    "InsufficientDecimationError",
    "InvalidDataStreamParameter",
    "InvalidEventStreamParameter",
    "JouleError",
    "LayoutMismatchError",
    "LogError",
    "ModuleError",
    "NameTakenError",
    "NodeBusyError",
    "NodeError",
    "NodeUnreachableError",
    "NotFoundError",
    "NotYetError",
    "NumpyPipeError",
    "OutOfOrderError",
    "PeerGoneError",
    "PipeError",
    "RowWidthError",
    "StreamBusyError",
    "StreamHeldError",
    "StreamNotFound",
    "SubscriptionError",
    "TooFarAheadError",
    "from_wire",
]


class JouleError(Exception):
    """Base of every error in this tree.

    Attributes:
        code: Stable name of the class, the same in Python, HTTP and documentation.
        detail: The facts behind the message, as values that JSON can carry.
    """

    code: ClassVar[str] = "joule"

    def __init__(self, message: str, **detail: Any) -> None:
        super().__init__(message)
        self.detail: dict[str, Any] = detail

    @property
    def message(self) -> str:
        """The sentence for people."""
        return str(self.args[0])

    def to_wire(self) -> dict[str, Any]:
        """Return the body of an HTTP error answer."""
        return {"error": {"code": self.code, "message": self.message, "detail": self.detail}}


class PipeError(JouleError):
    """A pipe was used in a way that its contract rules out, or can no longer carry rows."""

    code = "pipe"


class EmptyPipeError(PipeError):
    """The writer has closed the pipe and no row is left to read."""

    code = "pipe_empty"

    def __init__(self, pipe: str) -> None:
        super().__init__(f"pipe {pipe!r} is empty: its writer has closed it and every row was read", pipe=pipe)


class ClosedPipeError(PipeError):
    """This end of the pipe was closed before it was used."""

    code = "pipe_closed"

    def __init__(self, pipe: str, action: str) -> None:
        super().__init__(f"Cannot {action} a closed pipe: {pipe!r} was closed at this end", pipe=pipe)


class PeerGoneError(PipeError, BrokenPipeError):
    """The process at the other end of the pipe has gone."""

    code = "pipe_broken"

    def __init__(self, pipe: str, lost: str) -> None:
        super().__init__(f"the other end of pipe {pipe!r} has gone: {lost}", pipe=pipe)


class BadLayoutError(PipeError, ValueError):
    """A text is no layout such as `float32_8`."""

    code = "layout"

    def __init__(self, text: object, reason: str) -> None:
        super().__init__(
            f"bad layout {text!r}: {reason}; a layout is TYPE_COUNT such as float32_8, with TYPE one of int8 int16 "
            "int32 int64 uint8 uint16 uint32 uint64 float32 float64 and COUNT from 1 to 1024",
            layout=str(text),
            reason=reason,
        )


class BadRowsError(PipeError, ValueError):
    """Rows handed to `write()` are not rows of the pipe's layout; none of them was written."""

    code = "rows"

    def __init__(self, pipe: str, reason: str, **detail: Any) -> None:
        super().__init__(f"cannot write to pipe {pipe!r}: {reason}", pipe=pipe, reason=reason, **detail)


class RowWidthError(BadRowsError):
    """Rows have another number of columns than one timestamp and the layout's elements."""

    code = "row_width"

    def __init__(self, pipe: str, layout: str, width: int, shape: Sequence[int]) -> None:
        came = shape[1] - 1 if len(shape) == 2 else None
        if came is None:
            reason = f"got an array of shape {tuple(shape)}; rows are 2-D, a timestamp and {width} values each"
        else:
            reason = f"got {came} values per row for a {width}-element stream ({layout})"
            if shape[0] == width + 1:
                reason += ": the array looks transposed, write(array.T)?"
        super().__init__(pipe, reason, layout=layout, shape=list(shape))


class BadTimestampError(BadRowsError):
    """A timestamp cannot be kept as whole Unix microseconds."""

    code = "timestamp"

    def __init__(self, pipe: str, reason: str, row: int | None = None) -> None:
        super().__init__(pipe, reason if row is None else f"row {row} of this write: {reason}", row=row)


class OutOfOrderError(PipeError):
    """Some rows of a `write()` were not newer than the row before them; the others were stored.

    Attributes:
        timestamp_us: The first timestamp that was refused.
        last_us: The timestamp that it had to be greater than.
        refused: How many rows of the write were refused.
    """

    code = "out_of_order"

    def __init__(self, stream: str, timestamp_us: int, last_us: int, refused: int) -> None:
        gap = last_us - timestamp_us
        fix = _unit_hint(timestamp_us, last_us) or (
            "the clock or the source repeats or goes back; for chunks, begin where the last one ended "
            "(np.linspace(..., endpoint=False))"
        )
        super().__init__(
            f"stream {stream!r}: timestamps must increase: {timestamp_us} came after {last_us}"
            f" ({gap} us too early); {refused} row{'s' if refused != 1 else ''} refused, the others stored: {fix}",
            stream=stream,
            timestamp_us=timestamp_us,
            last_us=last_us,
            refused=refused,
        )
        self.timestamp_us = timestamp_us
        self.last_us = last_us
        self.refused = refused


class TooFarAheadError(OutOfOrderError):
    """Some rows of a `write()` were too far ahead of the node's clock; the others were stored.

    Stored, such a row would block its stream until its time has come.

    Attributes:
        timestamp_us: The first timestamp that was refused.
        last_us: The last one that would have been stored.
        refused: How many rows of the write were refused.
    """

    code = "too_far_ahead"

    def __init__(self, stream: str, timestamp_us: int, now_us: int, max_ahead_us: int, refused: int) -> None:
        now = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now_us // 1_000_000))
        fix = _unit_hint(timestamp_us, now_us) or (
            "correct the clock of the source, or the node's ('joule clock show' tells how it stands); where rows are "
            "meant for later, raise MaxAhead in main.conf"
        )
        JouleError.__init__(
            self,
            f"stream {stream!r}: {timestamp_us} is {_days(timestamp_us - now_us)} ahead of the node's clock ({now_us}, "
            f"{now}), and rows may be {_days(max_ahead_us)} ahead at most; {refused} row{'s' if refused != 1 else ''} "
            f"refused, the others stored: {fix}",
            stream=stream,
            timestamp_us=timestamp_us,
            now_us=now_us,
            last_us=now_us + max_ahead_us,
            refused=refused,
        )
        self.timestamp_us = timestamp_us
        self.last_us = now_us + max_ahead_us
        self.refused = refused


def _days(span_us: int) -> str:
    days = span_us / 86_400_000_000
    if days >= 730:
        return f"{days / 365.25:,.0f} years"
    return f"{days:.3g} days" if days != 1 else "1 day"


_NEAR_US = 366 * 86_400_000_000
_MODERN_US = 10**15  # 2001: what is smaller counts something else, as rows in tests do


def _unit_hint(timestamp_us: int, known_us: int) -> str:
    """Return what to say about a timestamp that is near a known time in another unit; else nothing."""
    if known_us < _MODERN_US:
        return ""
    if abs(timestamp_us // 1000 - known_us) < _NEAR_US:
        return "it looks like nanoseconds: timestamps are microseconds, divide by 1000"
    if abs(timestamp_us * 1000 - known_us) < _NEAR_US:
        return "it looks like milliseconds: timestamps are microseconds, multiply by 1000"
    if abs(timestamp_us * 1_000_000 - known_us) < _NEAR_US:
        return "it looks like seconds: timestamps are microseconds, multiply by 1000000"
    return ""


class LogError(JouleError):
    """A stream log cannot be opened, read or written."""

    code = "log"


class DiskFullError(LogError):
    """The disk has no room; the rows up to `done` of this call are stored, the others are not.

    Attributes:
        done: How many rows of the call are stored or were dropped for good reason.
    """

    code = "disk_full"

    def __init__(self, stream: str, directory: object, done: int) -> None:
        super().__init__(f"stream {stream!r}: the disk of {directory} is full", stream=stream, done=done)
        self.done = done


class LayoutMismatchError(LogError):
    """A log was opened with another layout than the one that its rows have."""

    code = "layout_mismatch"

    def __init__(self, stream: str, stored: str, requested: str) -> None:
        super().__init__(
            f"stream {stream!r} holds {stored} rows and was opened as {requested}: use the stored layout, or "
            "another stream path for the new one",
            stream=stream,
            stored=stored,
            requested=requested,
        )


class StreamBusyError(LogError):
    """A second writer was opened on a stream."""

    code = "stream_busy"

    def __init__(self, stream: str, holder: str) -> None:
        super().__init__(
            f"stream {stream!r} is being written by {holder}: a stream has one writer; stop that one first, or write "
            "another stream",
            stream=stream,
            holder=holder,
        )


class DamagedLogError(LogError):
    """A file of a log does not hold what it must; it was left as it is."""

    code = "log_damaged"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"damaged log file {path}: {reason}; it was left untouched: put back a copy, or move it away (of a "
            "stream's log the whole directory) and start jouled again",
            path=path,
            reason=reason,
        )


class ForeignFileError(LogError):
    """A file that Joule did not write, or a newer Joule wrote, lies where a log's file should be."""

    code = "log_foreign_file"

    def __init__(self, path: str, reason: str, kind: str = "log file") -> None:
        super().__init__(
            f"{path} is no {kind} that this Joule reads: {reason}; it was left untouched: move it away, or use the "
            "Joule that wrote it",
            path=path,
            reason=reason,
        )


class CatalogError(JouleError):
    """A node's catalog cannot be opened, read or written."""

    code = "catalog"


class DamagedCatalogError(CatalogError):
    """A catalog's file does not hold what it must; it was left as it is."""

    code = "catalog_damaged"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"damaged catalog {path}: {reason}; it was left untouched: move it away together with its -wal file and "
            "put back a copy",
            path=path,
            reason=reason,
        )


class ForeignCatalogError(CatalogError):
    """A file that Joule did not write, or a newer Joule wrote, lies where a node's catalog should be."""

    code = "catalog_foreign"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"{path} is no catalog that this Joule reads: {reason}; it was left untouched: move it away, or use the "
            "Joule that wrote it",
            path=path,
            reason=reason,
        )


class NameTakenError(CatalogError):
    """A stream or folder was to get a path that another one has."""

    code = "name_taken"

    def __init__(self, kind: str, path: str) -> None:
        super().__init__(
            f"there is a {kind} {path!r} already: choose another path, or move or delete that {kind} first", path=path
        )


class BadMoveError(CatalogError):
    """A folder was to be moved, copied or deleted in a way that would leave no tree."""

    code = "bad_move"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"folder {path!r}: {reason}", path=path)


class FolderNotEmptyError(CatalogError):
    """A folder was to be deleted while something is in it."""

    code = "folder_not_empty"

    def __init__(self, path: str, streams: int) -> None:
        held = "folders" if not streams else "1 stream" if streams == 1 else f"{streams} streams"
        super().__init__(
            f"folder {path!r} holds {held}: delete it with all that is in it (--recursive), or move that first",
            path=path,
            streams=streams,
        )


class ConfigurationError(JouleError):
    """A configuration cannot be used; the message lists every fault that was found."""

    code = "configuration"


class BadTextError(JouleError, ValueError):
    """A text that a person wrote for a value does not name one."""

    code = "text"


class BadAttributeError(BadTextError):
    """A value cannot be the attribute of a stream or of one of its elements."""

    code = "attribute"

    def __init__(self, attribute: str, reason: str) -> None:
        super().__init__(f"attribute {attribute!r}: {reason}", attribute=attribute, reason=reason)


class BadDurationError(BadTextError):
    """A text is no span of time."""

    code = "duration"

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(
            f"bad duration {text!r}: {reason}; write such as 90s, 15min, 6h, 7d, 2w, 3mo or 1y",
            text=text,
            reason=reason,
        )


class BadPathError(BadTextError):
    """A text is no path of a stream or folder."""

    code = "path"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"bad path {path!r}: {reason}; write such as /house/power/mains", path=path, reason=reason)


class BadSizeError(BadTextError):
    """A text is no amount of memory."""

    code = "size"

    def __init__(self, text: str) -> None:
        super().__init__(f"bad size {text!r}: write a number with a unit, such as 500 MB or 1.5 GB", text=text)


class BadTimeError(BadTextError):
    """A text names no point in time."""

    code = "time"

    def __init__(self, text: str) -> None:
        super().__init__(
            f"bad time {text!r}: not a date that Joule reads; write such as 2026-01-31T08:00:00, "
            "'2026-01-31 08:00+01:00', Unix microseconds (1485274825000000), '2 hours ago', 'yesterday 08:00' or now",
            text=text,
        )


class ModuleError(JouleError):
    """A module cannot run as it was started or written."""

    code = "module"


class NodeError(JouleError):
    """A node could not do what was asked of it."""

    code = "node"


class NodeBusyError(NodeError):
    """A second `jouled` was started on a node's directory."""

    code = "node_busy"

    def __init__(self, directory: str, pid: int) -> None:
        super().__init__(
            f"the node in {directory} is already run by jouled, process {pid}: use that one, or stop it first "
            f"(kill {pid})",
            directory=directory,
            pid=pid,
        )


class NodeUnreachableError(NodeError):
    """No daemon answers for a node."""

    code = "node_unreachable"


class NotFoundError(NodeError):
    """A node has no stream, module or folder of that name."""

    code = "not_found"


class StreamHeldError(NodeError):
    """A stream was to be moved or deleted while something uses it."""

    code = "stream_held"

    def __init__(self, stream: str, holder: str, remedy: str, module: str | None = None) -> None:
        super().__init__(f"stream {stream!r} is {holder}: {remedy}", stream=stream, module=module)


class BadRequestError(NodeError):
    """A request to a node has a parameter that it cannot use."""

    code = "bad_request"


class NotYetError(NodeError):
    """A program of another era asks for something that this version does not do yet."""

    code = "not_yet"

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what} is not in this version of Joule yet: {remedy}", what=what)


# What programs of the newest era catch. Nothing raises these yet, so that `except` clauses with them can be imported.


class SubscriptionError(NodeError):
    """A stream cannot be subscribed to."""

    code = "subscription"


class InvalidDataStreamParameter(BadRequestError):  # noqa: N818  # the name of its era
    """A data stream was described by something that none can have."""

    code = "data_stream_parameter"


class InvalidEventStreamParameter(BadRequestError):  # noqa: N818  # the name of its era
    """An event stream was described by something that none can have."""

    code = "event_stream_parameter"


class DecimationError(LogError):
    """A stream cannot be read at a coarser time scale."""

    code = "decimation"


class InsufficientDecimationError(DecimationError):
    """A stream has no time scale that is coarse enough for so few rows."""

    code = "decimation_insufficient"


def _subclasses(root: type[JouleError]) -> Iterator[type[JouleError]]:
    yield root
    for child in root.__subclasses__():
        yield from _subclasses(child)


def from_wire(body: dict[str, Any]) -> JouleError:
    """Return the error that `JouleError.to_wire()` described, as an instance of the same class.

    Args:
        body: The decoded JSON body of an HTTP error answer.

    Returns:
        The error, not raised. An unknown code, from a newer node, gives a plain `NodeError`.
    """
    facts = body.get("error") if isinstance(body, dict) else None
    if not isinstance(facts, dict):
        return NodeError(f"the node answered with an error that has no description: {body!r}")
    known = {cls.code: cls for cls in _subclasses(JouleError)}
    cls = known.get(str(facts.get("code")), NodeError)
    error = cls.__new__(cls)
    JouleError.__init__(error, str(facts.get("message", "")), **(facts.get("detail") or {}))
    for name, value in error.detail.items():
        if name in ("timestamp_us", "last_us", "refused"):
            setattr(error, name, value)
    return error


# The names of other eras: the same classes, so that either `except` clause works.
EmptyPipe = EmptyPipeError
NumpyPipeError = PipeError
ApiError = NodeError
ConnectionError = NodeUnreachableError
DataError = LogError
StreamNotFound = NotFoundError
