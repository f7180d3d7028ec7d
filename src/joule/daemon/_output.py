"""Where a module's output goes: a pipe that a logger process reads (see `_logger_process`).

`jouled` holds both ends of the pipe as well, which costs nothing and gives three things: its own lines lie in order
between the module's; a logger that was killed is replaced without the module noticing; and a module that still prints
while its logger is being replaced gets no broken pipe. When `jouled` itself is killed, the logger still has its end.
"""

from __future__ import annotations

import asyncio
import collections
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Self

from joule.daemon._child import Child
from joule.daemon._process_table import MARK_VARIABLE
from joule.daemon._tasks import BackgroundTasks
from joule.errors import ModuleError

__all__ = ["ModuleOutput", "describe_exit"]

_PROGRAM = Path(__file__).with_name("_logger_process.py")
_FINISH_S = 2.0
_AGAIN_S = 0.02
_LAST_TRIES = 50

_log = logging.getLogger(__name__)


class ModuleOutput:
    """The output of one start of a module; `async with` keeps a logger on it.

    Attributes:
        descriptor: What the module's stdout and stderr are to be.
    """

    def __init__(self, module: str, log_file: Path, tasks: BackgroundTasks, *, log_size_bytes: int) -> None:
        """Args: `tasks` owns the care for a logger that outlasts its module."""
        self._module = module
        self._log_file = log_file
        self._tasks = tasks
        self._log_size_bytes = log_size_bytes
        self._source, self.descriptor = os.pipe()
        self._unsaid: collections.deque[bytes] = collections.deque(maxlen=20)

    async def __aenter__(self) -> Self:
        self._keeper = self._tasks.start(f"logger of module {self._module}", self._keep)
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close the pipe at this end, and wait a moment for the logger to write what is left in it."""
        for _ in range(_LAST_TRIES):  # the module is gone, so the logger empties the pipe
            if not self._unsaid:
                break
            await asyncio.sleep(_AGAIN_S)
            self._say_what_is_left()
        self._unsaid.clear()
        os.close(self.descriptor)
        # A process that escaped all nets may hold the pipe for ever: its logger stays with it.
        await asyncio.wait([self._keeper], timeout=_FINISH_S)

    def say(self, text: str) -> None:
        """Put a line of the daemon's own into the log; never waits, and tries again where the pipe is full."""
        self._unsaid.append(f"\x1e{text}\n".encode())
        self._say_what_is_left()

    def _say_what_is_left(self) -> None:
        while self._unsaid:
            try:
                self._put(self._unsaid[0])
            except BlockingIOError:  # a module that floods its pipe: what is to be said of it comes between its lines
                asyncio.get_running_loop().call_later(_AGAIN_S, self._say_what_is_left)
                return
            except OSError as error:  # no descriptor is left for us: this line is in our own log
                _log.warning("module %s: its log has not got a line of jouled's: %s", self._module, error)
            self._unsaid.popleft()

    def _put(self, line: bytes) -> None:
        # The pipe's description is shared with the module, so it must stay blocking: a private one is opened here.
        own = os.open(f"/proc/self/fd/{self.descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.write(own, line)  # whole or not at all: it is shorter than a page
        finally:
            os.close(own)

    async def _keep(self) -> None:
        """Have a logger run until one ends in good order: when nobody can write to the pipe any more."""
        logger = Child(self._command(), stdin=self._source, environment=_plain_environment())
        try:
            await logger.wait()
            code = logger.reap()
        finally:
            logger.leave()
        if code != 0:
            raise ModuleError(f"its process ended ({describe_exit(code)})", module=self._module)
        os.close(self._source)

    def _command(self) -> list[str]:
        # -I -S: nothing of the user's environment or of installed packages is loaded: 20 ms and 10 MB.
        return [sys.executable, "-I", "-S", str(_PROGRAM), str(self._log_file), str(self._log_size_bytes)]


def describe_exit(code: int) -> str:
    """Return how a process ended, for people: `exit code 1` or `signal SIGKILL`."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


def _plain_environment() -> dict[str, str]:
    """Return our environment without a module's mark: a logger must outlive the module."""
    return {name: value for name, value in os.environ.items() if name != MARK_VARIABLE}
