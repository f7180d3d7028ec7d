"""A node under a real `jouled`, for tests of the daemon: start it, ask it, kill it, and see what is left."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from joule.api import open_node
from joule.config import init_node

BIN = Path(sys.executable).parent
DEADLINE_S = 30


class Jouled:
    """One run of `jouled`; its output is in `output`."""

    def __init__(self, directory, *, wrapper=(), environment=None):
        self.directory = Path(directory)
        self.output = self.directory.parent / "jouled.out"
        with self.output.open("wb") as file:
            self.process = subprocess.Popen(
                [*wrapper, BIN / "jouled", "--config", self.directory],
                stdout=file,
                stderr=file,
                env={**os.environ, **(environment or {})},
            )
        self.pid = self.process.pid

    def said(self):
        return self.output.read_text()

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_S)

    def kill(self):
        self.process.kill()
        self.process.wait()


class NodeKit:
    """A node's directory, and what tests do with it."""

    def __init__(self, directory, stack):
        self.directory = directory
        self._stack = stack
        init_node(directory)

    def add(self, name, code, *, inputs="", outputs="", main="", program=sys.executable):
        """Add a module: Python code, started as a script; `main` are further lines of its [Main]."""
        script = self.directory / f"{name}.py"
        script.write_text(textwrap.dedent(code))
        main = f"{main}\n" if main else ""
        (self.directory / "module_configs" / f"{name}.conf").write_text(
            f"[Main]\nname = {name}\nexec_cmd = {program} {script}\n{main}[Inputs]\n{inputs}\n[Outputs]\n{outputs}\n"
        )

    def start(self, **options):
        """Start jouled, and wait until its API answers."""
        jouled = Jouled(self.directory, **options)
        self._stack.callback(self._end, jouled)
        self.wait(lambda: jouled.process.poll() is not None or self.ask("version").pid == jouled.pid, "jouled's API")
        assert jouled.process.poll() is None, jouled.said()
        return jouled

    def ask(self, method, *arguments):
        async def question():
            async with open_node(str(self.directory)) as node:
                return await getattr(node, method)(*arguments)

        return asyncio.run(question())

    def module(self, name):
        return self.ask("module", name)

    def rows(self, stream):
        """All stored blocks of a stream."""

        async def read():
            async with open_node(str(self.directory)) as node:
                return [block async for block in node.read_data(stream)]

        return asyncio.run(read())

    def log(self, name):
        path = self.directory / "logs" / f"{name}.log"
        old = path.with_name(path.name + ".1")
        return "".join(file.read_text() for file in (old, path) if file.exists())

    def processes(self):
        """All processes that belong to the node: by mark, by command line, or by directory."""
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if not entry.name.isdecimal() or int(entry.name) == os.getpid():
                    continue
                facts = (entry / "cmdline").read_bytes()
                if str(self.directory).encode() in facts and facts:
                    found.append((int(entry.name), facts.replace(b"\0", b" ").decode(errors="replace")))
        return found

    @staticmethod
    def wait(condition, what):
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline, f"timed out: {what}"
            time.sleep(0.02)

    def _end(self, jouled):
        if jouled.process.poll() is None:
            jouled.process.terminate()
            jouled.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                jouled.process.wait(DEADLINE_S)
        jouled.kill()
        for pid, _ in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def kit(tmp_path):
    """A new node's directory."""
    with contextlib.ExitStack() as stack:
        yield NodeKit(tmp_path / "node", stack)


@pytest.fixture
def in_namespace():
    """Give a wrapper that runs a command after a shell line, in a mount namespace of its own; else skip."""
    program = shutil.which("unshare")
    if program is None:
        pytest.skip("needs the program unshare")
    flags = ["-m"] if os.geteuid() == 0 else ["-rm"]
    if subprocess.run([program, *flags, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode:
        pytest.skip("needs the right to mount a tmpfs in a namespace of its own (unshare -m)")

    def wrap(line):
        return (program, *flags, "sh", "-c", f'{line} && exec "$@"', "sh")

    return wrap
