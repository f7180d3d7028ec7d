"""A node to measure: its directory, the modules that it has, and its `jouled`, all gone afterwards."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from joule.config import init_node

__all__ = ["core_shares", "new_node", "random_readers", "running"]

_PROGRAMS = Path(sys.executable).parent
_WINDOWS = 4  # the time watched is cut into these, for a range
_STOP_LIMIT_S = 60.0


@contextlib.contextmanager
def new_node(directory: Path) -> Iterator[Path]:
    """Give the directory of a node without modules; all of it goes afterwards."""
    node = Path(tempfile.mkdtemp(prefix="joule-bench-", dir=directory))
    try:
        init_node(node)
        yield node
    finally:
        shutil.rmtree(node)


@contextlib.contextmanager
def running(node: Path) -> Iterator[psutil.Popen]:
    """Give a node's `jouled`, which stops afterwards."""
    daemon = psutil.Popen(
        [str(_PROGRAMS / "jouled"), "--config", str(node)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield daemon
    finally:
        daemon.terminate()
        daemon.wait(_STOP_LIMIT_S)


def random_readers(node: Path, count: int) -> None:
    """Give a node modules that write a row a second, each to a stream of its own."""
    program = shlex.quote(str(_PROGRAMS / "joule-random-reader"))
    for number in range(count):
        (node / "module_configs" / f"module_{number:03}.conf").write_text(
            f"[Main]\nname = module {number:03}\nexec_cmd = {program}\n\n"
            f"[Arguments]\nrate = 1\n\n[Outputs]\noutput = /bench/stream_{number:03}:float32[value]\n"
        )


def core_shares(groups: Sequence[Sequence[psutil.Process]], duration_s: float) -> list[list[float]]:
    """Return how much of a core each group of processes takes, %: a figure for each part of the time watched."""
    shares: list[list[float]] = [[] for _ in groups]
    for _ in range(_WINDOWS):
        began_s, before_s = time.monotonic(), [_cpu_s(group) for group in groups]
        time.sleep(duration_s / _WINDOWS)
        window_s = time.monotonic() - began_s
        for share, group, before in zip(shares, groups, before_s, strict=True):
            share.append((_cpu_s(group) - before) / window_s * 100)
    return shares


def _cpu_s(processes: Sequence[psutil.Process]) -> float:
    """Return the time spent on processors so far, to the nanosecond: an idle daemon stays below the clock's tick."""
    threads = [thread for process in processes for thread in Path(f"/proc/{process.pid}/task").iterdir()]
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9
