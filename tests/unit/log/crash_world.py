"""A node at work on a disk that may lose power at any moment: a reader, two filters, trimming, rolls, restarts, syncs.

    raw --(sums of three rows of an interval)--> sums --(doubled)--> twice

Everything is a function of the rows of `raw`, so one list of these tells what must be in all three logs.
"""

from __future__ import annotations

import contextlib
import dataclasses
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np

from joule.core import Layout
from joule.log import (
    BREAK,
    CursorFile,
    LogWriter,
    Syncer,
    create_log,
    cursor_path,
    ensure_cursors,
    load_records,
    lowest_rows,
    read_head,
    read_identity,
    read_log,
    recover_node,
    trim_log,
)
from joule.pipes import LogInput, Manifest, ModulePipes, PipeEntry
from joule.pipes._session import _open_output

from .memory_files import MemoryFiles

LAYOUT = Layout("int64", 1)
STEP_US = 10
SEGMENT_US = 70
STREAMS = {"raw": 1, "sums": 2, "twice": 3}
Item = int | str


class PowerCut(BaseException):
    """The power fails in the middle of whatever happens."""


class WatchedFiles(MemoryFiles):
    """Calls somebody before each change, and perhaps somebody before each look."""

    watch: Callable[[], None] | None = None
    before_look: Callable[[], None] | None = None

    def read(self, fd, count, offset):
        if self.before_look is not None:
            self.before_look()
        return super().read(fd, count, offset)

    def _watched(self) -> None:
        if self.watch is not None:
            self.watch()

    def write(self, fd, data, size, offset):
        self._watched()
        super().write(fd, data, size, offset)

    def truncate(self, fd, size):
        self._watched()
        super().truncate(fd, size)

    def sync(self, fd):
        self._watched()
        super().sync(fd)

    def rename(self, source, target):
        self._watched()
        super().rename(source, target)

    def remove(self, path):
        self._watched()
        super().remove(path)

    def crashed(self, seed):
        left = super().crashed(seed)
        left.__class__ = WatchedFiles
        return left


def value_at(time: int) -> int:
    return time * time % 977


def rows_of(times: list[int]) -> np.ndarray:
    rows = np.zeros(len(times), LAYOUT.dtype)
    rows["timestamp"] = times
    rows["data"] = [value_at(time) for time in times]
    return rows


def collapsed(items: list) -> list:
    """Items with breaks only between rows."""
    found: list = []
    for item in items:
        if item != "break" or (found and found[-1] != "break"):
            found.append(item)
    return found[:-1] if found and found[-1] == "break" else found


def sums_of(raw: list[Item]) -> list:
    found: list = []
    window: list[int] = []
    for item in raw:
        if item == "break":
            window = []
            found.append("break")
            continue
        window = [*window, item][-3:]
        if len(window) == 3:
            found.append((item, sum(map(value_at, window))))
    return collapsed(found)


def expected(raw: list[Item]) -> dict[str, list]:
    sums = sums_of(raw)
    return {
        "raw": collapsed([item if item == "break" else (item, value_at(item)) for item in raw]),
        "sums": sums,
        "twice": [item if item == "break" else (item[0], 2 * item[1]) for item in sums],
    }


@dataclasses.dataclass
class Truth:
    """What is known at one moment, also of what is lost later.

    Attributes:
        raw: Rows and breaks of the source, as far as they are stored.
        coming: What was being stored.
        used: Up to which index rows of each log may have been used.
        trimmed_us: Rows from this time on were not trimmed.
    """

    raw: list[Item] = dataclasses.field(default_factory=list)
    coming: list[Item] = dataclasses.field(default_factory=list)
    used: dict[str, int] = dataclasses.field(default_factory=lambda: dict.fromkeys(STREAMS, 0))
    trimmed_us: int = 0

    def copy(self) -> Truth:
        return Truth(list(self.raw), list(self.coming), dict(self.used), self.trimmed_us)


