"""Ending modules with everything that they started.

Five nets, because each has holes: the process group (a child may leave it with `setsid`), the tag in a resource limit
(not every kernel has it), the mark in the environment (a child may clear it), being a child of one of those (its parent
may be gone), and the recorded process of what an earlier `jouled` started. SIGTERM first, then, after a grace, SIGKILL
until nothing is left.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import signal
from collections.abc import Iterable

from joule.daemon._process_table import ProcessInfo, processes, read_mark
from joule.daemon._tag import is_of_node, node_tag, read_tag, tag_of

__all__ = ["GRACE_S", "Targets", "end_processes"]

GRACE_S = 5.0  # longer than the 2 s that a module gives its own run() after stop()
_LOOK_S = 0.03
_GIVE_UP_S = 2.0  # what SIGKILL cannot end sits in the kernel (a dead network disk): nobody can do more


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Which processes are meant. One pass over the process table serves any number of modules.

    Attributes:
        groups: Process groups whose id is known to be theirs: its first process lives, or is a zombie of ours.
        marks: Whole marks of modules.
        node_mark: How the marks of all modules of a node begin; None where only `marks` count.
    """

    groups: frozenset[int] = frozenset()
    marks: frozenset[str] = frozenset()
    node_mark: str | None = None

    def includes(self, process: ProcessInfo) -> bool:
        """Return whether a process is meant."""
        if process.group in self.groups:
            return True
        tag = read_tag(process.pid)
        if tag is not None:
            return self._includes_tag(tag)
        mark = read_mark(process.pid)
        if mark is None:
            return False
        return mark in self.marks or (self.node_mark is not None and mark.startswith(self.node_mark))

    def _includes_tag(self, tag: int) -> bool:
        if self.node_mark is not None and is_of_node(tag, node_tag(self.node_mark)):
            return True
        return any(tag == tag_of(mark) for mark in self.marks)

    def living(self, found: Iterable[ProcessInfo] = ()) -> list[ProcessInfo]:
        """Return all of them that live with their descendants, never this process.

        Args:
            found: What was found before. A process of these is meant also when its parent has ended since.
        """
        own = os.getpid()
        before = {(process.pid, process.start_ticks) for process in found}
        table = [process for process in processes() if process.pid != own]
        meant = {p.pid for p in table if (p.pid, p.start_ticks) in before or self.includes(p)}
        count = 0
        while len(meant) > count:
            count = len(meant)
            meant.update(process.pid for process in table if process.parent in meant)
        return [process for process in table if process.pid in meant]


async def end_processes(targets: Targets, *, hurry: asyncio.Event, grace_s: float = GRACE_S) -> int:
    """End all of `targets`, and wait for that.

    Args:
        targets: Which processes.
        hurry: Ends the grace when it is set.
        grace_s: How long they have between SIGTERM and SIGKILL.

    Returns:
        How many could not be ended.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + grace_s
    asked: set[int] = set()
    left: list[ProcessInfo] = []
    while (left := targets.living(left)) and loop.time() < deadline and not hurry.is_set():
        # One SIGTERM each, also for those who join late: a module takes a second one for "now, without a grace".
        _send(signal.SIGTERM, [process.pid for process in left if process.pid not in asked])
        asked.update(process.pid for process in left)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(hurry.wait(), _LOOK_S)
    deadline = loop.time() + _GIVE_UP_S
    while left and loop.time() < deadline:
        _kill(left, targets.groups)
        await asyncio.sleep(_LOOK_S)
        left = targets.living(left)
    return len(left)


def _kill(left: list[ProcessInfo], groups: frozenset[int]) -> None:
    for group in groups.intersection(process.group for process in left):
        # The whole group in one call: a process that forks faster than we can list it does not get away.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    _send(signal.SIGKILL, [process.pid for process in left if process.group not in groups])


def _send(number: signal.Signals, pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
