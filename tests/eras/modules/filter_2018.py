#!/usr/bin/env python3
"""2018: the page's median filter. It changes what it read in place, and leaves rows unconsumed for its next window."""

from scipy.signal import medfilt

from joule import EmptyPipe, FilterModule

WINDOW = 21
EDGE = (WINDOW - 1) // 2


class Filter2018(FilterModule):
    "Medians of 21 rows"

    async def run(self, parsed_args, inputs, outputs):
        stream_in = inputs["raw"]
        stream_out = outputs["filtered"]
        while 1:
            try:
                vals = await stream_in.read()
            except EmptyPipe:
                break
            vals["data"] = medfilt(vals["data"], WINDOW)
            await stream_out.write(vals[EDGE:-EDGE])
            nsamples = len(vals) - 2 * EDGE
            if nsamples > 0:
                stream_in.consume(nsamples)


if __name__ == "__main__":
    f = Filter2018()
    f.start()
