#!/usr/bin/env python3
"""A filter with a window: the result is the same as if it ran over all the data at once."""

import numpy as np

from joule import EmptyPipe, FilterModule

WINDOW = 21
EDGE = WINDOW // 2


class MedianFilter(FilterModule):
    "Example filter: replaces each row by the median of the rows around it"

    def custom_args(self, parser):
        parser.description = f"Replaces each row by the median of the {WINDOW} rows around it."

    async def run(self, parsed_args, inputs, outputs):
        raw = inputs["raw"]
        filtered = outputs["filtered"]
        while not self.stop_requested:
            try:
                rows = await raw.read()
            except EmptyPipe:  # there will be no more data
                break
            if len(rows) >= WINDOW:
                windows = np.lib.stride_tricks.sliding_window_view(rows["data"], WINDOW, axis=0)
                medians = rows[EDGE:-EDGE].copy()
                medians["data"] = np.median(windows, axis=-1)
                await filtered.write(medians)
            if raw.end_of_interval:
                # a gap in the data: no window reaches across it
                raw.consume(len(rows))
                await filtered.close_interval()
            elif len(rows) >= WINDOW:
                # the last rows are the beginning of windows still to come: read them again with the next rows
                raw.consume(len(rows) - 2 * EDGE)


if __name__ == "__main__":
    f = MedianFilter()
    f.start()
