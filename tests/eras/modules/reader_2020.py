#!/usr/bin/env python3
"""2018 to 2024: several streams from one device, so a filter without inputs; they have columns of one element."""

import asyncio

import joule.client
from joule.utilities import time_now


class Reader2020(joule.client.FilterModule):
    def custom_args(self, parser):
        grp = parser.add_argument_group("device")
        grp.add_argument("--sea-level", type=float, default=1013.25, help="pressure [hPa]")

    async def run(self, parsed_args, inputs, outputs):
        count = 0
        while not self.stop_requested:
            ts = time_now()
            await outputs["count"].write([[ts, count]])
            await outputs["pressure"].write([[ts, parsed_args.sea_level, -count]])
            if count % 10 == 9:
                await outputs["count"].close_interval()
            count += 1
            await asyncio.sleep(0.02)


if __name__ == "__main__":
    Reader2020().start()
