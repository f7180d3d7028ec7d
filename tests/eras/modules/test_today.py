"""Unit tests as they are written today."""

import argparse
import json
import unittest

import numpy as np
from aiohttp.test_utils import TestClient, TestServer
from filter_today import FilterToday, MeanToday
from reader_today import create_dev_app

from joule.models.pipes import LocalPipe


class TestToday(unittest.IsolatedAsyncioTestCase):
    async def test_filter(self):
        pipe_in, pipe_out = LocalPipe("float32_2", name="in"), LocalPipe("float64_1", name="out")
        await pipe_in.write(np.array([[1, 10, 1], [2, 20, 2]]))
        await pipe_in.close_interval()
        await pipe_in.write(np.array([[3, 30, 3]]))
        await pipe_in.close()
        await FilterToday().run(argparse.Namespace(), {"input": pipe_in}, {"output": pipe_out})
        await pipe_out.close()
        result = await pipe_out.read_all()
        np.testing.assert_array_equal(result["data"], [[11], [22], [33]])

    async def test_fir_filter_forwards_intervals(self):
        pipe_in, pipe_out = LocalPipe("float32_1"), LocalPipe("float32_1")
        for start in (0, 100):
            await pipe_in.write(np.column_stack((np.arange(start, start + 10), np.full(10, start))))
            await pipe_in.close_interval()
        await pipe_in.close()
        await MeanToday().run(argparse.Namespace(), {"input": pipe_in}, {"output": pipe_out})
        for start in (0, 100):
            rows = await pipe_out.read()
            np.testing.assert_array_almost_equal(rows["data"], np.full((6, 1), start), decimal=4)
            np.testing.assert_array_equal(rows["timestamp"], np.arange(start + 2, start + 8))
            assert pipe_out.end_of_interval
            pipe_out.consume(len(rows))

    async def test_pages(self):
        async with TestClient(TestServer(create_dev_app(None))) as client:
            answer = await client.get("/count.json")
            assert json.loads(await answer.text())["count"] >= 0
