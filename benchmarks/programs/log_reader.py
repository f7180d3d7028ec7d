"""Reads rows from a log while they are written: `python -m benchmarks.programs.log_reader NODE ROWS`."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from benchmarks.programs.answer import answer
from joule.log import runtime_directory
from joule.pipes import LogInput


async def main(node: Path, rows: int) -> None:
    """Read all rows and answer with their rate from the first block to the last."""
    pipe = LogInput("input", node / "log", runtime_directory(node), column=False)
    first = asyncio.ensure_future(pipe.read())
    await asyncio.sleep(0.01)  # into the wait: the reader is there before its writer
    answer(ready=True)
    block = await first
    began_s = time.monotonic()
    skipped = count = len(block)
    pipe.consume(count)
    reads = 1
    while count < rows:
        block = await pipe.read()
        count += len(block)
        reads += 1
        pipe.consume(len(block))
    took_s = time.monotonic() - began_s
    assert block["timestamp"][-1] == rows, "the last row is not the one that was written last"
    await pipe.close()
    answer(rows_s=(rows - skipped) / took_s, reads=reads)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
