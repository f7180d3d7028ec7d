"""Real processes, killed with SIGKILL at random instants for about a minute in all.

A stored row is there, whole and in its place; the next process goes on; a filter stores what it would have stored
without the kills, bit for bit. Each piece has a seed of its own.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from joule.core import Layout
from joule.log import BREAK, LogWriter, create_log, ensure_cursors, inspect_log, read_log
from joule.pipes import Manifest, PipeEntry
from joule.pipes._log_input import bells_directory

LAYOUT = Layout("int64", 1)
WINDOW = 5
LIVES = 100  # in a piece, some 7 s of them

pytestmark = pytest.mark.timeout(120)


class Nursery:
    """Forks module processes; see nursery.py."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("nursery.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def begin(self, role: str, **facts: object) -> Life:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{role} {json.dumps(facts)}\n")
        self._process.stdin.flush()
        return Life(int(self._process.stdout.readline()))

    def close(self) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


class Life:
    """One process, killed when told."""

    def __init__(self, pid: int) -> None:
        self._fd = os.pidfd_open(pid)

    def has_ended(self, within_s: float) -> bool:
        return bool(select.select([self._fd], [], [], within_s)[0])

    def kill(self) -> None:
        signal.pidfd_send_signal(self._fd, signal.SIGKILL)
        assert self.has_ended(10)
        os.close(self._fd)


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


def contents(log: Path) -> tuple[np.ndarray, list[int]]:
    """All rows of a log, and the positions of its breaks among them."""
    blocks, breaks, count = [np.empty(0, LAYOUT.dtype)], [], 0
    for block in read_log(log):
        if block is BREAK:
            breaks.append(count)
        else:
            blocks.append(block)
            count += len(block)
    return np.concatenate(blocks), breaks


@pytest.mark.parametrize("seed", [1, 2])
def test_every_acknowledged_row_of_a_killed_writer_is_stored(nursery, tmp_path, seed):
    chance = random.Random(seed)
    log, acknowledged = tmp_path / "log", tmp_path / "acknowledged"
    acknowledged.touch()
    create_log(log, LAYOUT, "/out")
    for lives in range(LIVES):
        before = acknowledged.stat().st_size
        life = nursery.begin(
            "writer", log=str(log), run=str(tmp_path), acknowledged=str(acknowledged), seed=chance.random()
        )
        while acknowledged.stat().st_size == before:  # it has written something, or has died
            assert not life.has_ended(0.001)
        life.has_ended(chance.expovariate(20))
        life.kill()
        if lives % 20 == 0:
            check_acknowledged(log, acknowledged)
    check_acknowledged(log, acknowledged)


def check_acknowledged(log: Path, acknowledged: Path) -> None:
    rows, _ = contents(log)
    last = int(acknowledged.read_text().split()[-1])
    assert len(rows) > last
    assert np.array_equal(rows["timestamp"], np.arange(len(rows)))  # none missing, doubled or torn
    assert np.array_equal(rows["data"], rows["timestamp"] * 7)


class Producer:
    """Writes the inputs of a filter while it is being killed."""

    def __init__(self, log: Path, run: Path, chance: random.Random, *, most_rows: int) -> None:
        identity = create_log(log, LAYOUT, "/in")
        self.writer = LogWriter(
            log,
            LAYOUT,
            stream="/in",
            holder="producer",
            bells=bells_directory(run, identity.log_id),
            segment_bytes=2**18,
        )
        self.chance = chance
        self.counts = [count for count in (1, 3, 50, 1000) if count <= most_rows]
        self.time = 0

    def produce(self) -> None:
        count = self.chance.choice(self.counts)
        rows = np.empty(count, LAYOUT.dtype)
        rows["timestamp"] = np.arange(self.time, self.time + count)
        rows["data"] = np.random.default_rng(self.time).integers(-1000, 1000, count)
        self.time += count
        self.writer.store(rows)
        if self.chance.random() < 0.2:
            self.writer.mark_break()


def intervals(log: Path) -> list[np.ndarray]:
    rows, breaks = contents(log)
    return [part for part in np.split(rows, breaks) if len(part)]


def expected_squares(inputs: dict[str, Path]) -> dict[str, list[np.ndarray]]:
    made = [np.column_stack((part["timestamp"], part["data"] * 3 + 1)) for part in intervals(inputs["in"])]
    return {"out": made}


def expected_sums(inputs: dict[str, Path]) -> dict[str, list[np.ndarray]]:
    made = []
    for part in intervals(inputs["in"]):
        if len(part) >= WINDOW:
            sums = np.lib.stride_tricks.sliding_window_view(part["data"], WINDOW).sum(axis=1)
            made.append(np.column_stack((part["timestamp"][WINDOW - 1 :], sums)))
    return {"out": made, "second": [part * [1, -1] for part in made]}


