"""The file reader: what is a row, what becomes of other lines, where it waits, where it ends, and where it goes on."""

import argparse
import asyncio
import contextlib
import itertools
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joule.builtins.file_reader import FileReader
from joule.builtins.file_reader._complaints import Complaints
from joule.builtins.file_reader._lines import LineCutter, LineParser, Lines, Parsed
from joule.builtins.file_reader._writer import RowWriter
from joule.core import time_now
from joule.errors import ModuleError
from joule.pipes import LocalPipe, LogOutput, Pipe


def arguments(*texts: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    FileReader().custom_args(parser)
    return parser.parse_args(texts)


async def rows_of(path: Path, *texts: str, layout: str = "float64_2", output: Pipe | None = None) -> list[list[float]]:
    """Read a file to its end."""
    target = LocalPipe(layout) if output is None else output
    await FileReader().run(arguments(str(path), "--follow=no", *texts), target)
    rows: list[list[float]] = target.read_nowait(flatten=True).tolist() if isinstance(target, LocalPipe) else []
    return rows


@contextlib.asynccontextmanager
async def reading(path: Path, *texts: str, layout: str = "float64_1") -> AsyncIterator[Callable[[int], Any]]:
    """Let a reader follow a path; gives a function that waits for so many rows in all."""
    output = LocalPipe(layout)
    task = asyncio.ensure_future(FileReader().run(arguments(str(path), *texts), output))

    async def rows(count: int) -> list[list[float]]:
        found = await output.read(flatten=True) if count else np.empty((0, 2))
        while len(found) < count:
            found = await output.read(flatten=True)
        if count:
            output.reread_last()
        return found.tolist()

    yield rows
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


async def test_each_line_is_a_row_with_its_time_in_front(tmp_path: Path) -> None:
    path = written(tmp_path / "f", "1485188853650944,1,2.5\n1485188853650945,-3e2,4\n")
    assert await rows_of(path) == [[1485188853650944, 1, 2.5], [1485188853650945, -300, 4]]


@pytest.mark.parametrize(
    ("unit", "first"), [("us", "1485274825371860"), ("ms", "1485274825371.86"), ("s", "1485274825.37186")]
)
async def test_times_may_be_in_other_units(tmp_path: Path, unit: str, first: str) -> None:
    rows = await rows_of(written(tmp_path / "f", f"{first},1,2"), "--time-unit", unit)
    assert rows == [[1485274825371860, 1, 2]]


@pytest.mark.parametrize(("first", "unit"), [(1_760_000_000, "s"), (1_760_000_000_000, "ms"), (7, ""), (1.76e15, "")])
async def test_times_that_look_like_another_unit_are_warned_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, first: float, unit: str
) -> None:
    assert await rows_of(written(tmp_path / "f", f"{first:.0f},1,2\n")) == [[first, 1, 2]]
    hint = f"the first time is {first}, in microseconds: if that is in {unit}, give --time-unit"
    assert [record.getMessage() for record in caplog.records] == ([hint] if unit else [])


@pytest.mark.parametrize("option", ["--timestamp=yes", "--timestamps=yes", "-tyes"])
async def test_lines_without_times_get_the_time_of_reading(tmp_path: Path, option: str) -> None:
    before = time_now()
    rows = await rows_of(written(tmp_path / "f", "1,2\n3,4\n"), option)
    assert [row[1:] for row in rows] == [[1, 2], [3, 4]]
    assert before <= rows[0][0] < rows[1][0] <= time_now() + 1


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ([], "1,2,3"),
        (["-d,"], "1, 2 ,3"),
        (["-d", "comma"], "1,2,3"),
        (["--delimiter", " "], "1 2   3"),
        (["--delimiter=blank"], "  1\t2 3"),
        (["--delimiter"], "1 2 3"),  # as `delimiter =` in a module's file
        (["--delimiter=tab"], "1\t2\t3"),
        (["--delimiter=\t"], "1\t2\t3"),
        (["--delimiter=';'"], "1;2;3"),
    ],
)
async def test_values_are_cut_at_the_delimiter(tmp_path: Path, options: list[str], text: str) -> None:
    assert await rows_of(written(tmp_path / "f", text), *options) == [[1, 2, 3]]


async def test_headers_comments_blank_lines_and_any_line_end_are_understood(tmp_path: Path) -> None:
    text = "\ufefftime,Größe,b\r\n# comment\r\n\r\n1,2,3\r\n   \n#4,5,6\n7,8,nan"
    rows = await rows_of(written(tmp_path / "f", text))
    np.testing.assert_array_equal(rows, [[1, 2, 3], [7, 8, np.nan]])


