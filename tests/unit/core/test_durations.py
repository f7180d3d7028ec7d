"""Durations: every spelling of the eras, the lengths of months and years, and an exact way back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joule.core import format_duration, parse_duration, parse_keep
from joule.errors import BadDurationError

SECOND = 1_000_000
DAY = 86_400 * SECOND


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", 90 * SECOND),
        ("90 s", 90 * SECOND),
        ("15min", 900 * SECOND),
        ("1h 30min", 5400 * SECOND),
        ("1h30min", 5400 * SECOND),
        ("2 Weeks", 14 * DAY),
        ("1 day, 2 hours", 26 * 3600 * SECOND),
        ("0.5s", SECOND // 2),
        ("200ms", 200_000),
        ("7us", 7),
        ("3mo", 93 * DAY),
        ("3 months", 93 * DAY),
        ("1y", 366 * DAY),
        ("0s", 0),
    ],
)
def test_numbers_with_units_are_durations(text, expected):
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all", None),
        ("ALL", None),
        ("none", 0),
        ("None", 0),
        ("no", 0),
        ("false", 0),
        ("0", 0),
        ("6m", 6 * 31 * DAY),
        ("6 m", 6 * 31 * DAY),
        ("6min", 360 * SECOND),
        ("12h", DAY // 2),
        ("1w", 7 * DAY),
    ],
)
def test_keep_has_words_of_its_own_and_a_bare_m_is_months(text, expected):
    assert parse_keep(text) == expected


def test_a_bare_m_outside_keep_is_refused_because_it_may_be_minutes():
    with pytest.raises(BadDurationError, match="min or mo"):
        parse_duration("6m")


@pytest.mark.parametrize("text", ["", "h", "5", "-5s", "5 parsecs", "1h -30min", "1e3s", "١s", "9999999y", "s" * 200])
def test_what_is_no_duration_is_refused_with_an_example(text):
    with pytest.raises(BadDurationError, match="write such as 90s"):
        parse_keep(text)


@pytest.mark.parametrize(
    ("duration_us", "text", "short"),
    [
        (0, "0s", "0s"),
        (1, "0.000001s", "0.000001s"),
        (90 * SECOND, "1min 30s", "1min 30s"),
        (DAY + 3_661_500_000, "1d 1h 1min 1.5s", "1d 1h"),
        (60 * SECOND + 250_000, "1min 0.25s", "1min"),
    ],
)
def test_durations_print_with_all_their_units_or_the_largest(duration_us, text, short):
    assert format_duration(duration_us) == text
    assert format_duration(duration_us, parts=2) == short


@given(st.integers(0, 2**63 - 1))
def test_what_is_printed_is_read_back_exactly(duration_us):
    assert parse_duration(format_duration(duration_us)) == duration_us


@given(st.text(max_size=12))
def test_any_text_is_a_duration_or_refused(text):
    try:
        keep_us = parse_keep(text)
    except BadDurationError:
        return
    assert keep_us is None or keep_us >= 0
