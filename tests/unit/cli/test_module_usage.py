"""What `joule module usage` prints."""

import json

import pytest

from joule.api import UsageSample

START_US = 1_777_629_600_000_000  # 2026-05-01T10:00Z


@pytest.fixture(autouse=True)
def in_utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")


def minute(number, cpu_percent=1.0, memory_bytes=10_000_000, processes=1):
    time_us = START_US + number * 60_000_000
    return UsageSample(time_us=time_us, cpu_percent=cpu_percent, memory_bytes=memory_bytes, processes=processes)


def test_a_short_history_has_a_line_a_minute(run, node):
    node.samples = (minute(0), minute(1, 12.5, 20_000_000, 3))
    lines = run("module", "usage", "sensor").stdout.splitlines()
    assert lines[0].split() == ["FROM", "CPU", "MOST", "CPU", "MEMORY", "MOST", "MEMORY", "PROCESSES"]
    assert lines[2].endswith("12.5 %    12.5 %   20 MB        20 MB          3")


def test_a_day_has_a_line_an_hour_with_its_mean_and_its_most(run, node):
    node.samples = tuple(minute(number, 60.0 if number % 60 == 7 else 0.0) for number in range(24 * 60))
    lines = run("module", "usage", "sensor").stdout.splitlines()[1:]
    assert len(lines) == 24
    assert all("1.0 %    60.0 %" in line for line in lines)


def test_a_pause_makes_no_lines(run, node):
    node.samples = (minute(0), minute(1), minute(600))
    assert len(run("module", "usage", "sensor").stdout.splitlines()) == 3


def test_as_json_every_minute_is_there(run, node):
    node.samples = (minute(0), minute(1))
    body = json.loads(run("module", "usage", "sensor", "--json").stdout)
    assert body["name"] == "sensor"
    assert [sample["time_us"] for sample in body["samples"]] == [START_US, START_US + 60_000_000]


def test_a_module_that_has_just_started_points_to_its_state(run):
    result = run("module", "usage", "sensor")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "joule module info sensor" in result.stderr


def test_a_module_that_is_not_there_ends_with_4(run):
    assert run("module", "usage", "nobody").exit_code == 4
