"""Module files of each era, alone in a terminal and under `jouled`; their unit tests lie beside them in `modules`."""

import itertools
import re
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from joule.core import Rows
from joule.log import BREAK

from .web import get, port_of

pytestmark = pytest.mark.timeout(60)

MODULES = Path(__file__).with_name("modules")


# Alone in a terminal


@pytest.mark.parametrize(
    ("module", "arguments", "width"),
    [("reader_2017", ["0.01"], 1), ("reader_2018", ["--chunk=3", "--noisy", "no"], 1), ("reader_today", [], 2)],
)
def test_a_reader_of_every_era_prints_its_rows(programs, module, arguments, width):
    program = programs.start(MODULES / f"{module}.py", *arguments)
    lines = [program.read_line() for _ in range(6)]
    program.signal(signal.SIGINT)
    assert program.end().returncode == 0
    printed = re.compile(rf"\d{{16}}( \S+){{{width}}}")
    rows = [[float(value) for value in line.split()] for line in lines if printed.fullmatch(line)]
    assert [row[1] for row in rows] == list(range(len(rows)))
    assert len(rows) >= 5  # the first line of today's tells that there are no events
    assert "Traceback" not in program.stderr


def test_the_page_of_todays_reader_is_served(programs):
    program = programs.start(MODULES / "reader_today.py")
    program.read_line()
    program.read_line()
    assert get(port_of(program.stderr), "/count.json")[0] == 200


@pytest.mark.parametrize(
    ("module", "shown"),
    [
        ("reader_2017", ["counts", "writes 0, 1, 2 and so on", "period"]),
        ("reader_2018", ["**counts**, in chunks", "--chunk", "--bounds"]),
        ("reader_2020", ["device", "--sea-level"]),
        ("filter_today", ["--pipes"]),
    ],
)
def test_help_shows_what_each_era_has_to_say(programs, module, shown):
    ended = programs.run(MODULES / f"{module}.py", "-h")
    assert ended.returncode == 0
    assert [text for text in shown if text not in ended.stdout] == []


@pytest.mark.parametrize("module", ["filter_2017", "composite_2018", "reader_2020", "filter_today"])
def test_what_needs_pipes_says_so_and_fails(programs, module):
    ended = programs.run(MODULES / f"{module}.py")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "needs pipes" in ended.stderr
    assert "Traceback" not in ended.stderr


# Under jouled


def intervals(kit, stream) -> list[Rows]:
    """The stored rows of a stream, by interval."""
    blocks = kit.rows(stream)
    groups = itertools.groupby(blocks, lambda block: block is BREAK)
    return [np.concatenate(list(group)) for is_break, group in groups if not is_break]


def rows(kit, stream) -> Rows:
    (found,) = intervals(kit, stream)
    return found


def add(kit, name, module, sections):
    command = f"{sys.executable} {MODULES / module}"
    text = f"[Main]\nname = {name}\nexec_cmd = {command}\n{sections}\n"
    (kit.directory / "module_configs" / f"{name}.conf").write_text(text)


def wait_for_rows(kit, stream, count):
    kit.wait(lambda: kit.ask("stream", stream).rows >= count, f"{count} rows of {stream}: {kit.log('jouled')}")


FIRST_STREAM = """
[Main]
name = {name}
path = /eras/{name}
datatype = {datatype}
keep = 1w

[Element1]
name = value
"""


@pytest.fixture
def first_eras_node(kit):
    """A node with the files of 2017 and 2018: other sections, whole paths, a stream file for each stream."""
    (kit.directory / "main.conf").write_text(
        "[NilmDB]\nurl = http://localhost/nilmdb\n[Jouled]\nModuleDirectory = module_configs\n"
        "StreamDirectory = stream_configs\n"
    )
    for name in ("counts", "steps", "chunks", "filtered", "mean"):
        file = kit.directory / "stream_configs" / f"{name}.conf"
        file.write_text(FIRST_STREAM.format(name=name, datatype="float32"))
    add(kit, "Reader 2017", "reader_2017.py 0.01", "[Source]\n[Destination]\noutput = /eras/counts")
    add(kit, "Filter 2017", "filter_2017.py", "[Source]\nraw = /eras/counts\n[Destination]\nsteps = /eras/steps")
    add(kit, "Reader 2018", "reader_2018.py", "[Arguments]\nchunk = 20\n[Inputs]\n[Outputs]\noutput = /eras/chunks")
    add(kit, "Filter 2018", "filter_2018.py", "[Inputs]\nraw = /eras/chunks\n[Outputs]\nfiltered = /eras/filtered")
    add(kit, "Composite 2018", "composite_2018.py", "[Inputs]\n[Outputs]\nmean = /eras/mean")
    return kit


