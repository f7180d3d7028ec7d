"""How much processor and memory modules use at the moment, measured when somebody asks.

The processor's share is counted between two questions at least half a second apart; the first answer counts since the
module's start. What was used when nobody asked is in `_usage_history`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from joule.daemon._limit_rules import Sample
from joule.daemon._members import find_members
from joule.daemon._process_table import ProcessInfo

__all__ = ["Usage", "UsageMeter"]

_SHORTEST_S = 0.5


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What the processes of one module use together.

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
    """Measures modules, each with all its processes."""

    def __init__(self) -> None:
        self._samples: dict[int, _Sample] = {}

    def measure(self, running: Mapping[str, tuple[int, float]], now_s: float) -> dict[int, Usage]:
        """Return the use of each module that lives, by the process id of its own process.

        Args:
            running: Process id of each module, and when that was started on the clock of `now_s`, by its mark.
            now_s: The present.
        """
        members = find_members({mark: pid for mark, (pid, _) in running.items()})
        return self.reckon(dict(running.values()), {running[mark][0]: found for mark, found in members.items()}, now_s)

    def reckon(
        self, started_s: Mapping[int, float], members: Mapping[int, Iterable[ProcessInfo]], now_s: float
    ) -> dict[int, Usage]:
        """Return the use of each module, given its processes."""
        totals = {pid: Sample.of(members.get(pid, ()), now_s) for pid in started_s}
        self._samples = {pid: self._sample(pid, total.cpu_s, started_s[pid], now_s) for pid, total in totals.items()}
        return {
            pid: Usage(cpu_percent=round(self._samples[pid].percent, 1), memory_bytes=total.memory_bytes)
            for pid, total in totals.items()
            if total.memory_bytes
        }

    def _sample(self, group: int, cpu_s: float, started_s: float, now_s: float) -> _Sample:
        before = self._samples.get(group) or _Sample(started_s, 0.0, 0.0)
        elapsed_s = now_s - before.at_s
        if elapsed_s < _SHORTEST_S:
            return before
        # A child that ended took its processor time out of the sum: that is no negative use.
        return _Sample(now_s, cpu_s, max(0.0, cpu_s - before.cpu_s) / elapsed_s * 100.0)
