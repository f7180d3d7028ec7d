"""Unit tests as they were written in 2017: an event loop of one's own, and pipes from `joule.utils`."""

import argparse
import asyncio
import unittest

import numpy as np
from filter_2017 import Filter2017
from reader_2017 import Reader2017

from joule.utils.localnumpypipe import LocalNumpyPipe


class Test2017(unittest.TestCase):
    def setUp(self):
        self.loop = asyncio.new_event_loop()

    def tearDown(self):
        self.loop.close()

    def test_reader(self):
        pipe = LocalNumpyPipe("output", layout="float32_1")
        args = argparse.Namespace(period=0.01, pipes="unset")
        task = self.loop.create_task(Reader2017().run(args, pipe))
        while len(pipe.read_nowait()) < 4:
            self.loop.run_until_complete(asyncio.sleep(0.01))
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            self.loop.run_until_complete(task)
        np.testing.assert_array_equal(pipe.read_nowait()["data"][:4], np.arange(4))

    def test_filter(self):
        raw, steps = LocalNumpyPipe("raw", layout="float32_1"), LocalNumpyPipe("steps", layout="float32_1")
        raw.write_nowait(np.column_stack((np.arange(10), np.arange(10) ** 2)))
        task = self.loop.create_task(Filter2017().run(argparse.Namespace(), {"raw": raw}, {"steps": steps}))
        result = self.loop.run_until_complete(steps.read())
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            self.loop.run_until_complete(task)
        np.testing.assert_array_equal(result["data"], 2 * np.arange(1, 10) - 1)
        np.testing.assert_array_equal(result["timestamp"], np.arange(1, 10))
