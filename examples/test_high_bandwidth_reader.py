"""A unit test in today's form: the test is a coroutine, and nothing but the standard library runs it."""

import argparse
import asyncio
import unittest

import numpy as np
from high_bandwidth_reader import HighBandwidthReader

from joule import LocalPipe


class TestHighBandwidthReader(unittest.IsolatedAsyncioTestCase):
    async def test_chunks(self):
        "rows should be one period apart, inside a chunk and from one chunk to the next"
        pipe = LocalPipe("float32_1")
        task = asyncio.create_task(HighBandwidthReader().run(argparse.Namespace(rate=1000.0), pipe))
        rows = await pipe.read()
        while len(rows) < 2000:  # two chunks
            rows = await pipe.read()
        task.cancel()

        self.assertEqual(len(rows) % 1000, 0)
        self.assertEqual(set(np.diff(rows["timestamp"])), {1000})
