"""A few modules start at a time, in order."""

import asyncio
import contextlib
import subprocess
import sys
import time

import pytest

from joule.daemon import _turns
from joule.daemon._turns import StartTurns, wait_for_start


async def waiting(turns, *names):
    tasks = [asyncio.ensure_future(turns.take(name)) for name in names]
    while len(turns.places()) < len(names):
        await asyncio.sleep(0)
    return tasks


async def test_turns_come_in_the_order_in_which_they_were_asked_for():
    turns = StartTurns(1)
    turn = await turns.take("a")
    first, second = await waiting(turns, "b", "c")
    assert turns.places() == {"b": 0, "c": 1}
    turn.give_back()
    turn.give_back()  # twice gives no second turn
    await first
    assert turns.places() == {"c": 0} and not second.done()
    first.result().give_back()
    assert await second is not None


async def test_who_withdraws_gets_none_and_is_no_obstacle():
    turns = StartTurns(1)
    turn = await turns.take("a")
    withdrawn, next_ = await waiting(turns, "b", "c")
    turns.withdraw("b")
    turn.give_back()
    assert await withdrawn is None
    assert await next_ is not None


@pytest.mark.parametrize("is_granted_first", [True, False])
async def test_a_turn_of_somebody_cancelled_goes_to_the_next(is_granted_first):
    turns = StartTurns(1)
    turn = await turns.take("a")
    cancelled, next_ = await waiting(turns, "b", "c")
    if is_granted_first:
        turn.give_back()
        cancelled.cancel()
    else:
        cancelled.cancel()
        turn.give_back()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    (await next_).give_back()
    assert await turns.take("d") is not None


@pytest.fixture
def start(tmp_path):
    """Start Python code, with a lock file for it; ends it afterwards."""
    with contextlib.ExitStack() as stack:

        def run(code):
            lock = tmp_path / "lock"
            lock.touch()
            process = stack.enter_context(subprocess.Popen([sys.executable, "-c", code, str(lock)]))
            stack.callback(process.kill)
            return process.pid, lock

        yield run


BUSY = "while True: pass"
LOCKED = "import sys, pathlib, joule.log as log; held = log.ProcessLock(pathlib.Path(sys.argv[1]), 'x')\n"


@pytest.mark.parametrize("code", ["import time; time.sleep(60)", LOCKED + BUSY, "1 / 0"])
async def test_a_start_is_over_when_it_waits_has_its_lock_or_has_ended(monkeypatch, start, code):
    monkeypatch.setattr(_turns, "_LONGEST_S", 15.0)
    began_s = time.monotonic()
    await wait_for_start(*start(code))
    assert time.monotonic() - began_s < 10


async def test_a_start_that_computes_without_end_has_its_time(monkeypatch, start):
    monkeypatch.setattr(_turns, "_LONGEST_S", 1.0)
    began_s = time.monotonic()
    await wait_for_start(*start(BUSY))
    assert time.monotonic() - began_s >= 1.0
