"""A unit test in the seed page's form: an ordinary test that runs the event loop itself."""

import argparse
import asyncio

import numpy as np
from example_reader import ExampleReader

from joule import LocalNumpyPipe
from joule.testing import asynctest


class TestReader(asynctest.TestCase):
    def test_reader(self):
        "with a period of 0.1, reader should generate values between 0 and 1, 0.1 seconds apart"
        # build test objects
        my_reader = ExampleReader()
        pipe = LocalNumpyPipe("output", layout="float32_1")
        args = argparse.Namespace(period=0.1, pipes="unset")

        # run reader in an event loop
        loop = asyncio.get_event_loop()
        my_task = asyncio.ensure_future(my_reader.run(args, pipe))
        loop.call_later(1, my_task.cancel)
        try:
            loop.run_until_complete(my_task)
        except asyncio.CancelledError:
            pass
        loop.close()

        # check the results
        result = pipe.read_nowait()
        # a busy machine may leave out rows at the end, but never adds any or brings them closer together
        self.assertLessEqual(len(result), 10)
        self.assertGreaterEqual(len(result), 2)
        self.assertTrue(np.all(np.diff(result["timestamp"]) / 1e6 > 0.099))
        self.assertTrue(np.all((result["data"] >= 0) & (result["data"] <= 1)))
