"""The same chunks through ezmsg, between two processes: `python -m benchmarks.programs.ezmsg_pair CHUNK ROWS`.

As favourable to it as its public API allows: its own shared memory with buffers of the right size from the start, the
sender's array reused, the receiver looking at the message in place and without a copy of its own.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import AsyncGenerator
from typing import Any

import ezmsg.core as ez
import numpy as np

from benchmarks.programs.answer import answer
from benchmarks.programs.chunks import LAYOUT, make_chunk


class PairSettings(ez.Settings):
    """How much is sent."""

    chunk_rows: int
    rows: int


class Sender(ez.Unit):
    """Sends chunks as fast as it can."""

    SETTINGS = PairSettings
    OUTPUT = ez.OutputStream(np.ndarray)

    async def initialize(self) -> None:
        self.OUTPUT.buf_size = 2**16 + self.SETTINGS.chunk_rows * LAYOUT.row_bytes

    @ez.publisher(OUTPUT)
    async def send(self) -> AsyncGenerator[Any, None]:
        rows = self.SETTINGS.chunk_rows
        chunk, times = make_chunk(rows)
        for _ in range(self.SETTINGS.rows // rows):
            yield self.OUTPUT, chunk
            times += rows


class Receiver(ez.Unit):
    """Counts rows and answers with their rate from the first chunk to the last."""

    SETTINGS = PairSettings
    INPUT = ez.InputStream(np.ndarray)

    async def initialize(self) -> None:
        self.count = 0
        self.began_s = 0.0

    @ez.subscriber(INPUT)
    async def receive(self, chunk: Any) -> None:
        self.count += len(chunk)
        if self.count == self.SETTINGS.chunk_rows:
            self.began_s = time.monotonic()
        if self.count >= self.SETTINGS.rows:
            took_s = time.monotonic() - self.began_s
            assert chunk["timestamp"][-1] == self.SETTINGS.rows, "the last row is not the one that was sent last"
            answer(rows_s=(self.SETTINGS.rows - self.SETTINGS.chunk_rows) / took_s)
            raise ez.NormalTermination


def main(chunk_rows: int, rows: int) -> None:
    """Run both until all rows have arrived."""
    settings = PairSettings(chunk_rows=chunk_rows, rows=rows)
    sender, receiver = Sender(settings), Receiver(settings)
    ez.run(
        components={"SENDER": sender, "RECEIVER": receiver},
        connections=((sender.OUTPUT, receiver.INPUT),),
        process_components=(sender, receiver),
    )


if __name__ == "__main__":
    os.environ.setdefault("EZMSG_LOGLEVEL", "ERROR")
    os.environ.setdefault("EZMSG_DISABLE_BACKPRESSURE_WARNING", "1")
    main(int(sys.argv[1]), int(sys.argv[2]))
