"""What the logger process promises: bounded, inert, stamped lines, and a count of what it had to drop."""

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joule.daemon import _logger_process as logger_process
from joule.daemon._logger_process import MAX_LINE_BYTES, Allowance, Lines, LogFile, Logger, show, stamp


def feed_in_pieces(data, size):
    lines = Lines()
    found = []
    for start in range(0, len(data), size):
        found += lines.feed(data[start : start + size])
    return [show(line) for line in found + lines.flush()]


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "module.log"
    file = LogFile(str(path), 10_000)
    yield path, Logger(file, 0.0)
    file.close()


def texts(path):
    return [line.split("] ", 1)[1] for line in path.read_text().splitlines()]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_lines_are_the_same_however_the_bytes_arrive(size):
    assert feed_in_pieces(b"one\n\ntwo\r\nthree", size) == ["one", "", "two", "three"]


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_a_daemon_line_ends_an_unfinished_line_and_makes_no_empty_one(size):
    data = b"\x1e---starting---\nhello\n\nworld\x1e---ended---\n\x1e---starting---\n"
    expected = ["---starting---", "hello", "", "world", "---ended---", "---starting---"]
    assert feed_in_pieces(data, size) == expected


@given(st.lists(st.binary(max_size=40).filter(lambda b: b"\n" not in b and b"\x1e" not in b)), st.integers(1, 50))
def test_every_line_comes_back_escaped(lines, size):
    data = b"".join(line + b"\n" for line in lines)
    assert feed_in_pieces(data, size) == [show(line) for line in lines]


@pytest.mark.parametrize("size", [1000, MAX_LINE_BYTES, 65536])
def test_a_long_line_is_cut_and_says_by_how_much(size):
    (line,) = feed_in_pieces(b"x" * (MAX_LINE_BYTES + 123) + b"\n", size)
    assert line == "x" * MAX_LINE_BYTES + " [123 bytes cut]"


def test_a_line_of_exactly_the_limit_is_whole():
    assert feed_in_pieces(b"x" * MAX_LINE_BYTES + b"\n", 65536) == ["x" * MAX_LINE_BYTES]


def test_an_endless_line_takes_no_memory():
    lines = Lines()
    for _ in range(1000):
        assert lines.feed(b"x" * 65536) == []
    assert len(lines._head) == MAX_LINE_BYTES


@given(st.binary())
def test_no_bytes_reach_the_terminal_as_control_characters(data):
    text = show(data.replace(b"\n", b""))
    assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", text)
    text.encode("utf-8")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"a\tb", "a\tb"),
        (b"\x1b[31mred", "\\x1b[31mred"),
        (b"\xff\xfe ok", "\\xff\\xfe ok"),
        ("grün 温度".encode(), "grün 温度"),
        ("\u202eevil".encode(), "\\u202eevil"),
        (b"nul \x00", "nul \\x00"),
    ],
)
def test_bytes_are_shown_as_inert_text(line, shown):
    assert show(line) == shown


def test_a_stamp_is_iso_8601_with_offset():
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.250[+-]\d\d:\d\d", stamp(1_700_000_000.25))


def test_a_flood_is_counted_and_the_next_quiet_line_says_so(log):
    path, logger = log
    flood = [b"spam"] * (logger_process.BURST_LINES + 700)
    logger._file._max_bytes = 10**9
    logger.write(flood, 0.0, 0.0)
    logger.write([b"quiet again"], 1.0, 1.0)
    lines = texts(path)
    assert lines.count("spam") == logger_process.BURST_LINES
    assert lines[-2:] == ["[700 lines dropped: more than 1000 in a second]", "quiet again"]


def test_the_last_line_of_a_flood_is_kept(log):
    path, logger = log
    logger._file._max_bytes = 10**9
    logger.write([b"spam"] * 20_000, 0.0, 0.0)
    logger.write([b"---module terminated: exit code 1---"], 0.0, 0.0)
    logger.finish(0.0)
    assert texts(path)[-1] == "---module terminated: exit code 1---"


def test_why_a_flood_was_ended_is_kept_whatever_the_rate(log):
    path, logger = log
    logger._file._max_bytes = 10**9
    logger.write([b"spam"] * 20_000, 0.0, 0.0)
    ended = b"\x1e---module ended by jouled: its memory---"
    logger.write([b"spam"] * 10 + [ended] + [b"spam"] * 10, 0.0, 0.0)
    assert texts(path)[-2:] == ["[15020 lines dropped: more than 1000 in a second]", show(ended)]


