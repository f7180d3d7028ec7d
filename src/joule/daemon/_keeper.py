"""The life of one module: start, watch, start again, stop.

Every end of the process, a good one too, is followed by another start after a delay (see `_backoff`). A program that
cannot be started at all counts as failed, and is tried again after the same delays: it may be on a disk that is mounted
later. What a module's process leaves running when it ends is ended before the next start, so there are never two of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import errno
import logging
import os
import random
from pathlib import Path

from joule.daemon._backoff import failures_after, restart_delay_s
from joule.daemon._child import Child
from joule.daemon._ending import Targets, end_processes
from joule.daemon._output import ModuleOutput, describe_exit
from joule.daemon._process_table import MARK_VARIABLE
from joule.daemon._records import ModuleRecords
from joule.daemon._states import ModuleState, ModuleStatus
from joule.daemon._tasks import BackgroundTasks

__all__ = ["Launch", "ModuleKeeper"]

_LEFTOVER_GRACE_S = 1.0  # for what outlives the module's own process: its owner is gone, there is nothing to finish

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How a module is started.

    Attributes:
        name: The module's.
        command: Program and arguments, its pipes included; for no shell.
        directory: Where it starts: the node's.
        log_file: Where its output goes.
        mark: What all its processes carry in their environment.
        running_reason: Why it is as it is while it runs, for people.
    """

    name: str
    command: tuple[str, ...]
    directory: Path
    log_file: Path
    mark: str
    running_reason: str = "its process runs"

    def environment(self) -> dict[str, str]:
        """Return the environment of the module: our own, and what a supervised Python program needs."""
        return {**os.environ, "PYTHONUNBUFFERED": "1", MARK_VARIABLE: self.mark}


class ModuleKeeper:
    """Keeps one module running until it is asked to stop.

    Attributes:
        launch: How it is started.
        status: Its present state.
    """

    def __init__(self, launch: Launch, records: ModuleRecords, tasks: BackgroundTasks) -> None:
        self.launch = launch
        self.status = ModuleStatus()
        self._records = records
        self._tasks = tasks
        self._stop = asyncio.Event()
        self._is_ended = asyncio.Event()
        self._hurry = asyncio.Event()
        self._failures = 0

    async def run(self) -> None:
        """Start the module, again and again, until `stop` is called."""
        loop = asyncio.get_running_loop()
        is_first = True
        while not self._stop.is_set():
            self.status.restarts += 0 if is_first else 1
            is_first = False
            began_s = loop.time()
            async with ModuleOutput(self.launch.name, self.launch.log_file, self._tasks) as output:
                outcome = await self._run_once(output)
            if not self._stop.is_set():
                self._failures = failures_after(self._failures, loop.time() - began_s)
                await self._back_off(outcome)
        self._note(ModuleState.STOPPED, "it was stopped with its node")

    def request_stop(self) -> frozenset[int]:
        """Let no further start happen. Returns the process groups to be ended before `confirm_ended`."""
        self._stop.set()
        return frozenset() if self.status.pid is None else frozenset({self.status.pid})

    def confirm_ended(self) -> None:
        """Say that the processes of a module that was requested to stop have been ended."""
        self._is_ended.set()
        self._hurry.set()

    async def _run_once(self, output: ModuleOutput) -> str:
        """Run one process of the module to its end; returns how it ended, for people."""
        output.say("---starting module---")
        try:
            child = Child(
                self.launch.command,
                stdout=output.descriptor,
                environment=self.launch.environment(),
                directory=self.launch.directory,
            )
        except (OSError, ValueError) as error:
            reason = f"its program cannot be started: {_why_not_started(self.launch.command[0], error)}"
            output.say(f"---module cannot be started: {reason}---")
            _log.error("module %s: %s", self.launch.name, reason)
            self._note(ModuleState.FAILED, reason)
            return reason
        self._records.write(self.launch.name, child.pid, child.start_ticks)
        self._note(ModuleState.RUNNING, self.launch.running_reason, child=child)
        _log.info("module %s: started, process %d", self.launch.name, child.pid)
        try:
            try:
                await child.wait()
            finally:
                # The zombie is still there, so the group's number is still the module's.
                await self._end_rest(child)
            return self._bury(child, output)
        finally:
            child.leave()

    async def _end_rest(self, child: Child) -> None:
        """End what the module's process has left running, or wait until whoever stops the module has done so."""
        if not self._stop.is_set():
            targets = Targets(groups=frozenset({child.pid}), marks=frozenset({self.launch.mark}))
            left = await end_processes(targets, hurry=self._hurry, grace_s=_LEFTOVER_GRACE_S)
            if left:
                _log.error("module %s: %d of its processes cannot be ended", self.launch.name, left)
        if self._stop.is_set():
            await self._is_ended.wait()

    def _bury(self, child: Child, output: ModuleOutput) -> str:
        code = child.reap()
        self._records.remove(self.launch.name)
        ending = describe_exit(code)
        output.say(f"---module terminated: {ending}---")
        lasted_s = asyncio.get_running_loop().time() - (self.status.started_s or 0.0)
        self.status.exit_code = code
        outcome = f"its process ended after {lasted_s:.1f} s ({ending})"
        self._note(ModuleState.BACKING_OFF, outcome)
        _log.info("module %s: %s", self.launch.name, outcome)
        return outcome

    async def _back_off(self, outcome: str) -> None:
        delay_s = restart_delay_s(self._failures, random.random())
        in_a_row = f", {self._failures} times in a row" if self._failures > 1 else ""
        self._note(self.status.state, outcome + in_a_row)
        self.status.next_start_s = asyncio.get_running_loop().time() + delay_s
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), delay_s)

    def _note(self, state: ModuleState, reason: str, child: Child | None = None) -> None:
        self.status.state = state
        self.status.reason = reason
        self.status.pid = child.pid if child else None
        self.status.started_s = asyncio.get_running_loop().time() if child else self.status.started_s
        self.status.next_start_s = None


def _why_not_started(program: str, error: OSError | ValueError) -> str:
    if not isinstance(error, OSError):
        return str(error)
    if isinstance(error, FileNotFoundError) and os.path.isfile(program):
        return f"{program} is there, but the interpreter that its first line (#!) names is not: correct that line"
    if error.errno == errno.ENOEXEC:
        return f"{program} is no program: begin a script with a line such as #!/usr/bin/env python3"
    return f"{error.filename or program}: {error.strerror or error}"
