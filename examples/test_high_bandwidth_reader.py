"""A unit test in today's form: the test is a coroutine, and nothing but the standard library runs it."""

import argparse
import asyncio
import time
import unittest
import unittest.mock

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

    async def test_time_that_has_jumped_ahead(self):
        "a gap should be left where the clock was set forward, and not be filled with made-up rows"
        ahead = 0

        def time_now():
            return int(time.time() * 1e6) + ahead

        pipe = LocalPipe("float32_1")
        with unittest.mock.patch("high_bandwidth_reader.time_now", time_now):
            task = asyncio.create_task(HighBandwidthReader().run(argparse.Namespace(rate=1000.0), pipe))
            await pipe.read()
            ahead = 3600 * 1_000_000
            last = 0
            while last < time_now() - 10_000_000:
                rows = await pipe.read()
                pipe.consume(len(rows))
                last = rows["timestamp"][-1]
            task.cancel()
        self.assertLess(pipe.statistics().rows_read, 10_000)
