"""A composite that is killed anywhere and started again stores what it would have stored without that, bit for bit.

Hypothesis chooses the children and how pipes join them, the input (rows and breaks), in which turn the children run,
and where the kills fall. Every await of a child and every step between its reading, consuming and writing is a place to
be killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from joule import LocalPipe
from joule.client._composite_module import _run_children
from joule.core import Layout
from joule.errors import EmptyPipeError
from joule.log import BREAK, CursorFile, LogWriter, create_log, ensure_cursors, inspect_log, read_log
from joule.pipes import LogInput, Manifest, ModulePipes, Pipe, PipeEntry
from joule.pipes._session import _locked, _open_output

LAYOUT = Layout("int64", 1)
WINDOW = 3
INPUTS = ("in", "other")
OUTPUTS = tuple(f"out{number}" for number in range(5))


class Killed(BaseException):
    """The process ends here."""


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
        self._writer.close()


class OneLife:
    """A composite's process: pipes opened as the runner opens them, and left as a killed process leaves them."""

    def __init__(
        self, manifest: Manifest, producers: dict[str, Producer], steps: int | None, choices: list[int]
    ) -> None:
        self.producers = producers
        self.steps = steps
        self._choices = iter(choices)
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
        self.is_dead = False

    def choose(self, upto: int) -> int:
        return next(self._choices, 0) % upto

    async def step(self) -> None:
        """A place to be killed, or for others to run."""
        if self.is_dead:
            raise Killed
        if self.steps is not None:
            if self.steps == 0:
                self.end()
                raise Killed
            self.steps -= 1
        for _ in range(self.choose(4)):
            await asyncio.sleep(0)
        if self.is_dead:
            raise Killed

    async def read(self, pipe: Pipe) -> np.ndarray:
        """Read a pipe; one of the inputs gets something new just before."""
        await self.step()
        if pipe.name in self.producers:
            self.producers[pipe.name].feed()
        rows = await pipe.read()
        await self.step()
        return rows

    def end(self) -> None:
        """Leave everything as it is; what other children do in the same instant has no effect any more."""
        if self.is_dead:
            return
        self.is_dead = True
        for pipe in self.inputs.values():
            pipe.close()
        for output in self.outputs.values():
            writer = output.log_sink.writer
            if writer._fd < 0:
                continue
            os.close(writer._fd)
            writer._fd = -1
            writer._head_file.close()
            writer._breaks.close()
            writer._ringer.close()
            writer._lock.close()
        self.cursor.close()
        self.lock.close()


async def squares(life: OneLife, sources: list[Pipe], sink: Pipe) -> None:
    """Consumes before it writes, in pieces, and may leave rows unconsumed."""
    (source,) = sources
    left = 0
    while True:
        rows = await life.read(source)
        nothing_new = len(rows) == left
        left = 0 if source.end_of_interval or nothing_new else min(len(rows), life.choose(3))
        count = len(rows) - left
        source.consume(count)
        await life.step()
        for begin in range(0, count, 2):
            await sink.write(made(rows[begin : min(count, begin + 2)], lambda data: data * 3 + 1))
            await life.step()
        if source.end_of_interval:
            await sink.close_interval()
            await life.step()


async def cached(life: OneLife, sources: list[Pipe], sink: Pipe) -> None:
    """Writes before it consumes, into a cache."""
    (source,) = sources
    sink.enable_cache(4)
    while True:
        rows = await life.read(source)
        if len(rows):
            await sink.write(made(rows, lambda data: data + 5))
        await life.step()
        source.consume(len(rows))
        if source.end_of_interval:
            await life.step()
            await sink.close_interval()


async def window(life: OneLife, sources: list[Pipe], sink: Pipe) -> None:
    """Leaves its overlap unconsumed, and starts anew behind a break."""
    (source,) = sources
    while True:
        rows = await life.read(source)
        count = await write_sums(life, rows, source, sink)
        if source.end_of_interval:
            source.consume(len(rows) - count)
            await sink.close_interval()
            await life.step()


async def window_across(life: OneLife, sources: list[Pipe], sink: Pipe) -> None:
    """The same, but leaves rows unconsumed across breaks, and passes none on."""
    (source,) = sources
    while True:
        await write_sums(life, await life.read(source), source, sink)


