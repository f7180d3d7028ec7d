"""A module as an application that somebody else serves: aiohttp-devtools, or a test with aiohttp's own client.

The module's arguments are those of [Arguments] in the file that JOULE_MODULE_CONFIG names, where it is set. A reader's
rows go to standard output; the others run without pipes, and are refused when that file gives them some.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from joule.client._arguments import UNSET, parse_arguments
from joule.client._interface import Interface
from joule.client._reader_module import ReaderModule
from joule.client._shutdown import Shutdown
from joule.client._web_keys import interface_key, task_key
from joule.client._web_server import create_app
from joule.errors import ModuleError

if TYPE_CHECKING:
    from joule.client._base_module import BaseModule

__all__ = ["create_dev_app"]

_log = logging.getLogger("joule.client")

_VARIABLE = "JOULE_MODULE_CONFIG"
_NO_PIPES = '{"inputs": {}, "outputs": {}}'


def create_dev_app(module: BaseModule) -> web.Application:
    """Return an application that runs the module: `setup` and `run` on its start-up, `stop` on its clean-up.

    Raises:
        ModuleError: `routes()` returned no routes, or the module's file asks for what cannot be given here.
        ConfigurationError: The module's file has a fault.
    """
    app = create_app(module.routes() or [], type(module).__name__)
    module.parsed_args = _arguments(module)
    app[interface_key] = life = _Life(module, module.parsed_args)
    app.on_startup.append(life.begin)
    app.on_cleanup.append(life.end)
    return app


def _arguments(module: BaseModule) -> argparse.Namespace:
    options: tuple[str, ...] = ()
    if file := os.environ.get(_VARIABLE):
        from joule.config import load_module_arguments  # of all uses of a module, only this one reads such a file

        given = load_module_arguments(Path(file).absolute())
        options = given.options
        if given.pipes and not isinstance(module, ReaderModule):
            raise ModuleError(
                f"{file} gives pipes ({', '.join(given.pipes)}): running a module by hand on the streams of a node is "
                "not in this version yet"
            )
    parsed, _ = parse_arguments(
        options, custom_args=module.custom_args, description=module.description, epilog=module.help
    )
    parsed.pipes = UNSET if isinstance(module, ReaderModule) else _NO_PIPES
    return parsed


class _Life(Interface):
    """The life of a module within an application's."""

    def __init__(self, module: BaseModule, parsed_args: argparse.Namespace) -> None:
        self._module = module
        self._parsed_args = parsed_args
        self._shutdown = Shutdown(module)
        self._is_set_up = asyncio.Event()
        self._task: asyncio.Task[Any] | None = None

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Let the application start: `setup` has returned, and may have added to it."""
        self._is_set_up.set()
        yield

    async def begin(self, app: web.Application) -> None:
        """Run the module up to the end of its `setup`; raise what that raised."""
        self._task = app[task_key] = await self._module.run_as_task(self._parsed_args, app)
        self._shutdown.watch(self._task)
        set_up = asyncio.ensure_future(self._is_set_up.wait())
        await asyncio.wait({self._task, set_up}, return_when=asyncio.FIRST_COMPLETED)
        if not self._is_set_up.is_set():
            set_up.cancel()
            self._task.result()
        self._task.add_done_callback(self._report)

    async def end(self, _app: web.Application) -> None:
        """Stop the module and wait for its end."""
        if self._task is not None:
            self._shutdown.request()
            await asyncio.wait({self._task})
            self._shutdown.finish()

    def _report(self, task: asyncio.Task[Any]) -> None:
        name = type(self._module).__name__
        if not task.cancelled() and task.exception() is not None:
            _log.error("%s.run() failed; its web pages are still served", name, exc_info=task.exception())