class World:
    """The node. Locks lie in a real directory, everything else in `files`."""

    def __init__(self, directory: Path, files: WatchedFiles, truth: Truth, chance: random.Random) -> None:
        self.data = directory / "data"
        self.files = files
        self.truth = truth
        self.chance = chance
        self.syncer: Syncer | None = None
        self.writer: LogWriter | None = None
        self.modules: dict[str, ModulePipes] = {}
        self.cuts = 0

    def log(self, stream: str) -> Path:
        return self.data / "streams" / str(STREAMS[stream])

    def start(self) -> None:
        """What `jouled` does before it starts modules."""
        for stream in STREAMS:
            self.log(stream).mkdir(parents=True, exist_ok=True)
        (self.data / "cursors").mkdir(exist_ok=True)
        self.files.make_directory(self.data)
        self.cuts += len(recover_node(self.data, self.files))
        for stream in STREAMS:
            create_log(self.log(stream), LAYOUT, f"/{stream}", self.files)
        self._ensure("reader", [], ["raw"])
        self._ensure("summing", ["raw"], ["sums"])
        self._ensure("doubling", ["sums"], ["twice"])
        self.syncer = Syncer(self.data, self.files)

    def _ensure(self, name: str, inputs: list[str], outputs: list[str]) -> None:
        logs = [{stream: self.log(stream) for stream in streams} for streams in (inputs, outputs)]
        ensure_cursors(cursor_path(self.data, name), name, *logs, self.files)

    # What happens

    def anything(self) -> None:
        chance = self.chance
        step = chance.choices(
            [self.store, self.end_interval, self.sum, self.double, self.sync, self.trim, self.restart],
            [6, 1, 4, 4, 2, 1, 0.7],
        )[0]
        step()
        self.note_used()

    def note_used(self) -> None:
        """Rows that readers can see have used their indexes."""
        for stream in STREAMS:
            self.truth.used[stream] = max(self.truth.used[stream], read_head(self.log(stream), self.files).end)

    def store(self) -> None:
        writer = self.reader()
        first = max([0, *(item + STEP_US for item in self.truth.raw if item != "break")])
        times = list(range(first, first + STEP_US * self.chance.randint(1, 9), STEP_US))
        self.truth.coming = times
        writer.store(rows_of(times))
        self.truth.raw += times
        self.truth.coming = []

    def end_interval(self) -> None:
        writer = self.reader()
        self.truth.coming = ["break"]
        writer.mark_break()
        self.truth.raw.append("break")
        self.truth.coming = []

    def reader(self) -> LogWriter:
        if self.writer is None:
            self.writer = LogWriter(
                self.log("raw"), LAYOUT, stream="/raw", holder="reader", segment_us=SEGMENT_US, files=self.files
            )
            self.truth.coming = ["break"]
            self.writer.restart_reader()
            self.writer._resume = None  # this one does not write anything again
            self.truth.raw.append("break")
            self.truth.coming = []
        return self.writer

    def sum(self) -> None:
        pipes = self.module("summing", "raw", "sums")
        source, sink = pipes.inputs["raw"], pipes.outputs["sums"]
        rows = source.read_nowait()
        windows = max(0, len(rows) - 2)
        if not source.end_of_interval:
            windows = min(windows, self.chance.randint(0, 12))
        made = np.zeros(windows, LAYOUT.dtype)
        made["timestamp"] = rows["timestamp"][2 : windows + 2]
        made["data"] = sum(rows["data"][lag : windows + lag] for lag in range(3))
        source.consume(len(rows) if source.end_of_interval else windows)
        _write(sink, made)
        if source.end_of_interval:
            sink.log_sink.mark_break_nowait()

    def double(self) -> None:
        pipes = self.module("doubling", "sums", "twice")
        source, sink = pipes.inputs["sums"], pipes.outputs["twice"]
        rows = source.read_nowait()
        count = len(rows) if source.end_of_interval else self.chance.randint(0, len(rows))
        made = rows[:count].copy()
        made["data"] *= 2
        source.consume(count)
        _write(sink, made)
        if source.end_of_interval:
            sink.log_sink.mark_break_nowait()

    def sync(self) -> None:
        self.files.before_look = self._meanwhile
        self.syncer.round()
        self.files.before_look = None

    def _meanwhile(self) -> None:
        """Other processes go on while the syncer looks at one file after the other."""
        self.files.before_look = None
        if self.chance.random() < 0.1:
            for step in (self.store, self.sum, self.double):
                step()
        self.files.before_look = self._meanwhile

    def trim(self) -> None:
        newest = max([0, *(item for item in self.truth.raw if item != "break")])
        before_us = newest - self.chance.randint(50, 300)
        lowest = lowest_rows(self.data / "cursors", self.files)
        self.truth.trimmed_us = max(self.truth.trimmed_us, before_us)
        for stream in STREAMS:
            log_id = read_identity(self.log(stream), self.files).log_id
            trim_log(self.log(stream), before_us=before_us, keep_from_row=lowest.get(log_id), files=self.files)

    def restart(self) -> None:
        """End a process, in good order or not; it starts again when it is wanted."""
        name = self.chance.choice(["reader", "summing", "doubling", "syncer"])
        self.end(name, is_orderly=self.chance.random() < 0.5)
        if name == "syncer":
            self.syncer = Syncer(self.data, self.files)

    def module(self, name: str, source: str, sink: str) -> ModulePipes:
        if name in self.modules:
            return self.modules[name]
        entries = {
            stream: PipeEntry(stream=f"/{stream}", log=self.log(stream), layout=str(LAYOUT), segment_us=SEGMENT_US)
            for stream in (source, sink)
        }
        manifest = Manifest(
            module=name,
            cursor=cursor_path(self.data, name),
            run=self.data.parent / "run",
            inputs={source: entries[source]},
            outputs={sink: entries[sink]},
        )
        cursor = CursorFile(manifest.cursor, self.files)
        at = cursor.inputs[source]
        read = LogInput(
            source, self.log(source), manifest.run, row=at.row, breaks=at.breaks, files=self.files, column=False
        )
        write = _open_output(sink, entries[sink], manifest, cursor, column=False, files=self.files)
        self.modules[name] = ModulePipes(cursor, {source: read}, {sink: write})
        return self.modules[name]

    def end(self, name: str, *, is_orderly: bool) -> None:
        if name == "syncer":
            self.syncer.close()
        elif name == "reader":
            if self.writer is not None:
                _close(self.writer, is_orderly=is_orderly)
            self.writer = None
        elif name in self.modules:
            pipes = self.modules.pop(name)
            if is_orderly:
                pipes.commit()
            for pipe in pipes.outputs.values():
                _close(pipe.log_sink.writer, is_orderly=is_orderly)
            for pipe in pipes.inputs.values():
                pipe.read_side.source.close()
            pipes._cursor.close()

    def close(self, *, is_orderly: bool = False) -> None:
        for name in ("reader", "summing", "doubling"):
            self.end(name, is_orderly=is_orderly)
        if self.syncer is not None:
            if is_orderly:
                self.syncer.round()
            self.end("syncer", is_orderly=is_orderly)

    # What must be

    def contents(self, stream: str) -> list:
        found: list = []
        for block in read_log(self.log(stream), files=self.files):
            found += ["break"] if block is BREAK else list(map(tuple, block.tolist()))
        return found

    def _state(self) -> list[object]:
        positions = [pipe.read_side for pipes in self.modules.values() for pipe in pipes.inputs.values()]
        return [
            *((side.row, side.breaks) for side in positions),
            *(read_head(self.log(s), self.files) for s in STREAMS),
        ]

    def _run_filters(self) -> None:
        """Let the filters go on until they are through."""
        same = 0
        while same < 6:
            before = self._state()
            self.sum()
            self.double()
            same = same + 1 if self._state() == before else 0

    def check_filters(self) -> None:
        """Run the filters to the end; all logs must be what one run over all rows of the source makes."""
        self._run_filters()
        for stream, items in expected(self.truth.raw).items():
            found = self.contents(stream)
            rest = items[len(items) - len(found) :] if found else []
            assert found == rest, stream
            kept = [item for item in items if item != "break" and item[0] >= self.truth.trimmed_us]
            assert len([item for item in found if item != "break"]) >= len(kept), stream