async def write_sums(life: OneLife, rows: np.ndarray, source: Pipe, sink: Pipe) -> int:
    if len(rows) < WINDOW:
        return 0
    sums = np.lib.stride_tricks.sliding_window_view(rows["data"][:, 0], WINDOW).sum(axis=1)
    source.consume(len(sums))
    await life.step()
    await sink.write(np.column_stack((rows["timestamp"][WINDOW - 1 :], sums)))
    await life.step()
    return len(sums)


async def thin(life: OneLife, sources: list[Pipe], sink: Pipe) -> None:
    """Passes some rows on, twice each."""
    (source,) = sources
    while True:
        rows = await life.read(source)
        source.consume(len(rows))
        for row in rows[rows["data"][:, 0] % 3 == 0]:
            time, value = int(row["timestamp"]), int(row["data"][0])
            await sink.write([[2 * time, value], [2 * time + 1, -value]])
            await life.step()
        if source.end_of_interval:
            await sink.close_interval()


async def merge(life: OneLife, sources: list[Pipe], sink: Pipe) -> None:
    """Two inputs: the sum of rows at equal positions, as many as both have; breaks are not passed on."""
    first, other = sources
    while True:
        left = await life.read(first)
        right = await life.read(other)
        count = min(len(left), len(right))
        first.consume(count)
        await life.step()
        other.consume(count)
        await life.step()
        if count:
            values = left["data"][:count, 0] + right["data"][:count, 0]
            await sink.write(np.column_stack((left["timestamp"][:count], values)))
        await life.step()


