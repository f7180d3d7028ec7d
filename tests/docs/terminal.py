"""Runs a page's commands as its reader would: in bash, in a directory to throw away, with an empty HOME.

Directory and environment last from one command to the next. What runs in the background is stopped by Ctrl-C, at the
latest when the page ends; after that, no process that the page started may be left.
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

MARK = "JOULE_DOCS_MARK"
INTERRUPT = "^C"
SECONDS = 20
ROOT = Path(__file__).parents[2]
DEVELOPERS = {".venv", ".git", ".demo", "__pycache__", ".hypothesis"}


class Running:
    """A command that was started; its output gathers in `lines`."""

    def __init__(self, script: str, directory: str, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            ["bash", "-c", script],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._gatherer = threading.Thread(target=self._gather, daemon=True)
        self._gatherer.start()

    def _gather(self) -> None:
        with self.process.stdout as output:
            self.lines.extend(line.rstrip("\n") for line in iter(output.readline, ""))

    def wait_for(self, condition, seconds: float) -> bool:
        """Wait until a condition holds, the command ends or time is up; return whether it holds."""
        deadline = time.monotonic() + seconds
        while not condition() and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if self.process.poll() is not None:
            self._gatherer.join(timeout=2)
        return condition()

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


class Terminal:
    """One reader at work; `with` leaves nothing running."""

    def __init__(self, directory: Path, home: Path) -> None:
        self._state = home / ".terminal"
        self.directory = directory
        self._mark = str(uuid.uuid4())
        self._background: list[Running] = []
        bin_directory = Path(sys.executable).parent
        kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        self._environment = kept | {
            "PATH": f"{bin_directory}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR", str(Path.home() / ".cache" / "pip")),
            "DURATION": "3",  # what `make demo` takes for granted is "until Ctrl-C"
            "ARGS": "tests/unit/core/test_paths.py",  # of `make test`: this is one of all tests already
            MARK: self._mark,
        }
        self._state.write_text("")

    def __enter__(self):
        return self

    def __exit__(self, *exc: object) -> None:
        for running in self._background:
            running.interrupt()
        codes = [running.end(SECONDS) for running in self._background]
        left = self._wait_for_the_rest()
        if exc[0] is None and any(codes):
            raise PageError(f"what ran in the background ended with {codes}: {self._background[-1].lines}")
        if exc[0] is None and left:
            raise PageError(f"the page leaves processes behind: {left}")

    def run(self, command: str, shown: list[str], *, code: int = 0, seconds: float = SECONDS, numbers=False) -> None:
        """Run a command to its end and compare; where `^C` is shown, interrupt it once what stands before it came."""
        running = self._start(command, saves=True)
        before, after, interrupted = _split(shown)
        if interrupted:
            running.wait_for(
                lambda: running.lines and matches(before, running.lines, any_numbers=numbers, is_part=True), seconds
            )
            running.interrupt()
            shown = [*before, "...", *after]
        ended = running.end(seconds)
        if ended != code:
            raise PageError(f"{command!r} ended with {ended}, not {code}:\n" + "\n".join(running.lines))
        _compare(command, shown, running.lines, numbers=numbers)

    def run_in_background(self, command: str, shown: list[str], *, seconds: float = SECONDS, numbers=False) -> None:
        """Start a command, wait until it has printed what is shown, and leave it running."""
        running = self._start(command, saves=False)
        self._background.append(running)
        came = running.wait_for(
            lambda: matches(shown, running.lines, any_numbers=numbers, is_part=True), seconds if shown else 0
        )
        if not came or running.process.poll() is not None:
            printed = "\n".join(running.lines)
            raise PageError(f"{command!r} does not run in the background as shown; it printed:\n{printed}")

    def interrupt_background(self, shown: list[str], *, numbers=False) -> None:
        """Stop what was started last in the background with Ctrl-C; compare what it prints from then on."""
        if not self._background:
            raise PageError("^C, and nothing runs in the background")
        running = self._background.pop()
        running.interrupt()
        if code := running.end(SECONDS):
            raise PageError(f"it ended with {code} after Ctrl-C:\n" + "\n".join(running.lines))
        _compare(INTERRUPT, ["...", *shown], running.lines, numbers=numbers)

    def write(self, name: str, text: str) -> Path:
        """Write a file of the page; programs can be executed."""
        path = (self.working_directory / name).resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755 if text.startswith("#!") else 0o644)
        return path

    @property
    def working_directory(self) -> Path:
        """Where the next command runs."""
        saved = self._state.with_suffix(".cwd")
        return Path(saved.read_text().rstrip("\n")) if saved.exists() else self.directory

    def _start(self, command: str, *, saves: bool) -> Running:
        state = shlex.quote(str(self._state))
        save = f"trap 'code=$?; export -p > {state}; pwd > {state}.cwd; exit $code' EXIT\n" if saves else ""
        return Running(f"{save}. {state}\n{command}", str(self.working_directory), self._environment)

    def _wait_for_the_rest(self) -> list[str]:
        """Give processes a moment to end; kill the others and return what they are."""
        deadline = time.monotonic() + 5
        while (left := self._marked()) and time.monotonic() < deadline:
            time.sleep(0.02)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return list(left.values())

    def _marked(self) -> dict[int, str]:
        found = {}
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdecimal() and f"{MARK}={self._mark}".encode() in (entry / "environ").read_bytes():
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found


def copy_of_folder(folder: Path, target: Path) -> None:
    """Copy a folder for its README to run in; the project's own gets a .venv that make takes for ready-made."""
    shutil.copytree(folder, target, ignore=lambda _, names: DEVELOPERS.intersection(names))
    if folder != ROOT:
        return
    venv = target / ".venv"
    venv.mkdir()
    for entry in Path(sys.prefix).iterdir():
        if entry.name not in (".run", ".dev", ".bench"):
            (venv / entry.name).symlink_to(entry)
    for stamp in (".run", ".dev"):
        (venv / stamp).touch()


def _split(shown: list[str]) -> tuple[list[str], list[str], bool]:
    if INTERRUPT not in shown:
        return shown, [], False
    place = shown.index(INTERRUPT)
    return shown[:place], shown[place + 1 :], True


def _compare(command: str, shown: list[str], printed: list[str], *, numbers: bool) -> None:
    if not matches(shown, printed, any_numbers=numbers):
        raise PageError("\n".join([f"{command!r} is shown as", *shown, "and printed", *printed]))
