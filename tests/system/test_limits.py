"""Modules beyond what their files allow, each ended alone beside one that is in order (F6, F9, F11, F12)."""

import os
import resource
from pathlib import Path

import numpy as np
import pytest

from joule.daemon._process_table import process_info
from joule.daemon._tag import put_tag
from joule.log import BREAK

from .modules import HEALTHY

pytestmark = pytest.mark.timeout(60)

HANGS = """
    import asyncio, time
    import joule

    class Hangs(joule.ReaderModule):
        async def run(self, parsed_args, output):
            await output.write([[joule.time_now(), 1]])
            time.sleep(600)

    Hangs().start()
"""
LEAKS = """
    import time
    kept = []
    while True:
        kept.append(bytearray(b"x" * 4_000_000))
        time.sleep(0.01)
"""
HUNGRY = """
    import os, time
    with open({procs!r}, "w") as file:
        file.write(str(os.getpid()))
    kept = [bytearray(b"x" * 4_000_000) for _ in range(100)]
    time.sleep(600)
"""
FORKS = """
    import os, time
    for _ in range(1000):
        if os.fork() == 0:
            os.setsid()
            time.sleep(600)
    time.sleep(600)
"""
# Starts a process that has nothing of it left: other parent, group, session, environment, output.
STRAYS = """
    import os, sys, time
    code = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(600)"
    if {drops_tag}:
        code = "import resource; resource.setrlimit(resource.RLIMIT_RTTIME, (2**59, 2**59)); " + code
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.closerange(0, 100)
            os.execve(sys.executable, [sys.executable, "-I", "-S", "-c", code, __file__ + ".pid"], {{}})
        os._exit(0)
    os.wait()
    print("went away", flush=True)
    time.sleep(600)
"""
HOARDS = """
    import asyncio, os, resource
    import joule

    LIMIT = {limit}

    class Hoards(joule.ReaderModule):
        async def run(self, parsed_args, output):
            resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
            kept = []
            try:
                for _ in range(10_000):
                    kept.append(os.open("/dev/null", os.O_RDONLY))
            except OSError as error:
                print("refused:", error, flush=True)
            print("open:", len(kept), flush=True)
            while not self.stop_requested:
                await output.write([[joule.time_now(), len(kept)]])
                await asyncio.sleep(0.01)

    Hoards().start()
"""


@pytest.fixture
def small_memory():
    """The file through which a process joins a control group that has 80 MB."""
    base = Path("/sys/fs/cgroup")
    is_first_version = (base / "memory").is_dir()
    group = base / ("memory" if is_first_version else ".") / f"joule_test_{os.getpid()}"
    try:
        group.mkdir()
        (group / ("memory.limit_in_bytes" if is_first_version else "memory.max")).write_text("80000000")
    except OSError as error:
        pytest.xfail(f"only who may make a control group can have the kernel end a process of it: {error}")
    yield group / "cgroup.procs"
    group.rmdir()


def values(kit, stream):
    return np.concatenate([block for block in kit.rows(stream) if block is not BREAK])


def test_a_module_that_the_kernel_has_killed_for_want_of_memory_says_so_and_disturbs_no_other(kit, small_memory):
    kit.add("healthy", HEALTHY, outputs="output = /test/count:float64[n]")
    kit.add("hungry", HUNGRY.format(procs=str(small_memory)))
    jouled = kit.start()
    kit.wait(lambda: kit.module("hungry").exit_code == -9, "the kill")
    said = "perhaps for want of memory: the kernel has ended a process for that since it was started"
    kit.wait(lambda: said in kit.log("hungry"), "the reason in its log")
    kit.wait(lambda: said in kit.log("jouled"), "the reason in jouled's log")
    assert (kit.module("healthy").state, kit.module("healthy").restarts) == ("running", 0)
    assert jouled.stop() == 0


def needs_tags():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    has_tags = put_tag(pid, "1:2:m")
    os.waitpid(pid, 0)
    if not has_tags:
        pytest.skip("needs a kernel that lets a resource limit of a child be set")


