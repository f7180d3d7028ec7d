"""Background work never dies unseen (F13)."""

import asyncio
import logging
import threading

import pytest

from joule.daemon import _tasks
from joule.daemon._tasks import BackgroundTasks
from joule.errors import ModuleError


async def test_a_fault_is_logged_with_its_traceback_and_the_work_starts_again(caplog, monkeypatch):
    monkeypatch.setattr(_tasks, "restart_delay_s", lambda failures, chance: 0.0)
    done = asyncio.Event()
    calls = []

    async def work():
        calls.append(1)
        if len(calls) < 3:
            raise ValueError("broken")
        done.set()

    async with BackgroundTasks() as tasks:
        await tasks.start("trimming", work)
        assert done.is_set()
    faults = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(faults) == 2
    assert "trimming failed" in faults[0].getMessage()
    assert faults[0].exc_info[0] is ValueError


async def test_leaving_the_owner_ends_all_work():
    async with BackgroundTasks() as tasks:
        task = tasks.start("waiting", asyncio.Event().wait)
        await asyncio.sleep(0)
    assert task.cancelled()


async def test_work_that_returns_is_over():
    async def work():
        return

    async with BackgroundTasks() as tasks:
        await tasks.start("short", work)


async def test_an_error_of_ours_is_logged_as_its_sentence(caplog, monkeypatch):
    monkeypatch.setattr(_tasks, "restart_delay_s", lambda failures, chance: 0.0)
    errors = [ModuleError("the logger was killed")]

    async def work():
        if errors:
            raise errors.pop()

    async with BackgroundTasks() as tasks:
        await tasks.start("logging", work)
    (record,) = caplog.records
    assert "logging failed: the logger was killed; it starts again" in record.getMessage()
    assert not record.exc_info


async def test_a_thread_is_waited_for_also_by_who_is_cancelled():
    begun, go_on, done = threading.Event(), threading.Event(), []

    def work():
        begun.set()
        go_on.wait(10)
        done.append(True)

    waiting = asyncio.create_task(_tasks.thread_to_its_end(work))
    await asyncio.to_thread(begun.wait, 10)
    waiting.cancel()
    await asyncio.sleep(0)
    assert not waiting.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert done == [True]


async def test_what_a_thread_raises_is_raised():
    def work():
        raise OSError(5, "no")

    with pytest.raises(OSError, match="no"):
        await _tasks.thread_to_its_end(work)
