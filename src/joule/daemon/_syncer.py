"""The node's syncer process, kept running: see `joule.log._syncer_process` for what it does.

It has the mark of the node's modules, so that the next `jouled` ends the one that a killed one has left; until then
that goes on making rows durable. What it prints is in `jouled`'s log.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from joule.daemon._child import Child
from joule.daemon._output import describe_exit
from joule.daemon._process_table import MARK_VARIABLE
from joule.daemon._tag import put_tag
from joule.daemon._tasks import BackgroundTasks
from joule.errors import ModuleError

__all__ = ["NodeSyncer"]

_LAST_ROUND_S = 20.0  # for the last round, before systemd would end all of us (30 s)
_HURRIED_S = 3.0  # for the same: rows that no record counts would be dropped after a restart of the machine
_LONGEST_LINE = 65536

_log = logging.getLogger("joule.syncer")


class NodeSyncer:
    """Keeps the syncer of a node running; leaving `async with` waits for its last round.

    Args:
        data_directory: The node's.
        interval_us: How long between two rounds, us.
        mark: For its processes.
        tasks: Owns the work; must outlast this.
        hurry: Ends the wait for the last round.
    """

    def __init__(
        self, data_directory: Path, interval_us: int, mark: str, tasks: BackgroundTasks, hurry: asyncio.Event
    ) -> None:
        self._command = [
            # -P: a file of the user's in our directory, such as queue.py, is not taken for a library.
            *(sys.executable, "-P", "-m", "joule.log._syncer_process"),
            *(str(data_directory), str(interval_us / 1e6)),
        ]
        self._mark = mark
        self._tasks = tasks
        self._hurry = hurry
        self._child: Child | None = None
        self._is_stopping = False

    async def __aenter__(self) -> Self:
        self._work = self._tasks.start("the syncer", lambda: self._run(self._command))
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._is_stopping = True
        if self._child is None:  # it waits for its next start
            self._work.cancel()
            await asyncio.wait([self._work])
            self._work = self._tasks.start("the last round of the syncer", lambda: self._run(self._command[:-1]))
        else:
            self._send(signal.SIGTERM)
        if not await self._has_ended():
            self._send(signal.SIGKILL)
            await asyncio.wait([self._work], timeout=1.0)
            _log.warning("the last round of the syncer was cut short: the newest rows are stored, perhaps not durable")

    async def _has_ended(self) -> bool:
        """Wait for the end of the last round; whether it has come in time."""
        waiting = asyncio.ensure_future(self._hurry.wait())
        await asyncio.wait([self._work, waiting], timeout=_LAST_ROUND_S, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not self._work.done() and self._hurry.is_set():
            await asyncio.wait([self._work], timeout=_HURRIED_S)
        return self._work.done()

    async def _run(self, command: Sequence[str]) -> None:
        source, sink = os.pipe()
        try:
            child = Child(command, stdout=sink, environment={**os.environ, MARK_VARIABLE: self._mark})
        except OSError as error:
            os.close(source)
            raise ModuleError(f"it cannot be started: {error.strerror}") from error
        finally:
            os.close(sink)
        put_tag(child.pid, self._mark)
        self._child = child
        try:
            await _relay(source)
            await child.wait()
            code = child.reap()
        finally:
            self._child = None
            child.leave()
        if self._is_stopping:
            if code != 0:
                _log.warning("the last round of the syncer has failed: the newest rows are stored, perhaps not durable")
        else:  # also where somebody else has told it to stop
            raise ModuleError(f"its process ended ({describe_exit(code)}); rows are stored all the same")

    def _send(self, number: signal.Signals) -> None:
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child.pid, number)


async def _relay(source: int) -> None:
    """Log what comes out of a pipe, line by line, until its other end is closed."""
    reader = asyncio.StreamReader(limit=_LONGEST_LINE)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(source, "rb", buffering=0)
    )
    try:
        async for line in reader:
            level, _, text = line.decode(errors="replace").rstrip().partition(" ")
            number = logging.getLevelNamesMapping().get(level)
            _log.log(number or logging.ERROR, "%s", text if number else f"the syncer: {line.decode(errors='replace')}")
    finally:
        transport.close()
