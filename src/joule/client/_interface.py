"""A module's web pages, from its `routes()` to their end. Loads aiohttp for modules that have some, and for no other.

The address is taken before `setup`, so that one that is in use is told before a device is opened. Requests are answered
from the end of `setup` to the end of `run`, and wait until then.
"""

from __future__ import annotations

import abc
import argparse
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Protocol

from joule.client._arguments import pipes_argument
from joule.client._options import WebOptions
from joule.pipes import DescriptorManifest, Manifest

__all__ = ["Interface", "WebModule", "open_interface", "serving"]

_log = logging.getLogger("joule.client")


class WebModule(Protocol):
    """What is asked of a module about its web pages."""

    def routes(self) -> Any:
        """Return aiohttp routes, perhaps none."""


class Interface(abc.ABC):
    """What serves an application while a module runs."""

    @abc.abstractmethod
    def serving(self) -> contextlib.AbstractAsyncContextManager[None]:
        """Answer requests as long as the context lasts; entered when `setup` has returned."""


@contextlib.contextmanager
def open_interface(module: WebModule, parsed_args: argparse.Namespace, options: WebOptions) -> Iterator[Any]:
    """Make the application of a module and take its address; both end with the context.

    Args:
        module: The module.
        parsed_args: Its arguments, with the pipes that a supervisor gave it.
        options: Of its command line.

    Yields:
        An `aiohttp.web.Application`; None for a module without routes.

    Raises:
        ModuleError: `routes()` returned something else, or the address cannot be had.
    """
    name = type(module).__name__
    text = pipes_argument(parsed_args)
    told = _told_socket(text, options)
    routes = module.routes() if callable(module.routes) else None  # else an attribute of an era without routes
    if not routes:
        if told is not None:
            _log.warning("%s has no web pages to serve on %s: its routes() is empty", name, told)
        yield None
        return
    from joule.client._web_server import WebServer, create_app

    app = create_app(routes, name)
    if text is not None and told is None and options.port is None:
        _log.info("%s has web pages that are not served: add is_app = yes to [Main] of the module's file", name)
        yield app
        return
    with WebServer(app, told, options, name):
        yield app


def _told_socket(text: str | None, options: WebOptions) -> Path | None:
    """Return the unix socket that the command line or the supervisor names."""
    if options.socket is not None:
        return Path(options.socket)
    if text is None or DescriptorManifest.parse(text) is not None:
        return None
    return Manifest.parse(text).socket


@contextlib.asynccontextmanager
async def serving(app: Any) -> AsyncIterator[None]:
    """Answer requests to a module's application while the block runs; do nothing where there is none, or no address."""
    if app is None:
        yield
        return
    from joule.client._web_keys import interface_key

    interface = app.get(interface_key)
    if interface is None:  # nobody serves it, or whoever made it does so
        yield
        return
    async with interface.serving():
        yield
