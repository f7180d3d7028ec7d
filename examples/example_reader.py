#!/usr/bin/env python3
"""A reader for slow sources: one row at a time."""

import asyncio

import numpy as np

from joule import ReaderModule, time_now


class ExampleReader(ReaderModule):
    "Example reader: generates random values"

    def custom_args(self, parser):
        parser.description = "Writes a random value every now and then."
        parser.add_argument("--period", type=float, default=1.0, help="seconds from one row to the next (default: 1)")

    async def run(self, parsed_args, output):
        while not self.stop_requested:
            value = np.random.rand()  # data from sensor
            await output.write(np.array([[time_now(), value]]))
            await asyncio.sleep(parsed_args.period)


if __name__ == "__main__":
    r = ExampleReader()
    r.start()