def test_a_flood_that_is_not_looked_at_is_counted_like_one_that_is():
    data = b"".join(b"%d " % number * (number % 7) + b"\n" for number in range(500)) + b"unfinished"
    for size in (1, 3, 64, 10_000):
        looking, skipping = Lines(), Lines()
        pieces = [data[start : start + size] for start in range(0, len(data), size)]
        found = [line for piece in pieces for line in looking.feed(piece)]
        counts = [skipping.skip(piece) for piece in pieces]
        assert sum(count for count, _ in counts) == len(found) == 500
        assert [last for count, last in counts if count][-1] == found[-1]
        assert skipping.flush() == looking.flush() == [b"unfinished"]


def test_the_last_line_of_a_flood_that_was_not_looked_at_is_kept(log):
    path, logger = log
    logger._file._max_bytes = 10**9
    logger.write([b"spam"] * 20_000, 0.0, 0.0)
    assert logger.is_dry(0.0)
    logger.skip(*Lines().skip(b"more\nlast words\n"))
    logger.skip(*Lines().skip(b"unfinished"))
    logger.finish(0.0)
    assert texts(path)[-2:] == ["[15001 lines dropped: more than 1000 in a second]", "last words"]


def test_an_allowance_refills_with_time_and_not_beyond_its_burst():
    allowance = Allowance(0.0)
    assert allowance.take(10**6, 0.0) == logger_process.BURST_LINES
    assert allowance.take(10, 0.0) == 0
    assert allowance.take(10, 0.099) == 0  # a flood is shown in batches that can be read
    assert allowance.take(10**6, 0.5) == 500
    assert allowance.take(10**6, 1e6) == logger_process.BURST_LINES


def test_a_log_is_bounded_by_one_rotation(log):
    path, logger = log
    for number in range(2000):
        logger.write([b"line %d" % number], 0.0, float(number))
    old = path.with_name("module.log.1")
    assert old.stat().st_size <= 10_100
    assert not path.exists() or path.stat().st_size <= 10_100
    kept = texts(old) + (texts(path) if path.exists() else [])
    assert kept[-1] == "line 1999"


def test_two_loggers_share_a_file_and_lose_nothing(tmp_path):
    path = tmp_path / "module.log"
    first, second = LogFile(str(path), 3_000), LogFile(str(path), 3_000)
    for number in range(50):
        first.append(f"first {number}\n")
        second.append(f"second {number}\n")
    lines = path.read_text().splitlines()
    old = path.with_name("module.log.1")
    lines += old.read_text().splitlines() if old.exists() else []
    assert sorted(lines) == sorted([f"first {n}" for n in range(50)] + [f"second {n}" for n in range(50)])
    first.close()
    second.close()


def test_a_removed_log_is_made_again(log):
    path, logger = log
    logger.write([b"one"], 0.0, 0.0)
    path.unlink()
    logger.write([b"two"], 0.0, 0.0)
    assert texts(path) == ["two"]


def test_lines_that_the_disk_refuses_are_counted_and_told_later(tmp_path):
    directory = tmp_path / "gone"
    directory.write_text("no directory")
    logger = Logger(LogFile(str(directory / "module.log"), 10_000), 0.0)
    logger.write([b"one", b"two"], 0.0, 0.0)
    directory.unlink()
    logger.write([b"three"], 0.0, 0.0)
    lines = texts(directory / "module.log")
    assert lines[0].startswith("[2 lines dropped: ") and "exists" in lines[0]
    assert lines[1:] == ["three"]
    logger.finish(0.0)


def test_a_line_that_the_disk_tore_is_ended_before_the_next(tmp_path, monkeypatch):
    path = tmp_path / "module.log"
    file = LogFile(str(path), 10_000)
    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda fd, data: real(fd, data[:3]))
        with pytest.raises(OSError, match="a part"):
            file.append("abcdef\n")
    file.append("next\n")
    file.close()
    assert path.read_text() == "abc\nnext\n"


def test_a_log_directory_that_somebody_removes_is_made_again(tmp_path):
    path = tmp_path / "logs" / "module.log"
    logger = Logger(LogFile(str(path), 10_000), 0.0)
    logger.write([b"one"], 0.0, 0.0)
    path.unlink()
    path.parent.rmdir()
    logger.write([b"two"], 0.0, 0.0)
    assert texts(path) == ["two"]
    logger.finish(0.0)
