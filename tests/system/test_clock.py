"""The node's one clock in real processes: the machine's is set back and forth before, during and after start."""

import json
import os

import numpy as np
import pytest

from joule.api import log_directory
from joule.core import Layout
from joule.errors import StreamHeldError
from joule.log import BREAK, LogWriter

from .modules import READER

pytestmark = pytest.mark.timeout(60)

HOUR_US = 3_600_000_000
YEAR_US = 365 * 24 * HOUR_US


@pytest.fixture
def machine(tmp_path):
    """Set the clock that jouled takes for the machine's."""
    path = tmp_path / "clock.json"

    def set_it(**facts):
        making = path.with_suffix(".new")
        making.write_text(json.dumps(facts))
        making.rename(path)

    set_it()
    set_it.environment = {"JOULE_TEST_CLOCK": str(path)}
    return set_it


@pytest.fixture
def node(kit):
    kit.add("reader", READER, outputs="output = /test/now:float64[x]")
    return kit


def last_us(node):
    return node.ask("stream", "/test/now").last_us or 0


def wait_for_rows(node, count=5):
    target = node.ask("stream", "/test/now").rows + count
    node.wait(lambda: node.ask("stream", "/test/now").rows >= target, "rows go on")


def check_no_row_is_missing(node):
    info = node.ask("stream", "/test/now")
    times = np.concatenate([block["timestamp"] for block in node.rows("/test/now") if block is not BREAK])
    assert (np.diff(times) > 0).all()
    assert (info.refused_rows, info.repeated_rows) == (0, 0)
    return times


def test_a_clock_that_jumps_while_the_node_runs_costs_no_row_and_is_told(node, machine):
    jouled = node.start(environment=machine.environment)
    wait_for_rows(node)
    machine(offset_us=-HOUR_US)
    node.wait(lambda: node.ask("clock").state == "slowing", "the step back is seen")
    wait_for_rows(node)
    machine(offset_us=10 * YEAR_US)
    node.wait(lambda: last_us(node) > (os.stat(node.directory).st_mtime + 1000) * 1e6, "the reader goes with it")
    wait_for_rows(node)
    machine(offset_us=0)
    node.wait(lambda: node.ask("clock").state == "own", "the step back by ten years is seen")
    wait_for_rows(node)
    assert "keeps its own time" in node.ask("version").clock_note
    assert node.module("reader").restarts == 0
    times = check_no_row_is_missing(node)
    assert times[-1] - times[0] > 9 * YEAR_US
    assert node.ask("stream", "/test/now").intervals == 2  # before and behind the jump ahead
    assert jouled.stop() == 0
    log = node.log("jouled")
    for words in ("set back by 1h", "set forward by 3650d", "set back by 3650d", "keeps its own time"):
        assert words in log


def test_a_clock_that_was_ten_years_ahead_before_the_start_is_told_and_time_goes_on(node, machine):
    machine(offset_us=10 * YEAR_US)
    node.start(environment=machine.environment).stop()
    before = last_us(node)
    machine(offset_us=0)
    node.start(environment=machine.environment)
    wait_for_rows(node)
    assert node.ask("clock").state == "own"
    assert last_us(node) > before
    check_no_row_is_missing(node)


def test_a_killed_jouled_leaves_a_clock_that_goes_on_and_the_next_one_goes_on_with_it(node, machine):
    jouled = node.start(environment=machine.environment)
    wait_for_rows(node)
    machine(offset_us=-HOUR_US)
    node.wait(lambda: node.ask("clock").state == "slowing", "the step back is seen")
    jouled.kill()
    wait_for_rows(node)
    node.start(environment=machine.environment)
    wait_for_rows(node)
    assert node.ask("clock").state == "slowing"
    check_no_row_is_missing(node)


def test_a_machine_that_boots_without_a_clock_stores_rows_behind_the_old_ones(node, machine):
    jouled = node.start(environment=machine.environment)
    wait_for_rows(node)
    jouled.stop()
    before = last_us(node)
    machine(boot="the next one", offset_us=-50 * YEAR_US)
    node.start(environment=machine.environment)
    wait_for_rows(node)
    assert before < last_us(node) < before + HOUR_US
    assert node.ask("clock").state == "own"
    machine(boot="the next one", offset_us=HOUR_US, is_synchronised=True)  # the time service has come
    node.wait(lambda: node.ask("clock").state == "following", "the node goes with the clock again")
    wait_for_rows(node)
    assert last_us(node) > before + HOUR_US
    check_no_row_is_missing(node)


COUNTER = """
    import asyncio
    import joule

    class Counter(joule.ReaderModule):
        async def run(self, parsed_args, output):
            count = 0
            while not self.stop_requested:
                await output.write([[joule.time_now(), count]])
                count += 1
                await asyncio.sleep(0.005)

    Counter().start()
"""
DOUBLE = """
    import joule

    class Double(joule.FilterModule):
        async def run(self, parsed_args, inputs, outputs):
            while True:
                rows = await inputs["input"].read(flatten=True)
                rows[:, 1] *= 2
                await outputs["output"].write(rows)
                inputs["input"].consume(len(rows))
                if inputs["input"].end_of_interval:
                    await outputs["output"].close_interval()

    Double().start()
"""


