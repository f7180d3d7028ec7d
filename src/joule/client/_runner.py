"""Running one module in an event loop of its own, from the first signal handler to the last cancelled task.

The stop rules: SIGINT or SIGTERM calls the module's `stop()`; after its `STOP_TIMEOUT` the task is cancelled; a second
signal cancels it at once, and a third ends the process if that did not help (see `StopSignals`). Ending by a stop is
success. What `run()` raises is the author's and goes to the caller.
"""

from __future__ import annotations

import argparse
import asyncio
from typing import Any, Protocol

from joule.client._blocked import watch_for_blocking
from joule.client._interface import WebModule, open_interface
from joule.client._options import WebOptions
from joule.client._shutdown import Shutdown
from joule.client._signals import StopSignals
from joule.client._threads import AbandonedThreads

__all__ = ["run_module"]


class _Runnable(WebModule, Protocol):
    """What the runner asks of a module."""

    STOP_TIMEOUT: float

    def stop(self) -> object:
        """Ask for the end."""

    async def run_as_task(self, parsed_args: argparse.Namespace, app: Any) -> asyncio.Task[Any]:
        """Begin."""


def run_module(module: _Runnable, parsed_args: argparse.Namespace, web: WebOptions) -> None:
    """Run a module until its task ends or it was stopped.

    Args:
        module: The module.
        parsed_args: Its arguments.
        web: Where its web pages are served, if it has some.

    Raises:
        ModuleError: It cannot run.
        BaseException: Whatever its task raised, except the cancellation that a stop leads to.
    """
    signals = StopSignals()
    # A loop factory keeps the runner from replacing the caller's current event loop, which may be that of a test.
    with signals.caught(), asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(_run(module, parsed_args, web, signals))


async def _run(module: _Runnable, parsed_args: argparse.Namespace, web: WebOptions, signals: StopSignals) -> None:
    asyncio.get_running_loop().set_default_executor(AbandonedThreads())
    shutdown = Shutdown(module)
    with (
        signals.served(shutdown.request),
        watch_for_blocking(),
        open_interface(module, parsed_args, web) as app,
    ):
        task = await module.run_as_task(parsed_args, app)
        shutdown.watch(task)
        try:
            await asyncio.wait((task,))
        finally:
            shutdown.finish()
    if not task.cancelled():
        task.result()
