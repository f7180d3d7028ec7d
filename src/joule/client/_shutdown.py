"""How a module ends on request: its `stop()`, a grace, then cancellation, whoever asks for it."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import sys
from typing import Any, Protocol

__all__ = ["Shutdown"]

_log = logging.getLogger("joule.client")

_CLEAN_UP_S = 1.0  # what a cancelled module may need to close its devices


class _Stoppable(Protocol):
    """What a shutdown asks of a module."""

    STOP_TIMEOUT: float

    def stop(self) -> object:
        """Ask for the end."""


class Shutdown:
    """Turns requests, such as signals, into `stop()`, and into cancellation when that does not help."""

    def __init__(self, module: _Stoppable) -> None:
        self._module = module
        self._task: asyncio.Task[Any] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._complaint: asyncio.TimerHandle | None = None
        self._stopping: asyncio.Future[Any] | None = None
        self.requested = False

    def watch(self, task: asyncio.Task[Any]) -> None:
        """Stop this task on request; the request may have come before there was one."""
        self._task = task
        # `sys.exit()` in a task leaves the loop at once; asyncio would print its traceback as that of a forgotten task.
        task.add_done_callback(_note_error)
        if self.requested:
            self._cancel_later()

    def request(self) -> None:
        """Stop the module; on a second request, without waiting."""
        if self.requested:
            self._cancel()
            return
        self.requested = True
        self._call_stop()
        self._cancel_later()

    def finish(self) -> None:
        """Forget the timers: the task has ended."""
        for timer in (self._timer, self._complaint):
            if timer is not None:
                timer.cancel()

    def _call_stop(self) -> None:
        """Call the author's `stop()`; whatever it does, the shutdown goes on."""
        try:
            result = self._module.stop()
            if inspect.isawaitable(result):  # `async def stop`
                self._stopping = asyncio.ensure_future(result)
                self._stopping.add_done_callback(_report_stop)
        except Exception:  # noqa: BLE001  # a seam: the author's code, logged with its traceback
            _log.exception("%s.stop() failed; the module is stopped all the same", type(self._module).__name__)
        with contextlib.suppress(OSError, ValueError, AttributeError):  # what stop() printed is to be seen now
            sys.stdout.flush()

    def _cancel_later(self) -> None:
        if self._task is not None:
            self._timer = asyncio.get_running_loop().call_later(self._module.STOP_TIMEOUT, self._cancel)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
            if self._complaint is None:
                self._complaint = asyncio.get_running_loop().call_later(_CLEAN_UP_S, self._complain)

    def _complain(self) -> None:
        _log.warning(
            "%s was cancelled and has not ended: its clean-up takes long, or it catches asyncio.CancelledError "
            "(`except:` does; write `except Exception:`)",
            type(self._module).__name__,
        )


def _note_error(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()


def _report_stop(stopping: asyncio.Future[Any]) -> None:
    if not stopping.cancelled() and stopping.exception() is not None:
        _log.error("stop() failed; the module is stopped all the same", exc_info=stopping.exception())
