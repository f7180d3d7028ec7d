"""`joule reload` and SIGHUP: only what changed is touched."""

import asyncio
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from joule.api import ReloadReport, open_node
from joule.errors import ConfigurationError
from joule.log import CursorFile, cursor_path

from .modules import READER

pytestmark = pytest.mark.timeout(60)

BIN = Path(sys.executable).parent
FILTER = """
    import joule

    class Doubled(joule.FilterModule):
        async def run(self, parsed_args, inputs, outputs):
            while True:
                rows = await inputs["input"].read(flatten=True)
                rows[:, 1:] *= 2
                await outputs["output"].write(rows)
                inputs["input"].consume(len(rows))

    Doubled().start()
"""
RAW = "output = /test/raw:float64[a]"


def conf(kit, name):
    return kit.directory / "module_configs" / f"{name}.conf"


def pids(kit):
    return {module.name: module.pid for module in kit.ask("modules")}


@pytest.fixture
def pair(kit):
    """A running node with a reader and a filter of its stream."""
    kit.add("reader", READER, outputs=RAW)
    kit.add("doubled", FILTER, inputs="input = /test/raw", outputs="output = /test/doubled:float64[a]")
    kit.jouled = kit.start()
    kit.wait(lambda: kit.ask("stream", "/test/doubled").rows > 0, "filtered rows")
    yield kit
    kit.jouled.process.terminate()
    kit.wait(lambda: "is stopping" in kit.jouled.said(), "the stop")
    kit.jouled.process.terminate()  # a filter takes 2 s to stop


def test_only_what_changed_is_touched(pair):
    before = pids(pair)
    assert pair.ask("reload") == ReloadReport(unchanged=2)
    pair.add("third", READER, outputs="output = /test/third:float64[a]")
    assert pair.ask("reload") == ReloadReport(started=("third",), unchanged=2)
    pair.wait(lambda: pair.ask("stream", "/test/third").rows > 5, "rows of the new module")
    assert pids(pair) | before == pids(pair)

    before = pids(pair)
    conf(pair, "third").write_text(conf(pair, "third").read_text() + "[Arguments]\n")  # means the same
    text = conf(pair, "doubled").read_text()
    conf(pair, "doubled").write_text(text.replace("[Inputs]\n", "[Inputs]\nmore = /test/third\n"))
    assert pair.ask("reload") == ReloadReport(restarted=("doubled",), unchanged=2)
    assert {name for name, pid in pids(pair).items() if pid != before[name]} == {"doubled"}
    cursors = CursorFile(cursor_path(pair.directory / "data", "doubled"))
    assert cursors.inputs["more"].row > 0  # a new input of a stream that exists begins at its end
    cursors.close()
    rows = pair.ask("stream", "/test/doubled").rows
    pair.wait(lambda: pair.ask("stream", "/test/doubled").rows > rows, "rows of the changed module")
    assert pair.ask("stream", "/test/doubled").intervals == 1  # a filter goes on where it stopped

    conf(pair, "doubled").write_text(text)
    conf(pair, "third").unlink()
    assert pair.ask("reload") == ReloadReport(stopped=("third",), restarted=("doubled",), unchanged=1)
    assert [line for _, line in pair.processes() if "third.py" in line] == []
    assert not cursor_path(pair.directory / "data", "third").exists()
    assert pair.ask("stream", "/test/third").rows > 5  # a stream outlives its module


def test_what_has_a_fault_goes_on_as_it_was(pair):
    before = pids(pair)
    text = conf(pair, "reader").read_text()
    conf(pair, "reader").write_text(text.replace("exec_cmd", "exec_cdm"))
    done = subprocess.run(
        [BIN / "joule", "-n", pair.directory, "reload"], capture_output=True, text=True, timeout=40, check=False
    )
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == "left as they were  reader"
    assert "fault: " in done.stderr and "reader.conf:1" in done.stderr
    info = pair.module("reader")
    assert (info.state, info.pid) == ("running", before["reader"])
    assert "reader.conf:1" in info.reason
    conf(pair, "reader").write_text(text.replace("name = reader", "name ="))
    assert pair.ask("reload").outdated == ("reader",)
    conf(pair, "reader").write_text(text)
    assert pair.ask("reload") == ReloadReport(unchanged=2)
    assert pids(pair) == before
    assert pair.module("reader").reason == "its process runs"


