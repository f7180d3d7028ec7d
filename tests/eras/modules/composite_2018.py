#!/usr/bin/env python3
"""2018: a reader and a FIR filter of its own in one process, joined by a pipe in memory."""

import argparse

import numpy as np
from reader_2018 import Reader2018

from joule import CompositeModule, FIRFilterModule, LocalNumpyPipe


class Mean2018(FIRFilterModule):
    def make_filter(self, parsed_args):
        return np.ones(3) / 3


class Composite2018(CompositeModule):
    "The mean of a count"

    STOP_TIMEOUT = 0

    async def setup(self, parsed_args, inputs, outputs):
        pipe = LocalNumpyPipe(name="raw", layout="float32_1")
        args = argparse.Namespace(chunk=5, period=0.05)
        return [
            Reader2018().run(args, pipe),
            Mean2018().run(argparse.Namespace(), {"input": pipe}, {"output": outputs["mean"]}),
        ]


if __name__ == "__main__":
    c = Composite2018()
    c.start()
