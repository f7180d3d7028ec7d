"""How much is measured: the whole, or a quick look."""

from __future__ import annotations

import dataclasses

__all__ = ["FULL", "QUICK", "Scale"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The size of a run.

    Attributes:
        rounds: How often each of two peers runs, in turn.
        volume_bytes: Moved in a round, by chunks of 1,000 rows and more.
        small_rows: Rows moved in a round by 1-row chunks through ezmsg; ten times as many through the log, whose
            rounds would be too short otherwise, and both ten times as many again by 10-row chunks.
        latency_rows: Rows sent at 100 Hz in a round.
        starts: How often a process is started.
        idle_s: How long an idle node is watched.
        modules: How many the node has that has many.
    """

    rounds: int
    volume_bytes: int
    small_rows: int
    latency_rows: int
    starts: int
    idle_s: float
    modules: int


FULL = Scale(
    rounds=5, volume_bytes=1_500_000_000, small_rows=20_000, latency_rows=600, starts=11, idle_s=20.0, modules=200
)
QUICK = Scale(rounds=1, volume_bytes=300_000_000, small_rows=5_000, latency_rows=200, starts=3, idle_s=5.0, modules=40)
