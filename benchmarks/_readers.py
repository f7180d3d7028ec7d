"""One writer and three readers on however few cores there are: what each reader still gets."""

from __future__ import annotations

from pathlib import Path

from benchmarks._figures import Result, judged, ratios, spread
from benchmarks._log_run import through_log
from benchmarks._page_cache import warm_memory
from benchmarks._scale import Scale
from benchmarks.programs.chunks import LAYOUT

__all__ = ["measure"]

CHUNK_ROWS = 1_000


def measure(scale: Scale, directory: Path) -> list[Result]:
    """Return the slowest of three readers' rate against that of a reader alone."""
    rows = scale.volume_bytes // LAYOUT.row_bytes // CHUNK_ROWS * CHUNK_ROWS
    alone, slowest = [], []
    for _ in range(scale.rounds):
        warm_memory(directory, scale.volume_bytes)
        alone += through_log(directory, CHUNK_ROWS, rows)
        warm_memory(directory, scale.volume_bytes)
        slowest.append(min(through_log(directory, CHUNK_ROWS, rows, readers=3)))
    behind = f"{spread(slowest).median / 1e6:.3g} of {spread(alone).median / 1e6:.3g} million rows/s"
    return [
        judged(
            "three readers, 1,000-row chunks: the slowest",
            ratios(slowest, alone),
            unit="x one reader",
            at_least=0.35,
            beside=behind,
        )
    ]
