"""The smallest reader module, run alone: `python benchmarks/programs/first_row.py`; its first row is one line."""

import asyncio

import numpy as np

from joule import ReaderModule, time_now


class FirstRowReader(ReaderModule):
    """Writes one row and then waits to be stopped."""

    async def run(self, parsed_args, output):
        await output.write(np.array([[time_now(), 1.0]]))
        while not self.stop_requested:
            await asyncio.sleep(0.1)


if __name__ == "__main__":
    FirstRowReader().start()
