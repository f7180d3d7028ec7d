"""Rows per second from one module's process to another's: through the log, and through ezmsg's shared memory."""

from __future__ import annotations

from pathlib import Path

from benchmarks._children import Child
from benchmarks._figures import Result, judged, ratios, spread
from benchmarks._log_run import through_log
from benchmarks._page_cache import warm_memory, write_rate
from benchmarks._scale import Scale
from benchmarks.programs.chunks import LAYOUT

__all__ = ["measure"]

_TARGETS = {1: 3.0, 10: 4.0, 1_000: 1.5, 10_000: 0.5}
"""What the log should reach of ezmsg's rate, by rows of a chunk."""


def measure(scale: Scale, directory: Path) -> list[Result]:
    """Return a line for each size of chunk, and what plain `write()` does."""
    return [result for rows, target in _TARGETS.items() for result in _chunks(scale, directory, rows, target)]


def _chunks(scale: Scale, directory: Path, chunk_rows: int, target: float) -> list[Result]:
    is_small = chunk_rows < 1_000
    volume_rows = scale.volume_bytes // LAYOUT.row_bytes // chunk_rows * chunk_rows
    log_rows = scale.small_rows * chunk_rows * 10 if is_small else volume_rows
    ezmsg_rows = scale.small_rows * chunk_rows if is_small else volume_rows
    ours, theirs, plain = [], [], []
    for _ in range(scale.rounds):
        warm_memory(directory, log_rows * LAYOUT.row_bytes)
        ours += through_log(directory, chunk_rows, log_rows)
        theirs.append(_through_ezmsg(chunk_rows, ezmsg_rows))
        if not is_small:
            warm_memory(directory, scale.volume_bytes)
            plain.append(write_rate(directory, chunk_rows * LAYOUT.row_bytes, scale.volume_bytes) / 1e9)
    name = f"{chunk_rows:,}-row chunks"
    behind = f"log {_millions(ours)}, ezmsg {_millions(theirs)} million rows/s"
    result = judged(f"module to module, {name}", ratios(ours, theirs), unit="x ezmsg", at_least=target, beside=behind)
    if is_small:
        return [result]
    share = ratios([rate * LAYOUT.row_bytes / 1e9 for rate in ours], plain)
    alone = judged(
        f"the log against plain `write()`, {name}",
        share,
        unit="x write()",
        beside=f"`write()` to the page cache: {spread(plain).median:.2f} GB/s",
    )
    return [result, alone]


def _through_ezmsg(chunk_rows: int, rows: int) -> float:
    with Child.program("ezmsg_pair", chunk_rows, rows) as child:
        return float(child.answer()["rows_s"])


def _millions(rates: list[float]) -> str:
    return f"{spread(rates).median / 1e6:.3g}"