BAD = "1,1,1\n2,x,2\n3,3\n4,4,4,4\n5,,5\n6,1_0,6\n4,1,1\nnan,1,1\n8,8,8\n7,7,7\n\x1b[2J\n9,9,9\n"


async def test_a_bad_line_is_told_by_its_number_and_costs_no_good_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert await rows_of(written(tmp_path / "f", "1,1,1\n" + BAD)) == [[1, 1, 1], [4, 1, 1], [8, 8, 8], [9, 9, 9]]
    told = [record.getMessage().partition(", ")[2] for record in caplog.records if record.levelno == logging.WARNING]
    assert told == [
        "line 2 is left out: its time 1 is not later than 1, the newest before it",
        "line 3 is left out: value 2 is no number: 2,x,2",
        "line 4 is left out: it has 2 of 3 values: 3,3",
        "line 5 is left out: it has 4 of 3 values: 4,4,4,4",
        "line 6 is left out: value 2 is empty (write nan for one that is missing): 5,,5",
        "line 7 is left out: value 2 is no number: 6,1_0,6",
        "line 9 is left out: its time is nan",
        "line 11 is left out: its time 7 is not later than 8, the newest before it",
        "line 12 is left out: it has 1 of 3 values: \ufffd[2J",
    ]


async def test_with_stop_the_first_bad_line_ends_it_behind_the_rows_before(tmp_path: Path) -> None:
    output = LocalPipe("float64_2")
    with pytest.raises(ModuleError, match="line 2: value 2 is no number: 2,x,2; correct it, or leave such lines out"):
        await rows_of(written(tmp_path / "f", BAD), "--on-error=stop", output=output)
    assert output.read_nowait()["timestamp"].tolist() == [1]


async def test_with_stop_a_time_that_goes_back_ends_it_behind_the_rows_before(tmp_path: Path) -> None:
    output = LocalPipe("float64_1")
    with pytest.raises(ModuleError, match="line 3: its time 2 is not later than 3"):
        await rows_of(written(tmp_path / "f", "1,1\n3,3\n2,2\n4,4\n"), "--on-error=stop", output=output)
    assert output.read_nowait()["timestamp"].tolist() == [1, 3]


