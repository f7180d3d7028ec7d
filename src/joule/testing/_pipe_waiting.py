"""Conformance of pipes: waits are ended by events, cancelling one loses nothing, and loops let others run."""

from __future__ import annotations

import asyncio
import contextlib
import selectors
import time
from typing import Any

from joule.testing._pipe_kind import DEADLINE_S, PipeKind, behaviour
from joule.testing._pipe_probes import assert_rows, make_rows, raises, read_rows, waiting_read, woken

__all__ = ["WaitingConformance"]

IDLE_S = 60
WAKEUPS_A_SECOND = 1.2
"""A pipe may look again every second in case an event was lost; what looks more often polls."""


class _IdleSelector(selectors.DefaultSelector):
    """Instead of waiting for a timer it lets the time pass at once, and counts."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.wakeups = 0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(None if timeout is None else 0)
        if not ready and timeout:
            self.now_s += timeout
            self.wakeups += 1
        return ready


class _IdleLoop(asyncio.SelectorEventLoop):
    """An event loop in which a minute of idleness takes no time."""

    def __init__(self, selector: _IdleSelector) -> None:
        self._idle_selector = selector
        super().__init__(selector)

    def time(self) -> float:
        return self._idle_selector.now_s


class WaitingConformance(PipeKind):
    """Waking, not polling, cancelling."""

    @behaviour
    async def test_a_write_wakes_a_waiting_read_at_once(self) -> None:
        """Within a few rounds of the event loop and without a timer, from the first row on."""
        async with self.open_pair("float64_1") as (writer, reader):
            for count in (1, 2):
                rows = make_rows("float64_1", 10 * count, count)
                async with waiting_read(reader) as task:
                    await writer.write(rows)
                    assert_rows((await woken(task))[:1], rows[:1])
                await _consume(reader, count, task.result())

    def test_a_waiting_read_does_not_poll(self) -> None:
        """A minute of waiting wakes the event loop no more than once a second."""

        async def wait_idly(selector: _IdleSelector) -> int:
            async with self.open_pair("float64_1") as (_, reader), waiting_read(reader) as task:
                before = selector.wakeups
                await asyncio.sleep(IDLE_S)
                assert not task.done()
                return selector.wakeups - before

        selector = _IdleSelector()
        with asyncio.Runner(loop_factory=lambda: _IdleLoop(selector)) as runner:
            wakeups = runner.run(wait_idly(selector))
        assert wakeups <= IDLE_S * WAKEUPS_A_SECOND + 5, f"{wakeups} wake-ups in {IDLE_S} s of waiting"

    @behaviour
    async def test_a_read_may_be_cancelled_at_any_moment(self) -> None:
        """After each number of rounds of the event loop, the very first read included; nothing is lost or doubled."""
        for passes in range(8):
            async with self.open_pair("float64_1") as (writer, reader):
                rows = make_rows("float64_1", 1, 4)
                for start in (0, 2):
                    await _cancel_read_after(reader, passes)
                    await writer.write(rows[start : start + 2])
                    assert_rows(await read_rows(reader, 2), rows[start : start + 2], f"cancelled after {passes}:")
                    reader.consume(2)

    @behaviour
    async def test_a_cancelled_read_keeps_the_unconsumed_rows(self) -> None:
        """Rows that come while nobody waits are behind them."""
        async with self.open_pair("float64_1") as (writer, reader):
            rows = make_rows("float64_1", 1, 5)
            await writer.write(rows[:3])
            await read_rows(reader, 3)
            reader.consume(1)
            for passes in range(4):
                await _cancel_read_after(reader, passes)
            await writer.write(rows[3:])
            assert_rows(await read_rows(reader, 4), rows[1:])

    @behaviour
    async def test_a_read_cancelled_while_rows_arrive_loses_none(self) -> None:
        """Write and cancellation at the same moment."""
        for passes in range(4):
            async with self.open_pair("float64_1") as (writer, reader):
                rows = make_rows("float64_1", 1, 3)
                async with waiting_read(reader) as task:
                    await writer.write(rows[:2])
                    for _ in range(passes):
                        await asyncio.sleep(0)
                    task.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await task
                await writer.write(rows[2:])
                assert_rows(await read_rows(reader, 3), rows, f"cancelled {passes} rounds after the write:")

    @behaviour
    async def test_wait_for_on_a_read_loses_nothing(self) -> None:
        """A time-out in a loop, as authors write it."""
        async with self.open_pair("float64_1") as (writer, reader):
            rows = make_rows("float64_1", 1, 4)
            for start in (0, 2):
                with raises(TimeoutError):
                    await asyncio.wait_for(reader.read(), 0.001)
                await writer.write(rows[start : start + 2])
                block = await asyncio.wait_for(reader.read(), DEADLINE_S)
                if len(block) < 2:
                    block = await read_rows(reader, 2)
                assert_rows(block, rows[start : start + 2])
                reader.consume(2)

    @behaviour
    async def test_loops_that_never_wait_let_others_run(self) -> None:
        """A module that writes and reads without a pause still sees signals and its other tasks."""
        async with self.open_pair("float64_1") as (writer, reader):
            ran = asyncio.Event()
            asyncio.get_running_loop().call_soon(ran.set)
            deadline_s = time.monotonic() + DEADLINE_S / 2
            first = 1
            while not ran.is_set():
                assert time.monotonic() < deadline_s, "nothing else ran beside a loop of writes and reads"
                await writer.write(make_rows("float64_1", first, 1))
                await read_rows(reader, 1)
                reader.consume(1)
                first += 1


async def _cancel_read_after(reader: Any, passes: int) -> None:
    task = asyncio.create_task(reader.read())
    for _ in range(passes):
        await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        rows = await task
        raise AssertionError(f"a read returned {len(rows)} rows, although nothing was new")


async def _consume(reader: Any, count: int, rows: Any) -> None:
    if len(rows) < count:
        await read_rows(reader, count)
    reader.consume(count)