def rows_of(node, stream):
    blocks = [block for block in node.rows(stream) if block is not BREAK]
    return np.concatenate(blocks) if blocks else np.empty(0, [("timestamp", "i8"), ("data", "f8")])


@pytest.fixture
def pair(kit, machine):
    """A node with a reader and a filter, whose clock was ten years ahead for a moment."""
    kit.add("counter", COUNTER, outputs="output = /test/count:float64[x]")
    kit.add("double", DOUBLE, inputs="input = /test/count", outputs="output = /test/double:float64[x]")
    kit.start(environment=machine.environment)
    kit.wait(lambda: kit.ask("stream", "/test/double").rows > 5, "rows come")
    machine(offset_us=10 * YEAR_US)
    start_us = kit.ask("stream", "/test/double").first_us
    kit.wait(lambda: kit.ask("stream", "/test/double").last_us > start_us + 9 * YEAR_US, "both go with it")
    machine(offset_us=0)
    kit.wait(lambda: kit.ask("clock").state == "own", "the step back is seen")
    return kit


def test_a_person_sets_the_clock_back_and_no_row_is_lost(pair):
    change = pair.ask("clock_follow")
    assert (change.done, change.modules) == (True, ("counter", "double"))
    assert change.back_us == pytest.approx(10 * YEAR_US, abs=HOUR_US)
    asides = {aside.stream: aside.aside for aside in change.streams}
    assert set(asides) == {"/test/count", "/test/double"}
    assert pair.ask("clock").state == "following"

    before = pair.ask("stream", "/test/double").rows
    pair.wait(lambda: pair.ask("stream", "/test/double").rows > before + 5, "both go on")
    counts, ahead = rows_of(pair, "/test/count"), rows_of(pair, asides["/test/count"])
    assert (np.diff(counts["timestamp"]) > 0).all()
    assert counts["timestamp"][-1] < change.now_us + HOUR_US
    assert ahead["timestamp"][0] > change.now_us + 9 * YEAR_US
    old = counts["data"][counts["timestamp"] < change.now_us]
    assert (np.concatenate([old, ahead["data"]]) == np.arange(len(old) + len(ahead))).all()
    new = counts["data"][counts["timestamp"] >= change.now_us]
    assert (new == np.arange(len(new))).all()

    doubles = rows_of(pair, "/test/double")
    later = doubles["data"][doubles["timestamp"] >= change.now_us]
    assert (later == 2 * np.arange(len(later))).all()
    for stream in ("/test/count", "/test/double"):
        assert pair.ask("stream", stream).refused_rows == 0
    assert "were ahead of the clock" in pair.ask("stream", asides["/test/count"]).description


def test_rows_that_cannot_be_set_aside_leave_everything_as_it_was(pair):
    pair.ask("module_stop", "counter")
    before = rows_of(pair, "/test/count")
    log = log_directory(pair.directory / "data", pair.ask("stream", "/test/count").id)
    writer = LogWriter(log, Layout("float64", 1), stream="/test/count", holder="somebody else")
    try:
        with pytest.raises(StreamHeldError, match="somebody else"):
            pair.ask("clock_follow")
    finally:
        writer.close()
    assert pair.ask("clock").state == "own"
    assert (rows_of(pair, "/test/count") == before).all()
    assert [stream.path for stream in pair.ask("streams")] == ["/test/count", "/test/double"]
    pair.wait(lambda: pair.module("double").state == "running", "the filter goes on")
    assert pair.module("counter").state == "stopped"


def test_a_wild_timestamp_costs_itself_and_the_module_hears_what_is_wrong_with_it(kit):
    kit.add(
        "wild",
        """
        import asyncio
        import joule
        from joule.errors import OutOfOrderError

        class Wild(joule.ReaderModule):
            async def run(self, parsed_args, output):
                now_us = joule.time_now()
                for time_us in (now_us, now_us * 1000, now_us + 1):
                    try:
                        await output.write([[time_us, 1.0]])
                    except OutOfOrderError as error:
                        print(error, flush=True)
                while not self.stop_requested:
                    await asyncio.sleep(0.01)

        Wild().start()
        """,
        outputs="output = /test/wild:float64[x]",
    )
    kit.start()
    kit.wait(lambda: kit.ask("stream", "/test/wild").rows == 2, "the rows beside it are stored")
    info = kit.ask("stream", "/test/wild")
    assert (info.refused_rows, info.ahead_rows) == (1, 1)
    assert "looks like nanoseconds" in kit.log("wild")
    assert kit.module("wild").restarts == 0
