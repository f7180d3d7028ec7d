"""Unit tests as the page has them: asynctest (its import line changed), the loop closed by the test itself."""

import argparse
import asyncio

import numpy as np
import pytest
from composite_2018 import Mean2018
from filter_2018 import EDGE, WINDOW, Filter2018
from reader_2018 import Reader2018
from scipy.signal import medfilt

from joule import LocalNumpyPipe
from joule.testing import asynctest

pytestmark = pytest.mark.filterwarnings("ignore:kernel_size exceeds")  # scipy's, about the rows that wait for more


class TestReader2018(asynctest.TestCase):
    def test_reader(self):
        "with chunks of 4, the reader counts on from chunk to chunk"
        my_reader = Reader2018()
        pipe = LocalNumpyPipe("output", layout="float32_1")
        args = argparse.Namespace(chunk=4, period=0.01, pipes="unset")
        loop = asyncio.get_event_loop()
        my_task = asyncio.ensure_future(my_reader.run(args, pipe))
        loop.call_later(0.1, my_task.cancel)
        try:
            loop.run_until_complete(my_task)
        except asyncio.CancelledError:
            pass
        loop.close()
        result = pipe.read_nowait()
        np.testing.assert_array_equal(result["data"], np.arange(len(result)))
        np.testing.assert_array_almost_equal(np.diff(result["timestamp"]) / 1e6, np.ones(len(result) - 1) * 0.0025)


class TestFilter2018(asynctest.TestCase):
    def test_filter(self):
        "the medians are those of a filter over the whole data set, however it is cut into reads"
        data = np.random.rand(200).astype(np.float32)
        pipe_in = LocalNumpyPipe("input", layout="float32_1")
        pipe_out = LocalNumpyPipe("output", layout="float32_1")
        my_filter = Filter2018()
        loop = asyncio.get_event_loop()
        my_task = asyncio.ensure_future(my_filter.run(argparse.Namespace(), {"raw": pipe_in}, {"filtered": pipe_out}))
        for block in np.array_split(np.hstack((np.arange(200)[:, None], data[:, None])), 7):
            pipe_in.write_nowait(block)
            loop.run_until_complete(asyncio.sleep(0))
        pipe_in.close()
        loop.run_until_complete(my_task)
        loop.close()
        result = pipe_out.read_nowait()
        np.testing.assert_array_equal(result["timestamp"], np.arange(EDGE, 200 - EDGE))
        np.testing.assert_array_equal(result["data"], medfilt(data, WINDOW)[EDGE:-EDGE])

    def test_fir_filter(self):
        "a mean of three"
        pipe_in = LocalNumpyPipe("input", layout="float32_2")
        pipe_out = LocalNumpyPipe("output", layout="float32_2")
        pipe_in.write_nowait(np.hstack((np.arange(9)[:, None], np.arange(18).reshape(9, 2))))
        pipe_in.close_nowait()
        task = asyncio.ensure_future(Mean2018().run(argparse.Namespace(), {"input": pipe_in}, {"output": pipe_out}))
        asyncio.get_event_loop().run_until_complete(task)
        result = pipe_out.read_nowait(flatten=True)
        np.testing.assert_array_almost_equal(result[:, 1], np.arange(2, 16, 2))
        np.testing.assert_array_equal(result[:, 0], np.arange(1, 8))
