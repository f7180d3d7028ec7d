"""`joule` as a process of its own, on a node that `jouled` runs, and on the same directory after it has stopped."""

import contextlib
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
TIMEOUT_S = 20

READER = """
import asyncio
import numpy as np
from joule import ReaderModule

class Counter(ReaderModule):
    async def run(self, parsed_args, output):
        print("counting \\x1b[31mred", flush=True)
        rows = np.arange(100_000)
        await output.write(np.column_stack([rows, rows, rows / 2]))
        row = 100_000
        while not self.stop_requested:
            await output.write([[row, row, row / 2]])
            row += 1
            await asyncio.sleep(0.01)

if __name__ == "__main__":
    Counter().start()
"""
CONF = """
[Main]
name = counter
exec_cmd = {python} {script}
description = counts
[Outputs]
output = /test/count:float64[n, half]
"""


def joule(node, *arguments, **options):
    """Run joule to its end."""
    command = [BIN / "joule", "-n", str(node), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False, **options)


def rows_stored(node):
    result = joule(node, "stream", "list", "--json")
    return sum(info["rows"] for info in json.loads(result.stdout)) if result.returncode == 0 else 0


def wait_for(condition, what):
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline, f"timed out: {what}"
        time.sleep(0.05)


def make_node(directory):
    subprocess.run([BIN / "joule", "init", directory], check=True, capture_output=True)
    script = directory / "counter.py"
    script.write_text(READER)
    (directory / "module_configs" / "counter.conf").write_text(CONF.format(python=sys.executable, script=script))
    return directory


