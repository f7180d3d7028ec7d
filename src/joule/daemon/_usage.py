"""How much processor and memory modules use, measured when somebody asks.

Nothing samples in the background, so an idle node stays idle. The processor's share is counted between two questions
at least half a second apart; the first answer counts since the module's start. (Read from /proc in one pass for all
modules: psutil would open each process several times.)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from joule.daemon._process_table import ProcessInfo, processes

__all__ = ["Usage", "UsageMeter"]

_SHORTEST_S = 0.5


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What the processes of one process group use.

    Attributes:
        cpu_percent: Of one core.
        memory_bytes: Resident.
    """

    cpu_percent: float
    memory_bytes: int


@dataclasses.dataclass(frozen=True, slots=True)
class _Sample:
    at_s: float
    cpu_s: float
    percent: float


class UsageMeter:
    """Measures process groups."""

    def __init__(self) -> None:
        self._samples: dict[int, _Sample] = {}

    def measure(self, started_s: dict[int, float], now_s: float) -> dict[int, Usage]:
        """Return the use of each group that lives.

        Args:
            started_s: When each group was started, by its id, on the clock of `now_s`.
            now_s: The present.
        """
        return self.reckon(started_s, processes(), now_s)

    def reckon(self, started_s: dict[int, float], table: Iterable[ProcessInfo], now_s: float) -> dict[int, Usage]:
        """Return the use of each group, given the processes that there are."""
        cpu_s = dict.fromkeys(started_s, 0.0)
        memory = dict.fromkeys(started_s, 0)
        for process in table:
            if process.group in cpu_s:
                cpu_s[process.group] += process.cpu_s
                memory[process.group] += process.memory_bytes
        self._samples = {
            group: self._sample(group, total_s, started_s[group], now_s) for group, total_s in cpu_s.items()
        }
        return {
            group: Usage(cpu_percent=round(self._samples[group].percent, 1), memory_bytes=memory[group])
            for group in started_s
            if memory[group]
        }

    def _sample(self, group: int, cpu_s: float, started_s: float, now_s: float) -> _Sample:
        before = self._samples.get(group) or _Sample(started_s, 0.0, 0.0)
        elapsed_s = now_s - before.at_s
        if elapsed_s < _SHORTEST_S:
            return before
        # A child that ended took its processor time out of the sum: that is no negative use.
        return _Sample(now_s, cpu_s, max(0.0, cpu_s - before.cpu_s) / elapsed_s * 100.0)
