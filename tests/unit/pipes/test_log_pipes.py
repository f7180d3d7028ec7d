"""What only pipes over the log do: waking, following, a full disk, rows that were trimmed."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest

from joule.core import Layout
from joule.errors import LogError, OutOfOrderError, PipeError
from joule.log import BREAK, DISK, DiskFiles, LogWriter, create_log, inspect_log, read_head, read_log, trim_log
from joule.pipes import LocalPipe, LogInput, LogOutput, _log_input, follow_log

LAYOUT = Layout("int16", 2)


def rows(*times: int) -> np.ndarray:
    return np.array([[time, 1, 2] for time in times])


def times_in(log: Path) -> list[int | str]:
    found: list[int | str] = []
    for block in read_log(log):
        found += ["break"] if block is BREAK else block["timestamp"].tolist()
    return found


@pytest.fixture
def log(tmp_path: Path) -> Path:
    create_log(tmp_path / "log", LAYOUT, "/a/raw")
    return tmp_path / "log"


def output(log: Path, **options: object) -> LogOutput:
    return LogOutput("out", log, LAYOUT, log.parent, stream="/a/raw", holder="the test", **options)  # type: ignore[arg-type]


async def test_a_waiting_reader_is_woken_by_each_write_and_not_by_its_recheck(log, monkeypatch):
    monkeypatch.setattr("joule.pipes._log_input.RECHECK_S", 1e6)
    sink, source = output(log), LogInput("in", log, log.parent)
    for time in range(50):
        waiting = asyncio.ensure_future(source.read())
        await asyncio.sleep(0)
        await sink.write(rows(time))
        assert (await waiting)["timestamp"].tolist() == [time]
        source.consume_all()
    await source.close()
    await sink.close()


async def test_an_output_knows_the_newest_stored_timestamp_from_its_opening_on(log):
    for time, before in ((7, None), (9, 7)):
        sink = output(log)
        assert sink.last_us == before
        await sink.write(rows(time))
        assert sink.last_us == time
        await sink.close()
    assert LocalPipe(LAYOUT).last_us is None


async def test_a_break_wakes_a_waiting_reader(log, monkeypatch):
    monkeypatch.setattr("joule.pipes._log_input.RECHECK_S", 1e6)
    sink, source = output(log), LogInput("in", log, log.parent)
    await sink.write(rows(1))
    await source.read()
    waiting = asyncio.ensure_future(source.read())
    await asyncio.sleep(0)
    await sink.close_interval()
    assert (await waiting)["timestamp"].tolist() == [1]
    assert source.end_of_interval
    await source.close()
    await sink.close()


async def test_a_reader_that_nobody_rang_looks_again_by_itself(log, monkeypatch):
    monkeypatch.setattr("joule.pipes._log_input.RECHECK_S", 0.01)
    source = LogInput("in", log, log.parent)
    waiting = asyncio.ensure_future(source.read())
    await asyncio.sleep(0)
    deaf = LogWriter(log, LAYOUT, stream="/a/raw", holder="a writer that rings nobody")
    made = np.zeros(1, LAYOUT.dtype)
    deaf.store(made)
    assert len(await waiting) == 1
    deaf.close()
    await source.close()


async def test_a_reader_waits_through_the_change_from_one_writer_to_the_next(log):
    source = LogInput("in", log, log.parent)
    seen: list[int] = []
    for time in (1, 2, 3):
        sink = output(log)
        waiting = asyncio.ensure_future(source.read())
        await asyncio.sleep(0)
        await sink.write(rows(time))
        seen += (await waiting)["timestamp"].tolist()
        source.consume_all()
        await sink.close()
    assert seen == [1, 2, 3]
    await source.close()


async def test_closing_a_reader_takes_its_bell_down(log):
    sink, source = output(log), LogInput("in", log, log.parent)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(source.read(), 0.01)
    assert list(log.parent.glob("bells/*/*.fifo"))
    await source.close()
    assert not list(log.parent.glob("bells/*/*.fifo"))
    await sink.close()


async def test_following_begins_now_and_gives_breaks(log):
    sink = output(log)
    await sink.write(rows(1, 2))
    live = follow_log(log, log.parent)
    first = asyncio.ensure_future(anext(live))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await sink.write(rows(3))
    assert (await first)["timestamp"].tolist() == [3]
    await sink.close_interval()
    assert await anext(live) is BREAK
    await sink.write(rows(4, 5))
    assert (await anext(live))["timestamp"].tolist() == [4, 5]
    await live.aclose()
    await sink.close()


async def test_following_ends_with_an_error_when_the_stream_is_deleted(log, monkeypatch):
    monkeypatch.setattr(_log_input, "RECHECK_S", 0.01)
    await output(log).close()
    live = follow_log(log, log.parent)
    waiting = asyncio.ensure_future(anext(live))
    await asyncio.sleep(0)
    log.rename(log.with_name("gone"))
    with pytest.raises(LogError, match="is deleted"):
        await waiting
    assert not list(log.parent.glob("bells/*/*.fifo"))


async def test_a_read_returns_at_most_16_mb_of_new_rows(log):
    sink, source = output(log), LogInput("in", log, log.parent)
    count = 3_000_000
    made = np.zeros(count, LAYOUT.dtype)
    made["timestamp"] = np.arange(count)
    await sink.write(made)
    sizes = []
    while sum(sizes) < count:
        block = await source.read()
        source.consume_all()
        sizes.append(len(block))
        assert block.nbytes <= 16_000_000
    assert len(sizes) == 3
    await source.close()
    await sink.close()


async def test_rows_trimmed_under_a_reader_without_a_cursor_are_left_out(log, monkeypatch):
    sink = output(log, segment_us=10)
    for time in range(0, 100, 5):
        await sink.write(rows(time))
    trim_log(log, before_us=60, keep_from_row=None)
    source = LogInput("in", log, log.parent, row=2)
    block = await source.read()
    assert block["timestamp"].tolist() == times_in(log)
    source.consume(1)
    assert (await asyncio.wait_for(_reread(source), 1))["timestamp"].tolist() == times_in(log)[1:]
    await source.close()
    await sink.close()


async def _reread(source: LogInput) -> np.ndarray:
    source.reread_last()
    return await source.read()


# A disk that is full


class FullDisk(DiskFiles):
    """Out of space for rows while `is_full`."""

    is_full = False

    def write(self, fd, data, size, offset):
        if self.is_full and size not in (64, 128, 8):  # heads, headers and breaks overwrite, or fit
            raise OSError(errno.ENOSPC, "No space left on device")
        return DISK.write(fd, data, size, offset)


async def test_write_waits_for_a_full_disk_says_so_and_goes_on_by_itself(log, monkeypatch, caplog):
    monkeypatch.setattr("joule.pipes._log_output.RETRY_S", 0.001)
    files = FullDisk()
    sink = output(log, files=files)
    await sink.write(rows(1))
    files.is_full = True
    with caplog.at_level(logging.WARNING):
        waiting = asyncio.ensure_future(sink.write(rows(2, 3)))
        while "is full" not in caplog.text:
            await asyncio.sleep(0.001)
    assert not waiting.done()
    assert times_in(log) == [1]
    while not read_head(log).is_waiting:  # so that nobody takes its module for stuck
        await asyncio.sleep(0.001)
    files.is_full = False
    await waiting
    assert times_in(log) == [1, 2, 3]
    assert not read_head(log).is_waiting
    assert "there is room again" in caplog.text
    await sink.close()


async def test_a_write_that_is_cancelled_while_it_waits_has_stored_nothing(log):
    files = FullDisk()
    sink = output(log, files=files)
    files.is_full = True
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(sink.write(rows(1)), 0.01)
    files.is_full = False
    await sink.write(rows(2))
    assert times_in(log) == [2]
    await sink.close()


@pytest.mark.parametrize("write", ["flush_cache", "write"])
async def test_what_a_cancelled_flush_has_not_stored_stays_in_the_cache(log, write):
    files = FullDisk()
    sink = output(log, files=files)
    sink.enable_cache(3)
    await sink.write(rows(1, 2))
    files.is_full = True
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(sink.flush_cache() if write == "flush_cache" else sink.write(rows(3)), 0.01)
    with pytest.raises(LogError, match="is full"):
        sink.write_nowait(rows(4, 5))
    files.is_full = False
    await sink.flush_cache()
    assert times_in(log) == ([1, 2, 4, 5] if write == "flush_cache" else [1, 2, 3, 4, 5])
    assert sink.statistics().rows_cached == 0
    await sink.close()


class FullAtLast(DiskFiles):
    """Takes one piece of a huge write, and no other."""

    pieces = 1

    def write(self, fd, data, size, offset):
        if size > 1_000_000:
            self.pieces -= 1
            if self.pieces < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
        return DISK.write(fd, data, size, offset)


async def test_a_cancelled_flush_keeps_only_the_rows_that_were_not_stored(log):
    files = FullAtLast()
    sink, copy = output(log, files=files), LocalPipe(LAYOUT)
    sink.subscribe(copy)
    count = 1_500_000  # of 12 bytes: three pieces of 8 MiB
    array = np.zeros(count, LAYOUT.dtype)
    array["timestamp"] = np.arange(count)
    sink.enable_cache(count)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(sink.write(array), 0.01)
    stored = sink.log_sink.writer.logical_rows
    assert 0 < stored < count
    assert sink.statistics().rows_cached == count - stored
    assert sink.logical_rows == count
    files.pieces = 9
    await sink.close()
    assert sum(len(block) for block in read_log(log)) == count
    np.testing.assert_array_equal(copy.read_nowait()["timestamp"], np.arange(count))


async def test_rows_that_a_flush_refuses_for_their_order_do_not_stay_in_the_cache(log):
    sink = output(log)
    sink.enable_cache(10)
    await sink.write(rows(3, 1))
    with pytest.raises(OutOfOrderError):
        await sink.flush_cache()
    await sink.write(rows(4))
    await sink.close()
    assert times_in(log) == [3, 4]


@pytest.mark.parametrize("is_reader", [True, False])
async def test_a_reader_that_waited_long_for_the_disk_begins_a_new_interval(log, monkeypatch, is_reader):
    monkeypatch.setattr("joule.pipes._log_output.RETRY_S", 0.001)
    monkeypatch.setattr("joule.pipes._log_output.LONG_WAIT_S", 0.0)
    files = FullDisk()
    sink = output(log, files=files, is_reader=is_reader)
    files.is_full = True
    waiting = asyncio.ensure_future(sink.write(rows(1)))
    await asyncio.sleep(0.01)
    files.is_full = False
    await waiting
    await sink.write(rows(2))
    assert times_in(log) == ([1, "break", 2] if is_reader else [1, 2])
    await sink.close()


async def test_a_write_that_cannot_wait_says_that_the_disk_is_full(log):
    files = FullDisk()
    sink = output(log, files=files)
    files.is_full = True
    with pytest.raises(LogError, match="is full"):
        sink.write_nowait(rows(1))
    files.is_full = False
    await sink.close()


async def test_another_write_error_names_the_stream_and_keeps_what_is_stored(log):
    class BrokenDisk(DiskFiles):
        def write(self, fd, data, size, offset):
            if size == 12 * 2:
                raise OSError(errno.EIO, "Input/output error")
            return DISK.write(fd, data, size, offset)

    sink = output(log, files=BrokenDisk())
    await sink.write(rows(1))
    with pytest.raises(LogError, match=r"/a/raw.*Input/output error"):
        await sink.write(rows(2, 3))
    await sink.write(rows(4))
    assert times_in(log) == [1, 4]
    await sink.close()


async def test_a_streams_layout_cannot_be_changed(log):
    sink = output(log)
    with pytest.raises(PipeError, match="/a/raw"):
        sink.change_layout("int8_1")
    await sink.close()


async def test_an_error_in_the_middle_of_a_huge_write_says_how_many_rows_are_stored(log):
    class FailsAtLast(FullAtLast):
        def write(self, fd, data, size, offset):
            try:
                super().write(fd, data, size, offset)
            except OSError:
                raise OSError(errno.EIO, "Input/output error") from None

    sink = output(log, files=FailsAtLast())
    array = np.zeros(1_500_000, LAYOUT.dtype)
    array["timestamp"] = np.arange(len(array))
    with pytest.raises(LogError, match="only the first 699050 of these rows are stored"):
        await sink.write(array)
    await sink.write(array[699_050:699_060])
    await sink.close()
    assert inspect_log(log).rows == 699_060


class Unreadable(DiskFiles):
    """Fails to read rows and heads once it is told to."""

    fails = False

    def read(self, fd, count, offset):
        if self.fails:
            raise OSError(errno.EIO, "Input/output error")
        return super().read(fd, count, offset)


async def test_a_log_that_cannot_be_read_is_named(log):
    files = Unreadable()
    source = LogInput("in", log, log.parent, files=files)
    files.fails = True
    with pytest.raises(LogError, match="/a/raw.*cannot be read.*Input/output error"):
        await source.read()
    await source.close()


async def test_a_break_that_cannot_be_written_is_an_error_unless_the_disk_is_only_full(log, monkeypatch):
    monkeypatch.setattr("joule.pipes._log_output.RETRY_S", 0.001)

    class Refuses(DiskFiles):
        errors: list[int] = []

        def write(self, fd, data, size, offset):
            if self.errors and size == 8:
                number = self.errors.pop()
                raise OSError(number, "refused")
            super().write(fd, data, size, offset)

    sink = output(log, files=Refuses())
    await sink.write(rows(1))
    Refuses.errors = [errno.EROFS, errno.ENOSPC]
    with pytest.raises(LogError, match="refused; the interval has not ended"):
        await sink.close_interval()
    await sink.close_interval()
    await sink.write(rows(2))
    await sink.close()
    assert times_in(log) == [1, "break", 2]


async def test_a_reader_that_cannot_hang_up_a_bell_gets_its_rows_all_the_same(log, monkeypatch, caplog):
    monkeypatch.setattr("joule.pipes._log_input.RECHECK_S", 0.01)
    run = log.parent / "run"
    run.write_text("a file, where a directory cannot be made")
    source = LogInput("in", log, run)
    writer = LogWriter(log, LAYOUT, stream="/a/raw", holder="x")
    for time in (1, 2):
        waiting = asyncio.ensure_future(source.read())
        await asyncio.sleep(0.03)
        writer.store(np.array([(time, (0, 0))], LAYOUT.dtype))
        assert (await waiting)["timestamp"].tolist() == [time]
        source.consume_all()
    assert len(caplog.records) == 1
    assert "looks again every second" in caplog.text
    writer.close()
    await source.close()


async def test_a_reader_whose_bell_was_removed_hangs_up_another(log, monkeypatch):
    monkeypatch.setattr("joule.pipes._log_input.RECHECK_S", 0.05)
    sink, source = output(log), LogInput("in", log, log.parent)
    waiting = asyncio.ensure_future(source.read())
    await asyncio.sleep(0)
    shutil.rmtree(log.parent / "bells")
    await sink.write(rows(1))
    await waiting
    source.consume_all()
    monkeypatch.setattr("joule.pipes._log_input.RECHECK_S", 1e6)
    waiting = asyncio.ensure_future(source.read())
    await asyncio.sleep(0)
    assert list(log.parent.glob("bells/*/*.fifo"))
    for time in range(2, 100):  # the writer looks for the directory now and then
        await sink.write(rows(time))
    assert len(await waiting) > 0
    await source.close()
    await sink.close()


async def test_a_reader_of_a_stream_that_was_fast_and_fell_quiet_is_woken(log, monkeypatch):
    monkeypatch.setattr("joule.pipes._log_input.RECHECK_S", 1e6)
    monkeypatch.setattr("joule.pipes._log_input.FAST_S", 1e6)  # every ring is one of a fast stream
    sink, source = output(log), LogInput("in", log, log.parent)
    for time in range(5):
        waiting = asyncio.ensure_future(source.read())
        await asyncio.sleep(0.03 if time % 2 else 0)  # beyond all its pauses, or within them
        await sink.write(rows(time))
        assert (await waiting)["timestamp"].tolist() == [time]
        source.consume_all()
    await source.close()
    await sink.close()


async def test_a_position_behind_the_end_of_a_log_goes_on_at_its_end_and_says_so(log, caplog):
    sink = output(log)
    await sink.write(rows(1, 2))
    source = LogInput("in", log, log.parent, row=100, breaks=7)
    assert "ends at row 2" in caplog.text
    await sink.write(rows(3))
    assert (await source.read())["timestamp"].tolist() == [3]
    await source.close()
    await sink.close()
