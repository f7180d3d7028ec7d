"""Threads for the slow calls of modules (`await asyncio.to_thread(port.read)`) that cannot keep a module from ending.

A read that waits for a sensor may never return. Python's own pool waits for it, when the loop closes and again when the
interpreter exits, so that a module stopped by Ctrl-C would hang. Here a call still running at the end is given a
moment, and then left behind: its thread dies with the process.
"""

from __future__ import annotations

import concurrent.futures
import functools
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, ParamSpec, TypeVar

__all__ = ["AbandonedThreads"]

_log = logging.getLogger("joule.client")

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Call = tuple[Future[Any], Callable[[], Any]]

_MAX_THREADS = 32  # as many as Python's own pool has at most
_GRACE_S = 1.0  # with the 2 s of STOP_TIMEOUT still within the grace that jouled gives


class AbandonedThreads(concurrent.futures.ThreadPoolExecutor):
    """A pool of daemon threads; a subclass because asyncio takes no other default executor."""

    def __init__(self) -> None:
        super().__init__(max_workers=_MAX_THREADS)
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._workers: list[threading.Thread] = []

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Call `fn` in a thread that has nothing to do, in a new one, or in the first that is through."""
        future: Future[_T] = Future()
        self._calls.put((future, functools.partial(fn, *args, **kwargs)))
        if not self._idle.acquire(blocking=False) and len(self._workers) < _MAX_THREADS:
            worker = threading.Thread(target=self._work, name=f"joule-{len(self._workers)}", daemon=True)
            self._workers.append(worker)
            worker.start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002
        """Let threads end that have nothing to do, and wait a moment for the others."""
        for _ in self._workers:
            self._calls.put(None)
        deadline_s = time.monotonic() + (_GRACE_S if wait else 0)
        for worker in self._workers:
            worker.join(max(0, deadline_s - time.monotonic()))
        busy = sum(worker.is_alive() for worker in self._workers)
        if busy and wait:
            _log.warning(
                "calls in threads (asyncio.to_thread) that had not returned at the end and were left: %d", busy
            )

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            _answer(*call)
            del call  # while it waits, it keeps nothing alive
            self._idle.release()


def _answer(future: Future[Any], call: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001  # whatever it is, it belongs to whoever awaits the call
        future.set_exception(error)
    else:
        future.set_result(result)
