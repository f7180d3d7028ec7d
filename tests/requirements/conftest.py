"""Module programs as their authors run them: real processes, an empty home, warnings as errors."""

import os
import select
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import NamedTuple

import pytest

DEADLINE_S = 15
HEADER = """\
import argparse, asyncio, json, sys
import numpy as np
import joule
from joule import FilterModule, CompositeModule, ReaderModule, time_now
"""


class Ended(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


class Program:
    """A running module program, with its standard output at the end of a pipe."""

    def __init__(self, command: list[str], env: dict[str, str], directory: Path, stdout: int = subprocess.PIPE):
        self._stderr_file = directory / f"stderr-{time.monotonic_ns()}"
        with self._stderr_file.open("wb") as stderr:
            self.popen = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=env, cwd=directory
            )
        self._seen = b""

    def read_line(self, timeout_s: float = DEADLINE_S) -> str:
        """Return the next line of standard output; fail when none comes in time."""
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._seen:
            ready, _, _ = select.select([self.popen.stdout], [], [], max(0, deadline - time.monotonic()))
            chunk = os.read(self.popen.stdout.fileno(), 65536) if ready else b""
            if not chunk:
                pytest.fail(f"no line within {timeout_s} s; stderr: {self.stderr}")
            self._seen += chunk
        line, _, self._seen = self._seen.partition(b"\n")
        return line.decode()

    def signal(self, number: signal.Signals) -> None:
        self.popen.send_signal(number)

    def end(self, timeout_s: float = DEADLINE_S) -> Ended:
        """Wait for the end by itself."""
        out, _ = self.popen.communicate(timeout=timeout_s)
        return Ended(self.popen.returncode, (self._seen + (out or b"")).decode(), self.stderr)

    @property
    def stderr(self) -> str:
        return self._stderr_file.read_text()


class Programs:
    """Writes module files into a directory of its own, and runs them."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.home = directory / "home"
        self.home.mkdir()
        # No PYTHONUNBUFFERED: what authors print must come out without it.
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "PYTHONWARNINGS": "error"}
        self._started: list[Program] = []

    def file(self, source: str, name: str = "reader.py", *, header: str = HEADER) -> Path:
        path = self.directory / name
        path.write_text(header + textwrap.dedent(source))
        return path

    def start(self, file: Path | str, *arguments: str, stdout: int = subprocess.PIPE) -> Program:
        path = self.file(file) if isinstance(file, str) else file
        program = Program([sys.executable, str(path), *arguments], self.env, self.directory, stdout)
        self._started.append(program)
        return program

    def run(self, file: Path | str, *arguments: str) -> Ended:
        return self.start(file, *arguments).end()

    def stop_all(self) -> None:
        for program in self._started:
            if program.popen.poll() is None:
                program.popen.kill()
            program.popen.wait()
            if program.popen.stdout is not None:
                program.popen.stdout.close()


@pytest.fixture
def programs(tmp_path):
    started = Programs(tmp_path)
    yield started
    started.stop_all()


@pytest.fixture
def page_reader():
    """The page's first listing with what it lost restored, at 20 Hz instead of 1."""
    return """\
from joule import ReaderModule, time_now
import asyncio
import numpy as np

class ExampleReader(ReaderModule):
  "Example reader: generates random values"

  async def run(self, parsed_args, output):
    while(1):
       value = np.random.rand()  # data from sensor
       await output.write(np.array([[time_now(), value]]))
       await asyncio.sleep(0.05)

if __name__ == "__main__":
  r = ExampleReader()
  r.start()
"""
