"""One row at 100 Hz, and how long it takes: `python -m benchmarks.programs.latency ROLE WHERE ROWS`.

Roles: log-writer and log-reader (WHERE: the node's directory), pipe-writer and pipe-reader (WHERE: a descriptor of an
`os.pipe`). A row carries the clock's reading from before its write in its first element.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np

from benchmarks.programs.answer import answer
from benchmarks.programs.chunks import LAYOUT, make_chunk
from joule.core import Rows
from joule.log import runtime_directory
from joule.pipes import LogInput, LogOutput

PERIOD_S = 0.01


async def send(rows: int, write: Callable[[Rows], Awaitable[None]]) -> None:
    """Write a row every 10 ms, with the clock in it."""
    chunk, times = make_chunk(1)
    due_s = time.monotonic()
    for _ in range(rows):
        due_s += PERIOD_S
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        chunk["data"][0, 0] = time.monotonic()
        await write(chunk)
        times += 1


async def receive(rows: int, read: Callable[[], Awaitable[Rows]]) -> None:
    """Answer with the latencies [s] of all rows but the first few."""
    latencies: list[float] = []
    while len(latencies) < rows:
        block = await read()
        now_s = time.monotonic()
        latencies.extend(now_s - sent_s for sent_s in block["data"][:, 0].tolist())
    answer(latencies_s=latencies[10:])


async def log_writer(where: str, rows: int) -> None:
    """Send through a log."""
    node = Path(where)
    pipe = LogOutput("output", node / "log", LAYOUT, runtime_directory(node), stream="/bench/rows", holder="benchmark")
    await send(rows, pipe.write)
    await pipe.close()


async def log_reader(where: str, rows: int) -> None:
    """Receive through a log."""
    node = Path(where)
    pipe = LogInput("input", node / "log", runtime_directory(node))

    async def read() -> Rows:
        block = await pipe.read()
        pipe.consume(len(block))
        return block

    answer(ready=True)
    await receive(rows, read)
    await pipe.close()


async def pipe_writer(where: str, rows: int) -> None:
    """Send through an `os.pipe`."""
    fd = int(where)

    async def write(chunk: Rows) -> None:
        os.write(fd, chunk.tobytes())

    await send(rows, write)


async def pipe_reader(where: str, rows: int) -> None:
    """Receive through an `os.pipe`: the least that asyncio needs to wake a coroutine."""
    fd = int(where)
    os.set_blocking(fd, False)
    loop = asyncio.get_running_loop()

    async def read() -> Rows:
        readable = loop.create_future()
        loop.add_reader(fd, lambda: readable.done() or readable.set_result(None))
        await readable
        loop.remove_reader(fd)
        return np.frombuffer(os.read(fd, 65536), LAYOUT.dtype)

    answer(ready=True)
    await receive(rows, read)


ROLES = {"log-writer": log_writer, "log-reader": log_reader, "pipe-writer": pipe_writer, "pipe-reader": pipe_reader}

if __name__ == "__main__":
    asyncio.run(ROLES[sys.argv[1]](sys.argv[2], int(sys.argv[3])))
