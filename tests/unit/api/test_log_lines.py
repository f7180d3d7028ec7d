"""Looking for lines in log files: by number, text and time, in one or in all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joule.api import LogQuery, find_logs, merged_lines, module_log_file, stored_lines
from joule.core import parse_time

DAY = "2026-05-01T"


def stamped(*entries):
    return "".join(f"[{DAY}10:00:{second:02d}.000+00:00] {text}\n" for second, text in entries)


def texts(lines):
    return [line.partition("] ")[2] for line in lines]


def at(second):
    return parse_time(f"{DAY}10:00:{second:02d}Z")


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "m.log"
    path.with_name("m.log.1").write_text(stamped((1, "one"), (2, "Two")))
    path.write_text(stamped((3, "three"), (4, "two again")))
    return path


def test_no_file_has_no_lines(tmp_path):
    assert stored_lines(tmp_path / "absent.log", 10) == []
    assert stored_lines(tmp_path / "absent.log", 10, LogQuery(text="x")) == []


@pytest.mark.parametrize(
    ("count", "found"),
    [(0, []), (1, ["two again"]), (3, ["Two", "three", "two again"]), (99, ["one", "Two", "three", "two again"])],
)
def test_the_newest_lines_go_back_into_the_rotated_file(log, count, found):
    assert texts(stored_lines(log, count)) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (LogQuery(text="two"), ["two again"]),
        (LogQuery(text="two", ignores_case=True), ["Two", "two again"]),
        (LogQuery(text="absent"), []),
        (LogQuery(since_us=at(2)), ["Two", "three", "two again"]),
        (LogQuery(until_us=at(3)), ["one", "Two"]),
        (LogQuery(since_us=at(2), until_us=at(3)), ["Two"]),
        (LogQuery(text="two", since_us=at(5)), []),
    ],
)
def test_lines_are_found_by_text_and_time_in_both_files(log, query, found):
    assert texts(stored_lines(log, 99, query)) == found


def test_the_newest_of_those_found_are_returned(log):
    assert texts(stored_lines(log, 1, LogQuery(text="two", ignores_case=True))) == ["two again"]


def test_lines_behind_an_end_are_not_there_yet(log):
    end = len(stamped((3, "three")))
    assert texts(stored_lines(log, 1, end=end)) == ["three"]
    assert texts(stored_lines(log, 1, LogQuery(text="t"), end=end)) == ["three"]


def test_a_line_without_a_stamp_belongs_to_the_line_before(tmp_path):
    path = tmp_path / "jouled.log"
    path.write_text(f"{DAY}10:00:01+0000 ERROR   failed\nTraceback\n  here\n{DAY}12:00:02+0200 INFO    on\n")
    assert stored_lines(path, 9, LogQuery(until_us=at(2))) == [
        f"{DAY}10:00:01+0000 ERROR   failed",
        "Traceback",
        "  here",
    ]
    assert stored_lines(path, 9, LogQuery(since_us=at(2))) == [f"{DAY}12:00:02+0200 INFO    on"]


@pytest.mark.parametrize("line", ["", "[2026-99-99T10:00:00+00:00] no such day", "\x00", "[", "2026"])
def test_a_line_that_only_looks_stamped_is_kept(tmp_path, line):
    path = tmp_path / "m.log"
    path.write_text(stamped((1, "one")) + line + "\n")
    assert stored_lines(path, 9, LogQuery(since_us=at(1)))[1:] == [line]


def test_bytes_that_are_no_text_do_no_harm(tmp_path):
    path = tmp_path / "m.log"
    path.write_bytes(b"\xff\n")
    assert stored_lines(path, 1) == ["\\xff"]


@given(
    st.lists(st.text(st.characters(codec="ascii", exclude_characters="\n"), max_size=40), max_size=30),
    st.integers(1, 40),
    st.integers(1, 50),
)
def test_the_last_lines_are_those_of_the_whole_whatever_the_block(tmp_path_factory, lines, count, block):
    from joule.api import _log_lines

    path = tmp_path_factory.mktemp("log") / "m.log"
    half = len(lines) // 2
    for name, part in ((f"{path}.1", lines[:half]), (path, lines[half:])):
        with open(name, "w", newline="") as file:
            file.write("".join(f"{line}\n" for line in part))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_log_lines, "_BLOCK_BYTES", block)
        assert stored_lines(path, count) == lines[-count:]
        assert stored_lines(path, count, LogQuery(since_us=-(2**63))) == lines[-count:]


def test_lines_of_all_logs_are_merged_by_time(log, tmp_path):
    other = tmp_path / "other.log"
    other.write_text(stamped((2, "between"), (9, "last")))
    found = merged_lines({"m": log, "other": other, "none": tmp_path / "none.log"}, 4)
    assert [(line.module, line.line.partition("] ")[2]) for line in found] == [
        ("other", "between"),
        ("m", "three"),
        ("m", "two again"),
        ("other", "last"),
    ]
    assert len(merged_lines({"m": log, "other": other}, 99, LogQuery(text="t"))) == 4


@pytest.mark.parametrize("name", ["meter", "a/b", ".hidden", "50%", "%2F", "grün"])
def test_a_log_is_found_by_the_name_of_its_module(tmp_path, name):
    module_log_file(tmp_path, name).write_text("x\n")
    assert find_logs(tmp_path) == {name: module_log_file(tmp_path, name)}
