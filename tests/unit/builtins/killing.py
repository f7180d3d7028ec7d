"""Running a shipped filter over stream logs, killed at any step and started again, and what it stored.

Every read, consume, write and break of the filter is a place to be killed. Its inputs grow piece by piece, one at each
read, so that where reads are cut differs from life to life.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from tests.unit.pipes.test_exact_restart import Killed, Life, OneLife

from joule.client import FilterModule
from joule.core import Layout, flatten_rows, to_rows
from joule.errors import EmptyPipeError
from joule.log import BREAK, LogWriter, create_log, ensure_cursors, inspect_log, read_log
from joule.pipes import Manifest, PipeEntry

Piece = np.ndarray | None  # rows (timestamps in column 0), or a break
SPECIAL = [0.0, -0.0, 1.0, 1e30, 1e308, -1e308, np.inf, -np.inf, np.nan]


@dataclasses.dataclass(frozen=True)
class Script:
    """What an input will hold, in the pieces in which it comes."""

    pieces: Sequence[Piece]
    width: int = 1

    def intervals(self) -> list[np.ndarray]:
        """The rows by interval, however they come."""
        found: list[list[np.ndarray]] = [[]]
        for piece in self.pieces:
            if piece is None:
                found.append([])
            else:
                found[-1].append(piece)
        return [np.concatenate(blocks) for blocks in found if blocks]


@st.composite
def scripts(draw, max_gap=20, max_rows=8):
    """Rows with times 1 to `max_gap` us apart and values of all kinds, in pieces of up to `max_rows`, with breaks."""
    width, random = draw(st.integers(1, 2)), np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    share_special = draw(st.sampled_from([0, 0.05, 0.5]))
    pieces: list[Piece] = []
    time = draw(st.integers(0, 20))
    for rows in draw(st.lists(st.integers(1, max_rows) | st.just(None), min_size=1, max_size=10)):
        if rows is None:
            pieces.append(None)
            continue
        values = random.normal(size=(rows, width)) * 10.0 ** random.integers(-8, 8)
        special = random.random(values.shape) < share_special
        values[special] = random.choice(SPECIAL, special.sum())
        times = time + np.cumsum(random.integers(1, max_gap, rows, endpoint=True))
        time = int(times[-1])
        pieces.append(np.column_stack((times, values)))
    return Script(pieces, width)


class _Producer:
    def __init__(self, log: Path, script: Script) -> None:
        self._layout = Layout("float64", script.width)
        self._writer = LogWriter(log, self._layout, stream=log.name, holder="producer", segment_bytes=64 + 16 * 7)
        self._pieces = list(script.pieces)

    def feed(self) -> None:
        """Write until there is a new row, or no more."""
        while self._pieces:
            piece = self._pieces.pop(0)
            if piece is not None:
                self._writer.store(to_rows(piece, self._layout, "script"))
                return
            self._writer.mark_break()
        self.close()

    def close(self) -> None:
        """Close the log, also before the end of the script."""
        self._writer.close()


class _Stepped:
    """A pipe at which the process may die before and after everything that it does."""

    def __init__(self, pipe: Any, life: Life, feed: Callable[[], None] = lambda: None) -> None:
        self._pipe = pipe
        self._life = life
        self._feed = feed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipe, name)

    async def read(self) -> np.ndarray:
        self._life.step()
        self._feed()
        rows: np.ndarray = await self._pipe.read()
        self._life.step()
        return rows

    def consume(self, rows: int) -> None:
        self._life.step()
        self._pipe.consume(rows)
        self._life.step()

    async def write(self, rows: np.ndarray) -> None:
        self._life.step()
        await self._pipe.write(rows)
        self._life.step()

    async def close_interval(self) -> None:
        self._life.step()
        await self._pipe.close_interval()
        self._life.step()


def stored_by(
    make: Callable[[], FilterModule],
    arguments: dict[str, Any],
    inputs: dict[str, Script],
    *,
    directory: Path,
    kills: Sequence[int] = (),
    width: int = 1,
) -> list[np.ndarray]:
    """Run the filter to the end of its inputs, dying after as many steps as `kills` says each time.

    Returns:
        The intervals that its output holds, as 2-D arrays.
    """
    layouts = {name: Layout("float64", script.width) for name, script in inputs.items()}
    layouts["output"] = Layout("float64", width)
    logs = {name: directory / name for name in layouts}
    for name, layout in layouts.items():
        create_log(logs[name], layout, f"/{name}")
    entries = {n: PipeEntry(stream=f"/{n}", log=logs[n], layout=str(layout)) for n, layout in layouts.items()}
    sink = {"output": entries.pop("output")}
    manifest = Manifest(
        module="filter", cursor=directory / "filter.cursor", run=directory / "run", inputs=entries, outputs=sink
    )
    ensure_cursors(manifest.cursor, "filter", {n: logs[n] for n in entries}, {"output": logs["output"]})
    producers = {name: _Producer(logs[name], script) for name, script in inputs.items()}
    with contextlib.ExitStack() as stack:
        for producer in producers.values():
            stack.callback(producer.close)
        for steps in (*kills, None):
            if _lived(make(), argparse.Namespace(**arguments), manifest, producers, steps):
                break
    assert inspect_log(logs["output"]).refused_rows == 0
    return _intervals(logs["output"])


def _lived(module, parsed_args, manifest, producers, steps) -> bool:
    """Run one process; whether it came to the end of the data."""
    life = Life(steps)
    process = OneLife(manifest, life, producers)
    inputs = {name: _Stepped(pipe, life, producers[name].feed) for name, pipe in process.inputs.items()}
    outputs = {name: _Stepped(pipe, life) for name, pipe in process.outputs.items()}

    async def live() -> bool:
        try:
            await module.run(parsed_args, inputs, outputs)
        except Killed:
            return False
        except EmptyPipeError:
            pass
        return True

    try:
        return asyncio.run(live())
    finally:
        process.end()


def _intervals(log: Path) -> list[np.ndarray]:
    found: list[list[np.ndarray]] = [[]]
    for block in read_log(log):
        if block is BREAK:
            found.append([])
        else:
            found[-1].append(flatten_rows(block))
    return [np.concatenate(blocks) for blocks in found if blocks]