async def test_times_are_whole_microseconds_and_increase_as_such(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(tmp_path / "f", "10.2,1\n10.4,2\n10.5,3\n")
    assert await rows_of(path, layout="float64_1") == [[10, 1], [11, 3]]
    assert "line 2 is left out: its time 10 is not later than 10" in caplog.text


async def test_a_value_that_the_stream_cannot_hold_costs_its_row_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(tmp_path / "f", "1,1\n2,300\n3,3\n4,-300\n5,5\n")
    assert await rows_of(path, layout="int8_1") == [[1, 1], [3, 3], [5, 5]]
    assert "line 2 is left out: row 0 of this write: element 0 is 300.0, and int8 holds -128 to 127" in caplog.text
    assert "line 4 is left out" in caplog.text


async def test_many_bad_lines_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await rows_of(written(tmp_path / "f", "0,0,0\n" + "x,\n" * 250))
    assert sum("is left out" in record.getMessage() for record in caplog.records) == 10
    assert "100 bad lines so far" in caplog.text
    assert "ended: 1 rows, 250 bad lines" in caplog.text


@given(st.binary(max_size=80), st.lists(st.integers(0, 80), max_size=6), st.integers(0, 1))
def test_however_bytes_are_cut_the_lines_are_those_between_line_feeds(
    content: bytes, cuts: list[int], skipped: int
) -> None:
    cutter = LineCutter(skips_first=bool(skipped))
    found = []
    places = [0, *sorted(cut for cut in cuts if cut <= len(content)), len(content)]
    for start, stop in itertools.pairwise(places):
        lines = cutter.cut(content[start:stop])
        found += list(enumerate(lines.contents, lines.first))
    last = cutter.end()
    found += list(enumerate(last.contents, last.first))
    whole = content.split(b"\n")
    expected = list(enumerate(whole if whole[-1] else whole[:-1], start=1))
    assert found == expected[skipped:]
    assert cutter.cut(b"of the next writer\n") == Lines(1, [b"of the next writer"])


def test_a_line_that_does_not_end_takes_no_memory_and_is_one_bad_line() -> None:
    cutter, parser = LineCutter(), LineParser(b",", None)
    content, block = b"1\n" + b"7" * 1_000_000 + b"\n2\n", 60_000
    parsed = [parser.parse(cutter.cut(content[start : start + block])) for start in range(0, len(content), block)]
    assert [number for part in parsed for number in part.numbers] == [1, 3]
    (bad,) = [line for part in parsed for line in part.bad]
    assert bad.number == 2
    assert bad.reason.startswith("it is longer than 131072 bytes: 7777")


def test_a_header_is_expected_at_the_beginning_only() -> None:
    parser = LineParser(b",", None)
    assert parser.parse(Lines(1, [b"a,b", b"1,2", b"a,b"])).bad[0].number == 3
    parser.restart()
    assert parser.parse(Lines(1, [b"a,b", b"1,2"])).bad == []


async def test_a_file_that_grows_is_followed_line_by_line(tmp_path: Path) -> None:
    path = written(tmp_path / "f", "1,1\n2,")
    async with reading(path) as rows:
        assert await rows(1) == [[1, 1]]
        with path.open("a") as file:
            file.write("25\n3,")
        assert await rows(2) == [[1, 1], [2, 25]]


async def test_a_file_that_is_replaced_or_cut_short_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = written(tmp_path / "f", "t,x\n1,1\n2,2\n")
    async with reading(path) as rows:
        await rows(2)
        written(tmp_path / "new", "t,x\n3,3\n# longer than the file before\n").replace(path)
        await rows(3)
        written(path, "4,4\n")
        assert await rows(4) == [[1, 1], [2, 2], [3, 3], [4, 4]]


async def test_a_named_pipe_is_waited_on_from_writer_to_writer(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    async with reading(path) as rows:
        await asyncio.to_thread(path.write_text, "t,x\n1,1\n2,2")
        assert len(await rows(2)) == 2
        began_s = time.process_time()
        await asyncio.sleep(0.2)
        assert time.process_time() - began_s < 0.02  # it costs nothing while nobody writes
        await asyncio.to_thread(path.write_text, "t,x\n3,3\n")
        assert await rows(3) == [[1, 1], [2, 2], [3, 3]]


async def test_without_following_a_named_pipe_ends_with_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    writing = asyncio.to_thread(path.write_text, "1,1\n")
    _, rows = await asyncio.gather(writing, rows_of(path, layout="float64_1"))
    assert rows == [[1, 1]]


async def test_a_device_is_read_from_its_second_line_on_and_its_end_is_an_end(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    output = LocalPipe("float64_1")
    task = asyncio.ensure_future(FileReader().run(arguments(os.ttyname(theirs), "-t=yes"), output))
    os.write(ours, b"3\n21.5\n")
    assert (await output.read())["data"].tolist() == [[21.5]]
    os.close(theirs)
    os.close(ours)
    with contextlib.suppress(ModuleError):  # systems differ in what they say about a terminal that is gone
        await task


def log_output(directory: Path, **options: Any) -> LogOutput:
    return LogOutput("output", directory, "float64_1", directory, stream="/s", holder="test", is_reader=True, **options)


@pytest.mark.parametrize("rule", ["raise", "drop"])
async def test_a_time_far_ahead_costs_no_row_behind_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, rule: str
) -> None:
    now, day = time_now(), 86_400_000_000
    times = [now, now + 9 * day, now + 1, 10**30, now + 8 * day, now + 2, now + 1, now + 3]
    output = log_output(tmp_path / "log", max_ahead_us=day, out_of_order=rule)
    await rows_of(written(tmp_path / "f", "".join(f"{time},1\n" for time in times)), output=output)
    assert (output.log_sink.writer.head.stored, output.last_us) == (4, now + 3)
    told = [record.getMessage() for record in caplog.records if "is left out" in record.getMessage()]
    assert [re.search(r"line (\d+)", text)[1] for text in told] == ["2", "4", "5", "7"]  # type: ignore[index]
    await output.close()


async def test_a_value_that_does_not_fit_and_a_time_far_ahead_cost_their_own_rows_only(tmp_path: Path) -> None:
    now, day = time_now(), 86_400_000_000
    output = LogOutput(
        "output", tmp_path / "log", "int8_1", tmp_path, stream="/s", holder="test", is_reader=True, max_ahead_us=day
    )
    text = f"{now},1\n{now + 1},300\n{now + 9 * day},1\n{now + 2},1\n"
    await rows_of(written(tmp_path / "f", text), output=output)
    assert (output.log_sink.writer.head.stored, output.last_us) == (2, now + 2)
    await output.close()


async def test_times_of_reading_go_on_behind_the_newest_stored_row(tmp_path: Path) -> None:
    ahead = time_now() + 3_600_000_000  # the clock was set back since
    output = log_output(tmp_path / "log")
    await output.write([[ahead, 0]])
    writer = RowWriter(output, Complaints("f", stops=False), None)
    for number in (1, 2):
        await writer.take(Parsed([number], [[1.0]], []))
        assert output.last_us == ahead + number
    await output.close()


async def test_only_rows_before_the_first_new_one_can_be_those_of_an_earlier_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    output = log_output(tmp_path / "log")
    await output.write([[1, 1], [2, 2]])
    writer = RowWriter(output, Complaints("f", stops=False), 1)
    await writer.take(Parsed([1, 2, 3, 4], [[1, 1], [2, 2], [5, 5], [2, 2]], []))
    await writer.take(Parsed([5, 6], [[1, 1], [6, 6]], []))
    assert output.log_sink.writer.head.stored == 4
    assert [record.getMessage().partition(", ")[2] for record in caplog.records] == [
        "line 4 is left out: its time 2 is not later than 5, the newest before it",
        "line 5 is left out: its time 1 is not later than 5, the newest before it",
    ]
    await output.close()


async def test_a_restarted_reader_goes_on_behind_what_is_stored(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    path = written(tmp_path / "f", "1,1\n2,2\n3,3\n")
    for lines in ("", "4,4\n5,5\n"):
        with path.open("a") as file:
            file.write(lines)
        output = log_output(tmp_path / "log")
        await rows_of(path, output=output)
        head = output.log_sink.writer.head
        assert (head.refused, head.repeated) == (0, 0)
        await output.close()
    assert (head.stored, head.last_us) == (5, 5)
    assert "3 rows are left out, as they are stored already or older than those" in caplog.text
    assert "ended: 2 rows, 0 bad lines" in caplog.text


async def test_without_times_a_restarted_reader_goes_on_at_the_end_of_its_file(tmp_path: Path) -> None:
    path = written(tmp_path / "f", "1\n2\n3\n")
    for count in (3, 4):
        output = log_output(tmp_path / "log")
        await rows_of(path, "-tyes", output=output)
        await output.close()
        assert output.log_sink.writer.head.stored == count
        written(path, "1\n2\n3\n4\n5")  # of these, only the line that was not whole yet is new


@pytest.mark.parametrize(
    ("texts", "complaint"),
    [
        ([], "give its path with --file"),
        (["/nowhere/at/all"], "/nowhere/at/all cannot be read: No such file or directory"),
        (["nowhere"], f"nowhere (in {os.getcwd()}) cannot be read"),
        (["/"], "/ is neither a file, nor a named pipe, nor a serial device"),
    ],
)
async def test_what_cannot_be_read_is_named(texts: list[str], complaint: str) -> None:
    with pytest.raises(ModuleError) as refused:
        await FileReader().run(arguments(*texts), LocalPipe("float64_1"))
    assert complaint in str(refused.value)


def test_the_file_is_named_with_or_without_the_option_as_in_each_era() -> None:
    assert arguments("a").file == arguments("--file", "a").file == "a"


def test_what_is_not_given_has_its_default() -> None:
    given = vars(arguments("a"))
    assert (given["delimiter"], given["timestamp"], given["time_unit"]) == (",", False, "us")
    assert (given["follow"], given["on_error"]) == (True, "skip")


def test_an_unknown_delimiter_is_a_usage_error_that_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        arguments("f", "--delimiter=|")
    assert "a delimiter is comma, semicolon, tab or blank, not |" in capsys.readouterr().err


def test_in_a_terminal_it_reads_what_is_piped_into_it() -> None:
    program = [sys.executable, "-m", "joule.builtins.file_reader", "-"]
    done = subprocess.run(program, input="1,2\n2,4.5", capture_output=True, text=True, timeout=15, check=False)
    assert (done.returncode, done.stdout) == (0, "1 2.0\n2 4.5\n")


def test_a_stop_ends_it_soon_while_it_waits(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "joule.builtins.file_reader", str(written(tmp_path / "f", "1,2\n"))]
    reader = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert reader.stdout is not None
    assert reader.stdout.readline() == "1 2.0\n"
    reader.terminate()
    _, messages = reader.communicate(timeout=10)
    assert reader.returncode == 0
    assert "Traceback" not in messages
