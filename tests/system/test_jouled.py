"""`jouled` as a process: what a node does from start to stop, and what it survives."""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from joule.api import open_node
from joule.daemon._process_table import process_info
from joule.log import BREAK

pytestmark = pytest.mark.timeout(60)

BIN = Path(sys.executable).parent

READER = """
    import asyncio
    import joule

    class Reader(joule.ReaderModule):
        async def run(self, parsed_args, output):
            time_us = joule.time_now()
            while not self.stop_requested:
                await output.write([[time_us + i, i, 2 * i] for i in range(10)])
                time_us = max(joule.time_now(), time_us + 10)
                await asyncio.sleep(0.01)

    Reader().start()
"""
FILTER = """
    import joule

    class Offset(joule.FilterModule):
        async def run(self, parsed_args, inputs, outputs):
            while True:
                rows = await inputs["input"].read(flatten=True)
                rows[:, 1:] += 5
                await outputs["output"].write(rows)
                inputs["input"].consume(len(rows))
                if inputs["input"].end_of_interval:
                    await outputs["output"].close_interval()

    Offset().start()
"""
IDLE = """
    import time
    while True:
        time.sleep(1)
"""
STUBBORN = """
    import signal, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("stubborn", flush=True)
    while True:
        time.sleep(1)
"""


@pytest.fixture
def pair(kit):
    """A node with a reader and a filter."""
    kit.add("reader", READER, outputs="output = /test/raw:float64[a, b]")
    kit.add("offset", FILTER, inputs="input = /test/raw", outputs="output = /test/offset:float64[a, b]")
    return kit


def merged(blocks):
    return np.concatenate([block for block in blocks if block is not BREAK])


def count(kit, stream):
    return kit.ask("stream", stream).rows


def assert_filtered(kit):
    """The filter's output is a function of its input, row for row from the first; it may be behind."""
    offset = merged(kit.rows("/test/offset"))
    raw = merged(kit.rows("/test/raw"))  # read later, so it has at least the rows that the others were made of
    assert len(offset) > 0
    np.testing.assert_array_equal(offset["timestamp"], raw["timestamp"][: len(offset)])
    np.testing.assert_array_equal(offset["data"], raw["data"][: len(offset)] + 5)


def test_rows_are_stored_and_readable_while_they_arrive_and_afterwards(pair):
    jouled = pair.start()
    run = pair.directory / "run"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (run, run / "api.sock")] == [0o700, 0o600]
    pair.wait(lambda: count(pair, "/test/offset") > 100, "filtered rows")
    states = {module.name: (module.state, module.restarts) for module in pair.ask("modules")}
    assert states == {"reader": ("running", 0), "offset": ("running", 0)}
    assert_filtered(pair)

    async def follow():
        live = []
        async with open_node(str(pair.directory)) as node:
            blocks = node.follow_data("/test/raw")
            while sum(map(len, live)) < 100:
                live.append(await anext(blocks))
            await blocks.aclose()
        return np.concatenate(live)

    live = asyncio.run(asyncio.wait_for(follow(), 20))
    assert jouled.stop() == 0
    assert pair.processes() == []
    raw = merged(pair.rows("/test/raw"))
    begin = int(np.searchsorted(raw["timestamp"], live["timestamp"][0]))
    np.testing.assert_array_equal(raw[begin : begin + len(live)], live)
    assert_filtered(pair)
    assert (pair.directory / "logs" / "jouled.log").read_text().count("module reader: started") == 1


def test_a_node_goes_on_where_it_stopped(pair):
    for run in range(2):
        jouled = pair.start()
        before = count(pair, "/test/offset")
        pair.wait(lambda before=before: count(pair, "/test/offset") > before + 50, "filtered rows")
        assert jouled.stop() == 0
        breaks = sum(block is BREAK for block in pair.rows("/test/raw"))
        assert breaks == run  # a reader's restart begins a new interval
    assert_filtered(pair)


def test_a_second_jouled_is_refused_and_names_the_first(kit):
    kit.add("idle", IDLE)
    jouled = kit.start()
    second = subprocess.run(
        [BIN / "jouled", "--config", kit.directory / "main.conf"], capture_output=True, text=True, timeout=20
    )
    assert second.returncode == 1
    assert f"process {jouled.pid}" in second.stderr
    assert len(second.stderr.splitlines()) == 1
    assert kit.module("idle").state == "running"


def test_modules_outlive_a_killed_jouled_and_the_next_one_ends_them_first(pair):
    first = pair.start()
    pair.wait(lambda: count(pair, "/test/offset") > 50, "filtered rows")
    old = {module.name: module.pid for module in pair.ask("modules")}
    first.kill()
    stored = count(pair, "/test/offset")  # from the files: nobody answers on the stale socket
    pair.wait(lambda: count(pair, "/test/offset") > stored + 50, "rows without a daemon")
    second = pair.start()
    assert "an earlier jouled left" in second.said()
    for pid in old.values():
        assert process_info(pid) is None
    pair.wait(lambda: count(pair, "/test/offset") > stored + 150, "rows again")
    scripts = [line for _, line in pair.processes() if "reader.py" in line and "--pipes" in line]
    assert len(scripts) == 1
    assert second.stop() == 0
    assert pair.processes() == []
    assert_filtered(pair)
    # The modules' last words went to the logs although their daemon was gone.
    assert pair.log("reader").count("---starting module---") == 2


