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


@pytest.mark.parametrize("window", ["0", "-3", "2.5", "many", ""])
def test_a_window_that_is_no_number_of_rows_is_a_usage_error_that_says_so(
    window: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments(f"--window={window}")
    assert ended.value.code == 2
    assert f"a window is a number of rows (1, 2, 3, ...), not {window}" in capsys.readouterr().err


@pytest.mark.parametrize("window", ["1", "4", "21"])
def test_any_number_of_rows_is_a_window(window: str) -> None:
    assert arguments("--window", window).window == int(window)


async def test_an_even_window_is_stamped_with_the_later_of_its_two_middle_rows() -> None:
    np.testing.assert_array_equal(await means(np.array([[1.0], [2.0], [6.0]]), 2), [[1, 1.5], [2, 4]])


async def test_a_mean_over_ten_thousand_rows_is_exact_where_a_running_total_would_not_be() -> None:
    values = np.full((10_001, 1), 1e-3)
    values[0] = 1e16
    np.testing.assert_allclose((await means(values, 10_000))[-1, 1], 1e-3, rtol=1e-12)


def test_without_pipes_the_program_says_that_it_needs_them() -> None:
    program = [sys.executable, "-m", "joule.builtins.mean_filter", "--window", "3"]
    done = subprocess.run(program, capture_output=True, text=True, timeout=15, check=False)
    assert done.returncode == 1
    assert "needs pipes" in done.stderr
    assert "Traceback" not in done.stderr