def test_a_faulty_main_conf_changes_nothing_and_says_so(pair):
    pair.add("third", READER, outputs="output = /test/third:float64[a]")
    main = pair.directory / "main.conf"
    text = main.read_text()
    for fault in ("Name = x\n", "[Main]\nModuleDirectory = nowhere\n"):
        main.write_text(fault)
        with pytest.raises(ConfigurationError, match=r"main\.conf:"):
            pair.ask("reload")
    assert list(pids(pair)) == ["doubled", "reader"]
    main.write_text(text + "DataDirectory = elsewhere\n")
    report = pair.ask("reload")
    assert (report.started, report.waiting) == (("third",), ("DataDirectory",))
    assert not (pair.directory / "elsewhere").exists()


def test_stops_scripts_limits_and_attributes_over_a_reload(pair):
    before = pids(pair)
    # A script, or a file that is not read again, changes nothing by itself.
    pair.add("reader", "raise SystemExit(7)", outputs="output = nonsense")
    pair.wait(lambda: pair.module("reader").uptime_s > 1.5, "some time to go wrong in")
    assert (pids(pair), pair.module("reader").reason) == (before, "its process runs")
    # SIGHUP reloads; limits take effect without a restart.
    pair.add("reader", READER, outputs=RAW)
    text = conf(pair, "reader").read_text()
    conf(pair, "reader").write_text(text.replace("[Inputs]", "max_restarts = 3\n[Inputs]"))
    pair.jouled.process.send_signal(signal.SIGHUP)
    pair.wait(lambda: pair.module("reader").limits["max_restarts"] == 3, "the new limit")
    assert pids(pair) == before
    pair.wait(lambda: "read all files again: adjusted reader" in pair.jouled.said(), "a line that says so")
    # A new keep concerns the writer of the stream alone.
    file = pair.directory / "stream_configs" / "raw.conf"
    file.write_text("[Main]\nname = raw\npath = /test\ndatatype = float64\nkeep = 1h\n[Element1]\nname = a\n")
    assert pair.ask("reload").restarted == ("reader",)
    assert pair.ask("stream", "/test/raw").keep_us == 3_600_000_000
    assert pids(pair)["doubled"] == before["doubled"]
    # What an element is called for people is no reason to start anything anew.
    file.write_text(file.read_text() + "units = V\n")
    assert pair.ask("reload") == ReloadReport(unchanged=2)
    assert pair.ask("stream", "/test/raw").elements[0].units == "V"
    # What somebody stopped stays so, and starts as it is configured then.
    pair.ask("module_stop", "reader")
    conf(pair, "reader").write_text(text.replace("[Inputs]", "[Arguments]\npace = slow\n[Inputs]"))
    assert pair.ask("reload") == ReloadReport(adjusted=("reader",), unchanged=1)
    assert pair.module("reader").state == "stopped"
    pair.ask("module_start", "reader")
    pair.wait(lambda: pair.module("reader").exit_code == 2, "the refusal of an argument that it does not know")


def test_reloads_at_once_come_one_after_the_other(kit):
    kit.start()
    kit.add("third", READER, outputs="output = /test/third:float64[a]")

    async def reload_four_times():
        async with open_node(str(kit.directory)) as node:
            return await asyncio.gather(*(node.reload() for _ in range(4)))

    reports = asyncio.run(reload_four_times())
    assert sorted(report.started for report in reports) == [(), (), (), ("third",)]
    kit.wait(lambda: kit.ask("stream", "/test/third").rows > 0, "rows")
    assert len([line for _, line in kit.processes() if "third.py" in line and "--pipes" in line]) == 1


def test_closing_the_terminal_that_jouled_runs_in_stops_it(kit):
    kit.add("reader", READER, outputs=RAW)
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(BIN / "jouled", ["jouled", "--config", str(kit.directory)])
    kit.wait(lambda: kit.ask("version").pid == pid, "jouled's API")
    os.kill(pid, signal.SIGHUP)
    kit.wait(lambda: "read all files again" in (kit.directory / "logs" / "jouled.log").read_text(), "a reload")
    assert os.waitpid(pid, os.WNOHANG) == (0, 0)
    os.close(terminal)
    kit.wait(lambda: os.waitpid(pid, os.WNOHANG) != (0, 0), "the end of jouled")
    assert kit.processes() == []
