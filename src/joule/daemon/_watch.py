"""Watches running modules: ends those that use more than their files allow, or that are stuck, each for a cause.

Looking costs something, and a node at rest must cost nothing to speak of. So every two seconds one small file of the
kernel's says how many processes and threads the machine has (some 20 us): only when those have grown by more than some
module may still have is the process table read. Memory is looked at every second, but only of the known processes of
modules that have `max_memory`. The whole table is read soon after a start, every ten seconds where a
module has `max_memory` or `max_cpu`, and every minute otherwise. Heads of logs are read four times within a `timeout`.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import os
import signal
from collections.abc import Callable, Collection, Iterable, Sequence

from joule.config import Limits
from joule.daemon._ending import GRACE_S
from joule.daemon._keeper import ModuleKeeper
from joule.daemon._launch import Launch
from joule.daemon._limit_rules import CpuRule, Sample, memory_cause, processes_cause
from joule.daemon._members import find_members
from joule.daemon._process_table import ProcessInfo, process_count, process_info, unshared_bytes
from joule.daemon._progress import Progress, look
from joule.daemon._tasks import BackgroundTasks
from joule.daemon._usage_history import UsageHistory
from joule.errors import LogError

__all__ = ["Watch"]

LOOK_S = 1.0
QUIET_LOOK_S = 2.0
FIRST_PASS_S = 3.0  # after a start: by then a module has started what it starts
LIMITED_PASS_S = 10.0
PASS_S = 60.0
_LOOKS_IN_TIMEOUT = 4
_FREEZE_ROUNDS = 100  # each stops what the one before let be started; ten times as many as a bomb in C has needed

_log = logging.getLogger(__name__)


@dataclasses.dataclass(slots=True, kw_only=True)
class _Run:
    """One process of a module, as long as it lives."""

    keeper: ModuleKeeper
    pid: int
    started_s: float
    cpu: CpuRule = dataclasses.field(default_factory=CpuRule)
    members: Sequence[ProcessInfo] = ()
    progress: Progress | None = None
    next_look_s: float = 0.0
    is_ended: bool = False

    @property
    def name(self) -> str:
        return self.keeper.launch.name

    @property
    def limits(self) -> Limits:
        return self.keeper.launch.limits

    @property
    def mark(self) -> str:
        return self.keeper.launch.mark


class Watch:
    """The watch over all modules of a node.

    Args:
        keepers: Gives all modules there are now.
        tasks: Owns the ends of modules, which take a while.
        history: Gets what each running module uses, once a minute.
    """

    def __init__(
        self,
        keepers: Callable[[], Iterable[ModuleKeeper]],
        tasks: BackgroundTasks,
        history: UsageHistory,
    ) -> None:
        self._keepers = keepers
        self._tasks = tasks
        self._history = history
        self._runs: dict[str, _Run] = {}
        self._next_pass_s = 0.0
        self._next_note_s = 0.0
        self._count_at_pass = 0
        self._present: list[tuple[Launch, int | None]] = []
        self._is_quiet = True
        self._room: int | None = None

    async def run(self) -> None:
        """Watch without end."""
        loop = asyncio.get_running_loop()
        while True:
            self.look(loop.time())
            await asyncio.sleep(self._pause_s())

    def look(self, now_s: float) -> None:
        """Look at what is due now, and begin the end of modules that are beyond a limit."""
        present = [(keeper.launch, keeper.status.pid) for keeper in self._keepers()]
        # Nearly always so on a node at rest, and all that it pays: the same modules, and nobody has started much.
        if present == self._present and self._is_quiet and now_s < self._next_pass_s and not self._is_crowded():
            return
        self._present = present
        self._follow_runs(now_s)
        if now_s >= self._next_pass_s or self._is_crowded():
            self._pass(now_s)
        else:
            for run in self._limited(lambda limits: limits.max_memory_bytes is not None):
                run.members = _again(run.members)
                sample = Sample.of(run.members, now_s)
                self._history.note_memory(run.name, run.pid, run.started_s, sample.memory_bytes)
                self._judge_memory(run, sample)
        for run in self._limited(lambda limits: limits.timeout_us is not None):
            if now_s >= run.next_look_s:
                self._judge_progress(run, now_s)

    def _pause_s(self) -> float:
        if self._is_quiet:
            return QUIET_LOOK_S
        timeouts_us = [limits.timeout_us for limits in self._all_limits() if limits.timeout_us is not None]
        return min([LOOK_S, *(timeout_us / 1e6 / _LOOKS_IN_TIMEOUT for timeout_us in timeouts_us)])

    def _all_limits(self) -> list[Limits]:
        return [run.limits for run in self._runs.values()]

    def _limited(self, has_limit: Callable[[Limits], bool]) -> list[_Run]:
        return [run for run in self._runs.values() if has_limit(run.limits) and not run.is_ended]

    def _follow_runs(self, now_s: float) -> None:
        """Have a run for each module that runs now, new ones for those that were started again."""
        runs: dict[str, _Run] = {}
        for keeper in self._keepers():
            name, pid = keeper.launch.name, keeper.status.pid
            if pid is None:
                continue
            known = self._runs.get(name)
            if known is None or known.pid != pid:
                known = _Run(keeper=keeper, pid=pid, started_s=keeper.status.started_s or now_s, members=_alone(pid))
                self._next_pass_s = min(self._next_pass_s, now_s + FIRST_PASS_S)
            known.keeper = keeper
            runs[name] = known
        self._runs = runs
        self._is_quiet = not any(limits.max_memory_bytes or limits.timeout_us for limits in self._all_limits())
        self._measure_room()

    def _is_crowded(self) -> bool:
        """Return whether some module may have gone beyond `max_processes` since the last pass."""
        return self._room is not None and process_count() - self._count_at_pass > self._room

    def _measure_room(self) -> None:
        """Note how many processes some module may start at least before it has too many."""
        room = [
            run.limits.max_processes - len(run.members)
            for run in self._runs.values()
            if run.limits.max_processes is not None and not run.is_ended
        ]
        self._room = min(room, default=None)

    def _pass(self, now_s: float) -> None:
        """Read the process table, and judge all modules by it."""
        self._count_at_pass = process_count()
        found = find_members({run.mark: run.pid for run in self._runs.values()})
        is_minute = now_s >= self._next_note_s
        for name, run in self._runs.items():
            run.members = found[run.mark]
            sample = Sample.of(run.members, now_s)
            if is_minute and run.members:
                self._history.note(name, run.pid, run.started_s, sample)
            self._judge(run, sample)
        self._measure_room()
        if is_minute:
            self._next_note_s = now_s + PASS_S
        has_limits = any(limits.max_memory_bytes or limits.max_cpu_percent for limits in self._all_limits())
        self._next_pass_s = min(now_s + (LIMITED_PASS_S if has_limits else PASS_S), self._next_note_s)

    def _judge(self, run: _Run, sample: Sample) -> None:
        cause = processes_cause(run.limits, sample)
        if cause is not None and not run.is_ended:
            _freeze(run.pid, lambda: find_members({run.mark: run.pid})[run.mark])
            self._end(run, cause, grace_s=0.0)
        self._judge_memory(run, sample)
        cause = run.cpu.cause(run.limits, sample)
        if cause is not None:
            self._end(run, cause)

    def _judge_memory(self, run: _Run, sample: Sample) -> None:
        pids = [process.pid for process in run.members]
        cause = memory_cause(run.limits, sample, lambda: sum(map(unshared_bytes, pids)))
        if cause is not None:
            self._end(run, cause)

    def _judge_progress(self, run: _Run, now_s: float) -> None:
        launch, timeout_us = run.keeper.launch, run.limits.timeout_us
        assert timeout_us is not None
        run.next_look_s = now_s + timeout_us / 1e6 / _LOOKS_IN_TIMEOUT
        if not launch.output_logs:
            return
        try:
            # Not in a thread: 128 bytes for each pipe, of a file that the page cache has.
            sight = look(launch.input_logs, launch.output_logs)
        except (LogError, OSError) as error:  # nothing is known of it, and nobody is ended for that
            _log.warning("module %s: its progress cannot be seen: %s", launch.name, error)
            return
        if run.progress is None:
            run.progress = Progress(run.started_s, sight)
        cause = run.progress.cause(timeout_us, sight, now_s)
        if cause is not None:
            self._end(run, cause)

    def _end(self, run: _Run, cause: str, grace_s: float = GRACE_S) -> None:
        if run.is_ended:
            return
        run.is_ended = True
        self._tasks.start(f"end of module {run.name}", lambda: run.keeper.end(cause, grace_s))


def _alone(pid: int) -> list[ProcessInfo]:
    """Return a process that was just started, before a pass has found what it started itself."""
    info = process_info(pid)
    return [] if info is None else [info]


def _again(members: Iterable[ProcessInfo]) -> list[ProcessInfo]:
    """Return those of the processes that still live, as they are now."""
    found = [(before, process_info(before.pid)) for before in members]
    return [now for before, now in found if now is not None and now.start_ticks == before.start_ticks]


def _freeze(group: int, members: Callable[[], Collection[ProcessInfo]]) -> None:
    """Stop all processes of a module where they are, so that it cannot start more of them while they are ended."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGSTOP)  # in one call: none of the group gets away meanwhile
    stopped: set[int] = set()
    for _ in range(_FREEZE_ROUNDS):
        new = {process.pid for process in members() if process.group != group} - stopped
        if not new:
            return
        for pid in new:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGSTOP)
        stopped |= new
