"""Conformance of pipes: any sequence of writes, breaks, reads and consumes equals a model in memory.

The model is lists of Python numbers. It knows what a read may return: the unconsumed rows, then at least one new row or
a break; how many of the new rows come at once is the kind's affair, so the model follows what came. Needs hypothesis.
"""

from __future__ import annotations

import asyncio
import contextlib
import unittest
from typing import Any

import numpy.typing as npt

from joule.errors import EmptyPipeError
from joule.pipes import Pipe
from joule.testing._pipe_kind import PipeKind
from joule.testing._pipe_probes import assert_waits, make_rows, settle

__all__ = ["ModelConformance"]

_LAYOUT = "int32_2"
_STUCK_S = 2.0  # a sequence takes milliseconds
Step = tuple[str, int]


class _Model:
    """A pipe as it should be: row k has the timestamp k + 1."""

    def __init__(self, cache: int) -> None:
        self.cache = cache
        self.written = 0  # accepted
        self.sent = 0  # no longer in the cache
        self.breaks: list[int] = []
        self.passed = 0
        self.row = 0
        self.delivered = 0
        self.end_of_interval = False

    @property
    def unconsumed(self) -> int:
        return self.delivered - self.row

    def write(self, count: int) -> None:
        self.written += count
        if self.written - self.sent >= self.cache:
            self.flush()

    def flush(self) -> None:
        self.sent = self.written

    def mark_break(self) -> None:
        self.flush()
        if self.sent > (self.breaks[-1] if self.breaks else 0):
            self.breaks.append(self.sent)

    def begin_read(self) -> tuple[int, bool]:
        """Go beyond a break that was returned; return where the next read may go, and whether a break is there."""
        if self.end_of_interval:
            self.passed += 1
            self.end_of_interval = False
        if self.passed < len(self.breaks):
            return self.breaks[self.passed], True
        return self.sent, False

    def has_news(self, *, limit: int, is_break: bool) -> bool:
        return limit > self.delivered or is_break

    def accept(self, rows: npt.NDArray[Any], *, limit: int, is_break: bool, stopped: bool) -> None:
        """Check what a read returned, and follow it."""
        _check(rows, self.row, self.row + len(rows))
        delivered = self.row + len(rows)
        assert self.delivered <= delivered <= limit, f"rows up to {delivered}, allowed: {self.delivered} to {limit}"
        if stopped:
            assert is_break, "a read said that it stopped at a break, and there was none"
            assert delivered == limit, f"a break came behind row {delivered}, and it is behind row {limit}"
        else:
            assert delivered > self.delivered, "a read returned nothing new"
        self.delivered, self.end_of_interval = delivered, stopped


def _check(rows: npt.NDArray[Any], first: int, stop: int) -> None:
    expected = make_rows(_LAYOUT, first + 1, stop - first)
    came = rows["timestamp"].tolist()
    assert rows.tobytes() == expected.tobytes(), f"rows {came} came, expected were {first + 1} to {stop}"


