#!/usr/bin/env python3
"""A reader for fast sources: rows in chunks, each beginning exactly where the one before it ended."""

import asyncio

import numpy as np

from joule import ReaderModule, time_now

CHUNK_S = 1.0
LATE_S = 5.0


class HighBandwidthReader(ReaderModule):
    "Example reader: generates random values at a high rate, in chunks of a second"

    def custom_args(self, parser):
        parser.description = "Writes random values at a high rate."
        parser.add_argument("--rate", type=float, default=1000.0, help="values a second [Hz] (default: 1000)")

    async def run(self, parsed_args, output):
        # a count is a whole number: linspace takes no other
        count = max(1, int(parsed_args.rate * CHUNK_S))
        # the system clock says when the first chunk begins; after that, chunks follow each other without a gap
        start = time_now()
        while not self.stop_requested:
            end = start + count * 1e6 / parsed_args.rate
            # wait until the sensor has filled its buffer
            await asyncio.sleep((end - time_now()) / 1e6)
            data = np.random.rand(count)  # read from sensor buffer
            # endpoint=False: the row at `end` is the first one of the next chunk
            ts = np.linspace(start, end, count, endpoint=False)
            # write chunk to output stream
            await output.write(np.hstack((ts[:, None], data[:, None])))
            start = end
            if time_now() - start > LATE_S * 1e6:
                # the clock was set forward, or this machine slept: there is no data of that time to catch up with
                await output.close_interval()
                start = time_now()


if __name__ == "__main__":
    r = HighBandwidthReader()
    r.start()
