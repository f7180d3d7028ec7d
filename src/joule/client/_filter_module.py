"""Filters: modules that turn input streams into output streams, any number of each."""

from __future__ import annotations

import argparse
import asyncio
import logging
from typing import Any

from joule.client._author import call_run, check_coroutine, check_setup
from joule.client._base_module import BaseModule
from joule.client._interface import serving
from joule.client._wiring import needed, open_wiring
from joule.errors import ModuleError
from joule.pipes import Pipe

__all__ = ["FilterModule"]

_log = logging.getLogger("joule.client")

_SETUP = "setup(self, parsed_args, app, inputs, outputs)"


class FilterModule(BaseModule):
    """Base of modules with inputs and outputs: implement `run`. Without inputs it is a reader of several streams."""

    async def setup(
        self, parsed_args: argparse.Namespace, app: Any, inputs: dict[str, Pipe], outputs: dict[str, Pipe]
    ) -> None:
        """Prepare for `run`, in the same event loop; does nothing unless overridden.

        Args:
            parsed_args: The arguments that `custom_args` defined.
            app: The module's `aiohttp.web.Application`; None where `routes()` is empty. It may be added to here.
            inputs: As in `run`.
            outputs: As in `run`.
        """

    async def run(self, parsed_args: argparse.Namespace, inputs: dict[str, Pipe], outputs: dict[str, Pipe]) -> Any:
        """Read, process, write, consume, for ever. Must be implemented.

        Returning ends the module; so does an `EmptyPipeError` when an input has ended.

        Args:
            parsed_args: The arguments that `custom_args` defined.
            inputs: Pipes by the names in the module's file.
            outputs: Likewise.
        """
        raise ModuleError(_missing_run(self))

    async def run_as_task(self, parsed_args: argparse.Namespace, app: Any) -> asyncio.Task[Any]:
        """Return a task that opens the pipes, calls `setup` and `run`, and closes the pipes.

        Raises:
            ModuleError: `run` is missing, or `run` or `setup` is no coroutine.
        """
        if type(self).run is FilterModule.run:
            raise ModuleError(_missing_run(self))
        check_coroutine(self.run, type(self).__name__, "run(self, parsed_args, inputs, outputs)")
        calls_setup = check_setup(self.setup, type(self).__name__, _SETUP)
        return asyncio.create_task(self._work(parsed_args, app, calls_setup=calls_setup))

    async def _work(self, parsed_args: argparse.Namespace, app: Any, *, calls_setup: bool) -> None:
        name = type(self).__name__
        async with open_wiring(parsed_args, module=name, column=self.column_data) as opened:
            wiring = needed(opened, name)
            if calls_setup:
                await self.setup(parsed_args, app, wiring.inputs, wiring.outputs)
            async with serving(app):
                await call_run(self.run, parsed_args, wiring.inputs, wiring.outputs, module=name)
            _log.info("run() returned")


def _missing_run(module: FilterModule) -> str:
    return f"{type(module).__name__} has no run: implement `async def run(self, parsed_args, inputs, outputs)`"
