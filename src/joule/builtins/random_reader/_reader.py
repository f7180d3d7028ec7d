"""The random reader: uniform numbers in [0, 1) at an even rate."""

from __future__ import annotations

import argparse
import asyncio
import math

import numpy as np

from joule.builtins.random_reader._timing import MAX_RATE_HZ, MIN_RATE_HZ, Timing
from joule.client import ReaderModule
from joule.core import MAX_WIDTH, time_now
from joule.pipes import Pipe

__all__ = ["RandomReader", "main"]

_JUMP_US = 1_000_000  # what the clocks of a sound machine differ by is a thousandth of that


class RandomReader(ReaderModule):
    """Writes rows of random numbers: one at a time at low rates, in chunks of a second above 20 Hz."""

    def custom_args(self, parser: argparse.ArgumentParser) -> None:
        """Add `--width`, `--rate` and `--seed`."""
        parser.description = "Writes rows of uniform random numbers in [0, 1) at an even rate."
        parser.add_argument("--width", type=_width, default=1, help="elements in each row (default: 1)")
        parser.add_argument("--rate", type=_rate, default=1.0, help="rows a second [Hz] (default: 1)")
        parser.add_argument("--seed", type=int, default=None, help="start of the random sequence (default: any)")

    async def run(self, parsed_args: argparse.Namespace, output: Pipe) -> None:
        """Write each chunk when its last row is due; after a stall, catch up without leaving a row out.

        Where the time jumps ahead, as when the machine gets its clock right, an interval ends and another one begins.
        """
        random = np.random.default_rng(getattr(parsed_args, "seed", None))
        clock = asyncio.get_running_loop().time
        timing, start_s = Timing.at(parsed_args.rate, time_now()), clock()
        first, count = 0, 1  # the very first row alone, so that there is something to see at once
        while not self.stop_requested:
            if time_now() - timing.start_us - (clock() - start_s) * 1e6 > _JUMP_US:
                await output.close_interval()
                timing, start_s = Timing.at(parsed_args.rate, time_now()), clock()
                first, count = 0, 1
            chunk = np.empty((count, 1 + parsed_args.width))
            chunk[:, 0] = timing.timestamps(first, count)
            chunk[:, 1:] = random.random((count, parsed_args.width))
            await output.write(chunk)
            first, count = first + count, timing.chunk_rows
            await asyncio.sleep(start_s + timing.due_s(first + count - 1) - clock())


def _width(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_WIDTH:
        raise argparse.ArgumentTypeError(f"a row has 1 to {MAX_WIDTH} elements, not {text}")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate_hz = float(text)
    except ValueError:
        rate_hz = math.nan
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise argparse.ArgumentTypeError(f"a rate is {MIN_RATE_HZ:f} to {MAX_RATE_HZ:.0f} Hz, not {text}")
    return rate_hz


def main() -> None:
    """Run the module: the program `joule-random-reader`."""
    RandomReader().start()
