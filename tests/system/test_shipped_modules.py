"""The shipped modules together on a node: from text files to filtered streams and a page, through kills."""

import asyncio
import os
import signal
import sys

import aiohttp
import numpy as np
import pytest

from joule.log import BREAK

pytestmark = pytest.mark.timeout(60)

ROWS = 400
HALF = ROWS // 2
WINDOW = 11


def add(kit, name, module, *, inputs="", outputs="", main="", **arguments):
    given = "".join(f"{key} = {value}\n" for key, value in arguments.items())
    (kit.directory / "module_configs" / f"{name}.conf").write_text(
        f"[Main]\nname = {name}\nexec_cmd = {sys.executable} -m joule.builtins.{module}\n{main}\n"
        f"[Arguments]\n{given}[Inputs]\n{inputs}\n[Outputs]\n{outputs}\n"
    )


def append(path, rows):
    with path.open("a") as file:
        file.writelines(f"{int(time)},{value}\n" for time, value in rows)


def stored(kit, stream):
    """The intervals of a stream, timestamps in column 0."""
    intervals = [[]]
    for block in kit.rows(stream):
        if block is BREAK:
            intervals.append([])
        else:
            intervals[-1].append(np.column_stack((block["timestamp"], block["data"])))
    return [np.concatenate(blocks) for blocks in intervals if blocks]


def has_rows(kit, stream, count):
    return lambda: kit.ask("stream", stream).rows >= count


def kill(kit, name):
    pid = kit.module(name).pid
    os.kill(pid, signal.SIGKILL)
    kit.wait(lambda: kit.module(name).pid not in (None, pid), f"{name} is back")


def data_of_page(socket):
    async def ask():
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket))) as session,
            session.get("http://module/data.json") as answer,
        ):
            return await answer.json()

    return asyncio.run(ask())


def test_lines_of_files_become_filtered_rows_once_each_through_kills(kit):
    fast, slow = kit.directory / "fast.csv", kit.directory / "slow.csv"
    times = np.arange(1, ROWS + 1) * 10
    values = np.round(np.sin(times / 70) * 1000, 3)
    append(fast, zip(times[:HALF], values[:HALF], strict=True))
    append(slow, [(0, 0.0), (times[-1] // 2, 5.0)])
    add(kit, "fast", "file_reader", file=fast, outputs="output = /raw/fast:float64[x]")
    add(kit, "slow", "file_reader", file=slow, outputs="output = /raw/slow:float64[x]")
    add(
        kit,
        "median",
        "median_filter",
        window=WINDOW,
        inputs="input = /raw/fast",
        outputs="output = /done/median:float64[x]",
    )
    merged = {"inputs": "fast = /done/median\nslow = /raw/slow", "outputs": "output = /done/both:float64[x, y]"}
    add(kit, "merge", "merge_filter", primary="fast", **merged)
    add(kit, "page", "visualizer_filter", main="is_app = yes", inputs="both = /done/both")
    kit.start()

    kit.wait(has_rows(kit, "/done/both", HALF - WINDOW + 1), "the first half is merged")
    for name in ("median", "merge"):
        kill(kit, name)
    append(fast, zip(times[HALF:], values[HALF:], strict=True))
    append(slow, [(times[-1], 0.0)])
    kit.wait(has_rows(kit, "/done/both", ROWS - WINDOW + 1), "all is merged")

    (rows,) = stored(kit, "/done/both")
    middles = times[WINDOW // 2 : ROWS - WINDOW // 2]
    np.testing.assert_array_equal(rows[:, 0], middles)
    np.testing.assert_array_equal(rows[:, 1], [np.median(values[i : i + WINDOW]) for i in range(len(middles))])
    np.testing.assert_allclose(rows[:, 2], np.interp(middles, [0, times[-1] // 2, times[-1]], [0, 5, 0]))

    kill(kit, "fast")  # it begins its file anew, and stores no line twice
    append(fast, [(times[-1] + 10, 1.5)])
    kit.wait(has_rows(kit, "/raw/fast", ROWS + 1), "the last line is there")
    before, after = stored(kit, "/raw/fast")
    np.testing.assert_array_equal(before, np.column_stack((times, values)))
    np.testing.assert_array_equal(after, [[times[-1] + 10, 1.5]])

    kit.wait(lambda: data_of_page(kit.module("page").socket)[0]["time_us"] == middles[-1], "the page is up to date")
    x, y = data_of_page(kit.module("page").socket)
    assert (x["element"], x["value"], x["min"], x["max"]) == ("x", rows[-1, 1], rows[:, 1].min(), rows[:, 1].max())
    assert (y["element"], y["stream"], y["max"]) == ("y", "both", rows[:, 2].max())
