"""Why a process was killed that we did not kill: as much of it as can be known from outside.

A kernel that has run out of memory, its own or that of a container or a service, ends a process by SIGKILL, as a
person may. Only a privileged log tells which process it chose; but how many it has ended is counted for all to read.
"""

from __future__ import annotations

import contextlib
import signal
from pathlib import Path

__all__ = ["explain_kill", "oom_kills"]

_COUNTERS = Path("/proc/vmstat")


def oom_kills(counters: Path = _COUNTERS) -> int | None:
    """Return how many processes the kernel has ended for want of memory since it runs; None where it does not say."""
    with contextlib.suppress(OSError):
        for line in counters.read_text().splitlines():
            name, _, value = line.partition(" ")
            if name == "oom_kill":
                return int(value)
    return None


def explain_kill(exit_code: int, before: int | None, now: int | None) -> str:
    """Return who may have killed a process, for people; empty where there is nothing to be said.

    Args:
        exit_code: How it ended: exit status, or minus the signal's number.
        before: `oom_kills()` when it was started.
        now: The same after its end.
    """
    if exit_code != -signal.SIGKILL or before is None or now is None:
        return ""
    if now > before:
        count = now - before
        what = "a process" if count == 1 else f"{count} processes"
        return f"perhaps for want of memory: the kernel has ended {what} for that since it was started"
    return "by somebody else: neither by jouled nor by a kernel short of memory"
