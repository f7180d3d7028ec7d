"""What processes there are: read from /proc, one pass for all questions.

A process is known by its pid and its start time in clock ticks since boot, which no step of the system clock changes
(psutil's `create_time` moves with it). Zombies count as gone: they hold nothing, and a container's init may never reap
them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator

__all__ = [
    "MARK_VARIABLE",
    "ProcessInfo",
    "boot_id",
    "peak_bytes",
    "process_count",
    "process_info",
    "processes",
    "read_mark",
    "unshared_bytes",
]

MARK_VARIABLE = "JOULE_MODULE_MARK"
"""Environment variable that a module and all its descendants carry, so that strays can be found."""

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGESIZE")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProcessInfo:
    """A process that lives.

    Attributes:
        pid: Process id.
        parent: Process id of its parent.
        group: Id of its process group.
        start_ticks: When it started, in clock ticks since boot.
        cpu_s: Processor time used so far, that of children which have ended included.
        memory_bytes: Resident memory.
    """

    pid: int
    parent: int
    group: int
    start_ticks: int
    cpu_s: float
    memory_bytes: int


def process_info(pid: int) -> ProcessInfo | None:
    """Return what the kernel says about a process; None when there is none, or only its zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in brackets and may itself hold blanks and brackets.
    fields = text[text.rindex(b")") + 2 :].split()
    if fields[0] in b"ZX":
        return None
    return ProcessInfo(
        pid=pid,
        parent=int(fields[1]),
        group=int(fields[2]),
        start_ticks=int(fields[19]),
        cpu_s=sum(map(int, fields[11:15])) / _TICKS_PER_S,
        memory_bytes=int(fields[21]) * _PAGE_BYTES,
    )


def processes() -> Iterator[ProcessInfo]:
    """Yield every process that lives; some of them may have ended by the time that you look."""
    for name in os.listdir("/proc"):
        if name.isdecimal() and (info := process_info(int(name))) is not None:
            yield info


def process_count() -> int:
    """Return how many processes and threads the machine has: what one small read costs."""
    with open("/proc/loadavg", "rb") as file:
        return int(file.read().split()[3].partition(b"/")[2])


def unshared_bytes(pid: int) -> int:
    """Return the memory of a process, of pages that it shares with others its part; 0 where it has ended.

    Costs the kernel a walk over all its pages. Where that cannot be read, shared pages count in full.
    """
    with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup", "rb") as file:
        for line in file:
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    info = process_info(pid)
    return 0 if info is None else info.memory_bytes


def peak_bytes(pid: int) -> int:
    """Return the most resident memory that a process has had, by the kernel's own count; 0 where it has ended."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status", "rb") as file:
        for line in file:
            if line.startswith(b"VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def read_mark(pid: int) -> str | None:
    """Return the module mark in a process's environment; None when it has none or belongs to somebody else."""
    key = MARK_VARIABLE.encode() + b"="
    with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:
        for entry in file.read().split(b"\0"):
            if entry.startswith(key):
                return os.fsdecode(entry[len(key) :])
    return None


def boot_id() -> str:
    """Return the kernel's name for this boot: start times count from it."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()
