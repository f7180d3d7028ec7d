"""A unit test of a composite: set it up with local pipes, and run the coroutines that it returns."""

import argparse
import asyncio
import unittest

import numpy as np
from example_composite import ExampleComposite
from median_filter import EDGE, WINDOW

from joule import LocalPipe


class TestComposite(unittest.IsolatedAsyncioTestCase):
    async def test_composite(self):
        "both streams should be written, the medians with the times of the middle rows"
        outputs = {"raw": LocalPipe("float32_1"), "filtered": LocalPipe("float32_1")}
        children = await ExampleComposite().setup(argparse.Namespace(rate=100.0), {}, outputs)
        tasks = [asyncio.ensure_future(child) for child in children]
        filtered = await outputs["filtered"].read()
        for task in tasks:
            task.cancel()

        raw = outputs["raw"].read_nowait()
        np.testing.assert_array_equal(filtered["timestamp"], raw["timestamp"][EDGE:-EDGE])
        self.assertEqual(filtered["data"][0], np.median(raw["data"][:WINDOW]))
