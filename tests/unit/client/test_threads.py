"""Slow calls in threads: they work as in Python's own pool, and cannot keep a module from ending."""

import asyncio
import logging
import threading

import pytest

from joule.client import _threads
from joule.client._threads import AbandonedThreads


@pytest.fixture
def threads():
    pool = AbandonedThreads()
    yield pool
    pool.shutdown()


def test_results_and_errors_come_back(threads):
    assert threads.submit(divmod, 7, 2).result(5) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        threads.submit(divmod, 7, 0).result(5)
    assert list(threads.map(len, ["a", "bc"])) == [1, 2]


def test_threads_are_used_again(threads):
    names = set()
    for _ in range(20):
        names.add(threads.submit(lambda: threading.current_thread().name).result(5))
        while not threads._idle.acquire(timeout=5):  # the thread has come back to the queue
            pytest.fail("the thread never became idle")
        threads._idle.release()
    assert len(names) == 1


def test_calls_beyond_the_number_of_threads_wait_their_turn(threads, monkeypatch):
    monkeypatch.setattr(_threads, "_MAX_THREADS", 2)
    go = threading.Event()
    calls = [threads.submit(go.wait, 5) for _ in range(10)]
    assert len(threads._workers) == 2
    go.set()
    assert all(call.result(5) for call in calls)


def test_a_call_that_never_returns_is_left_with_a_warning(caplog, monkeypatch):
    monkeypatch.setattr(_threads, "_GRACE_S", 0.01)
    go = threading.Event()
    with caplog.at_level(logging.WARNING):
        pool = AbandonedThreads()
        pool.submit(go.wait, 20)
        pool.shutdown()
    assert "were left: 1" in caplog.text
    (worker,) = pool._workers
    assert worker.daemon
    go.set()
    worker.join(5)


def test_a_cancelled_call_is_not_made(threads, monkeypatch):
    monkeypatch.setattr(_threads, "_MAX_THREADS", 1)
    go, made = threading.Event(), []
    first = threads.submit(go.wait, 5)
    second = threads.submit(made.append, 1)
    assert second.cancel()
    go.set()
    assert first.result(5)
    threads.shutdown()
    assert made == []


async def test_asyncio_takes_it_as_the_executor_of_a_loop():
    loop = asyncio.get_running_loop()
    loop.set_default_executor(AbandonedThreads())
    assert await asyncio.to_thread(divmod, 9, 4) == (2, 1)
    await loop.shutdown_default_executor()
