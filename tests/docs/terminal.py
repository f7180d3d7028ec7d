"""Runs a page's commands as its reader would: in bash, in a directory to throw away, with an empty HOME.

Directory and environment last from one command to the next. What runs in the background is stopped by Ctrl-C when the
page ends; after that, no process that the page started may be left.
"""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

from .markdown import PageError
from .output import matches

ROOT = Path(__file__).parents[2]
SECONDS = 20
INTERRUPT = "^C"
SHORTENED = {"DURATION": "3", "ARGS": "tests/unit/core/test_paths.py"}
"""For `make demo`, which goes on until Ctrl-C, and for `make test`, of which this is a part."""


class Running:
    """A command that was started in a process group of its own; what it prints gathers in `lines`."""

    def __init__(self, script: str, directory: Path, environment: dict[str, str]) -> None:
        how = {"cwd": directory, "env": environment, "text": True, "errors": "replace", "start_new_session": True}
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        self.process = subprocess.Popen(["bash", "-c", script], **how, **streams)
        self.lines: list[str] = []
        self._gatherer = threading.Thread(target=self._gather, daemon=True)
        self._gatherer.start()

    def _gather(self) -> None:
        with self.process.stdout as output:
            self.lines.extend(line.rstrip("\n") for line in iter(output.readline, ""))

    def wait_for(self, shown: list[str], seconds: float, *, numbers: bool) -> bool:
        """Wait until it has printed what is shown, a line at least; return whether it has, and still runs."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            if self.lines and matches(shown, self.lines, any_numbers=numbers, is_part=True):
                return True
            time.sleep(0.02)
        return False

    def interrupt(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGINT)

    def end(self, seconds: float) -> int:
        """Wait for the end and return the exit code as shells give it; what does not end is killed."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            code = self.process.wait()
        self._gatherer.join(timeout=2)
        return code if code >= 0 else 128 - code

    def error(self, message: str) -> PageError:
        return PageError("\n".join([message, *self.lines]))


class Terminal:
    """One reader at work; `with` leaves nothing running."""

    def __init__(self, directory: Path, home: Path) -> None:
        self._variables, self._cwd = home / ".variables", home / ".cwd"
        self._variables.touch()
        self._cwd.write_text(f"{directory}\n")
        self._mark = str(uuid.uuid4())
        self._background: list[Running] = []
        self._sessions: set[int] = set()
        kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        self._environment = kept | SHORTENED | {
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "PIP_NO_COMPILE": "1",  # a third of the time of an install
            "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR", str(Path.home() / ".cache" / "pip")),
            "JOULE_DOCS_MARK": self._mark,
        }  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *exc: object) -> None:
        ended = [running for running in self._background if running.process.poll() is not None]
        for running in self._background:
            running.interrupt()
        codes = [running.end(SECONDS) for running in self._background]
        left = self._end_the_rest()
        if exc[0] is None and ended:  # what ended right behind its last line was not seen to end then
            raise ended[0].error("what should be there until the page ends does not run in the background; it printed")
        if exc[0] is None and any(codes):
            raise self._background[-1].error(f"what ran in the background ended with {codes}:")
        if exc[0] is None and left:
            raise PageError(f"the page leaves processes behind: {left}")

    def write(self, name: str, text: str) -> Path:
        """Write a file of the page; one that begins with #! can be executed."""
        path = self._directory() / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755 if text.startswith("#!") else 0o644)
        return path

    def run(self, command: str, shown: list[str], *, code: int = 0, seconds: float = SECONDS, numbers=False) -> None:
        """Run a command to its end and compare; where `^C` is shown, interrupt it once what stands before it came."""
        save = f"export -p > {shlex.quote(str(self._variables))}; pwd > {shlex.quote(str(self._cwd))}"
        running = self._start(f"trap 'code=$?; {save}; exit $code' EXIT\n{command}")
        if INTERRUPT in shown:
            place = shown.index(INTERRUPT)
            running.wait_for(shown[:place], seconds, numbers=numbers)
            running.interrupt()
            shown = [*shown[:place], "...", *shown[place + 1 :]]
        if (ended := running.end(seconds)) != code:
            raise running.error(f"{command!r} ended with {ended}, not {code}:")
        if not matches(shown, running.lines, any_numbers=numbers):
            raise running.error("\n".join([f"{command!r} is shown as", *shown, "and printed"]))

    def run_in_background(self, command: str, shown: list[str], *, seconds: float = SECONDS, numbers=False) -> None:
        """Start a command, wait until it has printed what is shown, and leave it running."""
        running = self._start(command)
        self._background.append(running)
        if not running.wait_for(shown, seconds, numbers=numbers):
            raise running.error(f"{command!r} does not run in the background as shown; it printed")

    def _start(self, script: str) -> Running:
        running = Running(f". {shlex.quote(str(self._variables))}\n{script}", self._directory(), self._environment)
        self._sessions.add(running.process.pid)
        return running

    def _directory(self) -> Path:
        return Path(self._cwd.read_text().removesuffix("\n"))

    def _end_the_rest(self) -> list[str]:
        """Give processes a moment to end; kill the others and return what they are."""
        deadline = time.monotonic() + 3
        while (left := self._living()) and time.monotonic() < deadline:
            time.sleep(0.02)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return list(left.values())

    def _living(self) -> dict[int, str]:
        """Return the processes of our commands' sessions, and those that left them but carry our mark."""
        found = {}
        mark = f"JOULE_DOCS_MARK={self._mark}".encode()
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                # A process in the middle of an exec has no environment to look at: the session knows it.
                is_ours = os.getsid(int(process.name)) in self._sessions or mark in (process / "environ").read_bytes()
                if is_ours and b") Z " not in (process / "stat").read_bytes():
                    found[int(process.name)] = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found


def copy_of_folder(folder: Path, target: Path) -> None:
    """Copy a folder for its README to run in; the project's own gets a .venv that make takes for ready-made."""
    shutil.copytree(folder, target, symlinks=True, ignore=shutil.ignore_patterns(".*", "__pycache__", "node_modules"))
    if folder == ROOT:
        (target / ".venv").mkdir()
        for entry in Path(sys.prefix).glob("[!.]*"):
            (target / ".venv" / entry.name).symlink_to(entry)
        for stamp in (".run", ".dev"):
            (target / ".venv" / stamp).touch()
