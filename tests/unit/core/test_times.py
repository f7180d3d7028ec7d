"""Times as people write them: which moment each form names, also when clocks change, and what is refused."""

from __future__ import annotations

import contextlib
import datetime as dt
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joule.core import format_time, parse_time, time_now
from joule.errors import BadTimeError, JouleError

HOUR = 3_600_000_000
NOON = int(dt.datetime(2026, 7, 15, 12, 0, tzinfo=dt.UTC).timestamp()) * 1_000_000  # a Wednesday, 14:00 in Berlin


@pytest.fixture
def berlin(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def utc(*fields: int) -> int:
    return int(dt.datetime(*fields, tzinfo=dt.UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1485274825000000", 1485274825000000),
        ("0", 0),
        ("9", 9),
        ("-5", -5),
        ("2026-07-15T10:00:00Z", utc(2026, 7, 15, 10)),
        ("2026-07-15T10:00:00+02:00", utc(2026, 7, 15, 8)),
        ("2026-07-15 10:00", utc(2026, 7, 15, 8)),
        ("2026-07-15", utc(2026, 7, 14, 22)),
        ("2026-07-15T10:00:00.123456Z", utc(2026, 7, 15, 10) + 123456),
        ("2026-07-15 8:00", utc(2026, 7, 15, 6)),
        ("2026-07-15 08:00 UTC", utc(2026, 7, 15, 8)),
        (" now ", NOON),
        ("Now", NOON),
        ("today", utc(2026, 7, 14, 22)),
        ("today 08:00", utc(2026, 7, 15, 6)),
        ("Yesterday", utc(2026, 7, 13, 22)),
        ("yesterday 08:00", utc(2026, 7, 14, 6)),
        ("yesterday at 8:00", utc(2026, 7, 14, 6)),
        ("tomorrow 08:00:30", utc(2026, 7, 16, 6) + 30_000_000),
        ("2 hours ago", NOON - 2 * HOUR),
        ("1h 30min ago", NOON - 3 * HOUR // 2),
        ("1 hour and 30 minutes ago", NOON - 3 * HOUR // 2),
        ("0.5 seconds ago", NOON - 500_000),
        ("3 days ago", NOON - 72 * HOUR),
        ("an hour ago", NOON - HOUR),
        ("Monday", utc(2026, 7, 12, 22)),
        ("08:00", utc(2026, 7, 15, 6)),
    ],
)
def test_each_form_names_its_moment(berlin, text, expected):
    assert parse_time(text, NOON) == expected


@pytest.mark.parametrize(
    "text",
    ["", "  ", "garbage", "a", "half", "2026-13-01", "2026-02-30", "2026-07-15 25:00", "yesterday 25:00", "9" * 19]
    + ["9" * 5000, "99999999999999 hours ago", "9" * 30 + " hours ago", "ago", "float32", "\0", "½", "²"],
)
def test_what_is_no_time_is_refused_with_the_forms_that_are(text):
    with pytest.raises(BadTimeError, match="2 hours ago") as caught:
        parse_time(text, NOON)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, JouleError)
    assert caught.value.detail["text"] == text


def test_hours_ago_are_elapsed_hours_across_a_change_of_clocks(berlin):
    now_us = utc(2026, 3, 29, 1, 30)  # 03:30 summer time, half an hour after the change
    assert parse_time("2 hours ago", now_us) == now_us - 2 * HOUR


def test_yesterday_is_a_calendar_day_across_a_change_of_clocks(berlin):
    now_us = utc(2026, 3, 29, 20, 0)
    assert parse_time("today", now_us) - parse_time("yesterday", now_us) == 24 * HOUR
    assert parse_time("tomorrow", now_us) - parse_time("today", now_us) == 23 * HOUR


def test_of_a_repeated_hour_the_first_is_meant_and_a_skipped_one_counts_on(berlin):
    assert parse_time("2026-10-25T02:30") == utc(2026, 10, 25, 0, 30)
    assert parse_time("2026-03-29T02:30") == utc(2026, 3, 29, 1, 30)


def test_both_passes_of_a_repeated_hour_print_apart(berlin):
    first, second = utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 1, 30)
    assert format_time(first) == "2026-10-25T02:30:00.000000+02:00"
    assert format_time(second) == "2026-10-25T02:30:00.000000+01:00"
    assert parse_time(format_time(second)) == second


def test_now_is_the_clock_when_none_is_given():
    before = time_now()
    assert before <= parse_time("now") <= time_now()


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_what_is_printed_is_read_back_exactly(timestamp_us):
    assert parse_time(format_time(timestamp_us)) == timestamp_us


@given(st.datetimes(min_value=dt.datetime(1970, 1, 2), max_value=dt.datetime(2200, 1, 1), timezones=st.just(dt.UTC)))
def test_iso_texts_keep_every_microsecond(moment):
    delta = moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    assert parse_time(moment.isoformat()) == delta // dt.timedelta(microseconds=1)


@given(st.integers(0, 999_999))
def test_local_texts_keep_every_microsecond(microsecond):
    text = f"2026-07-15T10:00:00.{microsecond:06}"
    assert parse_time(text) - parse_time("2026-07-15T10:00:00") == microsecond


@given(st.text(max_size=12))
def test_any_text_is_a_time_or_refused(text):
    with contextlib.suppress(BadTimeError):
        assert isinstance(parse_time(text, NOON), int)


def test_the_frequent_forms_do_not_load_dateparser():
    script = (
        "import sys; from joule.core import parse_time\n"
        "for t in ('now', '5', '2026-01-01', '2 hours ago', 'yesterday 08:00'): parse_time(t)\n"
        "sys.exit('dateparser' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
