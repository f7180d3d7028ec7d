"""The visualizer: its figures, what its page asks for, and that texts of a node are never markup."""

import argparse
import asyncio
import contextlib
import math
import re
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from joule.builtins.visualizer_filter import Visualizer
from joule.pipes import LocalNumpyPipe, LocalPipe, Pipe

ASSETS = Path(__file__).with_name("assets")


def element(name: str, units: str = "", offset: float = 0.0, scale_factor: float = 1.0) -> SimpleNamespace:
    return SimpleNamespace(name=name, units=units, offset=offset, scale_factor=scale_factor)


def pipe(name: str, *elements: SimpleNamespace, stream: str = "") -> LocalPipe:
    made = LocalPipe(f"float64_{len(elements)}", name=name)
    made.stream = SimpleNamespace(name=stream or name, elements=list(elements), layout=made.layout)
    return made


class Shown:
    """A visualizer at work, and a browser."""

    def __init__(self, client: TestClient[web.Request, web.Application], inputs: dict[str, Pipe]) -> None:
        self.client = client
        self._inputs = inputs

    async def write(self, name: str, *rows: list[float]) -> None:
        """Write rows to an input, and wait until the module has dealt with them."""
        target = self._inputs[name]
        target.write_nowait(list(rows))
        while target.statistics().rows_consumed < target.statistics().rows_written:  # noqa: ASYNC110  # counted, not told
            await asyncio.sleep(0)

    async def data(self, *keys: str) -> list[Any]:
        """What the page is given: of each element, the values of these keys."""
        async with self.client.get("/data.json") as answer:
            return [[entry[key] for key in keys] for entry in await answer.json()]


@contextlib.asynccontextmanager
async def shown(*inputs: Pipe, title: str = "Test") -> AsyncIterator[Shown]:
    module, arguments, app = Visualizer(), argparse.Namespace(title=title), web.Application()
    app.add_routes(module.routes())
    by_name = {source.name: source for source in inputs}
    await module.setup(arguments, app, by_name, {})
    work = asyncio.ensure_future(module.run(arguments, by_name, {}))
    async with TestClient(TestServer(app)) as client:
        yield Shown(client, by_name)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def test_each_element_has_its_newest_its_smallest_and_its_largest_value() -> None:
    async with shown(pipe("room", element("t", "C"), element("h", "%"))) as page:
        await page.write("room", [1_000, 20, 50], [2_000, 25, 40], [3_000, 22, 45])
        assert await page.data("stream", "element", "units", "time_us", "value", "min", "max") == [
            ["room", "t", "C", 3_000, 22, 20, 25],
            ["room", "h", "%", 3_000, 45, 40, 50],
        ]


async def test_an_input_without_rows_takes_no_place_of_another_one() -> None:
    async with shown(pipe("silent", element("a"), element("b")), pipe("loud", element("c"))) as page:
        await page.write("loud", [1, 7])
        assert await page.data("id", "element", "value", "time_us") == [
            [0, "a", None, None],
            [1, "b", None, None],
            [2, "c", 7, 1],
        ]


async def test_values_are_in_the_units_of_the_stream_s_file() -> None:
    async with shown(pipe("room", element("t", "F", offset=10, scale_factor=-2))) as page:
        await page.write("room", [1, 10], [2, 15], [3, 12])
        assert await page.data("value", "min", "max") == [[-4, -10, 0]]


async def test_nan_is_a_newest_value_and_no_smallest_or_largest() -> None:
    async with shown(pipe("a", element("x"), element("y"))) as page:
        await page.write("a", [1, math.nan, math.nan], [2, 3, math.nan], [3, math.nan, math.nan])
        assert await page.data("value", "min", "max", "time_us") == [[None, 3, 3, 3], [None, None, None, 3]]
        await page.write("a", [4, math.inf, -math.inf])
        assert await page.data("value", "min", "max") == [
            ["Infinity", 3, "Infinity"],
            ["-Infinity", "-Infinity", "-Infinity"],
        ]


async def test_a_reset_begins_at_the_newest_values() -> None:
    async with shown(pipe("a", element("x"))) as page:
        await page.write("a", [1, 1], [2, 9], [3, 5])
        async with page.client.post("/reset.json") as answer:
            assert [(entry["min"], entry["max"]) for entry in await answer.json()] == [(5, 5)]
        await page.write("a", [4, 6])
        assert await page.data("value", "min", "max") == [[6, 5, 6]]
        async with page.client.get("/reset.json") as answer:
            assert answer.status == 405


@pytest.mark.parametrize("made", [LocalPipe("int16_1", name="a"), LocalNumpyPipe("a", "int16_1")])
async def test_an_input_of_any_shape_without_names_is_shown(made: Pipe) -> None:
    async with shown(made) as page:
        await page.write("a", [1, -5])
        assert await page.data("stream", "element", "value") == [["a", "E0", -5]]


async def test_the_title_is_text_and_no_markup() -> None:
    async with shown(title="<script>alert('&')</script>") as page, page.client.get("/") as answer:
        text = await answer.text()
        assert "<script>alert" not in text
        assert text.count("&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt;") == 2
        assert answer.headers["Content-Security-Policy"] == "default-src 'self'"


async def test_the_page_gets_all_that_it_needs_from_the_module_by_relative_addresses() -> None:
    async with shown() as page, page.client.get("/") as answer:
        wanted = re.findall(r'(?:href|src)="([^"]*)"', await answer.text())
        assert len(wanted) == 4
        for address in wanted:
            assert not address.startswith("/")
            assert ":" not in address
            async with page.client.get("/" + address) as found:
                assert found.status == 200


def test_the_script_makes_no_markup_of_texts_and_asks_nobody_else() -> None:
    script = (ASSETS / "page.js").read_text()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", script)
    assert set(re.findall(r"https?://[^\"/]*", script)) == {"http://www.w3.org"}  # the name of SVG, no address
    assert set(re.findall(r'ask\("([^"]*)"', script)) == {"data.json", "reset.json"}


async def test_without_inputs_there_is_a_page_and_an_empty_list() -> None:
    async with shown() as page:
        assert await page.data() == []


async def test_the_last_values_stay_when_an_input_has_ended() -> None:
    ended, going = pipe("ended", element("x")), pipe("going", element("y"))
    async with shown(ended, going) as page:
        await page.write("ended", [1, 1])
        ended.close_nowait()
        await page.write("going", [2, 2])
        assert await page.data("element", "value") == [["x", 1], ["y", 2]]


async def test_in_a_composite_which_calls_no_setup_it_runs_all_the_same() -> None:
    source = pipe("a", element("x"))
    source.write_nowait(np.array([[1.0, 2.0]]))
    source.close_nowait()
    await Visualizer().run(argparse.Namespace(title=None), {"a": source}, {})
    assert source.statistics().rows_consumed == 1
