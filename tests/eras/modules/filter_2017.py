#!/usr/bin/env python3
"""2017: one-element rows are 1-D; on a column, np.diff() would give nothing. The last row waits for the next one."""

import numpy as np

from joule.client import FilterModule


class Filter2017(FilterModule):
    def __init__(self):
        super(Filter2017, self).__init__("Difference Filter")  # noqa: UP008  # as it was written then
        self.description = "differences"
        self.help = "subtracts from each value the one before it"

    async def run(self, parsed_args, inputs, outputs):
        while 1:
            rows = await inputs["raw"].read()
            if len(rows) > 1:
                steps = np.diff(rows["data"])
                await outputs["steps"].write(np.column_stack((rows["timestamp"][1:], steps)))
                inputs["raw"].consume(len(rows) - 1)


if __name__ == "__main__":
    f = Filter2017()
    f.start()
