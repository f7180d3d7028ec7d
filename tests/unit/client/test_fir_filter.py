"""The FIR filter: its arithmetic, and that its output does not know how its input was cut into chunks."""

import argparse
import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joule.builtins.mean_filter import MeanFilter
from joule.client._fir_filter import FIRFilterModule, convolve_valid
from joule.errors import ModuleError
from joule.pipes import InputPipe, LocalNumpyPipe, LocalPipe


class Taps(FIRFilterModule):
    """A filter with the taps that a test hands it."""

    def __init__(self, taps):
        super().__init__()
        self.taps = taps

    def make_filter(self, parsed_args):
        return self.taps


def rows_from(values, start=0):
    values = np.asarray(values, float).reshape(len(values), -1)
    return np.column_stack((np.arange(start, start + len(values)), values))


async def filtered(taps, *intervals, layout="float64_1", chunk=None):
    """Run a filter over intervals, each written in chunks, and return what it wrote: one array per interval."""
    source, target = LocalPipe(layout, name="input"), LocalPipe(layout, name="output")
    start = 0
    for interval in intervals:
        rows = rows_from(interval, start)
        for first in range(0, len(rows), chunk or max(1, len(rows))):
            source.write_nowait(rows[first : first + (chunk or len(rows))])
        source.close_interval_nowait()
        start += len(rows)
    source.close_nowait()
    await Taps(taps).run(argparse.Namespace(), {"input": source}, {"output": target})
    return intervals_of(target)


def intervals_of(pipe):
    found, more = [], True
    while more:
        rows = pipe.read_nowait(flatten=True)
        pipe.consume(len(rows))
        if len(rows):
            found.append(rows)
        more = pipe.end_of_interval
    return found


async def test_each_row_is_the_weighted_sum_of_its_window_at_the_time_of_its_middle():
    (result,) = await filtered([1, 10, 100], [1, 2, 3, 4])
    np.testing.assert_array_equal(result, [[1, 123], [2, 234]])


async def test_the_taps_are_in_the_order_of_np_convolve():
    rng = np.random.default_rng(1)
    taps, values = rng.random(7), rng.random(50)
    (result,) = await filtered(taps, values)
    np.testing.assert_allclose(result[:, 1], np.convolve(values, taps, "valid"), rtol=1e-13)


async def test_each_element_is_filtered_for_itself():
    values = np.arange(20.0).reshape(10, 2) ** 2
    (both,) = await filtered([1, 2, 3], values, layout="float64_2")
    for column in (0, 1):
        (alone,) = await filtered([1, 2, 3], values[:, column])
        np.testing.assert_array_equal(both[:, 1 + column], alone[:, 1])


async def test_one_tap_passes_every_row():
    (result,) = await filtered([2], [1, 2, 3], chunk=1)
    np.testing.assert_array_equal(result, [[0, 2], [1, 4], [2, 6]])


