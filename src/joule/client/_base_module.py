"""What every module is: something that can be started from its command line and stopped by a signal.

The kinds (reader, filter, composite) differ only in the task that `run_as_task` makes. Authors override methods and
nothing else; a class whose `__init__` forgot `super()` works all the same, so all state has class-level defaults. The
classes are not abstract: a bare one can be constructed, and starting it says what is missing.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from typing import TYPE_CHECKING, Any

from joule.client._arguments import parse_arguments
from joule.client._options import WebOptions
from joule.client._process import drop_broken_stdout, prepare_process
from joule.client._runner import run_module
from joule.errors import ModuleError

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["BaseModule"]

_log = logging.getLogger("joule.client")


class BaseModule:
    """Base of all modules.

    Attributes:
        STOP_TIMEOUT: Seconds that `run()` has to end by itself after `stop()`, before it is cancelled.
        column_data: How one-element rows are read from pipes that Joule makes: `data` of shape (n,) for classes
            imported from `joule`, (n, 1) for those from `joule.client`.
        stop_requested: `stop()` was called; loops may look at it and end.
        description: Shown by `-h`, unless `custom_args` sets another.
        help: Shown at the end of `-h`, likewise.
        name: For messages; the class's name where none was given.
        parsed_args: The arguments that it runs with, as handlers of web pages may want them; None before it runs.
    """

    STOP_TIMEOUT: float = 2
    column_data: bool = False
    stop_requested: bool = False
    description: str = ""
    help: str = ""
    name: str = ""
    parsed_args: argparse.Namespace | None = None
    _node: Any = None

    def __init__(self, name: str | None = None) -> None:
        self.name = name or type(self).__name__

    @property
    def node(self) -> Any:
        """A client of the module's node, made when it is first asked for; tests may set another.

        Raises:
            NotYetError: Always, in this version: `joule.api` says what there is instead.
        """
        if self._node is None:
            from joule.api import get_node  # modules that ask nothing load nothing

            self._node = get_node()
        return self._node

    @node.setter
    def node(self, node: Any) -> None:
        self._node = node

    def custom_args(self, parser: argparse.ArgumentParser) -> None:
        """Add arguments to the parser, or set its description; does nothing unless overridden. Called once.

        Options, rather than positional arguments, can be set in the [Arguments] section of a module's file.
        """

    def routes(self) -> Any:
        """Return the module's web pages, a list of aiohttp routes; none unless overridden. Called once, before `setup`.

        Handlers are coroutines of this object, such as `web.get("/", self.index)`, and run in its event loop.
        """
        return []

    def stop(self) -> None:
        """Ask the module to end: called in the event loop on SIGINT and SIGTERM. May be overridden without `super()`.

        Afterwards `run()` has `STOP_TIMEOUT` seconds before it is cancelled; a second signal cancels it at once.
        """
        self.stop_requested = True

    async def run_as_task(self, parsed_args: argparse.Namespace, app: Any) -> asyncio.Task[Any]:
        """Return a task that is this module at work: the one thing in which kinds of modules differ.

        Args:
            parsed_args: The parsed command line.
            app: The module's `aiohttp.web.Application`; None where `routes()` is empty.
        """
        raise ModuleError(
            f"{type(self).__name__} is no kind of module that can run: extend ReaderModule, FilterModule or "
            "CompositeModule and implement run() (a composite: setup()), or implement run_as_task()"
        )

    def start(self, parsed_args: argparse.Namespace | None = None) -> None:
        """Run the module in an event loop of its own until it ends; `if __name__ == "__main__": X().start()`.

        What `run()` raises comes out of here, so that an uncaught error ends the process with a traceback and status 1.

        Args:
            parsed_args: Instead of the command line, for tests. A module that cannot run then logs why and returns;
                started from its command line, it ends the process with status 1.
        """
        is_program = parsed_args is None
        if is_program:
            prepare_process()
        try:
            namespace, options = self._parse() if parsed_args is None else (parsed_args, WebOptions())
            self.parsed_args = namespace
            run_module(self, namespace, options)
        except ModuleError as error:
            _log.error("%s", error)  # a traceback is no help against a wrong set-up
            if is_program:
                sys.exit(1)
        except BrokenPipeError:
            if not isinstance(drop_broken_stdout(), BrokenPipeError):
                raise
        finally:
            lost = drop_broken_stdout() if is_program else None
        if lost is not None and not isinstance(lost, BrokenPipeError):
            _log.error("what was printed last did not get to standard output: %s", lost)
            sys.exit(1)

    def create_dev_app(self, loop: object = None) -> web.Application:
        """Return an application that runs the module while it is served: for aiohttp-devtools, and for tests.

        Args:
            loop: Accepted for module files that pass one; has no effect.

        Raises:
            ModuleError: The module cannot run so.
            ConfigurationError: The file that JOULE_MODULE_CONFIG names has a fault.
        """
        from joule.client._dev_app import create_dev_app  # loads aiohttp

        return create_dev_app(self)

    def _parse(self) -> tuple[argparse.Namespace, WebOptions]:
        return parse_arguments(
            sys.argv[1:], custom_args=self.custom_args, description=self.description, epilog=self.help
        )
