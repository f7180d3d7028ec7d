#!/usr/bin/env python3
"""2017: a name for the constructor, texts for `-h` as attributes, a positional argument, a loop without an end."""

import asyncio

import numpy as np

from joule.client import ReaderModule
from joule.utils.time import now as time_now


class Reader2017(ReaderModule):
    def __init__(self):
        super(Reader2017, self).__init__("Counting Reader")  # noqa: UP008  # as it was written then
        self.description = "counts"
        self.help = "writes 0, 1, 2 and so on"

    def custom_args(self, parser):
        parser.add_argument("period", type=float, help="seconds from one row to the next")

    async def run(self, parsed_args, output):
        count = 0
        while 1:
            await output.write(np.array([[time_now(), count]]))
            await asyncio.sleep(parsed_args.period)
            count += 1


if __name__ == "__main__":
    r = Reader2017()
    r.start()
