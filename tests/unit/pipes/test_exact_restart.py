"""A filter that is killed anywhere and started again stores what it would have stored without that, bit for bit.

Hypothesis chooses the input (rows and breaks), how the author chunks, consumes and writes, and where the kills fall.
Every await of the author's loop and every step between reading, consuming and writing is a place to be killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from joule.core import Layout
from joule.errors import EmptyPipeError
from joule.log import BREAK, CursorFile, LogWriter, create_log, ensure_cursors, inspect_log, read_log
from joule.pipes import LogInput, Manifest, ModulePipes, PipeEntry
from joule.pipes._session import _locked, _open_output

LAYOUT = Layout("int64", 1)
WINDOW = 3


class Killed(BaseException):
    """The process ends here."""


class Life:
    """How many steps a process lives."""

    def __init__(self, steps: int | None) -> None:
        self.steps = steps

    def step(self) -> None:
        if self.steps is not None:
            if self.steps == 0:
                raise Killed
            self.steps -= 1


@dataclasses.dataclass(frozen=True)
class Node:
    """Two input logs, two output logs, one module."""

    directory: Path

    def log(self, name: str) -> Path:
        return self.directory / name

    def manifest(self, inputs: list[str], outputs: list[str]) -> Manifest:
        def entries(names: list[str]) -> dict[str, PipeEntry]:
            return {name: PipeEntry(stream=f"/{name}", log=self.log(name), layout=str(LAYOUT)) for name in names}

        return Manifest(
            module="filter",
            cursor=self.directory / "filter.cursor",
            run=self.directory / "run",
            inputs=entries(inputs),
            outputs=entries(outputs),
        )

    def stored(self, name: str) -> list[object]:
        found: list[object] = []
        for block in read_log(self.log(name)):
            found += ["break"] if block is BREAK else block.tolist()
        return found


class Producer:
    """Writes an input's rows piece by piece: n > 0 are n rows, 0 is a break; closes the log after the last."""

    def __init__(self, log: Path, script: list[int]) -> None:
        self._writer = LogWriter(log, LAYOUT, stream=log.name, holder="producer", segment_bytes=64 + 16 * 7)
        self._script = list(script)
        self._time = 0

    def feed(self) -> None:
        """Write until there is a new row, or no more."""
        while self._script:
            count = self._script.pop(0)
            if count == 0:
                self._writer.mark_break()
                continue
            rows = np.zeros(count, LAYOUT.dtype)
            rows["timestamp"] = np.arange(self._time, self._time + count) * 10
            rows["data"] = rows["timestamp"] ** 2 % 977
            self._time += count
            self._writer.store(rows)
            return
        self.close()

    def close(self) -> None:
        """Close the log, also before the end of the script."""
        self._writer.close()


class OneLife:
    """A module process: pipes opened as the runner opens them, and left as a killed process leaves them."""

    def __init__(self, manifest: Manifest, life: Life, producers: dict[str, Producer]) -> None:
        self.producers = producers
        self.lock = _locked(manifest)
        self.cursor = CursorFile(manifest.cursor)
        self.inputs = {}
        for name, entry in manifest.inputs.items():
            at = self.cursor.inputs[name]
            self.inputs[name] = LogInput(
                name, entry.log, manifest.run, row=at.row, breaks=at.breaks, ends_with_writer=True
            )
        self.outputs = {
            name: _open_output(name, entry, manifest, self.cursor, column=True)
            for name, entry in manifest.outputs.items()
        }
        self.pipes = ModulePipes(self.cursor, self.inputs, self.outputs)
        self.life = life

    async def read(self, name: str) -> np.ndarray:
        """Read an input, to which something was added just before."""
        self.life.step()
        self.producers[name].feed()
        rows = await self.inputs[name].read()
        self.life.step()
        return rows

    def end(self) -> None:
        for pipe in self.inputs.values():
            pipe.close()
        for output in self.outputs.values():
            writer = output.log_sink.writer
            os.close(writer._fd)
            writer._fd = -1
            writer._head_file.close()
            writer._breaks.close()
            writer._ringer.close()
            writer._lock.close()
        self.cursor.close()
        self.lock.close()


Author = Callable[[OneLife, Iterator[int]], Awaitable[None]]


async def consume_then_write(process: OneLife, choices: Iterator[int]) -> None:
    """One output row per input row; consumes before it writes, in pieces, and may leave rows unconsumed."""
    source, sink = process.inputs["in"], process.outputs["out"]
    left = 0
    while True:
        rows = await process.read("in")
        nothing_new = len(rows) == left
        left = 0 if source.end_of_interval or nothing_new else min(len(rows), next(choices) % 3)
        count = len(rows) - left
        source.consume(count)
        process.life.step()
        for begin in range(0, count, 2):
            await sink.write(_squares(rows[begin : min(count, begin + 2)]))
            process.life.step()
        if source.end_of_interval:
            await sink.close_interval()
            process.life.step()


async def write_then_consume(process: OneLife, choices: Iterator[int]) -> None:
    """As above, the other way round, with a cache on the output."""
    source, sink = process.inputs["in"], process.outputs["out"]
    sink.enable_cache(4)
    while True:
        rows = await process.read("in")
        await sink.write(_squares(rows))
        process.life.step()
        source.consume(len(rows))
        if source.end_of_interval:
            process.life.step()
            await sink.close_interval()


