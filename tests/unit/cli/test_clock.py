"""`joule clock`: what is shown of a node's clock."""

import dataclasses
import json

import pytest

from joule.api import ClockChange, ClockInfo, RowsAside

DAY_US = 86_400_000_000
AHEAD = ClockInfo(state="own", node_us=11 * DAY_US, system_us=9 * DAY_US, unconfirmed_us=2 * DAY_US, note="it is ahead")


def test_a_clock_that_follows_has_nothing_to_say(run):
    lines = run("clock", "show").stdout.splitlines()
    names = ["node's clock", "system's clock", "state", "difference", "synchronised"]
    assert [line[:15].strip() for line in lines] == names
    assert lines[3].endswith("none")


def test_a_clock_that_keeps_its_own_time_says_how_far_it_is_ahead(run, node):
    node.known_clock = AHEAD
    output = run("clock", "show").stdout
    assert "the node's is 2d ahead" in output
    assert "it keeps its own time" in output
    assert "it is ahead" in output


def test_a_clock_that_goes_slower_says_when_it_meets_the_other(run, node):
    node.known_clock = dataclasses.replace(AHEAD, state="slowing", meets_us=7_200_000_000)
    assert "they meet in" in run("clock", "show").stdout
    assert "2h" in run("clock", "show").stdout


def test_confirming_shows_the_clock_afterwards(run, node):
    node.known_clock = AHEAD
    assert "unconfirmed" in run("clock", "show").stdout
    assert "unconfirmed" not in run("clock", "confirm").stdout
    assert node.known_clock.unconfirmed_us == 0


@pytest.mark.parametrize("command", ["show", "confirm"])
def test_as_json_it_is_the_whole_clock(run, node, command):
    assert ClockInfo.from_json(json.loads(run("clock", command, "--json").stdout)) == node.known_clock


CHANGE = ClockChange(
    done=True,
    back_us=3650 * DAY_US,
    now_us=9 * DAY_US,
    streams=(RowsAside(stream="/a", aside="/a-ahead-1970-01-10", rows=3, first_us=20 * DAY_US, last_us=21 * DAY_US),),
    modules=("sensor", "mean"),
)


def test_following_says_how_far_the_clock_went_back_and_where_the_rows_are(run, node):
    node.clock_change = CHANGE
    headline, _, row = run("clock", "follow").stdout.splitlines()
    assert headline.startswith("the node's clock went back by 3650d, to 1970-01-10T")
    assert headline.endswith("these rows were set aside; started again: sensor, mean")
    assert (row.split()[:2], row.split()[-1]) == (["/a", "3"], "/a-ahead-1970-01-10")
    assert node.asked == [("clock_follow", False)]


def test_a_dry_run_says_would(run, node):
    node.clock_change = CHANGE
    headline = run("clock", "follow", "--dry-run").stdout.splitlines()[0]
    assert "would go back by 3650d" in headline
    assert "would be set aside; to be started again" in headline
    assert node.asked == [("clock_follow", True)]


def test_following_a_clock_that_is_not_behind_does_nothing_and_says_so(run):
    result = run("clock", "follow")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "nothing to do" in result.stderr


def test_following_as_json_is_the_whole_change(run, node):
    node.clock_change = CHANGE
    assert ClockChange.from_json(json.loads(run("clock", "follow", "--json").stdout)) == CHANGE


@pytest.mark.parametrize(
    "command", [("module", "list"), ("module", "info", "mean"), ("stream", "list"), ("stream", "info", "1")]
)
def test_every_status_says_what_is_the_matter_with_the_clock(run, node, command):
    assert run(*command).stderr == ""
    node.known_clock = AHEAD
    result = run(*command, "--json")
    assert result.stderr == "clock: it is ahead\n"
    assert json.loads(result.stdout)
