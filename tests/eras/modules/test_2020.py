"""Unit tests as they were written from 2018 to 2024, also in their stale forms: name first, `EmptyPipe`."""

import argparse
import asyncio
import unittest

import numpy as np
from filter_2020 import Filter2020
from reader_2020 import Reader2020

from joule.models.pipes import LocalPipe


class Test2020(unittest.IsolatedAsyncioTestCase):
    async def test_filter(self):
        pipe_in = LocalPipe("input", layout="float32_1")
        pipe_out = LocalPipe("float32_1", name="output")
        test_data = np.hstack((np.arange(10)[:, None], np.arange(10)[:, None]))
        pipe_in.write_nowait(test_data)
        pipe_in.close_interval_nowait()
        pipe_in.write_nowait(test_data)
        pipe_in.close_nowait()
        await Filter2020().run(argparse.Namespace(offset=2), {"input": pipe_in}, {"output": pipe_out})
        for _ in range(2):
            result = await pipe_out.read()
            np.testing.assert_array_equal(result["data"], np.arange(10)[:, None] + 2)
            np.testing.assert_array_equal(result["timestamp"], np.arange(10))
            pipe_out.consume(len(result))

    async def test_several_outputs(self):
        count, pressure = LocalPipe("int32_1", name="count"), LocalPipe("float64_2", name="pressure")
        module = Reader2020()
        outputs = {"count": count, "pressure": pressure}
        task = asyncio.create_task(module.run(argparse.Namespace(sea_level=1000.5), {}, outputs))
        first = await count.read(flatten=True)
        self.assertEqual((await pressure.read(flatten=True))[0, 1:].tolist(), [1000.5, 0])
        self.assertEqual(first[0, 1], 0)
        module.stop()
        await task
