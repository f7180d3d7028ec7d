"""Starting, stopping and restarting modules of a running node, as a person does."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from joule.api import open_node
from joule.daemon._process_table import process_info
from joule.errors import ConfigurationError, NodeUnreachableError

from .modules import READER

pytestmark = pytest.mark.timeout(60)

JOULE = Path(sys.executable).parent / "joule"
STUBBORN = """
    import signal, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("stubborn", flush=True)
    while True:
        time.sleep(1)
"""

SLOW = """
    import pathlib, signal, sys, time
    stop = []
    signal.signal(signal.SIGTERM, lambda *facts: stop.append(1))
    print("up", flush=True)
    while not stop:
        time.sleep(0.01)
    print("asked to stop", flush=True)
    while not pathlib.Path('{may_end}').exists():
        time.sleep(0.01)
"""


def joule(kit, *arguments):
    return subprocess.run(
        [JOULE, "-n", kit.directory, *arguments], capture_output=True, text=True, timeout=30, check=False
    )


def test_a_module_stops_and_starts_when_told_and_its_stream_goes_on(kit):
    kit.add("reader", READER, outputs="output = /test/raw:float64[a]")
    kit.start()
    kit.wait(lambda: kit.ask("stream", "/test/raw").rows > 5, "rows")
    old = kit.module("reader").pid
    stopped = joule(kit, "module", "stop", "reader")
    assert (stopped.returncode, stopped.stdout) == (0, "reader: stopped\n")
    assert process_info(old) is None
    info = kit.module("reader")
    assert (info.state, info.pid) == ("stopped", None)
    assert "joule module start reader" in info.reason
    rows = kit.ask("stream", "/test/raw").rows
    started = joule(kit, "module", "start", "reader")
    assert started.returncode == 0
    assert started.stdout == f"reader: running, process {kit.module('reader').pid}\n"
    kit.wait(lambda: kit.ask("stream", "/test/raw").rows > rows, "rows again")
    assert "was running already" in joule(kit, "module", "start", "reader").stdout
    assert kit.ask("stream", "/test/raw").intervals == 2


def test_a_script_that_was_corrected_runs_after_a_restart(kit):
    kit.add("reader", "raise SystemExit('the sensor is not there')", outputs="output = /test/raw:float64[a]")
    kit.start()
    kit.wait(lambda: kit.module("reader").exit_code == 1, "the first end")
    failed = joule(kit, "module", "restart", "reader")
    assert failed.returncode == 1
    assert "backing off" in failed.stdout and "exit code 1" in failed.stdout
    kit.add("reader", READER, outputs="output = /test/raw:float64[a]")
    assert joule(kit, "module", "restart", "reader").returncode == 0
    assert kit.module("reader").state == "running"


def test_a_stop_is_done_although_whoever_asked_has_gone(kit):
    may_end = kit.directory / "may end"
    kit.add("slow", SLOW.format(may_end=may_end))
    jouled = kit.start()
    kit.wait(lambda: "up" in kit.log("slow"), "the module")
    pid = kit.module("slow").pid

    async def ask_and_go():
        async with open_node(str(kit.directory)) as node:
            asking = asyncio.ensure_future(node.module_stop("slow"))
            while "asked to stop" not in kit.log("slow"):
                await asyncio.sleep(0.02)
            asking.cancel()
            await asyncio.wait([asking])

    asyncio.run(ask_and_go())
    assert kit.module("slow").pid == pid
    may_end.touch()
    kit.wait(lambda: kit.module("slow").state == "stopped", "its state")
    assert process_info(pid) is None
    assert "Traceback" not in jouled.said()


def test_a_node_that_stops_during_a_restart_leaves_nothing(kit):
    kit.add("stubborn", STUBBORN)
    jouled = kit.start()
    kit.wait(lambda: "stubborn" in kit.log("stubborn"), "the module")
    with subprocess.Popen(
        [JOULE, "-n", kit.directory, "module", "restart", "stubborn"], stderr=subprocess.PIPE, text=True
    ) as asking:
        kit.wait(lambda: kit.ask("version") and asking.poll() is None, "the request")
        jouled.process.send_signal(signal.SIGTERM)
        kit.wait(lambda: "is stopping" in jouled.said(), "the stop")
        jouled.process.send_signal(signal.SIGTERM)
        assert jouled.process.wait(20) == 0
        assert asking.wait(20) == 3
        assert "Traceback" not in asking.stderr.read()
    assert kit.processes() == []
    assert "Traceback" not in jouled.said()


def test_what_cannot_be_started_says_what_to_correct(kit):
    kit.add("bad", "pass", outputs="output = nonsense")
    kit.start()
    with pytest.raises(ConfigurationError, match="joule reload"):
        kit.ask("module_start", "bad")
    assert not kit.ask("module_stop", "bad").changed
    absent = joule(kit, "module", "stop", "bda")
    assert absent.returncode == 4
    assert "did you mean 'bad'" in absent.stderr


def test_without_a_jouled_the_command_says_how_to_start_one(kit):
    with pytest.raises(NodeUnreachableError, match="start it with"):
        kit.ask("module_start", "reader")
    asked = joule(kit, "module", "stop", "reader")
    assert asked.returncode == 3
    assert os.fspath(kit.directory) in asked.stderr


def test_many_modules_start_in_turn_and_the_node_answers_and_stops_meanwhile(kit):
    for number in range(40):
        (kit.directory / "module_configs" / f"{number:02}.conf").write_text(
            f"[Main]\nname = m{number:02}\nexec_cmd = sh -c 'exec sleep 60'\n[Outputs]\nout = /m/{number}:int8[x]\n"
        )
    jouled = kit.start()
    modules = kit.ask("modules")
    waiting = [module for module in modules if module.state == "waiting"]
    assert len(waiting) > 10
    assert any(module.reason.endswith("modules start before it") for module in waiting)
    assert kit.ask("module_stop", "m39").module.state == "stopped"
    kit.wait(lambda: sum(module.state == "running" for module in kit.ask("modules")) > 10, "some of them")
    assert kit.module("m39").state == "stopped"
    assert jouled.stop() == 0
    assert kit.processes() == []
