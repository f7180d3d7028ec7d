"""The visualizer: a page with the newest values of its inputs, for a look at a node without anything else.

It writes nothing. Its page is files of its own, works without the internet, and asks for new values once a second as
long as somebody looks at it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import html
from pathlib import Path
from typing import Any

from aiohttp import web

from joule.builtins.visualizer_filter._figures import Figures
from joule.client import FilterModule
from joule.errors import EmptyPipeError
from joule.pipes import Pipe

__all__ = ["Visualizer", "main"]

_ASSETS = Path(__file__).with_name("assets")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'",
    "X-Content-Type-Options": "nosniff",
}


class Visualizer(FilterModule):
    """Shows the newest values of all inputs, with the smallest and the largest since a reset, on a web page."""

    STOP_TIMEOUT = 0.2  # nothing is lost that could be waited for

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)
        self._title = "Newest values"
        self._figures: list[Figures] = []

    def custom_args(self, parser: argparse.ArgumentParser) -> None:
        """Add `--title`."""
        parser.description = "Shows the newest values of its inputs on a web page."
        parser.add_argument("--title", default=self._title, help=f"heading of the page (default: {self._title})")

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the page, its data, the reset of smallest and largest values, and the page's files."""
        return [
            web.get("/", self._page),
            web.get("/data.json", self._data),
            web.post("/reset.json", self._reset),
            web.static("/assets", _ASSETS),
        ]

    async def setup(
        self, parsed_args: argparse.Namespace, app: Any, inputs: dict[str, Pipe], outputs: dict[str, Pipe]
    ) -> None:
        """Prepare the figures, so that the first request finds all elements."""
        self._title = getattr(parsed_args, "title", None) or self._title
        self._begin(inputs)

    async def run(self, parsed_args: argparse.Namespace, inputs: dict[str, Pipe], outputs: dict[str, Pipe]) -> None:
        """Follow all inputs until each has ended; without inputs, until the module is stopped."""
        if not inputs:
            await asyncio.Event().wait()
        if not self._figures:  # run by a composite, which calls no setup
            self._begin(inputs)
        followers = (_follow(pipe, figures) for pipe, figures in zip(inputs.values(), self._figures, strict=True))
        await asyncio.gather(*followers)

    def _begin(self, inputs: dict[str, Pipe]) -> None:
        self._figures = [Figures(pipe) for pipe in inputs.values()]

    async def _page(self, request: web.Request) -> web.Response:
        text = (_ASSETS / "page.html").read_text().replace("{title}", html.escape(self._title))
        return web.Response(text=text, content_type="text/html", headers=_HEADERS)

    async def _data(self, request: web.Request) -> web.Response:
        found: list[dict[str, Any]] = []
        for figures in self._figures:
            found += figures.to_json(len(found))
        return web.json_response(found, headers=_HEADERS)

    async def _reset(self, request: web.Request) -> web.Response:
        for figures in self._figures:
            figures.reset()
        return await self._data(request)


async def _follow(pipe: Pipe, figures: Figures) -> None:
    with contextlib.suppress(EmptyPipeError):  # how the data ends; the last values stay
        while True:
            rows = await pipe.read()
            pipe.consume(len(rows))
            figures.update(rows)


def main() -> None:
    """Run the module: the program `joule-visualizer-filter`."""
    Visualizer().start()
