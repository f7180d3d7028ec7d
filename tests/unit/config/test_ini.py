"""The INI reader: it agrees with configparser on every sound file, knows lines, and never stops."""

from __future__ import annotations

import configparser
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from joule.config._faults import FaultList
from joule.config._ini import parse_ini, read_ini

FILE = Path("/x.conf")

blanks = st.sampled_from(["", " ", "  ", "\t", "    "])
words = st.text(alphabet="abXY5%/[],.:;#= é_-", max_size=8)
lines = st.one_of(
    st.tuples(blanks, st.sampled_from(["[Main]", "[A b]", "[%]", "[x] # y", "[DEFAULTS]"])).map("".join),
    st.tuples(blanks, st.sampled_from("abcdef"), blanks, st.sampled_from("=:"), blanks, words).map("".join),
    st.tuples(blanks, words).map("".join),
    st.tuples(blanks, st.sampled_from("#;"), words).map("".join),
    st.just(""),
)


def parsed(text: str) -> tuple[dict[str, dict[str, str]], list[str]]:
    faults = FaultList()
    ini = parse_ini(text, FILE, faults)
    sections = {
        section.name: {entry.key: entry.value for entry in section.entries.values()} for section in ini.sections
    }
    return sections, [str(fault) for fault in faults.sorted() if fault.severity == "error"]


@given(st.lists(lines, max_size=12).map("\n".join))
@example("[Main]\na = 1\n  2\n\n  3\n\nb = 4\n\n")
@example("[Main]\na = 1\n# note\n  2\n")
@example("[Main]\na =\n  {\n    x: 1\n  }\n")
@example("  [Main]\n  a = 1\n")
@example("[Main]\nexec_cmd = date +%Y\n")
def test_what_configparser_accepts_is_read_alike(text):
    parser = configparser.ConfigParser(interpolation=None, default_section="\0")
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    expected = {name.strip(): dict(parser[name]) for name in parser.sections()}
    sections, errors = parsed(text)
    if len({name.lower() for name in expected}) == len(parser.sections()):  # else: [Main] and [main] are one to us
        assert (sections, errors) == (expected, [])


@given(st.lists(lines, max_size=12).map("\n".join))
def test_what_configparser_refuses_has_an_error(text):
    parser = configparser.ConfigParser(interpolation=None, default_section="\0")
    try:
        parser.read_string(text)
    except configparser.Error:
        assert parsed(text)[1]


def test_sections_and_entries_know_their_lines():
    ini = parse_ini("# one\n[Main]\n\na = 1\n  2\nB: 3\n[Two]\n", FILE, FaultList())
    assert [(section.name, section.line) for section in ini.sections] == [("Main", 2), ("Two", 7)]
    assert [(e.key, e.value, e.line) for e in ini.sections[0].entries.values()] == [("a", "1\n2", 4), ("b", "3", 6)]


def test_a_windows_file_with_a_byte_order_mark_is_read(tmp_path):
    file = tmp_path / "x.conf"
    file.write_bytes(b"\xef\xbb\xbf[Main]\r\nunits = \xc2\xb0C\r\n")
    ini = read_ini(file, FaultList())
    assert ini is not None
    assert ini.sections[0].entries["units"].value == "°C"


def test_every_bad_line_is_told_and_the_good_ones_count():
    text = "[Main]\nprose\na = 1\nmore prose\na = 2\n[Main]\nb = 3\n"
    sections, errors = parsed(text)
    assert sections == {"Main": {"a": "1"}}
    assert [error.split(":")[1] for error in errors] == ["2", "4", "5", "6"]
