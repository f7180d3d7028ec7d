"""Writes rows into a log as fast as it can: `python -m benchmarks.programs.log_writer NODE CHUNK ROWS`."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from benchmarks.programs.answer import answer
from benchmarks.programs.chunks import LAYOUT, make_chunk
from joule.log import runtime_directory
from joule.pipes import LogOutput


async def main(node: Path, chunk_rows: int, rows: int) -> None:
    """Write and answer with the rate of the writes alone."""
    pipe = LogOutput(
        "output", node / "log", LAYOUT, runtime_directory(node), stream="/bench/rows", holder="benchmark", column=False
    )
    chunk, times = make_chunk(chunk_rows)
    answer(ready=True)
    began_s = time.monotonic()
    for _ in range(rows // chunk_rows):
        await pipe.write(chunk)
        times += chunk_rows
    took_s = time.monotonic() - began_s
    await pipe.close()
    answer(rows_s=rows / took_s)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