@contextlib.contextmanager
def running(directory):
    """Run a node until its module has written rows, and to the end of the block."""
    with (directory / "jouled.out").open("w") as out:
        process = subprocess.Popen([BIN / "jouled", "--config", directory], stdout=out, stderr=out)

    def counting():
        assert process.poll() is None, (directory / "jouled.out").read_text()
        return rows_stored(directory) > 100_000

    try:
        wait_for(counting, "rows")
        yield directory
        process.terminate()
        process.wait(TIMEOUT_S)
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """A directory whose node runs."""
    with running(make_node(tmp_path_factory.mktemp("node"))) as directory:
        yield directory


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A directory with stored rows, whose node does not run."""
    with running(make_node(tmp_path_factory.mktemp("stopped"))) as directory:
        pass
    return directory


pytestmark = pytest.mark.timeout(90)


def test_a_running_module_is_listed(node):
    listed = json.loads(joule(node, "module", "list", "--json").stdout)
    assert [(info["name"], info["state"], info["outputs"]) for info in listed] == [
        ("counter", "running", {"output": "/test/count"})
    ]
    assert joule(node, "module", "list").stdout.splitlines()[1].split()[:2] == ["counter", "running"]
    assert "counts" in joule(node, "module", "info", "counter").stdout.splitlines()[1]


def test_what_a_module_printed_is_shown_inert(node):
    result = joule(node, "module", "logs", "counter")
    assert "counting \\x1b[31mred" in result.stdout
    assert "\x1b" not in result.stdout


def test_a_running_stream_is_fresh_and_names_its_writer(node):
    info = json.loads(joule(node, "stream", "info", "/test/count", "--json").stdout)
    assert info["active"]
    assert "counter" in info["writer"]
    assert [element["name"] for element in info["elements"]] == ["n", "half"]


@pytest.mark.parametrize("state", ["node", "stopped"])
def test_stored_rows_are_read_back_exactly_between_their_bounds(request, state):
    where = request.getfixturevalue(state)
    assert joule(where, "data", "read", "/test/count", "--start", "5", "--end", "8").stdout == (
        "5 5.0 2.5\n6 6.0 3.0\n7 7.0 3.5\n"
    )
    result = joule(where, "data", "read", "/test/count", "--json", "--end", "100000")
    assert result.returncode == 0
    assert [json.loads(line)["timestamp"] for line in result.stdout.splitlines()] == list(range(100_000))


def test_without_bounds_every_stored_row_is_read(stopped):
    lines = joule(stopped, "data", "read", "/test/count").stdout.splitlines()
    assert len(lines) == rows_stored(stopped)
    assert lines[0] == "0 0.0 0.0"


def test_a_stopped_node_shows_its_streams_and_says_how_to_start_it_for_the_rest(stopped):
    assert "/test/count" in joule(stopped, "stream", "list").stdout
    assert json.loads(joule(stopped, "stream", "info", "/test/count", "--json").stdout)["writer"] is None
    assert "---module terminated" in joule(stopped, "module", "logs", "counter").stdout
    assert "is stopping" in joule(stopped, "module", "logs", "jouled", "--grep", "stopping").stdout
    for arguments in (
        ["module", "list"],
        ["module", "logs", "counter", "-f"],
        ["data", "read", "/test/count", "--live"],
    ):
        result = joule(stopped, *arguments)
        assert (result.returncode, result.stdout) == (3, "")
        assert "jouled" in result.stderr


@pytest.mark.parametrize("state", ["node", "stopped"])
def test_what_is_not_there_ends_with_4(request, state):
    where = request.getfixturevalue(state)
    for arguments in (["stream", "info", "/test/counter"], ["data", "read", "/test/counter"]):
        result = joule(where, *arguments)
        assert (result.returncode, result.stdout) == (4, "")
        assert "/test/count" in result.stderr


def test_a_directory_that_is_no_node_ends_with_4_or_3(tmp_path):
    result = joule(tmp_path, "stream", "list")
    assert result.returncode in (3, 4)
    assert "Traceback" not in result.stderr


@contextlib.contextmanager
def started(node, *arguments):
    """Run joule beside the test; it is killed where the test leaves it running."""
    command = [BIN / "joule", "-n", str(node), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def read_lines(process, count):
    """Return at least so many lines of stdout, or fail: a test that waits for ever would leave its node running."""
    text, deadline = b"", time.monotonic() + TIMEOUT_S
    while text.count(b"\n") < count:
        ready, _, _ = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))
        assert ready, f"timed out after {text[-200:]!r}"
        part = os.read(process.stdout.fileno(), 65536)
        assert part, process.stderr.read().decode()
        text += part
    return text.decode().splitlines()


@pytest.mark.parametrize(
    "arguments", [["data", "read", "/test/count", "--live"], ["module", "logs", "counter", "--follow"]]
)
def test_ctrl_c_is_the_ordinary_end_of_what_goes_on_for_ever(node, arguments):
    with started(node, *arguments) as process:
        assert read_lines(process, 1)
        process.send_signal(signal.SIGINT)
        assert process.wait(TIMEOUT_S) == 0
        assert process.stderr.read() == b""


@pytest.mark.parametrize(
    "arguments",
    [
        ["data", "read", "/test/count", "--live", "--json"],
        ["data", "read", "/test/count"],
        ["module", "logs", "counter", "--follow"],
    ],
)
def test_a_reader_that_has_seen_enough_ends_it_quietly(node, arguments):
    with started(node, *arguments) as process:
        assert read_lines(process, 1)
        process.stdout.close()
        assert process.wait(TIMEOUT_S) == 0
        assert process.stderr.read() == b""


def test_live_rows_begin_now_and_go_on_without_a_gap(node):
    with started(node, "data", "read", "/test/count", "--live") as process:
        stamps = [int(line.split()[0]) for line in read_lines(process, 21)[:20]]
    assert stamps[0] > 100_000
    assert stamps == list(range(stamps[0], stamps[0] + 20))


def test_a_terminal_gets_a_table_with_colours_and_none_with_no_color(node):
    for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        ours, theirs = pty.openpty()
        variables = {**os.environ, "TERM": "xterm", "COLUMNS": "200", **environment}
        command = [BIN / "joule", "-n", str(node), "module", "list"]
        subprocess.run(command, stdout=theirs, check=True, env=variables, timeout=TIMEOUT_S)
        shown = os.read(ours, 65536).decode()
        os.close(ours)
        os.close(theirs)
        assert "counter" in shown
        assert ("\x1b[32m" in shown) == coloured


@pytest.mark.parametrize("state", ["node", "stopped"])
def test_a_full_disk_is_one_sentence(request, state):
    where = request.getfixturevalue(state)
    command = [BIN / "joule", "-n", str(where), "data", "read", "/test/count"]
    with open("/dev/full", "w") as full:
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=TIMEOUT_S, check=False)
    assert (result.returncode, result.stderr) == (1, "Error: No space left on device\n")


def test_ctrl_c_ends_a_long_read_with_130(node):
    with started(node, "data", "read", "/test/count") as process:
        assert read_lines(process, 1)
        process.send_signal(signal.SIGINT)
        while os.read(process.stdout.fileno(), 65536):
            pass
        assert process.wait(TIMEOUT_S) in (130, 0)  # 0 when the last row was faster
        assert process.stderr.read().strip() == b""


def test_a_closed_stdout_loses_the_result_and_nothing_else(node):
    command = ["sh", "-c", 'exec "$0" -n "$1" module list >&-', BIN / "joule", str(node)]
    result = subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=TIMEOUT_S, check=False)
    assert (result.returncode, result.stderr) == (0, "")
