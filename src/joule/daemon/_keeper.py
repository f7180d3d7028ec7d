"""The life of one module: start, watch, start again, stop.

Every end of the process, a good one too, is followed by another start after a delay, until there are too many (see
`_backoff`). A program that cannot be started at all counts as failed, and is tried again after the same delays: it may
be on a disk that is mounted later. What a module's process leaves running when it ends is ended before the next start,
so there are never two of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random

from joule.core import format_duration
from joule.daemon._backoff import EndHistory
from joule.daemon._child import Child
from joule.daemon._ending import GRACE_S, Targets, end_processes
from joule.daemon._kills import explain_kill, oom_kills
from joule.daemon._launch import Launch
from joule.daemon._niceness import add_niceness
from joule.daemon._output import ModuleOutput, describe_exit
from joule.daemon._provenance import record_process, record_start
from joule.daemon._records import ModuleRecords
from joule.daemon._states import ModuleState, ModuleStatus, module_command
from joule.daemon._tag import put_tag
from joule.daemon._tasks import BackgroundTasks
from joule.daemon._turns import StartTurns, Turn, wait_for_start

__all__ = ["ModuleKeeper"]

_LEFTOVER_GRACE_S = 1.0  # for what outlives the module's own process: its owner is gone, there is nothing to finish

_WAITING = ModuleStatus().reason

_log = logging.getLogger(__name__)


class ModuleKeeper:
    """Keeps one module running from the time that somebody starts it until it is asked to stop.

    Attributes:
        launch: How it is started.
        status: Its present state.
        settled: Set when its first start has come to something: its pipes are open, it runs and waits, it has ended,
            or it was stopped.
    """

    def __init__(
        self,
        launch: Launch,
        records: ModuleRecords,
        tasks: BackgroundTasks,
        turns: StartTurns,
        before: ModuleStatus | None = None,
    ) -> None:
        """Args: `before` is the status that an earlier keeper of the module left: its counts go on."""
        self.launch = launch
        self.status = ModuleStatus(restarts=before.restarts, exit_code=before.exit_code) if before else ModuleStatus()
        self.settled = asyncio.Event()
        self._records = records
        self._tasks = tasks
        self._turns = turns
        self._stop = asyncio.Event()
        self._stop_reason = ""
        self._is_ended = asyncio.Event()
        self._hurry = asyncio.Event()
        self._ends = EndHistory()
        self._ending = asyncio.Lock()
        self._cause: str | None = None
        self._output: ModuleOutput | None = None
        self._oom_kills: int | None = None

    @property
    def is_stopping(self) -> bool:
        """Whether a stop was requested."""
        return self._stop.is_set()

    async def run(self) -> None:
        """Start the module, again and again, until a stop is requested."""
        loop = asyncio.get_running_loop()
        is_first = True
        while not self._stop.is_set():
            turn = await self._turns.take(self.launch.name)
            if turn is None:
                break
            try:
                self.status.restarts += 0 if is_first else 1
                is_first = False
                began_s = loop.time()
                async with self._new_output() as output:
                    outcome = await self._run_once(output, turn)
            except BaseException:
                self.settled.set()
                raise
            finally:
                turn.give_back()
            if not self._stop.is_set():
                await self._back_off(outcome, ran_s=loop.time() - began_s)
                self._note(ModuleState.WAITING, _WAITING)
        self.note_stopped()

    def request_stop(self, reason: str) -> frozenset[int]:
        """Let no further start happen. Returns the process groups to be ended before `confirm_ended`."""
        self._stop_reason = self._stop_reason or reason
        self._stop.set()
        self._turns.withdraw(self.launch.name)
        return frozenset() if self.status.pid is None else frozenset({self.status.pid})

    def confirm_ended(self) -> None:
        """Say that the processes of a module that was requested to stop have been ended."""
        self._is_ended.set()
        self._hurry.set()

    def note_stopped(self) -> None:
        """Say that nothing of the module runs, and nothing will."""
        self._note(ModuleState.STOPPED, self._stop_reason)
        self.settled.set()

    def adjust(self, launch: Launch) -> None:
        """Let what needs no new process take effect: `launch` holds for the present one."""
        self.launch = launch
        if self.status.state is ModuleState.RUNNING:
            self.status.reason = launch.running_reason

    def recent_ends(self) -> int:
        """Return how many ends within its restart window the module has."""
        return self._ends.recent(asyncio.get_running_loop().time(), self.launch.limits.restart_window_us / 1e6)

    async def end(self, cause: str, grace_s: float = GRACE_S) -> None:
        """End the module's present process and all that it started; it is started again after a delay, as ever.

        SIGTERM, then the grace of a stop, then SIGKILL. Does nothing where it does not run, or is being ended already.

        Args:
            cause: Why, for people: what the module's state and log will show, such as "its memory of 812 MB is above
                max_memory = 800 MB".
            grace_s: How long it has between SIGTERM and SIGKILL; with 0 there is no SIGTERM.
        """
        pid = self.status.pid
        if pid is None or self._output is None or self._cause is not None or self._stop.is_set():
            return
        self._cause = cause
        self.status.reason = f"it is being ended: {cause}"
        self._output.say(f"---module ended by jouled: {cause}---")
        _log.warning("module %s: ended by jouled: %s", self.launch.name, cause)
        async with self._ending:
            await end_processes(self._targets(pid), hurry=self._hurry, grace_s=grace_s)

    def _new_output(self) -> ModuleOutput:
        launch = self.launch
        return ModuleOutput(launch.name, launch.log_file, self._tasks, log_size_bytes=launch.log_size_bytes)

    async def _run_once(self, output: ModuleOutput, turn: Turn) -> str:
        """Run one process of the module to its end; returns how it ended, for people."""
        await asyncio.to_thread(record_start, self.launch)  # before the process: no row of it is without an origin
        if self._stop.is_set():  # whoever ends the module's processes may have done so meanwhile
            return "it was not started"
        output.say("---starting module---")
        try:
            child = Child(
                self.launch.command,
                stdout=output.descriptor,
                environment=self.launch.environment(),
                directory=self.launch.directory,
            )
        except (OSError, ValueError) as error:
            reason = f"its program cannot be started: {self.launch.why_not_started(error)}"
            output.say(f"---module cannot be started: {reason}---")
            _log.error("module %s: %s", self.launch.name, reason)
            self._note(ModuleState.FAILED, reason)
            return reason
        self._output, self._cause, self._oom_kills = output, None, oom_kills()
        put_tag(child.pid, self.launch.mark)
        record_process(self.launch, child.pid)
        refusal = add_niceness(child.pid, self.launch.limits.nice)
        if refusal:
            output.say(f"---{refusal}---")
            _log.warning("module %s: %s", self.launch.name, refusal)
        self._records.write(self.launch.name, child.pid, child.start_ticks)
        self._note(ModuleState.RUNNING, self.launch.running_reason, child=child)
        _log.info("module %s: started, process %d", self.launch.name, child.pid)
        self._tasks.start(f"start of module {self.launch.name}", lambda: self._settle(child.pid, turn))
        try:
            try:
                await child.wait()
            finally:
                # The zombie is still there, so the group's number is still the module's.
                await self._end_rest(child, output)
            return self._bury(child, output)
        finally:
            child.leave()

    async def _settle(self, pid: int, turn: Turn) -> None:
        """Wait until a start has come to something; then it is another's turn."""
        await wait_for_start(pid, self.launch.ready_lock)
        turn.give_back()
        if self.status.pid == pid:
            self.settled.set()

    async def _end_rest(self, child: Child, output: ModuleOutput) -> None:
        """End what the module's process has left running, or wait until whoever stops the module has done so."""
        if not self._stop.is_set():
            async with self._ending:  # whoever ends it gives what is left the longer grace
                strays = len(self._targets(child.pid).living())
                if strays:
                    output.say(f"---{strays} of its processes outlived it and are ended---")
                    _log.info("module %s: %d of its processes outlived it and are ended", self.launch.name, strays)
                left = await end_processes(self._targets(child.pid), hurry=self._hurry, grace_s=_LEFTOVER_GRACE_S)
            if left:
                _log.error("module %s: %d of its processes cannot be ended", self.launch.name, left)
        if self._stop.is_set():
            await self._is_ended.wait()

    def _targets(self, group: int) -> Targets:
        return Targets(groups=frozenset({group}), marks=frozenset({self.launch.mark}))

    def _bury(self, child: Child, output: ModuleOutput) -> str:
        code = child.reap()
        self._records.remove(self.launch.name)
        ending = describe_exit(code)
        if self._cause is None and not self._stop.is_set():
            killer = explain_kill(code, self._oom_kills, oom_kills())
            ending += f", {killer}" if killer else ""
        output.say(f"---module terminated: {ending}---")
        lasted_s = asyncio.get_running_loop().time() - (self.status.started_s or 0.0)
        self.status.exit_code = code
        how = (
            f"it was ended after {lasted_s:.1f} s: {self._cause}"
            if self._cause
            else f"its process ended after {lasted_s:.1f} s"
        )
        outcome = f"{how} ({ending})"
        self._note(ModuleState.BACKING_OFF, outcome)
        _log.info("module %s: %s", self.launch.name, outcome)
        return outcome

    async def _back_off(self, outcome: str, *, ran_s: float) -> None:
        """Wait until the next start is due, or a stop is requested."""
        now_s = asyncio.get_running_loop().time()
        delay_s = self._judge(outcome, now_s, ran_s)
        self.status.next_start_s = None if delay_s is None else now_s + delay_s
        self.settled.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), delay_s)

    def _judge(self, outcome: str, now_s: float, ran_s: float) -> float | None:
        """Note what follows from an end; returns after how long the module starts again, None for not by itself."""
        chance = random.random()
        if self.status.state is ModuleState.FAILED:  # there was no process
            delay_s: float | None = self._ends.note_no_start(chance)
            self._note(ModuleState.FAILED, outcome + self._in_a_row())
            return delay_s
        limits = self.launch.limits
        window_s = limits.restart_window_us / 1e6
        verdict = self._ends.note_end(
            now_s=now_s,
            ran_s=ran_s,
            max_ends=limits.max_restarts,
            window_s=window_s,
            on_failed=limits.on_failed,
            chance=chance,
        )
        if verdict.is_failed:
            reason = self._why_failed(outcome, self._ends.recent(now_s, window_s))
            self._note(ModuleState.FAILED, reason)
            _log.error("module %s: failed: %s", self.launch.name, reason)
        else:
            self._note(ModuleState.BACKING_OFF, outcome + self._in_a_row())
        return verdict.delay_s

    def _in_a_row(self) -> str:
        return f", {self._ends.in_a_row} times in a row" if self._ends.in_a_row > 1 else ""

    def _why_failed(self, outcome: str, count: int) -> str:
        name = self.launch.name
        often = (
            f"{count} times within {format_duration(self.launch.limits.restart_window_us)}" if count > 1 else "again"
        )
        return (
            f"it ended {often}; at last {outcome}; look into {module_command('logs', name)}, correct it, then "
            f"{module_command('start', name)}"
        )

    def _note(self, state: ModuleState, reason: str, child: Child | None = None) -> None:
        self.status.state = state
        self.status.reason = reason
        self.status.pid = child.pid if child else None
        self.status.started_s = asyncio.get_running_loop().time() if child else self.status.started_s
        self.status.next_start_s = None
