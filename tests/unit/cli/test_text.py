import pytest
from hypothesis import given
from hypothesis import strategies as st

from joule.cli._text import age, duration, plural, printable, size


@given(st.text())
def test_printable_text_has_no_character_that_a_terminal_acts_on(text):
    assert printable(text).isprintable()


@given(st.text(st.characters(categories=["L", "N", "P"])))
def test_ordinary_text_stays_as_it_is(text):
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("a\rb", "a\\rb"),
        ("\x9b31m", "\\x9b31m"),
        ("right\u202eleft", "right\\u202eleft"),
        ("bad\udcff", "bad\\udcff"),
    ],
)
def test_what_a_terminal_would_act_on_is_shown_as_an_escape(text, shown):
    assert printable(text) == shown


def test_characters_to_keep_are_kept():
    assert printable("a\tb\n", keep="\t") == "a\tb\\n"


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (1_500_000, "1.5 MB"),
        (999_700, "1 MB"),
        (2.34e12, "2.34 TB"),
        (5e18, "5e+03 PB"),
    ],
)
def test_sizes_have_decimal_units(size_bytes, shown):
    assert size(size_bytes) == shown


@pytest.mark.parametrize(
    ("span_us", "shown"),
    [
        (0, "0s"),
        (340_000, "0.3s"),
        (12_345_678, "12s"),
        (59_999_999, "1min"),
        (320e6, "5min 20s"),
        (200_000e6, "2d 7h"),
    ],
)
def test_spans_show_their_two_largest_units(span_us, shown):
    assert duration(span_us) == shown


def test_a_timestamp_ahead_of_the_clock_is_said_to_be_so():
    assert age(2_000_000) == "2s ago"
    assert age(-2_000_000) == "2s ahead of the clock"


def test_one_thing_has_no_plural():
    assert [plural(n, "row") for n in (0, 1, 2)] == ["0 rows", "1 row", "2 rows"]
