"""A reader process run alone: from its start to its first row on standard output, and its memory then."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks._children import Child
from benchmarks._figures import Result, judged, ratios, spread
from benchmarks._scale import Scale

__all__ = ["measure"]

_PROGRAMS = Path(__file__).parent / "programs"


def measure(scale: Scale, directory: Path) -> list[Result]:
    """Return a line for the time and one for the memory (VmRSS of the process)."""
    ours, theirs = [], []
    for _ in range(scale.starts):
        ours.append(_start("first_row.py"))
        theirs.append(_start("bare.py"))
    starts_s, bare_s = [start for start, _ in ours], [start for start, _ in theirs]
    sizes_mb, bare_mb = [size for _, size in ours], [size for _, size in theirs]
    return [
        judged(
            "a reader process: start to first row",
            spread(starts_s),
            unit="s",
            at_most=0.35,
            beside=f"NumPy and asyncio alone: {spread(bare_s).median:.2f} s",
        ),
        judged(
            "a reader process: resident memory (VmRSS)",
            ratios(sizes_mb, bare_mb),
            unit="x NumPy and asyncio",
            at_most=1.5,
            beside=f"{spread(sizes_mb).median:.1f} MB against {spread(bare_mb).median:.1f} MB",
        ),
    ]


def _start(program: str) -> tuple[float, float]:
    began_s = time.monotonic()
    with Child([str(_PROGRAMS / program)]) as child:
        child.line()
        took_s = time.monotonic() - began_s
        status = Path(f"/proc/{child.pid}/status").read_text()
        child.stop()
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return took_s, int(resident.split()[1]) / 1000
