"""When a module uses more than its file allows: rules over samples, no clock and no process in sight."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable, Iterable

from joule.config import Limits
from joule.core import format_size
from joule.daemon._process_table import ProcessInfo

__all__ = ["CPU_WINDOW_S", "CpuRule", "Sample", "memory_cause", "processes_cause"]

CPU_WINDOW_S = 30.0
"""Over how long `max_cpu` counts: start-up and bursts are shorter, what hogs a core is not."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What the processes of one module use together, at one moment.

    Attributes:
        at_s: When, on the event loop's clock.
        cpu_s: Processor time used so far, that of ended children included.
        memory_bytes: Sum of their resident memory; pages that they share count in each.
        processes: How many they are.
    """

    at_s: float
    cpu_s: float
    memory_bytes: int
    processes: int

    @classmethod
    def of(cls, members: Iterable[ProcessInfo], at_s: float) -> Sample:
        """Return the sum over the processes of a module."""
        found = list(members)
        return cls(
            at_s=at_s,
            cpu_s=sum(process.cpu_s for process in found),
            memory_bytes=sum(process.memory_bytes for process in found),
            processes=len(found),
        )


def processes_cause(limits: Limits, sample: Sample) -> str | None:
    """Return why a module is ended for the number of its processes; None where it is not."""
    most = limits.max_processes
    if most is None or sample.processes <= most:
        return None
    return f"it has {sample.processes} processes, more than max_processes = {most}"


def memory_cause(limits: Limits, sample: Sample, unshared_bytes: Callable[[], int]) -> str | None:
    """Return why a module is ended for its memory; None where it is not.

    Args:
        limits: Of the module.
        sample: Its use.
        unshared_bytes: Measures its memory again, pages that its processes share counted once. It takes the kernel
            some milliseconds, so it is asked only when the simple sum is above the limit.
    """
    most = limits.max_memory_bytes
    if most is None or sample.memory_bytes <= most:
        return None
    found = unshared_bytes() if sample.processes > 1 else sample.memory_bytes
    if found <= most:
        return None
    return f"its memory of {format_size(found)} is above max_memory = {format_size(most)}"


class CpuRule:
    """Whether a module has used more of a core than it may, over half a minute."""

    def __init__(self) -> None:
        self._samples: collections.deque[Sample] = collections.deque()

    def cause(self, limits: Limits, sample: Sample) -> str | None:
        """Take a sample; return why the module is ended, None where it is not."""
        samples, most = self._samples, limits.max_cpu_percent
        samples.append(sample)
        while len(samples) > 1 and samples[1].at_s <= sample.at_s - CPU_WINDOW_S:
            samples.popleft()
        elapsed_s = sample.at_s - samples[0].at_s
        if most is None or elapsed_s < CPU_WINDOW_S:
            return None
        # A child that ended without being waited for took its time out of the sum: that is no negative use.
        percent = max(0.0, sample.cpu_s - samples[0].cpu_s) / elapsed_s * 100.0
        if percent <= most:
            return None
        return f"it used {percent:.0f} % of a core over {elapsed_s:.0f} s, more than max_cpu = {most:g} %"
