from pathlib import Path

import pytest
from benchmarks._figures import Result, Spread, judged, percentile, ratios, spread, table
from benchmarks._machine import file_system
from benchmarks._report import report
from benchmarks._scale import FULL


def test_a_spread_has_the_median_and_both_ends():
    assert spread([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0)


def test_ratios_are_of_medians_and_range_over_pairs_of_rounds():
    assert ratios([2.0, 4.0, 6.0], [1.0, 1.0, 4.0]) == Spread(4.0, 1.5, 4.0)


@pytest.mark.parametrize(("percent", "expected"), [(50, 50), (99, 99), (100, 100), (0, 1)])
def test_a_percentile_is_a_sample(percent, expected):
    assert percentile(list(range(100, 0, -1)), percent) == expected


@pytest.mark.parametrize(("median", "met"), [(1.5, True), (1.49, False)])
def test_more_is_better_where_the_target_is_a_least(median, met):
    result = judged("a", Spread(median, 1.0, 2.0), unit="x", at_least=1.5)
    assert (result.met, result.target) == (met, "at least 1.5 x")


@pytest.mark.parametrize(("median", "met"), [(4.0, True), (4.01, False)])
def test_less_is_better_where_the_target_is_a_most(median, met):
    assert judged("a", Spread(median, 1.0, 5.0), unit="x", at_most=4.0).met is met


def test_without_a_target_there_is_no_verdict():
    result = judged("a", Spread(12_345.0, 1.0, 20_000.0), unit="us")
    assert (result.met, result.target, result.measured) == (None, "", "12,345 us")


def test_the_table_says_plainly_what_was_missed():
    lines = table([Result(what="a", target="at least 2 x", measured="1 x", spread="1 to 1", met=False)]).splitlines()
    assert lines[-1] == "| a | at least 2 x | 1 x | 1 to 1 | **missed** |  |"


def test_the_page_has_the_machine_and_the_table():
    page = report(["processor: one"], [Result(what="a thing", measured="1 x", spread="1 to 1")], FULL)
    assert "* processor: one" in page
    assert "| a thing |" in page


def test_the_file_system_is_that_of_the_longest_mount_point_above(tmp_path: Path):
    mounts = tmp_path / "mounts"
    mounts.write_text(f"a / ext4 rw 0 0\nb {tmp_path} tmpfs rw 0 0\nc {tmp_path}x xfs rw 0 0\n")
    assert file_system(tmp_path / "deeper", mounts) == "tmpfs"
