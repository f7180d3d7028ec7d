"""A node with two hundred modules: how long until all have stored a row, and what the daemon takes then."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import psutil

from benchmarks._children import MeasurementError
from benchmarks._figures import Result, judged, spread
from benchmarks._node import core_shares, new_node, random_readers, running
from benchmarks._scale import Scale
from joule.api import open_node
from joule.errors import NodeUnreachableError
from joule.log import inspect_log

__all__ = ["measure"]

_START_LIMIT_S = 180.0


def measure(scale: Scale, directory: Path) -> list[Result]:
    """Return lines for the start, the slowest answer during it, a reload, and the daemon afterwards."""
    with new_node(directory) as node:
        random_readers(node, scale.modules)
        began_s = time.monotonic()
        with running(node) as daemon:
            slowest_s = asyncio.run(_wait_for_rows(node, daemon, scale.modules))
            took_s = time.monotonic() - began_s
            return [*_started(scale.modules, took_s, slowest_s), *_watch(node, daemon, scale)]


async def _wait_for_rows(node: Path, daemon: psutil.Popen, modules: int) -> float:
    """Wait until every stream has a row; returns the longest time that an answer took meanwhile, s."""
    slowest_s, limit_s = 0.0, time.monotonic() + _START_LIMIT_S
    waiting = {node / "data" / "streams" / str(number + 1) for number in range(modules)}
    while time.monotonic() < limit_s and daemon.poll() is None:
        waiting = {log for log in waiting if not (log / "log.json").exists() or inspect_log(log).rows < 1}
        if not waiting:
            return slowest_s
        asked_s = time.monotonic()
        try:
            async with open_node(str(node)) as client:
                await client.modules()
            slowest_s = max(slowest_s, time.monotonic() - asked_s)
        except NodeUnreachableError:
            pass  # it does not answer yet
        await asyncio.sleep(0.5)
    raise MeasurementError(f"{len(waiting)} of {modules} modules stored no row within {_START_LIMIT_S:.0f} s")


def _started(modules: int, took_s: float, slowest_s: float) -> list[Result]:
    return [
        judged(
            f"{modules} modules: start of `jouled` until all have stored a row",
            spread([took_s]),
            unit="s",
            at_most=60.0,
            beside=f"{modules / took_s:.1f} modules a second",
        ),
        judged(
            "the slowest list of modules meanwhile",
            spread([slowest_s]),
            unit="s",
            at_most=1.0,
        ),
    ]


def _watch(node: Path, daemon: psutil.Popen, scale: Scale) -> list[Result]:
    (shares,) = core_shares([[daemon]], scale.idle_s)
    reload_s = asyncio.run(_reload(node))
    size_mb = daemon.memory_info().rss / 1e6
    return [
        judged(f"{scale.modules} modules at 1 Hz: the daemon", spread(shares), unit="% of a core", at_most=5.0),
        judged(f"{scale.modules} modules: the daemon's resident memory", spread([size_mb]), unit="MB", at_most=150.0),
        judged("a reload that finds nothing changed", spread([reload_s]), unit="s", at_most=2.0),
    ]


async def _reload(node: Path) -> float:
    async with open_node(str(node)) as client:
        began_s = time.monotonic()
        await client.reload()
        return time.monotonic() - began_s
