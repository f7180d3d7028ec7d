"""Signals on their way to the event loop; what they do to modules is in tests/requirements/test_1d."""

import asyncio
import signal

import pytest

from joule.client._signals import StopSignals


async def serve_until_stopped(signals, served):
    with signals.served(lambda: served.append(len(served))):
        await asyncio.sleep(0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_before_the_loop_runs_is_served_when_it_does(number):
    signals, served = StopSignals(), []
    with signals.caught():
        signal.raise_signal(number)
        asyncio.run(serve_until_stopped(signals, served))
    assert served == [0]


def test_two_signals_at_once_are_served_by_a_loop_that_runs():
    async def main():
        with signals.served(lambda: served.append(len(served))):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)
            assert served == []  # not in the middle of whatever runs
            await asyncio.sleep(0)
            assert served == [0, 1]

    signals, served = StopSignals(), []
    with signals.caught():
        asyncio.run(main())


def test_a_signal_after_the_end_is_ignored():
    signals, served = StopSignals(), []
    with signals.caught():
        asyncio.run(serve_until_stopped(signals, served))
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
    assert served == []
