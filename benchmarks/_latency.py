"""How long one row takes at 100 Hz, from before `write()` to the filter's `read()` returning, both sides asyncio."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks._children import Child
from benchmarks._figures import Result, judged, percentile, ratios, spread
from benchmarks._log_run import new_log
from benchmarks._scale import Scale

__all__ = ["measure"]

_TARGETS = {50: 4.0, 99: 8.0}
"""How many times the latency of a bare pipe is fine, by percentile."""


def measure(scale: Scale, directory: Path) -> list[Result]:
    """Return a line for each percentile."""
    ours, theirs = [], []
    for _ in range(scale.rounds):
        ours.append(_through_log(directory, scale.latency_rows))
        theirs.append(_through_pipe(scale.latency_rows))
    return [_line(percent, ours, theirs) for percent in _TARGETS]


def _line(percent: int, ours: list[list[float]], theirs: list[list[float]]) -> Result:
    mine_us = [percentile(latencies, percent) * 1e6 for latencies in ours]
    other_us = [percentile(latencies, percent) * 1e6 for latencies in theirs]
    return judged(
        f"latency of a row at 100 Hz, p{percent}",
        ratios(mine_us, other_us),
        unit="x a pipe",
        at_most=_TARGETS[percent],
        beside=f"log {spread(mine_us).median:.0f} us, pipe {spread(other_us).median:.0f} us",
    )


def _through_log(directory: Path, rows: int) -> list[float]:
    with new_log(directory) as node, Child.program("latency", "log-reader", node, rows) as reader:
        reader.answer()
        with Child.program("latency", "log-writer", node, rows):
            return list(reader.answer()["latencies_s"])


def _through_pipe(rows: int) -> list[float]:
    receiving, sending = os.pipe()
    try:
        with Child.program("latency", "pipe-reader", receiving, rows, pass_fds=[receiving]) as reader:
            reader.answer()
            with Child.program("latency", "pipe-writer", sending, rows, pass_fds=[sending]):
                return list(reader.answer()["latencies_s"])
    finally:
        os.close(receiving)
        os.close(sending)
