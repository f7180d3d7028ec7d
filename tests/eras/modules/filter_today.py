#!/usr/bin/env python3
"""Today: the `not_empty` loop, `reread_last`, the elements of the stream, and the FIR class in its new place."""

import numpy as np

from joule.client import FilterModule, FIRFilterModule


class FilterToday(FilterModule):
    async def setup(self, parsed_args, app, inputs, outputs):
        names = [element.name for element in inputs["input"].stream.elements]
        print(f"app: {app}, elements: {names}")

    async def run(self, parsed_args, inputs, outputs):
        pipe_in = inputs["input"]
        while not self.stop_requested and await pipe_in.not_empty():
            sarray = await pipe_in.read()
            pipe_in.reread_last()
            again = await pipe_in.read(flatten=True)
            assert len(again) == len(sarray)
            sums = sarray["data"].sum(axis=1, keepdims=True)
            await outputs["output"].write(np.hstack((sarray["timestamp"][:, None], sums)))
            pipe_in.consume(len(sarray))


class MeanToday(FIRFilterModule):
    def make_filter(self, parsed_args):
        return np.ones(5) / 5


if __name__ == "__main__":
    FilterToday().start()
