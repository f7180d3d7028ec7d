"""The merge filter is exact: however its inputs come and wherever it is killed, it stores what brute force finds."""

import argparse
import asyncio
import math

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.builtins.killing import scripts, stored_by

from joule.builtins.merge_filter import MergeFilter
from joule.pipes import LocalPipe


def looked_up(intervals, time, max_gap_us):
    """The interval of an input that holds a time, and the values there; None in a gap and beyond the last row."""
    for number, rows in enumerate(intervals):
        times = rows[:, 0].tolist()
        if time in times:
            return number, rows[times.index(time), 1:]
        if times[0] < time < times[-1]:
            right = next(index for index, other in enumerate(times) if other > time)
            before, after = rows[right - 1], rows[right]
            if after[0] - before[0] > max_gap_us:
                return None
            share = (time - before[0]) / (after[0] - before[0])
            values = [
                one if one == other else one * (1 - share) + other * share
                for one, other in zip(before[1:], after[1:], strict=True)
            ]
            return number, np.where(np.isnan(values), np.nan, values)
    return None


def expected(primary, others, max_gap_us=math.inf):
    """Row by row: a row that some input does not know is left out, and breaks the output like a break of any input."""
    found, before = [[]], None
    for number, rows in enumerate(primary.intervals()):
        for row in rows:
            answers = [looked_up(other.intervals(), row[0], max_gap_us) for other in others]
            if None in answers:
                before = None
                continue
            here = (number, *(interval for interval, _ in answers))
            if here != before:
                found.append([])
            before = here
            found[-1].append(np.concatenate([row, *(values for _, values in answers)]))
    return [np.array(rows) for rows in found if rows]


def merged(directory, primary, others, kills=(), **arguments):
    inputs = {"main": primary, **{f"other{number}": other for number, other in enumerate(others)}}
    width = sum(script.width for script in inputs.values())
    return stored_by(
        MergeFilter, {"primary": "main", **arguments}, inputs, directory=directory, kills=kills, width=width
    )


async def test_rows_that_no_later_time_needs_are_consumed_before_the_primary_is_waited_for(tmp_path):
    main, other, target = LocalPipe("float64_1"), LocalPipe("float64_1"), LocalPipe("float64_2")
    task = asyncio.ensure_future(
        MergeFilter().run(argparse.Namespace(primary="main"), {"main": main, "other": other}, {"output": target})
    )
    other.write_nowait(np.column_stack((np.arange(100), np.arange(100))))
    main.write_nowait([[50, 1]])
    assert len(await target.read()) == 1
    while main.statistics().rows_consumed < 1:
        await asyncio.sleep(0)
    assert other.statistics().rows_consumed == 50
    task.cancel()


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    primary=scripts(),
    others=st.lists(scripts() | scripts(max_gap=3, max_rows=50) | scripts(max_gap=90, max_rows=3), max_size=2),
    kills=st.lists(st.integers(0, 40), max_size=5),
    max_gap_us=st.sampled_from([math.inf, 12]),
)
def test_what_is_stored_is_what_brute_force_finds_bit_for_bit(tmp_path_factory, primary, others, kills, max_gap_us):
    with np.errstate(all="ignore"):
        found = expected(primary, others, max_gap_us)
    stored = merged(tmp_path_factory.mktemp("node"), primary, others, kills, max_gap=max_gap_us / 1e6)
    assert [rows.tobytes() for rows in stored] == [rows.tobytes() for rows in found]
