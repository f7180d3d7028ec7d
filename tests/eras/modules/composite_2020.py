#!/usr/bin/env python3
"""2018 to 2024: children run directly on `LocalPipe`s, one of which is copied to a stream."""

import argparse

from filter_2020 import Filter2020
from reader_2017 import Reader2017

from joule.client import CompositeModule
from joule.models.pipes import LocalPipe


class Composite2020(CompositeModule):
    STOP_TIMEOUT = 0

    async def setup(self, parsed_args, inputs, outputs):
        raw = LocalPipe(name="raw", layout="float32_1")
        raw.subscribe(outputs["raw"])
        return [
            Reader2017().run(argparse.Namespace(period=0.02), raw),
            Filter2020().run(argparse.Namespace(offset=1000), {"input": raw}, {"output": outputs["moved"]}),
        ]


if __name__ == "__main__":
    Composite2020().start()
