"""The random reader: when its rows are stamped, when they are written, and what it looks like in a terminal."""

import argparse
import asyncio
import itertools
import math
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joule.builtins.random_reader import RandomReader, _reader
from joule.builtins.random_reader._timing import MAX_RATE_HZ, MIN_RATE_HZ, Timing
from joule.core import time_now
from joule.pipes import LocalPipe


def arguments(*texts: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    RandomReader().custom_args(parser)
    return parser.parse_args(texts)


@given(
    rate=st.floats(MIN_RATE_HZ, MAX_RATE_HZ),
    start=st.integers(0, 2**52),
    first=st.integers(0, 10**9),
    counts=st.lists(st.integers(1, 50), min_size=1, max_size=5),
)
def test_row_k_is_stamped_k_periods_after_the_first_however_the_rows_are_cut(
    rate: float, start: int, first: int, counts: list[int]
) -> None:
    timing = Timing.at(rate, start)
    first %= math.ceil(2**52 * rate / 1e6)  # timestamps end with int64
    row = first
    chunks = []
    for count in counts:
        chunks.append(timing.timestamps(row, count))
        row += count
    expected = [start + int(k * 1_000_000 / timing.rate_hz) for k in range(first, row)]
    assert np.concatenate(chunks).tolist() == expected
    assert all(later > earlier for earlier, later in itertools.pairwise(expected))


def test_a_rate_is_what_the_person_wrote() -> None:
    assert Timing.at(0.1, 0).rate_hz == Fraction(1, 10)
    assert Timing.at(0.1, 0).timestamps(3, 2).tolist() == [30_000_000, 40_000_000]


def test_ten_hertz_rows_are_exactly_a_tenth_of_a_second_apart() -> None:
    assert set(np.diff(Timing.at(10, 7).timestamps(0, 1000))) == {100_000}


@pytest.mark.parametrize(("rate", "rows"), [(0.1, 1), (20, 1), (1000, 1000), (44_100, 44_100), (62.5, 63)])
def test_rows_are_single_at_low_rates_and_a_second_s_worth_at_high_ones(rate: float, rows: int) -> None:
    assert Timing.at(rate, 0).chunk_rows == rows


async def read_rows(count: int, **options: object) -> np.ndarray:
    output = LocalPipe("float64_2")
    settings = {"width": 2, "rate": 10.0, "seed": None, **options}
    task = asyncio.ensure_future(RandomReader().run(argparse.Namespace(**settings), output))
    rows = await output.read(flatten=True)
    while len(rows) < count:
        rows = await output.read(flatten=True)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return rows


async def test_the_first_row_comes_at_once_at_any_rate() -> None:
    assert len(await read_rows(1, rate=0.001)) == 1


async def test_rows_join_up_from_write_to_write() -> None:
    rows = await read_rows(5, rate=20.0)
    assert set(np.diff(rows[:, 0])) == {50_000}
    assert ((rows[:, 1:] >= 0) & (rows[:, 1:] < 1)).all()


async def test_the_same_seed_gives_the_same_numbers() -> None:
    first, second = await read_rows(1, seed=4), await read_rows(1, seed=4)
    np.testing.assert_array_equal(first[:, 1:], second[:, 1:])


async def test_a_namespace_without_the_optional_arguments_is_enough() -> None:
    output = LocalPipe("float32_1")
    reader = RandomReader()
    reader.stop()
    await reader.run(argparse.Namespace(width=1, rate=1.0, pipes="unset"), output)


def test_width_and_rate_have_defaults() -> None:
    assert vars(arguments()) == {"width": 1, "rate": 1.0, "seed": None}


@pytest.mark.parametrize(
    ("option", "value"),
    [("width", "0"), ("width", "1025"), ("width", "2.5"), ("rate", "0"), ("rate", "nan"), ("rate", "fast")],
)
def test_an_argument_out_of_range_is_a_usage_error_that_says_the_range(
    option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments(f"--{option}", value)
    assert ended.value.code == 2
    complaint = capsys.readouterr().err
    assert f"argument --{option}: a r" in complaint
    assert f"not {value}" in complaint


def test_r50_alone_in_a_terminal_it_prints_the_page_s_rows(tmp_path: Path) -> None:
    reader = subprocess.Popen(
        [sys.executable, "-m", "joule.builtins.random_reader", "--width", "2", "--rate", "10"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "HOME": str(tmp_path)},
        text=True,
    )
    assert reader.stdout is not None
    lines = [reader.stdout.readline().split() for _ in range(3)]
    reader.stdout.close()  # as `head -3` does
    assert reader.wait(timeout=10) == 0
    assert reader.stderr is not None
    assert "Traceback" not in reader.stderr.read()
    reader.stderr.close()
    stamps = [int(line[0]) for line in lines]
    assert np.diff(stamps).tolist() == [100_000, 100_000]
    assert all(len(line) == 3 and 0 <= float(line[1]) < 1 and 0 <= float(line[2]) < 1 for line in lines)


async def test_where_the_time_jumps_ahead_another_interval_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead_us = [0]
    monkeypatch.setattr(_reader, "time_now", lambda: time_now() + ahead_us[0])
    pipe = LocalPipe("float32_1")
    task = asyncio.create_task(RandomReader().run(arguments("--rate", "20"), pipe))
    before = await pipe.read()
    pipe.consume(len(before))
    ahead_us[0] = 3_600_000_000
    while not pipe.end_of_interval:
        rows = await pipe.read()
        pipe.consume(len(rows))
        before = rows if len(rows) else before
    after = await pipe.read()
    task.cancel()
    assert after["timestamp"][0] - before["timestamp"][-1] > 3_590_000_000
