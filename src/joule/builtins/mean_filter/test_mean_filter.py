"""The mean filter: its arithmetic, its one argument, and its command line."""

import argparse
import subprocess
import sys

import numpy as np
import pytest

from joule.builtins.mean_filter import MeanFilter
from joule.pipes import LocalPipe


def arguments(*texts: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    MeanFilter().custom_args(parser)
    return parser.parse_args(texts)


async def means(values: np.ndarray, window: int) -> np.ndarray:
    layout = f"float64_{values.shape[1]}"
    source, target = LocalPipe(layout), LocalPipe(layout)
    source.write_nowait(np.column_stack((np.arange(len(values)), values)))
    source.close_nowait()
    await MeanFilter().run(argparse.Namespace(window=window), {"input": source}, {"output": target})
    return target.read_nowait(flatten=True)


async def test_each_row_is_the_mean_of_the_rows_around_it() -> None:
    values = np.column_stack((np.arange(10.0), np.arange(10.0) ** 2))
    rows = await means(values, 3)
    np.testing.assert_array_equal(rows[:, 0], np.arange(1, 9))
    np.testing.assert_allclose(rows[:, 1], np.arange(1, 9))
    np.testing.assert_allclose(rows[:, 2], [np.mean(values[i : i + 3, 1]) for i in range(8)])


async def test_a_window_of_one_passes_rows_on_as_they_are() -> None:
    values = np.random.default_rng(2).random((5, 2))
    np.testing.assert_array_equal((await means(values, 1))[:, 1:], values)


@pytest.mark.parametrize("window", ["0", "-3", "4", "2.5", "many", ""])
def test_a_window_that_is_no_odd_number_is_a_usage_error_that_says_so(
    window: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments(f"--window={window}")
    assert ended.value.code == 2
    assert f"a window is an odd number of rows (1, 3, 5, ...), not {window}" in capsys.readouterr().err


def test_an_odd_window_is_taken() -> None:
    assert arguments("--window", "21").window == 21


def test_without_pipes_the_program_says_that_it_needs_them() -> None:
    program = [sys.executable, "-m", "joule.builtins.mean_filter", "--window", "3"]
    done = subprocess.run(program, capture_output=True, text=True, timeout=15, check=False)
    assert done.returncode == 1
    assert "needs pipes" in done.stderr
    assert "Traceback" not in done.stderr
