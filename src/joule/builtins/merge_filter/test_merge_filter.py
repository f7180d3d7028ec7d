"""The merge filter: what it writes beside the primary's rows, where it breaks, and what it refuses."""

import argparse
import asyncio
import math
import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest

from joule.builtins.merge_filter import MergeFilter
from joule.errors import ModuleError
from joule.pipes import LocalNumpyPipe, LocalPipe, Pipe


def arguments(*texts: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    MergeFilter().custom_args(parser)
    return parser.parse_args(texts)


def pipe(*intervals: Sequence[Sequence[float]]) -> LocalPipe:
    """A pipe that holds these intervals and has ended."""
    made = LocalPipe(f"float64_{len(intervals[0][0]) - 1}")
    for rows in intervals:
        made.write_nowait(rows)
        made.close_interval_nowait()
    made.close_nowait()
    return made


async def merged(inputs: dict[str, Pipe], *texts: str) -> list[list[list[float]]]:
    """Run a merge over inputs that have ended, and return the intervals that it wrote."""
    target = LocalPipe(f"float64_{sum(source.width for source in inputs.values())}", name="output")
    await MergeFilter().run(arguments(*texts), inputs, {"output": target})
    found, more = [], True
    while more:
        rows = target.read_nowait(flatten=True)
        target.consume(len(rows))
        found.append(rows.tolist())
        more = target.end_of_interval
    return [rows for rows in found if rows]


SLOW = [[0, 0], [10, 100]]
FAST = [[0, 1], [2, 2], [5, 3], [9, 4], [10, 5]]


async def test_the_others_are_interpolated_to_the_times_of_the_primary() -> None:
    rows = await merged({"fast": pipe(FAST), "slow": pipe(SLOW)})
    assert rows == [[[0, 1, 0], [2, 2, 20], [5, 3, 50], [9, 4, 90], [10, 5, 100]]]


async def test_the_primary_s_elements_come_first_then_the_others_in_the_order_of_the_file() -> None:
    inputs: dict[str, Pipe] = {"a": pipe([[5, 1, 2]]), "b": pipe([[5, 3]]), "c": pipe([[5, 4]])}
    assert await merged(inputs, "--primary", "c") == [[[5, 4, 1, 2, 3]]]


async def test_any_input_can_be_the_primary_under_the_name_of_either_era() -> None:
    for option in ("--primary", "--master"):
        rows = await merged({"fast": pipe(FAST), "slow": pipe(SLOW)}, option, "slow")
        assert rows == [[[0, 0, 1], [10, 100, 5]]]


async def test_rows_outside_of_what_another_input_holds_are_left_out() -> None:
    assert await merged({"fast": pipe(FAST), "slow": pipe([[1, 0], [6, 5]])}) == [[[2, 2, 1], [5, 3, 4]]]


async def test_nothing_is_interpolated_across_a_break_of_another_input() -> None:
    rows = await merged({"fast": pipe(FAST), "slow": pipe([[0, 0], [2, 2]], [[9, 0], [10, 2]])})
    assert rows == [[[0, 1, 0], [2, 2, 2]], [[9, 4, 0], [10, 5, 2]]]


async def test_a_break_of_the_primary_breaks_the_output_and_not_the_line_of_another_input() -> None:
    rows = await merged({"fast": pipe(FAST[:2], FAST[2:]), "slow": pipe(SLOW)})
    assert rows == [[[0, 1, 0], [2, 2, 20]], [[5, 3, 50], [9, 4, 90], [10, 5, 100]]]


async def test_rows_too_far_apart_are_not_interpolated_between() -> None:
    fast = [[second * 1_000_000, second] for second in range(6)]
    slow = [[0, 0], [1_500_000, 0], [4_500_000, 0], [5_000_000, 0]]
    rows = await merged({"fast": pipe(fast), "slow": pipe(slow)}, "--max-gap", "1.5")
    assert rows == [[[0, 0, 0], [1_000_000, 1, 0]], [[5_000_000, 5, 0]]]


async def test_nan_spreads_to_its_neighbours_and_leaves_rows_on_a_time_of_their_own_alone() -> None:
    rows = await merged({"fast": pipe(FAST), "slow": pipe([[0, 7], [5, math.nan], [9, 8], [10, 8]])})
    assert [math.isnan(row[2]) for row in rows[0]] == [False, True, True, False, False]


async def test_a_nan_made_here_has_the_same_bits_everywhere() -> None:
    rows = await merged({"fast": pipe([[1, 0]]), "slow": pipe([[0, -math.inf], [2, math.inf]])})
    assert np.float64(rows[0][0][2]).tobytes() == np.float64(np.nan).tobytes()


async def test_a_constant_stays_what_it_is_between_its_rows() -> None:
    rows = await merged({"fast": pipe(FAST), "slow": pipe([[0, 0.1, math.inf], [10, 0.1, math.inf]])})
    assert all(row[2:] == [0.1, math.inf] for row in rows[0])


async def test_one_element_rows_of_either_shape_are_merged_alike() -> None:
    for kind in (LocalNumpyPipe("slow", "float64_1"), LocalPipe("float64_1", name="slow")):
        kind.write_nowait(SLOW)
        kind.close_nowait()
        assert len((await merged({"fast": pipe(FAST), "slow": kind}))[0]) == 5


async def test_one_input_alone_passes() -> None:
    assert await merged({"fast": pipe(FAST[:2], FAST[2:])}) == [FAST[:2], FAST[2:]]


async def test_a_row_is_written_as_soon_as_every_other_input_has_reached_it() -> None:
    fast, slow, target = LocalPipe("float64_1"), LocalPipe("float64_1"), LocalPipe("float64_2", name="output")
    task = asyncio.ensure_future(MergeFilter().run(arguments(), {"fast": fast, "slow": slow}, {"output": target}))
    fast.write_nowait(FAST)
    slow.write_nowait([[0, 0], [4, 4]])
    assert (await target.read())["timestamp"].tolist() == [0, 2]
    slow.write_nowait([[5, 5]])
    rows = await target.read()
    assert rows["timestamp"].tolist() == [0, 2, 5]
    task.cancel()


@pytest.mark.parametrize(
    ("inputs", "width", "texts", "complaint"),
    [
        (
            {"a": pipe(SLOW)},
            1,
            ("--primary", "b"),
            "--primary is b, and must be one of the inputs",
        ),
        ({}, 1, (), "one of the inputs in the module's file: none"),
        ({"a": pipe(SLOW), "b": pipe([[0, 1, 2]])}, 2, (), "must have 3 elements (1 of a + 2 of b); it has 2"),
    ],
)
async def test_what_cannot_be_merged_is_refused_by_name(
    inputs: dict[str, Pipe], width: int, texts: tuple[str, ...], complaint: str
) -> None:
    with pytest.raises(ModuleError) as refused:
        await MergeFilter().run(arguments(*texts), inputs, {"output": LocalPipe(f"float64_{width}", name="output")})
    assert complaint in str(refused.value)


async def test_a_merge_without_its_one_output_is_refused() -> None:
    with pytest.raises(ModuleError, match="has one output; the module's file names none"):
        await MergeFilter().run(arguments(), {"a": pipe(SLOW)}, {})


@pytest.mark.parametrize("gap", ["0", "-1", "nan", "long"])
def test_a_gap_that_is_no_time_is_a_usage_error(gap: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        arguments(f"--max-gap={gap}")
    assert f"a gap is a number of seconds above 0, not {gap}" in capsys.readouterr().err


def test_without_pipes_the_program_says_that_it_needs_them() -> None:
    program = [sys.executable, "-m", "joule.builtins.merge_filter"]
    done = subprocess.run(program, capture_output=True, text=True, timeout=15, check=False)
    assert done.returncode == 1
    assert "needs pipes" in done.stderr
