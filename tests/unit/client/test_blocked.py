"""The warning for modules that block their event loop."""

import asyncio
import logging

from joule.client import _blocked
from joule.client._blocked import watch_for_blocking


class FakeTime(asyncio.SelectorEventLoop):
    """A loop whose clock jumps to the next timer, and further when something blocks."""

    now_s = 0.0

    def time(self):
        return self.now_s

    def _run_once(self):
        if not self._ready and self._scheduled:
            self.now_s = max(self.now_s, self._scheduled[0].when())
        super()._run_once()


def warnings_of(caplog, work):
    with caplog.at_level(logging.WARNING), asyncio.Runner(loop_factory=FakeTime) as runner:

        async def watched():
            with watch_for_blocking():
                await work(runner.get_loop())

        runner.run(watched())
    return [record.getMessage() for record in caplog.records]


def test_a_block_of_more_than_a_second_is_reported(caplog):
    async def work(loop):
        loop.now_s += 3
        await asyncio.sleep(1)

    (message,) = warnings_of(caplog, work)
    assert "blocked for 2.5 s" in message
    assert "asyncio.sleep()" in message


def test_a_loop_that_is_served_in_time_is_not(caplog):
    async def work(loop):
        for _ in range(20):
            loop.now_s += 0.4
            await asyncio.sleep(0.1)

    assert warnings_of(caplog, work) == []


def test_it_is_reported_once_a_minute(caplog):
    async def work(loop):
        for _ in range(41):  # two minutes
            loop.now_s += 2
            await asyncio.sleep(1)

    assert len(warnings_of(caplog, work)) == 3


def test_nothing_is_left_behind():
    with asyncio.Runner() as runner:

        async def watched():
            with watch_for_blocking():
                pass
            return [timer for timer in runner.get_loop()._scheduled if not timer.cancelled()]

        assert runner.run(watched()) == []
    assert _blocked._BEAT_S < _blocked._LIMIT_S