def test_what_hangs_leaks_or_forks_is_ended_alone_for_a_cause_that_is_shown(kit):
    kit.add("healthy", HEALTHY, outputs="output = /test/count:float64[n]")
    kit.add("hangs", HANGS, outputs="output = /test/hangs:float64[n]", main="timeout = 1s")
    kit.add("leaks", LEAKS, main="max_memory = 60 MB")
    kit.add("forks", FORKS, main="max_processes = 50")
    jouled = kit.start()
    causes = {"hangs": "(timeout = 1s)", "leaks": "above max_memory = 60 MB", "forks": "more than max_processes = 50"}
    for name, cause in causes.items():
        ended = "---module ended by jouled: "
        kit.wait(lambda name=name, ended=ended, cause=cause: ended in kit.log(name) and cause in kit.log(name), name)
        kit.wait(lambda name=name: kit.module(name).restarts or kit.module(name).next_start_s, f"the end of {name}")
        kit.wait(lambda cause=cause: cause in kit.log("jouled"), f"the cause in jouled's log: {cause}")
    healthy = kit.module("healthy")
    assert (healthy.state, healthy.restarts) == ("running", 0)
    assert jouled.stop() == 0
    assert kit.processes() == []
    assert jouled.said().count("Exception") == 0
    rows = values(kit, "/test/count")
    np.testing.assert_array_equal(rows["timestamp"], np.arange(len(rows)))
    assert "Traceback" not in jouled.said()


@pytest.mark.parametrize("drops_tag", [False, True])
def test_a_stray_that_has_shaken_off_everything_leaves_nothing_behind(kit, drops_tag):
    needs_tags()
    kit.add("strays", STRAYS.format(drops_tag=drops_tag))
    jouled = kit.start()
    note = kit.directory / "strays.py.pid"
    kit.wait(lambda: note.exists() and note.read_text(), "the stray")
    stray = int(note.read_text())
    assert process_info(stray).parent == jouled.pid
    kit.ask("module_stop", "strays")
    # What has lost its tag too can be nobody's, so it is ended with the node.
    assert (process_info(stray) is None) is not drops_tag
    assert jouled.stop() == 0
    assert process_info(stray) is None
    assert kit.processes() == []


def test_a_stray_of_a_killed_jouled_is_ended_by_the_next(kit):
    needs_tags()
    kit.add("strays", STRAYS.format(drops_tag=False))
    first = kit.start()
    note = kit.directory / "strays.py.pid"
    kit.wait(lambda: note.exists() and note.read_text(), "the stray")
    stray = int(note.read_text())
    first.kill()
    note.unlink()
    (kit.directory / "module_configs" / "strays.conf").unlink()
    kit.start()
    assert process_info(stray) is None


def test_a_stray_of_a_module_that_died_is_ended_before_it_starts_again_and_its_log_says_so(kit):
    needs_tags()
    kit.add("strays", STRAYS.format(drops_tag=False))
    kit.start()
    note = kit.directory / "strays.py.pid"
    kit.wait(lambda: note.exists() and note.read_text() and "went away" in kit.log("strays"), "the stray")
    stray = int(note.read_text())
    os.kill(kit.module("strays").pid, 9)
    kit.wait(lambda: "---1 of its processes outlived it and are ended---" in kit.log("strays"), "a line in the log")
    kit.wait(lambda: process_info(stray) is None, "the end of the stray")
    kit.wait(lambda: "signal SIGKILL, by somebody else" in kit.log("strays"), "who killed it")


@pytest.mark.parametrize("limit", [1024, 11_000])
def test_a_module_that_opens_ten_thousand_files_goes_on_storing_as_do_others(kit, limit):
    limit = min(limit, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    kit.add("hoards", HOARDS.format(limit=limit), outputs="output = /test/hoards:float64[n]")
    kit.add("healthy", HEALTHY, outputs="output = /test/count:float64[n]")
    jouled = kit.start()
    kit.wait(lambda: "open:" in kit.log("hoards"), "the files")
    assert ("refused: [Errno 24] Too many open files" in kit.log("hoards")) is (limit < 10_000)
    seen = {stream: kit.ask("stream", stream).rows for stream in ("/test/hoards", "/test/count")}
    kit.wait(lambda: all(kit.ask("stream", stream).rows > rows + 20 for stream, rows in seen.items()), "further rows")
    assert {module.restarts for module in kit.ask("modules")} == {0}
    assert values(kit, "/test/hoards")["data"].min() > 900
    assert len(list(Path(f"/proc/{jouled.pid}/fd").iterdir())) < 100
    assert jouled.stop() == 0
