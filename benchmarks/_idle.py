"""A node with ten modules that write a row a second: how much of a core its daemon takes."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks._children import MeasurementError
from benchmarks._figures import Result, judged, spread
from benchmarks._scale import Scale
from joule.config import init_node
from joule.log import inspect_log

__all__ = ["cpu_s", "measure"]

MODULES = 10
_START_LIMIT_S = 60.0
_WINDOWS = 4  # the time watched is cut into these, for a range


def measure(scale: Scale, directory: Path) -> list[Result]:
    """Return a line for the daemon process, and one for all processes that it started which are no modules."""
    node = Path(tempfile.mkdtemp(prefix="joule-bench-", dir=directory))
    try:
        _configure(node)
        daemon = psutil.Popen(
            [str(Path(sys.executable).parent / "jouled"), "--config", str(node)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for_rows(node, daemon)
            return _watch(daemon, scale.idle_s)
        finally:
            daemon.terminate()
            daemon.wait(30)
    finally:
        shutil.rmtree(node)


def _configure(node: Path) -> None:
    init_node(node)
    program = shlex.quote(str(Path(sys.executable).parent / "joule-random-reader"))
    for number in range(MODULES):
        (node / "module_configs" / f"module_{number}.conf").write_text(
            f"[Main]\nname = module {number}\nexec_cmd = {program}\n\n"
            f"[Arguments]\nrate = 1\n\n[Outputs]\noutput = /bench/stream_{number}:float32[value]\n"
        )


def _wait_for_rows(node: Path, daemon: psutil.Popen) -> None:
    limit_s = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < limit_s and daemon.poll() is None:
        logs = [path.parent for path in (node / "data" / "streams").glob("*/head")]
        if len(logs) == MODULES and all(inspect_log(log).rows >= 3 for log in logs):
            return
        time.sleep(0.2)
    raise MeasurementError(f"the node did not get {MODULES} modules to run within {_START_LIMIT_S:.0f} s")


def _watch(daemon: psutil.Popen, duration_s: float) -> list[Result]:
    helpers = [
        process for process in daemon.children(recursive=True) if "random-reader" not in " ".join(process.cmdline())
    ]
    alone, together = [], []
    for _ in range(_WINDOWS):
        before, before_all, began_s = cpu_s([daemon]), cpu_s([daemon, *helpers]), time.monotonic()
        time.sleep(duration_s / _WINDOWS)
        window_s = time.monotonic() - began_s
        alone.append((cpu_s([daemon]) - before) / window_s * 100)
        together.append((cpu_s([daemon, *helpers]) - before_all) / window_s * 100)
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


def cpu_s(processes: list[psutil.Process]) -> float:
    """Return the time spent on processors so far, to the nanosecond: an idle daemon stays below the clock's tick."""
    threads = [thread for process in processes for thread in Path(f"/proc/{process.pid}/task").iterdir()]
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9
