"""The median filter: what it takes away, what it keeps, its one argument, and its command line."""

import argparse
import subprocess
import sys

import numpy as np
import pytest

from joule.builtins.median_filter import MedianFilter
from joule.pipes import LocalPipe


async def medians(values: np.ndarray, window: int) -> np.ndarray:
    layout = f"float64_{values.shape[1]}"
    source, target = LocalPipe(layout), LocalPipe(layout)
    source.write_nowait(np.column_stack((np.arange(len(values)), values)))
    source.close_nowait()
    await MedianFilter().run(argparse.Namespace(window=window), {"input": source}, {"output": target})
    return target.read_nowait(flatten=True)


async def test_an_outlier_goes_and_an_edge_stays() -> None:
    values = np.array([1, 1, 99, 1, 1, 5, 5, 5], float)[:, None]
    rows = await medians(values, 3)
    np.testing.assert_array_equal(rows, [[1, 1], [2, 1], [3, 1], [4, 1], [5, 5], [6, 5]])


async def test_of_an_even_window_it_is_the_mean_of_the_two_in_the_middle_at_the_later_one() -> None:
    rows = await medians(np.array([[4.0], [1.0], [2.0], [9.0]]), 4)
    np.testing.assert_array_equal(rows, [[2, 3.0]])


async def test_each_element_has_its_own_median() -> None:
    values = np.random.default_rng(3).random((50, 3))
    rows = await medians(values, 5)
    np.testing.assert_array_equal(rows[:, 1:], [np.median(values[i : i + 5], axis=0) for i in range(46)])


async def test_nan_makes_the_medians_of_its_windows_nan_and_no_other() -> None:
    values = np.array([1, 2, np.nan, 4, 5, 6, np.inf, 8], float)[:, None]
    rows = await medians(values, 3)
    np.testing.assert_array_equal(rows[:, 1], [np.nan, np.nan, np.nan, 5, 6, 8])


async def test_a_window_of_one_passes_rows_on() -> None:
    values = np.random.default_rng(2).random((5, 2))
    np.testing.assert_array_equal((await medians(values, 1))[:, 1:], values)


async def test_an_interval_shorter_than_the_window_gives_nothing() -> None:
    assert len(await medians(np.ones((5, 1)), 6)) == 0


def test_a_window_of_no_rows_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    MedianFilter().custom_args(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--window=0"])
    assert "a window is a number of rows (1, 2, 3, ...), not 0" in capsys.readouterr().err


def test_without_pipes_the_program_says_that_it_needs_them() -> None:
    program = [sys.executable, "-m", "joule.builtins.median_filter", "--window", "3"]
    done = subprocess.run(program, capture_output=True, text=True, timeout=15, check=False)
    assert done.returncode == 1
    assert "needs pipes" in done.stderr