async def sliding_sum(process: OneLife, choices: Iterator[int]) -> None:
    """A window: leaves its overlap unconsumed, and starts anew behind a break; two outputs."""
    source, sink, second = process.inputs["in"], process.outputs["out"], process.outputs["second"]
    while process.producers["in"].feed() or await source.not_empty():
        process.life.step()
        rows = await source.read()
        process.life.step()
        sums = (
            np.lib.stride_tricks.sliding_window_view(rows["data"][:, 0], WINDOW).sum(axis=1)
            if len(rows) >= WINDOW
            else []
        )
        if len(sums):
            made = np.column_stack((rows["timestamp"][WINDOW - 1 :], sums))
            source.consume(len(sums))
            process.life.step()
            await sink.write(made)
            process.life.step()
            await second.write(made * [1, -1])
        process.life.step()
        if source.end_of_interval:
            source.consume(len(rows) - len(sums))
            await sink.close_interval()
            process.life.step()
            await second.close_interval()


async def merge_in_step(process: OneLife, choices: Iterator[int]) -> None:
    """Two inputs: the sum of rows at equal positions, as many as both have; breaks are not passed on."""
    first, other, sink = process.inputs["in"], process.inputs["other"], process.outputs["out"]
    while True:
        left = await process.read("in")
        right = await process.read("other")
        count = min(len(left), len(right))
        first.consume(count)
        process.life.step()
        other.consume(count)
        process.life.step()
        await sink.write(
            np.column_stack((left["timestamp"][:count], left["data"][:count, 0] + right["data"][:count, 0]))
        )
        process.life.step()


async def consume_read_another_write(process: OneLife, choices: Iterator[int]) -> None:
    """Consumes the first input before it reads the second, and writes last."""
    first, other, sink = process.inputs["in"], process.inputs["other"], process.outputs["out"]
    while True:
        rows = await process.read("in")
        first.consume(len(rows))
        process.life.step()
        with contextlib.suppress(EmptyPipeError):
            other.consume(len(await process.read("other")))
        process.life.step()
        await sink.write(_squares(rows))
        process.life.step()


def _squares(rows: np.ndarray) -> np.ndarray:
    return np.column_stack((rows["timestamp"], rows["data"][:, 0] * 3 + 1))


AUTHORS: dict[str, tuple[Author, list[str], list[str]]] = {
    "consume, then write": (consume_then_write, ["in"], ["out"]),
    "write, then consume, cached": (write_then_consume, ["in"], ["out"]),
    "sliding window, two outputs": (sliding_sum, ["in"], ["out", "second"]),
    "consumes one input before it reads the other": (consume_read_another_write, ["in", "other"], ["out"]),
    "two inputs": (merge_in_step, ["in", "other"], ["out"]),
}


def run_once(
    author: Author, manifest: Manifest, producers: dict[str, Producer], steps: int | None, choices: list[int]
) -> bool:
    """Run a process until it is killed (False) or the data ends (True)."""
    process = OneLife(manifest, Life(steps), producers)
    endless = iter(lambda values=[*choices, 0]: values[0] if len(values) == 1 else values.pop(0), None)

    async def live() -> bool:
        try:
            await author(process, endless)
        except Killed:
            return False
        except EmptyPipeError:
            pass
        for output in process.outputs.values():
            await output.flush_cache()
        return True

    try:
        return asyncio.run(live())
    finally:
        process.end()


def run_filter(node: Node, name: str, kills: list[int], choices: list[int], scripts: dict[str, list[int]]) -> None:
    author, inputs, outputs = AUTHORS[name]
    manifest = node.manifest(inputs, outputs)
    for stream in (*inputs, *outputs):
        create_log(node.log(stream), LAYOUT, f"/{stream}")
    ensure_cursors(manifest.cursor, "filter", {n: node.log(n) for n in inputs}, {n: node.log(n) for n in outputs})
    producers = {stream: Producer(node.log(stream), scripts[stream]) for stream in inputs}
    with contextlib.ExitStack() as stack:
        for producer in producers.values():
            stack.callback(producer.close)
        for steps in kills:
            if run_once(author, manifest, producers, steps, choices):
                return
        assert run_once(author, manifest, producers, None, [])


SCRIPTS = st.lists(st.integers(0, 9), max_size=12)


@pytest.mark.parametrize("name", AUTHORS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kills=st.lists(st.integers(0, 25), max_size=6),
    choices=st.lists(st.integers(0, 5), max_size=10),
    raw=SCRIPTS,
    other=SCRIPTS,
)
def test_a_killed_filter_stores_what_an_uninterrupted_one_stores(tmp_path_factory, name, kills, choices, raw, other):
    scripts = {"in": raw, "other": other}
    killed, whole = (Node(tmp_path_factory.mktemp("node")) for _ in range(2))
    run_filter(killed, name, kills, choices, scripts)
    run_filter(whole, name, [], [], scripts)
    for output in AUTHORS[name][2]:
        assert killed.stored(output) == whole.stored(output)
        assert inspect_log(killed.log(output)).refused_rows == 0
