"""A module's pipes under `jouled`: opened from the manifest on its command line, exact across restarts.

The commit rule: positions count not when rows are consumed (authors may consume before they write) but when the
module begins a new cycle, that is, when a read looks for new rows on an input that was already read since the last
commit; and once more when `run()` has returned. All positions of the module count together. Rows in an output's cache
are not stored, so a commit that finds some waits until they are.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import functools
import json
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

from joule.core import ElementSpec, Layout
from joule.errors import LogError, ModuleError, StreamBusyError
from joule.log import (
    DISK,
    SEGMENT_US,
    CursorFile,
    Files,
    InnerPosition,
    InputPosition,
    LogWriter,
    ProcessLock,
    following_clock,
)
from joule.pipes._composition import Composition
from joule.pipes._log_input import LogInput
from joule.pipes._log_output import LogOutput
from joule.pipes._pipe import Pipe
from joule.pipes._read_side import ReadSide

if TYPE_CHECKING:
    from joule.core.data_stream import DataStream

__all__ = ["Manifest", "ModulePipes", "PipeEntry", "open_manifest"]

_log = logging.getLogger("joule.pipes")

_LONGEST_TEXT = 100_000
"""Linux takes 131,072 bytes as one argument of a program."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PipeEntry:
    """One pipe of a module, as `jouled` hands it over.

    Attributes:
        stream: The stream's path.
        log: The directory of its log.
        layout: Of its rows, such as `float32_2`.
        out_of_order: What to do about rows that are not newer than the last (outputs).
        segment_us: Time span at which a segment of the log is closed, us (outputs).
        is_transient: The stream keeps nothing, so its rows are never synced (outputs).
        stream_id: The stream's number in the node.
        elements: Of the stream, in order; none where they would have made the command line too long.
    """

    stream: str
    log: Path
    layout: str
    out_of_order: Literal["raise", "drop"] = "raise"
    segment_us: int = SEGMENT_US
    is_transient: bool = False
    stream_id: int | None = None
    elements: tuple[ElementSpec, ...] = ()

    def facts(self, *, with_elements: bool) -> dict[str, Any]:
        """Return the entry as what `json.dumps` takes; of elements only what is not the default."""
        elements = [_element_facts(element) for element in self.elements] if with_elements else []
        own = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {**own, "log": str(self.log), "elements": elements}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What `jouled` passes to a module in `--pipes`, as one JSON text.

    Attributes:
        module: The module's name.
        cursor: Its cursor file.
        run: The node's runtime directory.
        on_restart: What a module with inputs does when it starts again: go on, or begin a new interval.
        max_ahead_us: How far ahead of the node's clock the rows of its outputs may be, us; None for any time.
        clock: The file of the node's clock; None to go by the system's.
        inputs: By pipe name.
        outputs: By pipe name.
        variables: Names whose `${NAME}` on the command line stands for a value in the environment.
        socket: Where the module's web pages are served; None where they are not.
    """

    module: str
    cursor: Path
    run: Path
    on_restart: Literal["resume", "break"] = "resume"
    max_ahead_us: int | None = None
    clock: Path | None = None
    inputs: Mapping[str, PipeEntry] = dataclasses.field(default_factory=dict)
    outputs: Mapping[str, PipeEntry] = dataclasses.field(default_factory=dict)
    variables: tuple[str, ...] = ()
    socket: Path | None = None

    def to_json(self) -> str:
        """Return the text for `--pipes`, without the elements of its streams where it would be too long."""
        text = self._json(with_elements=True)
        return text if len(text) <= _LONGEST_TEXT else self._json(with_elements=False)

    def without_elements(self) -> Self:
        """Return the manifest without what only describes streams: a running module need not hear when that changes."""
        return dataclasses.replace(self, inputs=_undescribed(self.inputs), outputs=_undescribed(self.outputs))

    def _json(self, *, with_elements: bool) -> str:
        facts = {
            "module": self.module,
            "cursor": str(self.cursor),
            "run": str(self.run),
            "on_restart": self.on_restart,
            "max_ahead_us": self.max_ahead_us,
            "clock": None if self.clock is None else str(self.clock),
            "inputs": {name: entry.facts(with_elements=with_elements) for name, entry in self.inputs.items()},
            "outputs": {name: entry.facts(with_elements=with_elements) for name, entry in self.outputs.items()},
            "variables": list(self.variables),
            "socket": None if self.socket is None else str(self.socket),
        }
        return json.dumps(facts)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the manifest of a text.

        Raises:
            ModuleError: The text is none.
        """
        try:
            facts = json.loads(text)
            return cls(
                module=facts["module"],
                cursor=Path(facts["cursor"]),
                run=Path(facts["run"]),
                on_restart=facts["on_restart"],
                max_ahead_us=facts["max_ahead_us"],
                clock=None if facts["clock"] is None else Path(facts["clock"]),
                inputs={name: _entry(entry) for name, entry in facts["inputs"].items()},
                outputs={name: _entry(entry) for name, entry in facts["outputs"].items()},
                variables=tuple(facts.get("variables", ())),
                socket=Path(facts["socket"]) if facts.get("socket") else None,
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModuleError(
                f"--pipes is managed by jouled, and this is no value of jouled's ({error!r}): leave the option out to "
                "run the module alone"
            ) from error


def _element_facts(element: ElementSpec) -> dict[str, Any]:
    # Not `asdict`, which copies deeply: a node with a thousand streams would spend seconds on it at its start.
    values = ((field, getattr(element, field.name)) for field in dataclasses.fields(element))
    return {field.name: value for field, value in values if value != field.default}


def _undescribed(entries: Mapping[str, PipeEntry]) -> dict[str, PipeEntry]:
    return {name: dataclasses.replace(entry, elements=()) for name, entry in entries.items()}


def _entry(facts: dict[str, Any]) -> PipeEntry:
    elements = tuple(ElementSpec(**{"name": "", **element}) for element in facts.get("elements", ()))
    return PipeEntry(**{**facts, "log": Path(facts["log"]), "elements": elements})


class _Pending(NamedTuple):
    """A commit that waits for rows in caches: positions of the inputs; by output, rows written and rows refused."""

    inputs: list[InputPosition]
    outputs: list[int]
    refused: list[int]


class ModulePipes:
    """The open pipes of a module, and its commits.

    Attributes:
        inputs: By pipe name.
        outputs: By pipe name.
    """

    def __init__(self, cursor: CursorFile, inputs: dict[str, LogInput], outputs: dict[str, LogOutput]) -> None:
        self.inputs: dict[str, Pipe] = dict(inputs)
        self.outputs: dict[str, Pipe] = dict(outputs)
        self._cursor = cursor
        self._composition: Composition | None = None
        self._log_inputs = inputs
        self._named_outputs = outputs
        self._log_outputs = list(outputs.values())
        self._sides = [pipe.read_side for pipe in inputs.values()]
        self._pending: _Pending | None = None
        self._is_late = False
        for side in self._sides:
            side.before_read = functools.partial(self._begin_cycle, side)
        for output in self._log_outputs:
            output.write_side.after_flush = self._commit_pending

    def commit(self) -> None:
        """Make the present positions count: what was consumed will not be read again after a restart.

        On a full disk the positions of the commit before keep counting, and the next one tries again.

        Raises:
            LogError: They cannot be written.
        """
        if self._composition is not None:
            self._composition.finish()
            return
        for side in self._sides:
            side.was_read = False
        self._pending = _Pending(
            [InputPosition(side.row, side.breaks) for side in self._sides],
            [output.logical_rows for output in self._log_outputs],
            [output.log_sink.writer.head.refused for output in self._log_outputs],
        )
        self._commit_pending()

    def compose(self) -> Composition | None:
        """Let the module be a composite, whose children each go on where they were; None where it has no inputs."""
        if self._log_inputs:
            self._composition = Composition(self._cursor, self._log_inputs, self._named_outputs, self._write)
        return self._composition

    def _begin_cycle(self, side: ReadSide) -> None:
        if side.was_read:
            self.commit()

    def _commit_pending(self) -> None:
        """Commit once every row that the positions count is stored, and no longer in a cache."""
        pending = self._pending
        if pending is None:
            return
        rows = []
        for output, counted, refused in zip(self._log_outputs, pending.outputs, pending.refused, strict=True):
            writer = output.log_sink.writer
            expected = counted - (writer.head.refused - refused)  # refused rows left the cache, and are not stored
            if writer.logical_rows < expected:
                return
            rows.append(expected)
        self._pending = None
        self._write(pending.inputs, rows)

    def _write(
        self, inputs: Sequence[InputPosition], outputs: Sequence[int], inner: Sequence[InnerPosition] = ()
    ) -> bool:
        try:
            self._cursor.commit(inputs, outputs, inner)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise LogError(
                    f"the positions of this module cannot be written to {self._cursor.path}: {error.strerror}; after a "
                    "restart it goes on where they were written last, and what it writes again is dropped",
                    path=str(self._cursor.path),
                ) from error
            if not self._is_late:
                _log.warning("%s cannot be written, as the disk is full: the next cycle tries again", self._cursor.path)
            self._is_late = True
        else:
            self._is_late = False
        return not self._is_late


@contextlib.asynccontextmanager
async def open_manifest(manifest: Manifest, *, column: bool, files: Files = DISK) -> AsyncIterator[ModulePipes]:
    """Open a module's pipes where it stopped the last time; close them afterwards, whatever happens.

    A module without inputs begins a new interval in each output. One with inputs goes on at its cursor, and what it
    writes again is dropped. Nothing is committed at the end: call `commit()` when `run()` has returned.

    Args:
        manifest: From the command line.
        column: See `Pipe`.
        files: The file system of logs and cursors.

    Raises:
        StreamBusyError: Another process runs this module or writes one of its streams.
        LogError: A log or the cursor file cannot be used.
    """
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(_locked(manifest).close)
        _follow_clock(manifest, stack)
        cursor = CursorFile(manifest.cursor, files)
        stack.callback(cursor.close)
        inputs: dict[str, LogInput] = {}
        for name, entry in manifest.inputs.items():
            inputs[name] = _open_input(name, entry, manifest, cursor, column=column, files=files)
            stack.push_async_callback(_close, inputs[name])
        outputs: dict[str, LogOutput] = {}
        for name, entry in manifest.outputs.items():
            outputs[name] = _open_output(name, entry, manifest, cursor, column=column, files=files)
            stack.push_async_callback(_close, outputs[name])
        yield ModulePipes(cursor, inputs, outputs)


def _locked(manifest: Manifest) -> ProcessLock:
    holder = f"module {manifest.module!r}"
    try:
        return ProcessLock(manifest.cursor.with_suffix(".lock"), holder)
    except BlockingIOError as error:
        raise StreamBusyError(f"module {manifest.module}", error.args[1]) from None


def _follow_clock(manifest: Manifest, stack: contextlib.ExitStack | contextlib.AsyncExitStack) -> None:
    """Go by the node's clock; without it the system's is still better than no rows."""
    if manifest.clock is None:
        return
    try:
        stack.enter_context(following_clock(manifest.clock))
    except (LogError, OSError) as error:
        _log.warning("the node's clock cannot be read, so this module goes by the system's: %s", error)


def _open_input(
    name: str, entry: PipeEntry, manifest: Manifest, cursor: CursorFile, *, column: bool, files: Files = DISK
) -> LogInput:
    position = cursor.inputs[name]
    pipe = LogInput(name, entry.log, manifest.run, row=position.row, breaks=position.breaks, column=column, files=files)
    pipe.stream = _data_stream(entry)
    return pipe


def _open_output(
    name: str, entry: PipeEntry, manifest: Manifest, cursor: CursorFile, *, column: bool, files: Files = DISK
) -> LogOutput:
    pipe = LogOutput(
        name,
        entry.log,
        Layout.parse(entry.layout),
        manifest.run,
        stream=entry.stream,
        holder=f"module {manifest.module!r}",
        out_of_order=entry.out_of_order,
        is_reader=not manifest.inputs,
        segment_us=entry.segment_us,
        max_ahead_us=manifest.max_ahead_us,
        is_transient=entry.is_transient,
        column=column,
        files=files,
    )
    pipe.stream = _data_stream(entry)
    # Only the same composite can skip what its children make again. It says so; till then, all that is stored is.
    rows = 0 if cursor.has_inner_rows else cursor.outputs[name]
    try:
        _go_on(pipe.log_sink.writer, manifest, rows)
    except BaseException:
        pipe.close_nowait()
        raise
    return pipe


def _data_stream(entry: PipeEntry) -> DataStream:
    from joule.core.data_stream import as_data_stream  # a reader alone in a terminal needs none

    return as_data_stream(entry.stream, Layout.parse(entry.layout), entry.elements, entry.stream_id)


def _go_on(writer: LogWriter, manifest: Manifest, logical_rows: int) -> None:
    if not manifest.inputs:
        writer.restart_reader()
        return
    if manifest.on_restart == "break":
        writer.mark_break()
    writer.resume(logical_rows)


async def _close(pipe: Pipe) -> None:
    await pipe.close()
