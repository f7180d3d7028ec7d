"""Running one module in an event loop of its own, from the first signal handler to the last cancelled task.

The stop rules: SIGINT or SIGTERM calls the module's `stop()`; after its `STOP_TIMEOUT` the task is cancelled; a second
signal cancels it at once, and a third ends the process if that did not help (see `StopSignals`). Ending by a stop is
success. What `run()` raises is the author's and goes to the caller.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import inspect
import logging
import sys
from typing import Any, Protocol

from joule.client._blocked import watch_for_blocking
from joule.client._signals import StopSignals
from joule.client._threads import AbandonedThreads

__all__ = ["run_module"]

_log = logging.getLogger("joule.client")

_CLEAN_UP_S = 1.0  # what a cancelled module may need to close its devices


class _Runnable(Protocol):
    """What the runner asks of a module."""

    STOP_TIMEOUT: float

    def stop(self) -> object:
        """Ask for the end."""

    async def run_as_task(self, parsed_args: argparse.Namespace, app: Any) -> asyncio.Task[Any]:
        """Begin."""


def run_module(module: _Runnable, parsed_args: argparse.Namespace) -> None:
    """Run a module until its task ends or it was stopped.

    Raises:
        ModuleError: It cannot run.
        BaseException: Whatever its task raised, except the cancellation that a stop leads to.
    """
    signals = StopSignals()
    # A loop factory keeps the runner from replacing the caller's current event loop, which may be that of a test.
    with signals.caught(), asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(_run(module, parsed_args, signals))


async def _run(module: _Runnable, parsed_args: argparse.Namespace, signals: StopSignals) -> None:
    asyncio.get_running_loop().set_default_executor(AbandonedThreads())
    shutdown = _Shutdown(module)
    with signals.served(shutdown.request), watch_for_blocking():
        task = await module.run_as_task(parsed_args, None)
        shutdown.watch(task)
        try:
            await asyncio.wait((task,))
        finally:
            shutdown.finish()
    if not task.cancelled():
        task.result()


class _Shutdown:
    """Turns signals into `stop()`, and into cancellation when that does not help."""

    def __init__(self, module: _Runnable) -> None:
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
