"""A child process whose end can be awaited: `subprocess.Popen` with a pidfd.

asyncio's own subprocesses cost a thread each on Python 3.11 and reap the child at once; here the zombie is kept until
`reap()`, so that its pid, which is also the id of its process group, cannot name anybody else while the group is ended.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from joule.daemon._process_table import process_info

__all__ = ["Child"]

_POLL_S = 0.2  # only for kernels and sandboxes without pidfd_open


class Child:
    """A process that was started here, in a session and process group of its own.

    Attributes:
        own: Process ids of all that were started here and are not reaped: nobody else may wait for them. (Of the class,
            as children are of the process, whoever in it has started them.)
        pid: Process id, and id of its session and process group.
        start_ticks: When it started, in clock ticks since boot; 0 when it was gone before that could be read.
    """

    own: ClassVar[set[int]] = set()

    def __init__(
        self,
        command: Sequence[str],
        *,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.DEVNULL,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
    ) -> None:
        """Start `command`, no shell; stderr goes where stdout goes.

        Raises:
            OSError: It cannot be started.
        """
        self._process = subprocess.Popen(
            command,
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=directory,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self.own.add(self.pid)
        info = process_info(self.pid)
        self.start_ticks = info.start_ticks if info else 0

    async def wait(self) -> None:
        """Wait until the process has ended; it stays a zombie until `reap()`. May be cancelled and called again."""
        if self._process.returncode is not None:
            return
        try:
            descriptor = os.pidfd_open(self.pid)
        except OSError:
            while process_info(self.pid) is not None:  # noqa: ASYNC110  # nothing tells us: hence pidfd above
                await asyncio.sleep(_POLL_S)
            return
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        loop.add_reader(descriptor, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)

    def reap(self) -> int:
        """Return how the ended process ended: its exit status, or minus the number of the signal."""
        code = self._process.wait()
        self.own.discard(self.pid)
        return code

    def leave(self) -> None:
        """Give the process up, if it has not ended: it goes on, and whoever adopts orphans reaps it."""
        if self._process.poll() is None:
            self._process.returncode = 0  # else Popen warns that nobody waited for it