def made(rows: np.ndarray, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    return np.column_stack((rows["timestamp"], function(rows["data"][:, 0])))


Child = Callable[[OneLife, list[Pipe], Pipe], Awaitable[None]]
CHILDREN: list[Child] = [squares, cached, window, window_across, thin, merge]


@dataclasses.dataclass(frozen=True)
class Plan:
    """How to build a child.

    Attributes:
        kind: Index of the child.
        sources: Which of the pipes that nobody reads yet it reads.
        is_copied: A second inner pipe gets copies of what it writes.
        is_stored: An output gets copies of what it writes.
        write_limit: Of the pipe that it writes.
        is_task: `setup` makes a task of it.
    """

    kind: int
    sources: tuple[int, int]
    is_copied: bool
    is_stored: bool
    write_limit: int
    is_task: bool


def build(life: OneLife, plans: list[Plan]) -> list[Awaitable[None]]:
    """Return the children of a plan."""
    unread: list[Pipe] = list(life.inputs.values())
    free = list(OUTPUTS)
    children: list[Awaitable[None]] = []

    def run(child: Child, sources: list[Pipe], sink: Pipe, *, is_task: bool) -> None:
        coroutine = until_the_end(child(life, sources, sink), sink)
        children.append(asyncio.ensure_future(coroutine) if is_task else coroutine)

    # Joined paths may not be limited: a writer would wait for a child that waits for another of its pipes.
    may_limit = not any(plan.is_copied or CHILDREN[plan.kind] is merge for plan in plans)
    for plan in plans:
        kind = CHILDREN[plan.kind]
        if kind is merge and len(unread) < 2:
            kind = squares
        sources = [unread.pop(plan.sources[number] % len(unread)) for number in range(1 + (kind is merge))]
        pipe = LocalPipe(LAYOUT, write_limit=plan.write_limit if may_limit else 0)
        unread.append(pipe)
        if plan.is_copied:
            unread.append(LocalPipe(LAYOUT))
            pipe.subscribe(unread[-1])
        if plan.is_stored and len(free) > 3:
            pipe.subscribe(life.outputs[free.pop()])
        run(kind, sources, pipe, is_task=plan.is_task)
    while len(unread) > len(free):
        first, other = unread.pop(), unread.pop()
        unread.append(LocalPipe(LAYOUT))
        run(merge, [first, other], unread[-1], is_task=False)
    for number, pipe in enumerate(unread):
        run((squares, cached, window)[number % 3], [pipe], life.outputs[free.pop()], is_task=False)
    return children


async def until_the_end(child: Awaitable[None], sink: Pipe) -> None:
    """Run a child until its input has ended; then the pipe that it writes ends."""
    with contextlib.suppress(EmptyPipeError):
        await child
    if isinstance(sink, LocalPipe):
        await sink.close()


Setup = Callable[[OneLife], Iterable[Awaitable[None]]]


def run_once(
    manifest: Manifest, producers: dict[str, Producer], setup: Setup, steps: int | None, choices: list[int]
) -> bool:
    """Run a process until it is killed (False) or the data ends (True)."""
    life = OneLife(manifest, producers, steps, choices)

    async def live() -> bool:
        composition = life.pipes.compose()
        assert composition is not None
        try:
            with composition.setting_up():
                children = list(setup(life))
            composition.begin(children)
            async with asyncio.timeout(10):
                await _run_children(children, "composite", composition)
        except BaseException:
            if not life.is_dead:
                raise
            return False
        life.pipes.commit()
        for output in life.outputs.values():
            if not output.closed:  # with the inner pipe that it gets copies of
                await output.flush_cache()
        return True

    try:
        return asyncio.run(live())
    finally:
        life.end()


class Node:
    """Logs and a composite."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        for name in (*INPUTS, *OUTPUTS):
            create_log(directory / name, LAYOUT, f"/{name}")
        self.manifest = Manifest(
            module="composite",
            cursor=directory / "composite.cursor",
            run=directory / "run",
            inputs={name: self._entry(name) for name in INPUTS},
            outputs={name: self._entry(name) for name in OUTPUTS},
        )
        inputs, outputs = ({name: directory / name for name in names} for names in (INPUTS, OUTPUTS))
        ensure_cursors(self.manifest.cursor, "composite", inputs, outputs)

    def _entry(self, name: str) -> PipeEntry:
        return PipeEntry(stream=f"/{name}", log=self.directory / name, layout=str(LAYOUT))

    def stored(self, name: str) -> list[object]:
        found: list[object] = []
        for block in read_log(self.directory / name):
            found += ["break"] if block is BREAK else block.tolist()
        return found

    def run(self, setup: Setup, kills: list[int], choices: list[int], scripts: dict[str, list[int]]) -> None:
        producers = {name: Producer(self.directory / name, scripts[name]) for name in INPUTS}
        for steps in kills:
            if run_once(self.manifest, producers, setup, steps, choices):
                return
        assert run_once(self.manifest, producers, setup, None, choices)


SCRIPTS = st.lists(st.integers(0, 9), max_size=12)
PLANS = st.lists(
    st.builds(
        Plan,
        kind=st.integers(0, len(CHILDREN) - 1),
        sources=st.tuples(st.integers(0, 3), st.integers(0, 3)),
        is_copied=st.booleans(),
        is_stored=st.booleans(),
        write_limit=st.sampled_from([0, 0, 1]),
        is_task=st.booleans(),
    ),
    min_size=1,
    max_size=5,
)


@pytest.mark.timeout(60)
@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    plans=PLANS,
    kills=st.lists(st.integers(0, 120), min_size=1, max_size=6),
    choices=st.lists(st.integers(0, 11), max_size=60),
    raw=SCRIPTS,
    other=SCRIPTS,
)
def test_a_killed_composite_stores_what_an_uninterrupted_one_stores(
    tmp_path_factory, caplog, plans, kills, choices, raw, other
):
    scripts = {"in": raw, "other": other}
    killed, whole = (Node(tmp_path_factory.mktemp("node")) for _ in range(2))
    killed.run(lambda life: build(life, plans), kills, choices, scripts)
    whole.run(lambda life: build(life, plans), [], [], scripts)
    for output in OUTPUTS:
        assert killed.stored(output) == whole.stored(output)
        assert inspect_log(killed.directory / output).refused_rows == 0
    assert not caplog.records, "it is exact without giving up"


# Where exactness cannot be had in the usual way


def pair(life: OneLife, pipe: LocalPipe | None = None) -> list[Awaitable[None]]:
    pipe = LocalPipe(LAYOUT) if pipe is None else pipe
    return [
        until_the_end(squares(life, [life.inputs["in"]], pipe), pipe),
        until_the_end(window(life, [pipe], life.outputs["out0"]), life.outputs["out0"]),
    ]


def gathered(life: OneLife) -> list[Awaitable[None]]:
    return [asyncio.gather(*pair(life))]


def with_a_late_pipe(life: OneLife) -> list[Awaitable[None]]:
    pipes: list[LocalPipe] = []

    async def first() -> None:
        pipes.append(LocalPipe(LAYOUT))
        await until_the_end(squares(life, [life.inputs["in"]], pipes[0]), pipes[0])

    async def second() -> None:
        while not pipes:
            await asyncio.sleep(0)
        await until_the_end(window(life, pipes[:], life.outputs["out0"]), life.outputs["out0"])

    return [second(), first()]


def with_a_strange_task(life: OneLife) -> list[Awaitable[None]]:
    children = pair(life)

    async def child(task: asyncio.Task[None]) -> None:
        await task

    return [child(asyncio.create_task(children[0])), children[1]]


@pytest.mark.parametrize("setup", [gathered, with_a_late_pipe, with_a_strange_task])
def test_a_composite_whose_children_cannot_be_told_apart_repeats_more_and_loses_nothing(tmp_path, caplog, setup):
    scripts = {"in": [3, 5, 0, 4, 8, 2, 7, 9], "other": []}
    (tmp_path / "whole").mkdir()
    whole = Node(tmp_path / "whole")
    whole.run(pair, [], [], scripts)
    assert not caplog.records
    for steps in range(10, 60, 7):
        (tmp_path / f"{steps}").mkdir()
        killed = Node(tmp_path / f"{steps}")
        killed.run(setup, [steps, steps, steps], [1, 2, 0, 3] * 20, scripts)
        assert killed.stored("out0") == whole.stored("out0")
    assert "no position of this composite counts any more" in caplog.text


def test_a_composite_with_other_inner_pipes_than_before_loses_nothing(tmp_path, caplog):
    scripts = {"in": [3, 5, 4, 8, 2, 7, 9], "other": []}
    lives = 0

    def changing(life: OneLife) -> list[Awaitable[None]]:
        nonlocal lives
        lives += 1
        for _ in range(lives):
            LocalPipe("float32_1")
        return pair(life)

    (tmp_path / "whole").mkdir()
    whole = Node(tmp_path / "whole")
    whole.run(pair, [], [], scripts)
    for steps in range(20, 60, 7):
        (tmp_path / f"{steps}").mkdir()
        killed = Node(tmp_path / f"{steps}")
        killed.run(changing, [steps, steps, steps], [1, 2, 0, 3] * 20, scripts)
        assert killed.stored("out0") == whole.stored("out0")
    assert "not those of its last run" in caplog.text


def test_what_a_child_without_inputs_makes_goes_on_after_a_break(tmp_path):
    def with_a_reader(life: OneLife) -> list[Awaitable[None]]:
        live, begin = LocalPipe(LAYOUT), life.outputs["out1"].log_sink.writer.head.stored * 10

        async def reader() -> None:
            for time in range(begin, begin + 10):
                await live.write([[time, 1]])
                await life.step()
            await live.close()

        passing = until_the_end(squares(life, [live], life.outputs["out1"]), life.outputs["out1"])
        return [*pair(life), reader(), passing]

    scripts = {"in": [3, 5, 4, 8, 2, 7, 9], "other": []}
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    whole, killed = Node(tmp_path / "whole"), Node(tmp_path / "killed")
    whole.run(pair, [], [], scripts)
    killed.run(with_a_reader, [60], [], scripts)
    assert killed.stored("out0") == whole.stored("out0")
    live = killed.stored("out1")
    assert live.count("break") == 1
    assert 0 < live.index("break") < len(live) - 1


def test_rows_that_its_children_left_in_inner_pipes_at_an_orderly_end_come_again(tmp_path):
    def ending(life: OneLife, at: int | None) -> list[Awaitable[None]]:
        pipe, source, sink = LocalPipe(LAYOUT), life.inputs["in"], life.outputs["out0"]

        async def first() -> None:
            while at is None or source.statistics().rows_consumed < at:
                rows = await life.read(source)
                source.consume(len(rows))
                await pipe.write(made(rows, lambda data: data))

        async def second() -> None:
            while True:
                rows = (await pipe.read())[:at]
                pipe.consume(len(rows))
                await sink.write(rows)
                if at is not None:
                    return

        return [first() if at else until_the_end(first(), pipe), until_the_end(second(), sink)]

    node = Node(tmp_path)
    producers = {"in": Producer(tmp_path / "in", [9, 9, 9]), "other": Producer(tmp_path / "other", [])}
    assert run_once(node.manifest, producers, lambda life: ending(life, 4), None, [])
    assert len(node.stored("out0")) == 4
    assert run_once(node.manifest, producers, lambda life: ending(life, None), None, [])
    assert [row[0] for row in node.stored("out0")] == [10 * row for row in range(27)]