def test_a_second_signal_ends_the_grace(kit):
    kit.add("stubborn", STUBBORN)
    jouled = kit.start()
    kit.wait(lambda: "stubborn" in kit.log("stubborn"), "the module")
    began_s = time.monotonic()
    jouled.process.send_signal(signal.SIGINT)
    kit.wait(lambda: "is stopping" in jouled.said(), "the stop to begin")
    jouled.process.send_signal(signal.SIGINT)
    assert jouled.process.wait(20) == 0
    assert time.monotonic() - began_s < 4
    assert "signal SIGKILL" in kit.log("stubborn")
    assert kit.processes() == []


def test_a_jouled_in_the_background_of_a_script_ends_on_sigint_and_outlives_its_terminal(kit):
    kit.add("idle", IDLE)
    jouled = kit.start(wrapper=("sh", "-c", 'trap "" INT HUP; exec "$@"', "sh"))
    jouled.process.send_signal(signal.SIGHUP)
    assert kit.ask("version").pid == jouled.pid
    assert jouled.stop(signal.SIGINT) == 0
    assert kit.processes() == []


def test_what_is_sound_runs_and_every_fault_is_reported(kit):
    kit.add("idle", IDLE)
    kit.add("bad", IDLE, outputs="output = nonsense")
    (kit.directory / "stream_configs" / "bad.conf").write_text("[Main]\nname = x\npath = /a\ndatatype = float12\n")
    jouled = kit.start()
    kit.wait(lambda: kit.module("idle").state == "running", "the sound module")
    assert kit.module("bad").state == "failed"
    assert "bad.conf" in kit.module("bad").reason
    assert "module_configs/bad.conf:7" in jouled.said()
    assert "stream_configs/bad.conf" in jouled.said()
    assert "Traceback" not in jouled.said()


def refusal(*arguments, wrapper=(), **options):
    """Run jouled where it cannot run; returns the one line that it says."""
    run = subprocess.run(
        [*wrapper, BIN / "jouled", *arguments], capture_output=True, text=True, timeout=20, check=False, **options
    )
    assert run.returncode == 1, run.stderr
    lines = [line for line in run.stderr.splitlines() if " INFO " not in line]
    assert len(lines) == 1, run.stderr
    assert lines[0].startswith("jouled: ")
    return lines[0]


def test_a_missing_main_conf_is_one_line(tmp_path):
    assert "joule init" in refusal("--config", tmp_path)


def test_a_read_only_directory_is_one_line(kit, in_namespace):
    directory = kit.directory
    wrapper = in_namespace(f"mount --bind {directory} {directory} && mount -o remount,ro,bind {directory}")
    assert str(directory) in refusal("--config", directory, wrapper=wrapper)


def test_a_full_disk_at_start_is_one_line(kit, in_namespace):
    directory = kit.directory
    copy = directory.with_name("copy")
    shutil.copytree(directory, copy)
    line = f"mount -t tmpfs -o size=32k none {directory} && cp -r {copy}/. {directory}"
    full = in_namespace(f"{line} && ! cat /dev/zero > {directory}/filler 2>/dev/null")
    assert "disk" in refusal("--config", directory, wrapper=full)


def test_a_disk_that_fills_up_stops_nothing_for_good(kit, in_namespace):
    kit.add("reader", READER, outputs="output = /test/raw:float64[a, b]")
    kit.add("talker", "import time\nwhile True:\n    print('x' * 2000, flush=True)\n    time.sleep(0.02)\n")
    copy = kit.directory.with_name("copy")
    shutil.copytree(kit.directory, copy)
    line = f"mount -t tmpfs -o size=3m none {kit.directory} && cp -r {copy}/. {kit.directory}"
    with subprocess.Popen(
        [*in_namespace(line), BIN / "jouled", "--config", kit.directory], stderr=subprocess.PIPE, text=True
    ) as jouled:
        try:
            inside = Path(f"/proc/{jouled.pid}/root{kit.directory}")
            log = inside / "logs" / "talker.log"
            kit.wait(lambda: log.exists() and log.stat().st_size > 10_000, "the talker")
            filler = inside / "filler"
            with pytest.raises(OSError, match="No space"), filler.open("wb", buffering=0) as file:
                while file.write(bytes(4096)):
                    pass
            size = log.stat().st_size
            kit.wait(lambda: jouled.poll() is None and log.stat().st_size == size, "a full disk")
            time.sleep(0.5)  # lines come all the time, and go nowhere
            filler.unlink()
            kit.wait(lambda: "lines dropped: " in log.read_text(), "lines after the disk had room again")
            assert jouled.poll() is None
            assert log.read_text().count("---starting module---") == 1
        finally:
            jouled.terminate()
            errors = jouled.communicate(timeout=20)[1]
    assert jouled.returncode == 0
    assert "Traceback" not in errors


def test_without_config_the_users_own_node_is_made_and_run(tmp_path):
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path)}
    with subprocess.Popen([BIN / "jouled"], stderr=subprocess.PIPE, text=True, env=environment) as jouled:
        said = [jouled.stderr.readline() for _ in range(2)]
        jouled.terminate()
        assert jouled.wait(20) == 0
    assert f"made a new node in {tmp_path}/joule/node" in said[0]
    assert (tmp_path / "joule" / "node" / "main.conf").exists()


def test_the_version_is_told():
    run = subprocess.run([BIN / "jouled", "--version"], capture_output=True, text=True, check=True, timeout=20)
    assert run.stdout.startswith("jouled ")
