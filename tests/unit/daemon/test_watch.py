"""Modules that leak, fork, hang or hog, ended by the watch, with real processes; its looks are made by the tests."""

import asyncio
import contextlib
import os
from pathlib import Path

import pytest

from joule.config import Limits
from joule.core import Layout
from joule.daemon import _keeper, _watch
from joule.daemon._members import find_members
from joule.daemon._process_table import process_info, processes, unshared_bytes
from joule.daemon._states import ModuleState
from joule.daemon._supervisor import Supervisor
from joule.daemon._tag import read_tag, tag_of
from joule.daemon._usage_history import UsageHistory
from joule.daemon._watch import Watch
from joule.log import create_log

SLEEP = "import time; print('up', flush=True); time.sleep(60)"
LEAK = "kept = bytearray(b'x' * 90_000_000); " + SLEEP
SHARE = "import os\nkept = bytearray(b'x' * 60_000_000)\nfor _ in range(4):\n    if os.fork() == 0: break\n" + SLEEP
UNTIL_TAGGED = """
from resource import RLIMIT_RTTIME, getrlimit
for _ in range(1000):
    if getrlimit(RLIMIT_RTTIME)[0] == -1: time.sleep(0.005)
"""
# Stops by itself after two thousand, for the sake of the machine on which a change of ours lets it go on.
BOMB = """
import os, time
print("up", flush=True)
for _ in range(2000):
    if os.fork() == 0:
        os.setsid()
        time.sleep(60)
time.sleep(60)
"""


@pytest.fixture
def history():
    return UsageHistory()


@pytest.fixture
async def watch_over(records, tasks, history, monkeypatch):
    """Start a module under a watch; nothing looks until the test does."""
    monkeypatch.setattr(_keeper, "_LEFTOVER_GRACE_S", 0.0)
    async with contextlib.AsyncExitStack() as stack:
        hurry = asyncio.Event()

        async def start(launch):
            supervisor = await stack.enter_async_context(Supervisor([launch], records, tasks, hurry))
            return supervisor.status(launch.name), Watch(supervisor.keepers, tasks, history)

        yield start
        hurry.set()


def log_of(launch):
    return launch.log_file.read_text() if launch.log_file.exists() else ""


def looking(watch, condition):
    """A condition that has the watch look, at the time that it is, before it is asked."""

    def look():
        watch.look(asyncio.get_running_loop().time())
        return condition()

    return look


async def test_a_module_that_leaks_is_ended_and_both_its_state_and_its_log_say_why(watch_over, launch, until):
    module = launch(LEAK, limits=Limits(max_memory_bytes=50_000_000))
    status, watch = await watch_over(module)
    await until(looking(watch, lambda: status.state is ModuleState.BACKING_OFF))
    assert "above max_memory = 50 MB" in status.reason
    await until(lambda: "---module ended by jouled: its memory of " in log_of(module))


async def test_processes_that_share_their_memory_do_not_count_it_several_times(watch_over, launch, until):
    module = launch(SHARE, limits=Limits(max_memory_bytes=150_000_000))
    status, watch = await watch_over(module)
    await until(lambda: log_of(module).count("up") == 5)
    members = find_members({module.mark: status.pid})[module.mark]
    if sum(process.memory_bytes for process in members) == sum(unshared_bytes(process.pid) for process in members):
        pytest.skip("needs /proc/PID/smaps_rollup")
    watch._next_pass_s = 0.0
    watch.look(asyncio.get_running_loop().time())
    assert sum(process.memory_bytes for process in members) > 150_000_000
    assert (status.state, len(members)) == (ModuleState.RUNNING, 5)


async def test_a_module_that_forks_without_end_is_ended_whole(watch_over, launch, until):
    module = launch(BOMB, limits=Limits(max_processes=40))
    status, watch = await watch_over(module)
    now_s = asyncio.get_running_loop().time()
    watch.look(now_s)  # whatever comes now: no pass is due for seconds but by the count of processes
    await until(lambda: watch.look(now_s) or status.state is ModuleState.BACKING_OFF)
    assert "processes, more than max_processes = 40" in status.reason
    assert [process for process in processes() if read_tag(process.pid) == tag_of(module.mark)] == []


async def test_a_module_that_hogs_its_core_is_ended(watch_over, launch, until):
    module = launch("print('up', flush=True)\nwhile True: pass", limits=Limits(max_cpu_percent=0.5))
    status, watch = await watch_over(module)
    await until(lambda: "up" in log_of(module))
    watch.look(status.started_s)
    await until(lambda: process_info(status.pid).cpu_s > 0.3)
    watch.look(status.started_s + 20)
    assert status.reason == "its process runs"
    watch.look(status.started_s + 41)  # as if it had taken those 0.3 s in 41: 0.7 %
    await until(lambda: status.state is ModuleState.BACKING_OFF)
    assert "% of a core over 41 s, more than max_cpu = 0.5 %" in status.reason