def test_the_files_of_the_first_eras_run_on_a_node_of_their_own(first_eras_node):
    kit = first_eras_node
    jouled = kit.start()
    for stream in ("steps", "filtered", "mean"):
        wait_for_rows(kit, f"/eras/{stream}", 40)
    assert jouled.stop() == 0
    counts, steps = rows(kit, "/eras/counts"), rows(kit, "/eras/steps")
    np.testing.assert_array_equal(counts["data"], np.arange(len(counts)))
    np.testing.assert_array_equal(steps["data"], np.ones(len(steps)))
    np.testing.assert_array_equal(steps["timestamp"], counts["timestamp"][1 : 1 + len(steps)])
    chunks, filtered = rows(kit, "/eras/chunks"), rows(kit, "/eras/filtered")
    np.testing.assert_array_equal(filtered, chunks[10 : 10 + len(filtered)])  # medians of a count
    np.testing.assert_array_almost_equal(rows(kit, "/eras/mean")["data"][:40], np.arange(1, 41), decimal=4)
    assert "closing network sockets..." in kit.log("Reader 2018")
    for name in ("Reader 2017", "Filter 2017", "Reader 2018", "Filter 2018", "Composite 2018"):
        assert "Traceback" not in kit.log(name)
        assert kit.log(name).count("---starting module---") == 1


@pytest.fixture
def newer_node(kit):
    """A node with module files of the newer eras, their streams described inline."""
    reader = "count = /dev/count:int32[Count]\npressure = /dev/pressure:float32[Sea Level, µT]"
    add(kit, "Reader 2020", "reader_2020.py", f"[Arguments]\nsea-level = 1000.5\n[Inputs]\n[Outputs]\n{reader}")
    pipes = "[Inputs]\ninput = /dev/count\n[Outputs]\noutput = /dev/moved:int32[x]"
    add(kit, "Filter 2020", "filter_2020.py", f"[Arguments]\noffset = 100\n{pipes}")
    pipes = "[Inputs]\n[Outputs]\nraw = /comp/raw:float32[x]\nmoved = /comp/moved:float32[x]"
    add(kit, "Composite 2020", "composite_2020.py", pipes)
    pipes = "is_app = yes\n[Inputs]\n[Outputs]\noutput = /today/numbers:float64[count, square]"
    add(kit, "Reader Today", "reader_today.py", pipes)
    pipes = "[Inputs]\ninput = /today/numbers\n[Outputs]\noutput = /today/sum:float64[sum]"
    add(kit, "Filter Today", "filter_today.py", pipes)
    return kit


def test_the_files_of_the_newer_eras_run_on_one_node(newer_node):
    kit = newer_node
    jouled = kit.start()
    for stream in ("/dev/moved", "/comp/moved", "/today/sum"):
        wait_for_rows(kit, stream, 25)
    assert get(kit.module("Reader Today").socket, "/count.json")[0] == 200
    assert jouled.stop() == 0
    counts, moved = intervals(kit, "/dev/count"), intervals(kit, "/dev/moved")
    assert [len(interval) for interval in moved[:2]] == [len(interval) for interval in counts[:2]] == [10, 10]
    np.testing.assert_array_equal(np.concatenate(moved)["data"][:25], np.arange(100, 125))
    np.testing.assert_array_equal(rows(kit, "/dev/pressure")["data"][:, 0], 1000.5)
    raw, comp = rows(kit, "/comp/raw"), rows(kit, "/comp/moved")
    np.testing.assert_array_equal(comp["data"][:25], raw["data"][:25] + 1000)
    numbers, sums = rows(kit, "/today/numbers"), rows(kit, "/today/sum")
    np.testing.assert_array_equal(sums["data"], numbers["data"].sum(axis=1)[: len(sums)])
    np.testing.assert_array_equal(sums["timestamp"], numbers["timestamp"][: len(sums)])
    assert "elements: ['count', 'square']" in kit.log("Filter Today")
    assert "no events: joule.api.get_node() is not in this version" in kit.log("Reader Today")
    for name in ("Reader 2020", "Filter 2020", "Composite 2020", "Reader Today", "Filter Today"):
        assert "Traceback" not in kit.log(name)
        assert kit.log(name).count("---starting module---") == 1
