"""A node with ten modules that write a row a second: how much of a core its daemon takes."""

from __future__ import annotations

import time
from pathlib import Path

import psutil

from benchmarks._children import MeasurementError
from benchmarks._figures import Result, judged, spread
from benchmarks._node import core_shares, new_node, random_readers, running
from benchmarks._scale import Scale
from joule.log import inspect_log

__all__ = ["measure"]

_MODULES = 10
_START_LIMIT_S = 60.0


def measure(scale: Scale, directory: Path) -> list[Result]:
    """Return a line for the daemon process, and one for all processes that it started which are no modules."""
    with new_node(directory) as node:
        random_readers(node, _MODULES)
        with running(node) as daemon:
            _wait_for_rows(node, daemon)
            return _watch(daemon, scale.idle_s)


def _wait_for_rows(node: Path, daemon: psutil.Popen) -> None:
    limit_s = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < limit_s and daemon.poll() is None:
        logs = [path.parent for path in (node / "data" / "streams").glob("*/head")]
        if len(logs) == _MODULES and all(inspect_log(log).rows >= 3 for log in logs):
            return
        time.sleep(0.2)
    raise MeasurementError(f"the node did not get {_MODULES} modules to run within {_START_LIMIT_S:.0f} s")


def _watch(daemon: psutil.Popen, duration_s: float) -> list[Result]:
    helpers = [
        process for process in daemon.children(recursive=True) if "random-reader" not in " ".join(process.cmdline())
    ]
    alone, together = core_shares([[daemon], [daemon, *helpers]], duration_s)
    size_mb = daemon.memory_info().rss / 1e6
    return [
        judged(
            "an idle node with ten 1 Hz modules: the daemon",
            spread(alone),
            unit="% of a core",
            at_most=1.0,
            beside=f"resident {size_mb:.0f} MB",
        ),
        judged(
            "the same with the daemon's helper processes",
            spread(together),
            unit="% of a core",
            beside=f"{len(helpers)} helpers",
        ),
    ]
