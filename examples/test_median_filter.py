"""Unit tests of a filter: put rows into its input, run it to their end, and compare what it wrote."""

import argparse
import asyncio

import numpy as np
from median_filter import EDGE, WINDOW, MedianFilter

from joule import LocalNumpyPipe
from joule.testing import asynctest


class TestFilter(asynctest.TestCase):
    def test_filter(self):
        "the median of each window should appear at its middle, as if all the data had been there at once"
        # build test objects
        my_filter = MedianFilter()
        pipe_in = LocalNumpyPipe("raw", layout="float32_1")
        pipe_out = LocalNumpyPipe("filtered", layout="float32_1")
        args = argparse.Namespace(pipes="unset")
        # fake timestamps are ok, just use an increasing sequence
        data = np.random.rand(200)
        rows = np.hstack((np.arange(200)[:, None], data[:, None]))

        # run filter in an event loop
        loop = asyncio.get_event_loop()
        my_task = asyncio.ensure_future(my_filter.run(args, {"raw": pipe_in}, {"filtered": pipe_out}))
        for chunk in np.split(rows, [10, 70, 71, 150]):
            pipe_in.write_nowait(chunk)
            loop.run_until_complete(asyncio.sleep(0))
        pipe_in.close_nowait()
        loop.run_until_complete(my_task)
        loop.close()

        # check the results
        result = pipe_out.read_nowait()
        expected = [np.median(data[i : i + WINDOW]) for i in range(200 - 2 * EDGE)]
        np.testing.assert_array_equal(result["timestamp"], np.arange(EDGE, 200 - EDGE))
        np.testing.assert_array_almost_equal(result["data"], expected)

    async def test_gap(self):
        "medians should not reach across a gap in the data"
        pipe_in = LocalNumpyPipe("raw", layout="float32_1")
        pipe_out = LocalNumpyPipe("filtered", layout="float32_1")
        for start, value in ((0, 1.0), (100, 5.0)):
            rows = np.column_stack((np.arange(start, start + 30), np.full(30, value)))
            pipe_in.write_nowait(rows)
            pipe_in.close_interval_nowait()
        pipe_in.close_nowait()
        await MedianFilter().run(argparse.Namespace(), {"raw": pipe_in}, {"filtered": pipe_out})

        before = pipe_out.read_nowait()
        self.assertTrue(pipe_out.end_of_interval)
        pipe_out.consume(len(before))
        after = pipe_out.read_nowait()
        np.testing.assert_array_equal(before["timestamp"], np.arange(EDGE, 30 - EDGE))
        np.testing.assert_array_equal(after["timestamp"], np.arange(100 + EDGE, 130 - EDGE))
        self.assertEqual(set(before["data"]), {1.0})
        self.assertEqual(set(after["data"]), {5.0})
