"""Readers: modules that bring rows in, and run anywhere.

Under `jouled` the output is the stream that the module's file names; on its own it is standard output.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

from joule.client._author import call_run, check_coroutine, check_setup
from joule.client._base_module import BaseModule
from joule.client._interface import serving
from joule.client._wiring import Wiring, open_wiring
from joule.errors import ModuleError
from joule.pipes import Pipe, StdoutPipe

__all__ = ["ReaderModule"]

_log = logging.getLogger("joule.client")

_SETUP = "setup(self, parsed_args, app, output)"


class ReaderModule(BaseModule):
    """Base of modules with one output: implement `run`."""

    async def setup(self, parsed_args: argparse.Namespace, app: Any, output: Pipe) -> None:
        """Prepare for `run`, in the same event loop; does nothing unless overridden.

        Args:
            parsed_args: The arguments that `custom_args` defined.
            app: The module's `aiohttp.web.Application`; None where `routes()` is empty. It may be added to here.
            output: As in `run`.
        """

    async def run(self, parsed_args: argparse.Namespace, output: Pipe) -> Any:
        """Bring rows in, for ever: read from the source, add timestamps, write, sleep. Must be implemented.

        An async generator does as well: `yield array` writes it. Returning ends the module.

        Args:
            parsed_args: The arguments that `custom_args` defined.
            output: The pipe to the module's stream.
        """
        raise ModuleError(_missing_run(self))

    async def run_as_task(self, parsed_args: argparse.Namespace, app: Any) -> asyncio.Task[Any]:
        """Return a task that opens the output, calls `setup` and `run`, and closes the output.

        Raises:
            ModuleError: `run` is missing, or `run` or `setup` is no coroutine.
        """
        if type(self).run is ReaderModule.run:
            raise ModuleError(_missing_run(self))
        check_coroutine(self.run, type(self).__name__, "run(self, parsed_args, output)")
        calls_setup = check_setup(self.setup, type(self).__name__, _SETUP)
        return asyncio.create_task(self._work(parsed_args, app, calls_setup=calls_setup))

    async def _work(self, parsed_args: argparse.Namespace, app: Any, *, calls_setup: bool) -> None:
        name = type(self).__name__
        async with (
            open_wiring(parsed_args, module=name, column=self.column_data) as wiring,
            _open_output(wiring, module=name, column=self.column_data) as output,
        ):
            if calls_setup:
                await self.setup(parsed_args, app, output)
            async with serving(app):
                await call_run(self.run, parsed_args, output, module=name, output=output)
            if not self.stop_requested:
                _log.info("run() returned after %d writes", output.statistics().writes)


def _missing_run(module: ReaderModule) -> str:
    return f"{type(module).__name__} has no run: implement `async def run(self, parsed_args, output)`"


@contextlib.asynccontextmanager
async def _open_output(wiring: Wiring | None, *, module: str, column: bool) -> AsyncIterator[Pipe]:
    """Give the one output: of the wiring, or standard output."""
    if wiring is not None:
        yield _single_output(wiring, module)
        return
    task = asyncio.current_task()
    pipe = StdoutPipe(column=column, reader_gone=task.cancel if task is not None else None)
    try:
        yield pipe
    finally:
        await pipe.close()


def _single_output(wiring: Wiring, module: str) -> Pipe:
    if wiring.inputs:
        _log.warning("%s is a reader and does not use its inputs: %s", module, ", ".join(sorted(wiring.inputs)))
    if len(wiring.outputs) != 1:
        names = ", ".join(sorted(wiring.outputs)) or "none"
        raise ModuleError(
            f"{module} is a reader: the [Outputs] section of its file must name exactly one pipe, and names {names}; "
            "a module with several outputs is a FilterModule"
        )
    return next(iter(wiring.outputs.values()))