def expected_sum_of_two(inputs: dict[str, Path]) -> dict[str, list[np.ndarray]]:
    left, right = contents(inputs["in"])[0], contents(inputs["other"])[0]
    count = min(len(left), len(right))
    made = np.column_stack((left["timestamp"][:count], left["data"][:count] + right["data"][:count]))
    return {"out": [made]}


def expected_inside(inputs: dict[str, Path]) -> dict[str, list[np.ndarray]]:
    sums = []
    for part in intervals(inputs["in"]):
        if len(part) >= WINDOW:
            squares = part["data"] * 3 + 1
            values = np.lib.stride_tricks.sliding_window_view(squares, WINDOW).sum(axis=1)
            sums.append(np.column_stack((part["timestamp"][WINDOW - 1 :], values)))
    flat, other = np.concatenate([*sums, np.empty((0, 2), np.int64)]), contents(inputs["other"])[0]
    count = min(len(flat), len(other))
    return {
        "out": [part * [1, 3] + [0, 1] for part in sums],
        "second": [part * [1, -1] for part in sums],
        "added": [flat[:count] + np.column_stack((np.zeros(count, np.int64), other["data"][:count]))],
    }


FILTERS = {
    "Squares": (["in"], ["out"], expected_squares),
    "SlidingSums": (["in"], ["out", "second"], expected_sums),
    "SumOfTwo": (["in", "other"], ["out"], expected_sum_of_two),
    "SumsInside": (["in", "other"], ["out", "second", "added"], expected_inside),
}


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("role", FILTERS)
def test_a_filter_killed_at_random_instants_stores_what_an_uninterrupted_one_would(nursery, tmp_path, role, seed):
    inputs, outputs, expected = FILTERS[role]
    chance = random.Random(f"{role} {seed}")
    logs = {name: tmp_path / name for name in (*inputs, *outputs)}
    most_rows = 50 if role == "SumsInside" else 1000  # four children, three of which write slowly
    producers = [Producer(logs[name], tmp_path, chance, most_rows=most_rows) for name in inputs]
    manifest = prepare(tmp_path, logs, inputs, outputs)
    for _ in range(LIVES if role != "SumsInside" else LIVES // 2):
        life = nursery.begin(role, pipes=manifest.to_json())
        alive_until = time.monotonic() + 0.02 + chance.expovariate(25)
        while time.monotonic() < alive_until:
            for producer in producers:
                producer.produce()
            assert not life.has_ended(0.002), "the filter ended by itself"
        life.kill()
    wanted = expected({name: logs[name] for name in inputs})
    life = nursery.begin(role, pipes=manifest.to_json())
    try:
        for name in outputs:
            count = sum(len(part) for part in wanted[name])
            wait_for_rows(logs[name], count, life, producers, flushes=name != "second")
    finally:
        life.kill()
    for name in outputs:
        compare(logs[name], wanted[name])
        assert inspect_log(logs[name]).refused_rows == 0
    assert any(inspect_log(logs[name]).repeated_rows for name in outputs), "no kill hit a filter between its writes"


def prepare(node: Path, logs: dict[str, Path], inputs: list[str], outputs: list[str]) -> Manifest:
    for name in outputs:
        create_log(logs[name], LAYOUT, f"/{name}")
    entries = {name: PipeEntry(stream=f"/{name}", log=logs[name], layout=str(LAYOUT)) for name in logs}
    manifest = Manifest(
        module="filter",
        cursor=node / "filter.cursor",
        run=node,
        inputs={name: entries[name] for name in inputs},
        outputs={name: entries[name] for name in outputs},
    )
    ensure_cursors(
        manifest.cursor, "filter", {name: logs[name] for name in inputs}, {name: logs[name] for name in outputs}
    )
    return manifest


def wait_for_rows(log: Path, count: int, life: Life, producers: list[Producer], *, flushes: bool) -> None:
    """Wait until a log holds so many rows; less than one cache for an output that caches.

    A filter of two inputs reads them in turn, and waits at one for rows while the other has some: both get more.
    """
    missing_at_most = 0 if flushes else 49
    deadline = time.monotonic() + 30
    while inspect_log(log).rows < count - missing_at_most:
        if len(producers) > 1:
            for producer in producers:
                producer.produce()
        assert not life.has_ended(0.01), "the filter ended by itself"
        assert time.monotonic() < deadline, f"{inspect_log(log).rows} of {count} rows"


def compare(log: Path, wanted: list[np.ndarray]) -> None:
    """Compare as many rows as both have: a cache may hold the last ones, and more input may have come meanwhile."""
    rows, breaks = contents(log)
    flat = np.concatenate([*wanted, np.empty((0, 2), np.int64)])
    count = min(len(rows), len(flat))
    assert np.array_equal(np.column_stack((rows["timestamp"], rows["data"]))[:count], flat[:count])
    borders = np.cumsum([len(part) for part in wanted]).tolist()
    assert [row for row in breaks if row < count] == [border for border in borders if border < count]