def _write(sink, rows: np.ndarray) -> None:
    if len(rows):
        sink.log_sink.write_nowait(rows)  # what `write()` does, without a loop


def _close(writer: LogWriter, *, is_orderly: bool) -> None:
    if not is_orderly:
        writer._process = 0  # as if it were another's: nothing is published
    writer.close()


def after_power_cut(directory: Path, files: WatchedFiles, truth: Truth, chance: random.Random) -> World:
    """Start the node on what a power cut has left, and check what must be there before anything goes on."""
    durable = {
        point.name: point for record in load_records(directory / "data", files)[:1] for point in record.logs.values()
    }
    # The recovery may be cut short by the next power cut.
    while chance.random() < 0.3:
        files = cut_short(directory, files, chance)
    world = World(directory, files, truth, chance)
    world.start()
    everything = expected([*truth.raw, *truth.coming])
    for stream, number in STREAMS.items():
        head = read_head(world.log(stream), files)
        assert head.end >= truth.used[stream], f"{stream}: row indexes would be used twice"
        found = [item for item in world.contents(stream) if item != "break"]
        rows = [item for item in everything[stream] if item != "break"]
        assert head.stored <= len(rows), stream
        assert found == rows[head.stored - len(found) : head.stored], f"{stream}: rows in order, bit for bit"
        if str(number) in durable:
            assert head.stored >= durable[str(number)].head.stored, f"{stream}: durable rows are there"
        kept = [time for time, _ in rows[: head.stored] if time >= truth.trimmed_us]
        assert len(found) >= len(kept), f"{stream}: nothing but what was trimmed is missing at the front"
        if stream == "raw":
            truth.raw = _cut(truth, head.stored)
    truth.coming = []
    return world


def cut_short(directory: Path, files: WatchedFiles, chance: random.Random) -> WatchedFiles:
    left = [chance.randint(1, 30)]

    def watch() -> None:
        left[0] -= 1
        if left[0] == 0:
            raise PowerCut

    files.watch = watch
    with contextlib.suppress(PowerCut):
        recover_node(directory / "data", files)
    files.watch = None
    return files.crashed(chance.getrandbits(32))


def _cut(truth: Truth, stored: int) -> list[Item]:
    """The source's rows and breaks up to its last durable row; what comes behind begins an interval."""
    kept: list[Item] = []
    for item in [*truth.raw, *truth.coming]:
        if item != "break" and stored == 0:
            break
        stored -= item != "break"
        kept.append(item)
    return [*kept, "break"]
