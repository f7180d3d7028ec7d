"""The requirements of the module contract that need a whole node: `jouled` and its modules, as processes."""

import json
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from joule.log import inspect_log, read_log

pytestmark = pytest.mark.timeout(60)

BIN = Path(sys.executable).parent
DEADLINE_S = 30

ENDLESS = """
    import asyncio
    from joule import ReaderModule, time_now

    class Endless(ReaderModule):
        async def run(self, parsed_args, output):
            while(1):
                await output.write([[time_now(), 1.0]])
                await asyncio.sleep(0.05)

        def stop(self):
            print("closing network sockets...")

    Endless().start()
"""

# Argument types, and rows that do not depend on when it runs.
COUNT = """
    import asyncio, json
    import numpy as np
    import joule

    class Count(joule.ReaderModule):
        def custom_args(self, parser):
            parser.add_argument("--rows", type=int, default=5)
            parser.add_argument("--scale", type=json.loads, default=[1, 1])
            parser.add_argument("--flag", action="store_true")
            parser.add_argument("--yes", type=joule.yesno, default=False)

        async def run(self, parsed_args, output):
            print(f"rows={parsed_args.rows} flag={parsed_args.flag} yes={parsed_args.yes}")
            rows = np.arange(parsed_args.rows)
            values = np.column_stack([rows * factor for factor in parsed_args.scale])
            await output.write(np.column_stack((rows, values)))
            while not self.stop_requested:
                await asyncio.sleep(0.05)

    Count().start()
"""


class Node:
    """A directory with module files, and the `jouled` that runs it."""

    def __init__(self, directory: Path):
        self.directory = directory
        subprocess.run([BIN / "joule", "init", str(directory)], check=True, capture_output=True, timeout=DEADLINE_S)
        self._jouled = None

    def add(self, name, source, outputs, arguments=""):
        (self.directory / f"{name}.py").write_text(textwrap.dedent(source))
        (self.directory / "module_configs" / f"{name}.conf").write_text(
            f"[Main]\nname = {name}\nexec_cmd = {sys.executable} {name}.py\n"
            f"[Arguments]\n{arguments}\n[Outputs]\noutput = {outputs}\n"
        )

    def __enter__(self):
        with (self.directory / "jouled.out").open("wb") as output:
            self._jouled = subprocess.Popen(
                [BIN / "jouled", "--config", str(self.directory)], stdout=output, stderr=output
            )
        return self

    def __exit__(self, *exc):
        self.stop()

    def stop(self):
        if self._jouled.poll() is None:
            self._jouled.send_signal(signal.SIGTERM)
        try:
            assert self._jouled.wait(DEADLINE_S) == 0
        finally:
            self._jouled.kill()

    def wait_for(self, condition, what):
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            if time.monotonic() > deadline or self._jouled.poll() is not None:
                pytest.fail(f"{what}: {(self.directory / 'jouled.out').read_text()}")
            time.sleep(0.05)

    def log(self, name):
        file = self.directory / "logs" / f"{name}.log"
        return file.read_text() if file.exists() else ""

    def streams(self):
        """Summaries of the stream logs, by path."""
        folder = self.directory / "data" / "streams"
        logs = [log for log in folder.iterdir() if (log / "log.json").exists()] if folder.exists() else []
        return {inspect_log(log).stream: (log, inspect_log(log)) for log in logs}

    def rows(self, stream):
        found = self.streams().get(stream)
        return found[1].rows if found else 0


@pytest.fixture
def node(tmp_path, monkeypatch):
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    return Node(tmp_path / "node")


def test_r41_an_endless_reader_is_not_killed_before_its_own_grace_ends(node):
    node.add("endless", ENDLESS, "/test/endless:float32[x]")
    with node:
        node.wait_for(lambda: node.rows("/test/endless") >= 3, "rows are stored")
        node.stop()
    log = node.log("endless")
    assert "closing network sockets..." in log  # what stop() printed is in the module's log
    assert "exit code 0" in log.splitlines()[-1]  # cancelled by itself after 2 s, not by SIGKILL
    assert "Traceback" not in log


def test_r55_the_same_file_prints_alone_what_it_stores_on_a_node(node):
    node.add("count", COUNT, "/test/count:int64[one, ten]", arguments="rows = 7\nscale = [1, 10]\nflag =\nyes = Yes")
    with node:
        node.wait_for(lambda: node.rows("/test/count") == 7, "rows are stored")
        node.wait_for(lambda: "rows=7 flag=True yes=True" in node.log("count"), "what it prints is logged at once")
        log, summary = node.streams()["/test/count"]
        stored = [[int(row["timestamp"]), *row["data"].tolist()] for block in read_log(log) for row in block]
    assert summary.intervals == 1
    alone = subprocess.Popen(
        [sys.executable, "count.py", "--rows=7", "--scale=[1, 10]"],
        cwd=node.directory,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        lines = [alone.stdout.readline() for _ in range(8)]
    finally:
        alone.send_signal(signal.SIGINT)
        alone.communicate(timeout=DEADLINE_S)
    assert alone.returncode == 0
    assert lines[0] == "rows=7 flag=False yes=False\n"
    assert [json.loads(f"[{line.replace(' ', ',')}]") for line in lines[1:]] == stored


def test_a_reader_that_fails_is_started_again_with_a_new_interval(node):
    failing = """
        from joule import ReaderModule, time_now

        class Failing(ReaderModule):
            async def run(self, parsed_args, output):
                await output.write([[time_now(), 1.0]])
                raise ValueError("sensor unplugged")

        Failing().start()
    """
    node.add("failing", failing, "/test/failing:float32[x]")
    with node:
        node.wait_for(lambda: node.rows("/test/failing") >= 2, "it was started again")
        node.wait_for(lambda: node.log("failing").count("ValueError: sensor unplugged") >= 2, "tracebacks are logged")
        assert node.streams()["/test/failing"][1].intervals >= 2
