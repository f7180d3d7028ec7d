#!/usr/bin/env python3
"""A composite: the reader and the filter beside this file, in one process."""

import argparse

from high_bandwidth_reader import HighBandwidthReader
from median_filter import MedianFilter

from joule import CompositeModule, LocalNumpyPipe


class ExampleComposite(CompositeModule):
    "Example composite: a reader and a filter connected by a pipe in memory"

    def custom_args(self, parser):
        parser.description = "Writes random values at a high rate, and their medians."
        parser.add_argument("--rate", type=float, default=1000.0, help="values a second [Hz] (default: 1000)")

    async def setup(self, parsed_args, inputs, outputs):
        reader = HighBandwidthReader()
        median_filter = MedianFilter()
        # from the reader to the filter, and a copy to the stream that is stored
        raw = LocalNumpyPipe("raw", layout="float32_1")
        raw.subscribe(outputs["raw"])
        return [
            reader.run(argparse.Namespace(rate=parsed_args.rate), raw),
            median_filter.run(argparse.Namespace(), {"raw": raw}, {"filtered": outputs["filtered"]}),
        ]


if __name__ == "__main__":
    c = ExampleComposite()
    c.start()
