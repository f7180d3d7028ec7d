"""The demo's composite: both streams are written, and belong to each other."""

import argparse
import asyncio

import numpy as np

from joule.builtins.demo_composite import DemoComposite
from joule.pipes import LocalPipe


async def test_smooth_is_the_moving_mean_of_raw_and_a_stop_ends_both_modules() -> None:
    outputs = {"raw": LocalPipe("float64_2"), "smooth": LocalPipe("float64_2")}
    composite = DemoComposite()
    children = await composite.setup(argparse.Namespace(rate=50.0, window=5), {}, dict(outputs))
    tasks = [asyncio.ensure_future(child) for child in children]
    await outputs["smooth"].read()
    composite.stop()
    await asyncio.gather(*tasks)

    raw, smooth = outputs["raw"].read_nowait(), outputs["smooth"].read_nowait()
    np.testing.assert_array_equal(smooth["timestamp"], raw["timestamp"][2:-2])
    np.testing.assert_allclose(smooth["data"][0], raw["data"][:5].mean(axis=0), rtol=1e-6)


def test_it_can_be_stopped_before_it_was_set_up() -> None:
    DemoComposite().stop()