async def test_processes_that_are_to_be_ended_are_frozen_first(watch_over, launch, until):
    module = launch(BOMB.replace("range(2000)", "range(60)"))
    status, _ = await watch_over(module)

    def members():
        return find_members({module.mark: status.pid})[module.mark]

    await until(lambda: status.pid is not None and len(members()) > 5)
    _watch._freeze(status.pid, members)

    def states():
        return {Path(f"/proc/{p.pid}/stat").read_text().rpartition(") ")[2][0] for p in members()}

    def are_all_frozen():  # a stop takes effect when a process gets a processor; what was being forked then comes late
        _watch._freeze(status.pid, members)
        return states() == {"T"}

    await until(are_all_frozen)
    frozen = {process.pid for process in members()}
    assert {process.pid for process in members()} == frozen
    assert len(frozen) > 5


async def test_a_module_that_writes_nothing_for_its_timeout_is_ended(watch_over, launch, until, tmp_path):
    create_log(tmp_path / "out", Layout("int64", 1), "/out")
    module = launch(SLEEP, limits=Limits(timeout_us=1_000_000), output_logs=(tmp_path / "out",))
    status, watch = await watch_over(module)
    await until(looking(watch, lambda: status.state is ModuleState.RUNNING))
    watch.look(status.started_s + 0.9)
    assert status.state is ModuleState.RUNNING
    watch.look(status.started_s + 1.2)
    await until(lambda: status.state is ModuleState.BACKING_OFF)
    assert "no row came out of it for 1 s (timeout = 1s)" in status.reason


async def test_a_module_whose_log_cannot_be_read_is_not_ended_for_that(watch_over, launch, until, tmp_path, caplog):
    module = launch(SLEEP, limits=Limits(timeout_us=1_000_000), output_logs=(tmp_path / "none",))
    status, watch = await watch_over(module)
    await until(looking(watch, lambda: status.state is ModuleState.RUNNING))
    watch.look(status.started_s + 1000)
    assert "its progress cannot be seen" in caplog.text
    assert status.state is ModuleState.RUNNING


async def test_a_module_within_its_limits_is_left_alone(watch_over, launch, until, tmp_path):
    limits = Limits(max_memory_bytes=10**12, max_processes=1, max_cpu_percent=100, timeout_us=10**9)
    module = launch(SLEEP, limits=limits)
    status, watch = await watch_over(module)
    await until(lambda: "up" in log_of(module))
    for at_s in range(0, 600, 7):
        watch.look(status.started_s + at_s)
    assert (status.state, status.restarts) == (ModuleState.RUNNING, 0)


async def test_a_watch_at_rest_reads_the_process_table_once_a_minute(watch_over, launch, until, monkeypatch):
    passes = []
    monkeypatch.setattr(_watch, "find_members", lambda groups: passes.append(groups) or dict.fromkeys(groups, []))
    monkeypatch.setattr(_watch, "process_count", lambda: 100)
    status, watch = await watch_over(launch(SLEEP))
    await until(lambda: status.pid is not None)
    watch.look(0.0)
    watch.look(_watch.FIRST_PASS_S)  # the first look at a new process
    passes.clear()
    for second in range(11, 251):
        watch.look(float(second))
    assert len(passes) == 4


async def test_nice_is_what_the_module_and_its_children_run_with(watch_over, launch, until):
    code = "import os, time\nwhile True:\n    print('nice', os.nice(0), flush=True)\n    time.sleep(0.01)"
    module = launch(code, limits=Limits(nice=3))
    await watch_over(module)
    await until(lambda: f"nice {min(19, os.nice(0) + 3)}" in log_of(module))


async def test_strays_are_members_by_their_tag(watch_over, launch, until):
    fork_away = "if os.fork() == 0:\n    os.setsid()\n    if os.fork(): os._exit(0)\n"
    code = "import os, sys, time\n" + UNTIL_TAGGED + fork_away
    stray = "import os, time; print('stray', os.getpid(), flush=True); time.sleep(60)"
    module = launch(code + f"    os.execve(sys.executable, [sys.executable, '-c', {stray!r}], {{}})\ntime.sleep(60)")
    status, _ = await watch_over(module)
    await until(lambda: "stray" in log_of(module))
    pid = int(log_of(module).partition("stray ")[2].split()[0])
    if read_tag(pid) is None:
        pytest.skip("needs a kernel that lets a resource limit of a child be set")
    assert pid in {process.pid for process in find_members({module.mark: status.pid})[module.mark]}
    os.kill(status.pid, 9)
    await until(lambda: process_info(pid) is None)


async def test_what_a_module_uses_is_noted_once_a_minute(watch_over, launch, until, history):
    module = launch(SLEEP)
    status, watch = await watch_over(module)
    await until(lambda: "up" in log_of(module))
    for second in range(241):
        watch.look(status.started_s + second)
    samples = history.samples("reader")
    assert len(samples) in (4, 5)
    assert all(sample.memory_bytes > 1_000_000 and sample.processes == 1 for sample in samples)
