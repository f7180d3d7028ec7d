"""What the demo reads off a node: rates, last values, modules in trouble."""

import math

import numpy as np
import pytest

from joule.api import ModuleInfo, StreamInfo
from joule.cli._demo_watch import Watcher
from joule.core import ElementSpec

X = (ElementSpec(name="x"),)


def stream(*, rows, last_us, elements=X):
    return StreamInfo(
        id=1, path="/demo/noise", layout=f"float32_{len(elements)}", elements=elements, rows=rows, last_us=last_us
    )


async def looks(node, *infos):
    watcher, glance = Watcher(node), None
    for info in infos:
        node.known_streams = [info]
        glance = await watcher.look()
    return glance.streams[0]


async def test_the_rate_is_that_of_the_rows_and_not_of_the_looks(node):
    seen = await looks(node, stream(rows=1, last_us=0), stream(rows=1001, last_us=1_000_000))
    assert seen.rate_hz == pytest.approx(1000)


async def test_a_stream_without_rows_has_no_rate_and_no_values(node):
    seen = await looks(node, stream(rows=0, last_us=None), stream(rows=0, last_us=None))
    assert (seen.rate_hz, seen.values) == (0, ())


async def test_a_stream_that_stopped_has_no_rate(node):
    now_s = 100.0
    watcher = Watcher(node, clock=lambda: now_s)
    for rows, last_us in ((1, 0), (11, 1_000_000)):
        node.known_streams = [stream(rows=rows, last_us=last_us)]
        assert await watcher.look()
    now_s += 10
    assert (await watcher.look()).streams[0].rate_hz == 0


async def test_the_last_row_is_shown_in_the_units_of_its_elements(node):
    elements = (ElementSpec(name="a"), ElementSpec(name="b", offset=1, scale_factor=10), ElementSpec(name="c"))
    info = stream(rows=2, last_us=7, elements=elements)
    rows = np.array([(6, (0, 0, 0)), (7, (1, 2, math.nan))], np.dtype([("timestamp", "<i8"), ("data", "<f4", (3,))]))
    node.blocks = {info.path: [rows]}
    seen = await looks(node, info)
    assert seen.values[:2] == (1, 10)
    assert math.isnan(seen.values[2])
    assert node.asked == [(1, 7, None)]  # the last row is asked for, and no other


async def test_the_lines_of_a_module_that_does_not_run_are_fetched(node):
    node.known_modules = [
        ModuleInfo(name="good", description="", state="running", reason=""),
        ModuleInfo(name="bad", description="", state="backing off", reason="it ended"),
    ]
    node.lines = {"bad": ["ImportError"], "good": ["hello"]}
    assert (await Watcher(node).look()).troubles == {"bad": ["ImportError"]}
