"""The examples as a node: every template under `jouled`, and the filter exact although it is killed on the way."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from joule.api import open_node

BIN = Path(sys.executable).parent
EXAMPLES = Path(__file__).parents[2] / "examples"
WINDOW = 21
TIMEOUT_S = 60

pytestmark = pytest.mark.timeout(120)


def ask(node, *arguments):
    command = [BIN / "joule", "-n", node, *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def wait_for_rows(node, path, rows):
    deadline, stored = time.monotonic() + TIMEOUT_S, -1
    while stored < rows:
        assert time.monotonic() < deadline, f"{path} has {stored} rows; modules: {ask(node, 'module', 'list')}"
        stored = (ask(node, "stream", "info", path) or {"rows": -1})["rows"]
    return stored


def kill_module(node, name):
    os.kill(ask(node, "module", "info", name)["pid"], signal.SIGKILL)


def read_stream(directory, path):
    """Return the stored rows of a stream, one array for each interval."""

    async def read():
        intervals = [[]]
        async with open_node(str(directory)) as node:
            async for block in node.read_data(path):
                if isinstance(block, np.ndarray):
                    intervals[-1].append(block)
                else:
                    intervals.append([])
        return [np.concatenate(blocks) for blocks in intervals]

    return asyncio.run(read())


@pytest.fixture(scope="module")
def stopped_node(tmp_path_factory):
    """Run the examples until every stream has rows, killing the filter and the composite once."""
    directory = tmp_path_factory.mktemp("examples") / "node"
    shutil.copytree(EXAMPLES, directory, ignore=shutil.ignore_patterns("data", "logs", "run", "__pycache__"))
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    command = [BIN / "jouled", "--config", directory / "main.conf"]
    with (directory / "jouled.out").open("wb") as out, subprocess.Popen(command, env=environment, stderr=out) as jouled:
        try:
            before = wait_for_rows(directory, "/example/fast_medians", 1)
            kill_module(directory, "Median Filter")
            kill_module(directory, "Example Composite")
            wait_for_rows(directory, "/example/fast_medians", before + 1500)
            for path in ("/example/slow", "/example/fast", "/example/composite/raw"):
                wait_for_rows(directory, path, 5)
            wait_for_rows(directory, "/example/composite/filtered", 1)
        finally:
            jouled.terminate()
    assert jouled.returncode == 0, (directory / "jouled.out").read_text()
    return directory


def test_r14_a_killed_median_filter_gives_what_one_run_over_all_the_data_gives(stopped_node):
    (fast,) = read_stream(stopped_node, "/example/fast")
    (medians,) = read_stream(stopped_node, "/example/fast_medians")
    whole = np.median(np.lib.stride_tricks.sliding_window_view(fast["data"], WINDOW, axis=0), axis=-1)
    middles = fast["timestamp"][WINDOW // 2 : -(WINDOW // 2)]
    np.testing.assert_array_equal(medians["timestamp"], middles[: len(medians)])
    np.testing.assert_array_equal(medians["data"], whole[: len(medians)].astype(np.float32))


def test_r14_the_high_bandwidth_reader_s_rows_are_a_millisecond_apart(stopped_node):
    (fast,) = read_stream(stopped_node, "/example/fast")
    assert set(np.diff(fast["timestamp"])) == {1000}


def test_r14_the_reader_s_rows_are_stored(stopped_node):
    (slow,) = read_stream(stopped_node, "/example/slow")
    assert ((slow["data"] >= 0) & (slow["data"] < 1)).all()


def test_r14_a_killed_composite_begins_new_intervals(stopped_node):
    assert len(read_stream(stopped_node, "/example/composite/raw")) == 2
