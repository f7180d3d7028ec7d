#!/usr/bin/env python3
"""2018: everything from `joule`, options, chunks, `stop` overridden without `super()`."""

import asyncio
import json

import numpy as np

import joule
from joule import ReaderModule, time_now


class Reader2018(ReaderModule):
    "Writes a count in chunks"

    def custom_args(self, parser):
        parser.description = "**counts**, in chunks"
        parser.add_argument("--chunk", type=int, default=5, help="rows in a chunk")
        parser.add_argument("--period", type=float, default=0.05, help="seconds from one chunk to the next")
        parser.add_argument("--bounds", type=json.loads, default=[0, 1])
        parser.add_argument("--noisy", type=joule.yesno, default=True)

    async def run(self, parsed_args, output):
        count = 0
        base_ts = time_now()
        while 1:
            end_ts = base_ts + parsed_args.period * 1e6
            ts = np.linspace(base_ts, end_ts, parsed_args.chunk, endpoint=False)
            data = np.arange(count, count + parsed_args.chunk)
            await output.write(np.hstack((ts[:, None], data[:, None])))
            base_ts = end_ts
            count += parsed_args.chunk
            await asyncio.sleep(parsed_args.period)

    def stop(self):
        print("closing network sockets...")


if __name__ == "__main__":
    r = Reader2018()
    r.STOP_TIMEOUT = 0
    r.start()