class _Run:
    """A pair of pipes and the model beside it."""

    def __init__(self, writer: Pipe, reader: Pipe, cache: int) -> None:
        self.writer = writer
        self.reader = reader
        self.model = _Model(cache)
        if cache:
            writer.enable_cache(cache)

    async def step(self, what: str, number: int) -> None:
        await getattr(self, what)(number)
        assert self.reader.statistics().rows_unconsumed == self.model.unconsumed

    async def write(self, count: int) -> None:
        rows = make_rows(_LAYOUT, self.model.written + 1, count)
        await self.writer.write(rows)
        self.model.write(count)
        assert self.writer.statistics().rows_cached == self.model.written - self.model.sent

    async def flush(self, _: int) -> None:
        await self.writer.flush_cache()
        self.model.flush()

    async def mark_break(self, _: int) -> None:
        await self.writer.close_interval()
        self.model.mark_break()

    async def read(self, _: int) -> None:
        limit, is_break = self.model.begin_read()
        if self.model.has_news(limit=limit, is_break=is_break):
            self._accept(await self.reader.read(), limit, is_break=is_break)
        else:
            await assert_waits(self.reader)

    async def read_before_write(self, count: int) -> None:
        """A read that waits, if it has to, while rows are written."""
        limit, is_break = self.model.begin_read()
        task = asyncio.create_task(self.reader.read())
        await settle(count)
        await self.write(count)
        await self.flush(0)
        if not self.model.has_news(limit=limit, is_break=is_break):
            limit, is_break = self.model.begin_read()
        elif not is_break:
            limit = self.model.sent
        self._accept(await task, limit, is_break=is_break)

    async def ask(self, _: int) -> None:
        """`is_empty()`, twice, then the read that returns what it saw."""
        limit, is_break = self.model.begin_read()
        if self.model.has_news(limit=limit, is_break=is_break):
            assert not await self.reader.is_empty()
            assert await self.reader.not_empty()
            self._accept(await self.reader.read(), limit, is_break=is_break)
        else:
            await assert_waits(self.reader)

    async def reread(self, _: int) -> None:
        self.reader.reread_last()
        _check(await self.reader.read(), self.model.row, self.model.delivered)
        assert self.reader.end_of_interval == self.model.end_of_interval

    async def consume(self, count: int) -> None:
        count = min(count, self.model.unconsumed)
        self.reader.consume(count)
        self.model.row += count

    async def consume_all(self, _: int) -> None:
        self.reader.consume_all()
        self.model.row = self.model.delivered

    async def finish(self, *, consumes: bool, ends: bool) -> None:
        """Read what is left, to the last row and break, and to the end of the data where there is one."""
        await self.flush(0)
        if ends:
            await self.writer.close()
        while True:
            limit, is_break = self.model.begin_read()
            if not self.model.has_news(limit=limit, is_break=is_break):
                break
            self._accept(await self.reader.read(), limit, is_break=is_break)
            if consumes:
                await self.consume_all(0)
        if ends:
            await self._reach_end()
        else:
            await assert_waits(self.reader)

    async def _reach_end(self) -> None:
        """Unconsumed rows may come again, but not for ever."""
        repeats = 0
        with contextlib.suppress(EmptyPipeError):
            while True:
                _check(await self.reader.read(), self.model.row, self.model.delivered)
                repeats += 1
                assert repeats <= 2, "the data does not end"
        assert (repeats > 0) == (self.model.unconsumed > 0)

    def _accept(self, rows: npt.NDArray[Any], limit: int, *, is_break: bool) -> None:
        self.model.accept(rows, limit=limit, is_break=is_break, stopped=self.reader.end_of_interval)


class ModelConformance(PipeKind):
    """Everything at once, in any order."""

    model_examples = 80
    """How many sequences are tried."""

    def test_any_sequence_equals_the_model(self) -> None:
        """Found by hypothesis, and shrunk to the shortest one that fails."""
        try:
            from hypothesis import HealthCheck, given, settings
            from hypothesis import strategies as st
        except ImportError as error:
            raise unittest.SkipTest("the model of pipes needs hypothesis") from error

        plain = st.sampled_from(["mark_break", "read", "read", "ask", "reread", "consume_all", "flush"])
        counted = st.sampled_from(["write", "write", "read_before_write", "consume"])
        step = st.one_of(st.tuples(plain, st.just(0)), st.tuples(counted, st.integers(1, 6)))

        # Long sequences find faults; short ones are what a failing one is shrunk to.
        steps_of_any_length = st.one_of(st.lists(step, max_size=20), st.lists(step, min_size=25, max_size=60))

        @settings(
            max_examples=self.model_examples,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        )
        @given(steps_of_any_length, st.booleans(), st.sampled_from([0, 3, 1000]))
        def equals_the_model(steps: list[Step], consumes: bool, cache: int) -> None:  # noqa: FBT001
            if stuck:
                return
            try:
                asyncio.run(self._run_steps(steps, consumes=consumes, cache=cache))
            except TimeoutError:  # shrinking a sequence that hangs would take minutes
                stuck.append((cache, steps))

        stuck: list[tuple[int, list[Step]]] = []
        equals_the_model()
        assert not stuck, f"a read was never woken, with a cache of {stuck[0][0]} rows, in {stuck[0][1]}"

    async def _run_steps(self, steps: list[Step], *, consumes: bool, cache: int) -> None:
        async with asyncio.timeout(_STUCK_S), self.open_pair(_LAYOUT) as (writer, reader):
            run = _Run(writer, reader, cache)
            for what, number in steps:
                await run.step(what, number)
            await run.finish(consumes=consumes, ends=self.ends_with_writer)