async def test_an_even_window_is_stamped_with_the_row_right_of_its_middle():
    (result,) = await filtered([1, 10], [1, 2, 3], chunk=1)
    np.testing.assert_array_equal(result, [[1, 12], [2, 23]])
    (result,) = await filtered([1, 10, 100, 1000], [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(result, [[2, 1234], [3, 2345]])


async def test_a_window_as_long_as_the_interval_gives_one_row():
    (result,) = await filtered([1, 1, 1], [1, 2, 3], chunk=1)
    np.testing.assert_array_equal(result, [[1, 6]])


async def test_breaks_are_passed_on_and_no_window_reaches_across_one():
    first, second = await filtered([1, 1, 1], [1, 2, 3, 4], [100, 200, 300], chunk=2)
    np.testing.assert_array_equal(first, [[1, 6], [2, 9]])
    np.testing.assert_array_equal(second, [[5, 600]])


async def test_an_interval_shorter_than_the_window_gives_nothing():
    first, last = await filtered([1, 1, 1], [1, 2, 3], [7, 7], [4, 5, 6])
    np.testing.assert_array_equal(first, [[1, 6]])
    np.testing.assert_array_equal(last, [[6, 15]])


async def test_an_input_shorter_than_the_window_ends_the_filter_without_a_row():
    assert await filtered([1, 1, 1], [1, 2]) == []


async def test_nan_and_infinity_spread_over_their_windows_only():
    (result,) = await filtered([1, 1, 1], [1, 1, np.nan, 1, 1, np.inf, 1, 1, -np.inf, 1])
    np.testing.assert_array_equal(result[:, 1], [np.nan, np.nan, np.nan, np.inf, np.inf, np.inf, -np.inf, -np.inf])


async def test_rows_that_a_window_still_needs_stay_unconsumed():
    source, target = LocalNumpyPipe("input", "float32_1"), LocalNumpyPipe("output", "float32_1")
    source.write_nowait(rows_from(range(10)))
    source.close_nowait()
    await Taps([1, 1, 1]).run(argparse.Namespace(), {"input": source}, {"output": target})
    assert source.statistics().rows_consumed == 8


async def test_one_element_rows_of_either_shape_are_filtered_alike():
    results = []
    for pipe in (LocalNumpyPipe("input", "float32_1"), LocalPipe("float32_1", name="input")):
        pipe.write_nowait(rows_from(range(10)))
        pipe.close_nowait()
        target = LocalPipe("float32_1")
        await Taps([1, 2, 1]).run(argparse.Namespace(), {"input": pipe}, {"output": target})
        results.append(target.read_nowait(flatten=True))
    np.testing.assert_array_equal(*results)


async def test_timestamps_of_today_are_passed_on_exactly():
    source, target = LocalPipe("int16_1"), LocalPipe("float64_1")
    stamps = 1_800_000_000_000_001 + np.arange(5) * 333_333
    source.write_nowait(np.column_stack((stamps, range(5))))
    source.close_nowait()
    await Taps([1, 1, 1]).run(argparse.Namespace(), {"input": source}, {"output": target})
    np.testing.assert_array_equal(target.read_nowait()["timestamp"], stamps[1:-1])


async def test_a_window_larger_than_the_buffer_of_a_byte_stream_is_filled():
    reader = asyncio.StreamReader()
    source = InputPipe(layout="float32_1", reader=reader, buffer_size=10)
    rows = np.zeros(50, source.dtype)
    rows["timestamp"], rows["data"] = np.arange(1, 51), 1
    reader.feed_data(rows.tobytes())
    reader.feed_eof()
    target = LocalPipe("float32_1")
    await Taps(np.ones(40)).run(argparse.Namespace(), {"input": source}, {"output": target})
    np.testing.assert_array_equal(target.read_nowait(flatten=True), [[21 + i, 40] for i in range(11)])


async def test_a_stop_is_seen_in_the_middle_of_many_rows_and_nothing_unwritten_is_consumed():
    source, target = LocalPipe("float64_1"), LocalPipe("float64_1")
    source.write_nowait(rows_from(np.zeros(20_000)))
    source.close_interval_nowait()
    module = Taps(np.ones(10_001))  # a turn takes some 6,000 of its windows
    task = asyncio.ensure_future(module.run(argparse.Namespace(), {"input": source}, {"output": target}))
    while not target.statistics().rows_written:
        await asyncio.sleep(0)
    module.stop()
    await task
    assert 0 < source.statistics().rows_consumed == target.statistics().rows_written < 10_000
    assert source.end_of_interval
    assert not target.read_nowait(flatten=True)[:, 1].any()
    assert not target.end_of_interval


async def test_a_stop_ends_the_filter_after_the_read_it_is_in():
    source, target = LocalPipe("float64_1"), LocalPipe("float64_1")
    module = Taps([1])
    module.stop()
    await module.run(argparse.Namespace(), {"input": source}, {"output": target})


@pytest.mark.parametrize(
    ("taps", "complaint"),
    [
        ([], "returned none"),
        (3, "shape ()"),
        ([[1, 2, 3]], "shape (1, 3)"),
        ([1, float("nan"), 1], "tap 1 is nan"),
        (None, "shape ()"),
        (["a"], "returned ['a']"),
    ],
)
async def test_taps_that_are_no_filter_are_refused_by_name(taps, complaint):
    with pytest.raises(ModuleError) as caught:
        await filtered(taps, [1, 2, 3])
    assert "Taps.make_filter()" in str(caught.value)
    assert complaint in str(caught.value)


async def test_a_filter_without_make_filter_says_what_to_implement():
    with pytest.raises(ModuleError, match="implement `def make_filter"):
        await FIRFilterModule().run(argparse.Namespace(), {}, {})


async def test_a_missing_pipe_is_named():
    with pytest.raises(ModuleError, match="needs a pipe named 'input'; there is raw"):
        await Taps([1]).run(argparse.Namespace(), {"raw": LocalPipe("float32_1")}, {})


@st.composite
def chunked_inputs(draw):
    """Rows of random size and scale in intervals, and each interval cut into chunks."""
    width = draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    intervals, start = [], 0
    for lengths in draw(st.lists(st.lists(st.integers(1, 30), min_size=1, max_size=5), min_size=1, max_size=4)):
        chunks = []
        for length in lengths:
            chunks.append(rows_from(rng.normal(size=(length, width)) * 10.0 ** rng.integers(-8, 8), start))
            start += length
        intervals.append(chunks)
    taps = rng.normal(size=draw(st.integers(1, 17)))
    return taps, intervals, width


@settings(max_examples=60, deadline=None)
@given(chunked_inputs())
async def test_the_chunking_of_the_input_changes_no_bit_of_the_output(drawn):
    taps, intervals, width = drawn
    source, target = LocalPipe(f"float64_{width}"), LocalPipe(f"float64_{width}")
    task = asyncio.ensure_future(Taps(taps).run(argparse.Namespace(), {"input": source}, {"output": target}))
    for chunks in intervals:
        for chunk in chunks:
            source.write_nowait(chunk)
            while not task.done() and source.statistics().rows_read < source.statistics().rows_written:
                await asyncio.sleep(0)
        await source.close_interval()
    await source.close()
    await task

    whole = [np.concatenate(chunks) for chunks in intervals]
    edge = len(taps) // 2
    expected = [
        np.column_stack((rows[edge : edge + len(rows) - len(taps) + 1, 0], convolve_valid(rows[:, 1:], taps)))
        for rows in whole
        if len(rows) >= len(taps)
    ]
    found = intervals_of(target)
    assert [rows.tobytes() for rows in found] == [rows.tobytes() for rows in expected]


async def test_a_window_without_rows_is_refused():
    with pytest.raises(ModuleError, match="a window has 1 row or more, not 0"):
        await MeanFilter().run(argparse.Namespace(window=0), {"input": LocalPipe("float32_1")}, {})
