import json
import time

import numpy as np
import pytest

from joule.core import Layout

BREAK = object()


def block(*rows):
    return np.array([(row[0], row[1:]) for row in rows], Layout("float32", 2).dtype)


@pytest.fixture(autouse=True)
def in_new_york(monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def rows(node):
    node.blocks["/house/power"] = [block((1, 0.1, 2), (2, 3, 4)), BREAK, block((5, np.nan, np.inf))]


def test_every_stored_row_is_printed_when_no_times_are_given(run, node, rows):
    result = run("data", "read", "/house/power")
    assert result.exit_code == 0
    assert result.stdout == "1 0.1 2.0\n2 3.0 4.0\n# interval break\n5 nan inf\n"
    assert result.stderr == ""
    assert node.asked == [("/house/power", None, None)]


def test_json_rows_are_an_object_a_line_and_breaks_are_none(run, rows):
    lines = run("data", "read", "/house/power", "--json").stdout.splitlines()
    assert [json.loads(line) for line in lines if line.startswith("{")] == [
        {"timestamp": 1, "data": [0.1, 2.0]},
        {"timestamp": 2, "data": [3.0, 4.0]},
        {"timestamp": 5, "data": [None, "Infinity"]},
    ]
    assert lines[2] == "# interval break"


def test_times_reach_the_node_as_microseconds_and_are_shown_with_their_offset(run, node, rows):
    result = run("data", "read", "/house/power", "--start", "2026-07-01 08:00", "--end", "2026-12-01T00:00:00Z")
    assert node.asked == [("/house/power", 1782907200000000, 1796083200000000)]
    assert result.stderr.splitlines() == [
        "start 2026-07-01T08:00:00.000000-04:00 (1782907200000000)",
        "end 2026-11-30T19:00:00.000000-05:00 (1796083200000000)",
    ]
    assert result.stdout.startswith("1 ")


def test_one_bound_alone_is_enough(run, node, rows):
    run("data", "read", "/house/power", "--end", "7")
    run("data", "read", "/house/power", "--start", "0")
    assert node.asked == [("/house/power", None, 7), ("/house/power", 0, None)]


def test_an_unreadable_time_shows_the_forms_that_are_read(run):
    result = run("data", "read", "/house/power", "--start", "sometime")
    assert result.exit_code == 2
    assert "'sometime'" in result.stderr
    assert "2 hours ago" in result.stderr


def test_a_start_after_the_end_is_refused_with_both(run, node):
    result = run("data", "read", "/house/power", "--start", "2026-07-02", "--end", "2026-07-01")
    assert result.exit_code == 2
    assert "2026-07-02T00:00:00.000000-04:00 is after --end 2026-07-01T00:00:00.000000-04:00" in result.stderr
    assert not node.opened


def test_live_rows_are_printed_as_they_come(run, node, rows):
    result = run("data", "read", "/house/power", "--live")
    assert result.exit_code == 0
    assert result.stdout == "1 0.1 2.0\n2 3.0 4.0\n# interval break\n5 nan inf\n"
    assert node.asked == [("/house/power", "live")]


def test_live_rows_cannot_begin_in_the_past(run, node):
    result = run("data", "read", "/house/power", "--live", "--start", "yesterday")
    assert result.exit_code == 2
    assert "--live prints rows from now on" in result.stderr
    assert not node.opened


def test_a_stream_without_rows_says_who_should_write_it(run):
    result = run("data", "read", "/house/water")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "/house/water holds no rows yet" in result.stderr


def test_a_span_without_rows_says_what_the_stream_holds(run):
    result = run("data", "read", "/house/power", "--end", "1")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "it holds 1969-12-31T19:00:01.000000-05:00 to 1969-12-31T19:00:03.000000-05:00" in result.stderr


@pytest.mark.parametrize("options", [[], ["--live"], ["--json"]])
def test_a_stream_that_is_not_there_ends_with_4_and_prints_nothing(run, options):
    result = run("data", "read", "/house/fire", *options)
    assert (result.exit_code, result.stdout) == (4, "")
    assert "there is no '/house/fire'" in result.stderr
