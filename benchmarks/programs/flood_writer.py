"""A reader module that writes single rows as fast as it can, for a node: what a flood beside it slows down."""

import numpy as np

from joule import ReaderModule


class FloodWriter(ReaderModule):
    """Writes without end."""

    async def run(self, parsed_args, output):
        row = np.zeros((1, 2))
        while not self.stop_requested:
            row[0, 0] += 1
            await output.write(row)


if __name__ == "__main__":
    FloodWriter().start()
