"""What each module has used, minute by minute for a day, in bounded memory: 35 kB a module.

Kept by the watch, which looks once a minute anyway. It is for people who ask why a node was slow at night, and is gone
with `jouled`; who wants it for longer reads it into a stream.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from joule.api import UsageSample
from joule.core import time_now
from joule.daemon._limit_rules import Sample

__all__ = ["UsageHistory"]

LENGTH = 24 * 60
_ENTRY = np.dtype([("time_us", "<i8"), ("memory_bytes", "<i8"), ("cpu_percent", "<f4"), ("processes", "<i4")])


@dataclasses.dataclass(slots=True, kw_only=True)
class _Module:
    """The history of one module: a ring, and what its present process has used so far."""

    ring: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(LENGTH, _ENTRY))
    count: int = 0
    pid: int = 0
    at_s: float = 0.0
    cpu_s: float = 0.0
    peak_bytes: int = 0


class UsageHistory:
    """The histories of all modules of a node."""

    def __init__(self) -> None:
        self._modules: dict[str, _Module] = {}

    def note(self, name: str, pid: int, started_s: float, sample: Sample, time_us: int | None = None) -> None:
        """Take the sample of a minute.

        Args:
            name: The module's.
            pid: Of its process.
            started_s: When that was started, on the clock of the sample.
            sample: What it has used until now.
            time_us: The node's time; None for now.
        """
        module = self._of(name, pid, started_s)
        elapsed_s = sample.at_s - module.at_s
        # A child that ended without being waited for took its time out of the sum: that is no negative use.
        percent = max(0.0, sample.cpu_s - module.cpu_s) / elapsed_s * 100.0 if elapsed_s > 0 else 0.0
        at_us = time_now() if time_us is None else time_us
        module.ring[module.count % LENGTH] = (at_us, sample.memory_bytes, percent, sample.processes)
        module.count += 1
        module.at_s, module.cpu_s = sample.at_s, sample.cpu_s
        module.peak_bytes = max(module.peak_bytes, sample.memory_bytes)

    def note_memory(self, name: str, pid: int, started_s: float, memory_bytes: int) -> int:
        """Take what was seen between minutes; returns the most that was seen of this process, bytes."""
        module = self._of(name, pid, started_s)
        module.peak_bytes = max(module.peak_bytes, memory_bytes)
        return module.peak_bytes

    def samples(self, name: str) -> tuple[UsageSample, ...]:
        """Return the samples of a module, oldest first; none for one that has not run for a minute."""
        module = self._modules.get(name)
        if module is None:
            return ()
        newest = np.roll(module.ring, -module.count) if module.count > LENGTH else module.ring[: module.count]
        return tuple(
            UsageSample(
                time_us=int(entry["time_us"]),
                cpu_percent=round(float(entry["cpu_percent"]), 1),
                memory_bytes=int(entry["memory_bytes"]),
                processes=int(entry["processes"]),
            )
            for entry in newest
        )

    def _of(self, name: str, pid: int, started_s: float) -> _Module:
        module = self._modules.setdefault(name, _Module())
        if module.pid != pid:
            module.pid, module.at_s, module.cpu_s, module.peak_bytes = pid, started_s, 0.0, 0
        return module
