"""`python -m benchmarks`: measure, print the table, and (after a whole run) write it to `docs/benchmarks.md`."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import _flood, _idle, _latency, _many, _readers, _start, _throughput
from benchmarks._figures import Result, table
from benchmarks._machine import describe
from benchmarks._report import DOCUMENT, report
from benchmarks._scale import FULL, QUICK, Scale

MEASUREMENTS: dict[str, Callable[[Scale, Path], list[Result]]] = {
    "throughput": _throughput.measure,
    "readers": _readers.measure,
    "latency": _latency.measure,
    "start": _start.measure,
    "idle": _idle.measure,
    "flood": _flood.measure,
    "many": _many.measure,
}


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=MEASUREMENTS, action="append", help="measure just this; may be repeated")
    parser.add_argument("--quick", action="store_true", help="one small round each: to see that it works")
    parser.add_argument("--directory", type=Path, default=Path(tempfile.gettempdir()), help="where logs are put")
    arguments = parser.parse_args()
    scale = QUICK if arguments.quick else FULL
    facts = describe(arguments.directory)
    print("\n".join(facts), flush=True)
    results: list[Result] = []
    for name in arguments.only or MEASUREMENTS:
        began_s = time.monotonic()
        found = MEASUREMENTS[name](scale, arguments.directory)
        print(f"\n{name}, {time.monotonic() - began_s:.0f} s\n{table(found)}", flush=True)
        results += found
    if arguments.only or arguments.quick:
        print(f"\n{DOCUMENT} is written by a whole run only.")
        return
    Path(DOCUMENT).write_text(report(facts, results, scale))
    print(f"\nwritten to {DOCUMENT}")


if __name__ == "__main__":
    main()
