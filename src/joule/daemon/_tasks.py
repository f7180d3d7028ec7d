"""Background work that never dies unseen.

Each task has an owner; a fault in it is logged with its traceback, and the work starts again after a delay.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Self

from joule.daemon._backoff import failures_after, restart_delay_s
from joule.errors import JouleError

__all__ = ["BackgroundTasks", "thread_to_its_end"]

_log = logging.getLogger(__name__)


class BackgroundTasks:
    """The tasks of one owner; `async with` ends them all."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.end()

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Run `work` in a task until it returns.

        Args:
            name: For messages, such as "trimming".
            work: Called again, after a delay as for modules, when it raised.
        """
        task = asyncio.create_task(self._run(name, work), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def end(self) -> None:
        """Cancel all tasks, and wait for them."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            began_s = loop.time()
            try:
                await work()
            except Exception as error:  # noqa: BLE001  # the seam that keeps a fault in a task from ending it unseen
                failures = failures_after(failures, loop.time() - began_s)
                delay_s = restart_delay_s(failures, random.random())
                if isinstance(error, JouleError):  # a sentence for people: where it was raised tells nothing more
                    _log.error("%s failed: %s; it starts again in %.1f s", name, error.message, delay_s)
                else:
                    _log.exception("%s failed; it starts again in %.1f s", name, delay_s)
                await asyncio.sleep(delay_s)
            else:
                return


async def thread_to_its_end(work: Callable[[], None]) -> None:
    """Run `work` in a thread; whoever is cancelled meanwhile is so when the thread is through, not before.

    For work on files that nobody else may touch before it is done.
    """
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(running)
    finally:
        await asyncio.wait({running})
