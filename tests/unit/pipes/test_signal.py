"""Waking coroutines in whichever event loop they wait."""

import asyncio

import pytest

from joule.pipes._signal import ChangeSignal


async def test_a_notification_wakes_all_who_wait():
    signal = ChangeSignal()
    waiting = [asyncio.create_task(signal.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    signal.notify()
    await asyncio.gather(*waiting)


async def test_a_notification_before_the_wait_wakes_nobody():
    signal = ChangeSignal()
    signal.notify()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(signal.wait(), 0.001)


async def test_a_cancelled_waiter_is_forgotten():
    signal = ChangeSignal()
    cancelled, other = asyncio.create_task(signal.wait()), asyncio.create_task(signal.wait())
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.sleep(0)
    assert len(signal._waiters) == 1
    signal.notify()
    await other


def test_waiters_of_a_closed_loop_are_passed_over():
    signal = ChangeSignal()
    loop = asyncio.new_event_loop()
    waiting = signal.wait()
    loop.call_soon(waiting.send, None)
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    signal.notify()
    with pytest.raises(RuntimeError):
        waiting.throw(RuntimeError)
