"""The node's one clock in real processes: the machine's is set back and forth before, during and after start."""

import json
import os

import numpy as np
import pytest

from joule.log import BREAK

pytestmark = pytest.mark.timeout(60)

HOUR_US = 3_600_000_000
YEAR_US = 365 * 24 * HOUR_US
READER = """
    import asyncio
    import joule

    class Reader(joule.ReaderModule):
        async def run(self, parsed_args, output):
            while not self.stop_requested:
                await output.write([[joule.time_now(), 1.0]])
                await asyncio.sleep(0.005)

    Reader().start()
"""


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
