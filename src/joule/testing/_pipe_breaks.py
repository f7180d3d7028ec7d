"""Conformance of pipes: interval breaks stay between the rows between which they were written."""

from __future__ import annotations

from joule.pipes import Pipe
from joule.testing._pipe_kind import PipeKind, behaviour
from joule.testing._pipe_probes import (
    assert_rows,
    assert_waits,
    make_rows,
    read_rows,
    read_to_break,
    read_to_end,
    waiting_read,
    woken,
)

__all__ = ["BreakConformance"]


class BreakConformance(PipeKind):
    """Breaks are exact, never spanned, never lost, never made up."""

    @behaviour
    async def test_new_rows_never_span_a_break(self) -> None:
        """A read stops at the break and says so; the next one goes on behind it."""
        async with self.open_pair("float64_1") as (writer, reader):
            rows = make_rows("float64_1", 1, 5)
            await writer.write(rows[:2])
            await writer.close_interval()
            await writer.write(rows[2:])
            assert_rows(await read_to_break(reader), rows[:2])
            reader.consume_all()
            assert reader.end_of_interval, "consuming the rows before a break lost it"
            assert_rows(await read_rows(reader, 3), rows[2:])
            assert not _ends_interval(reader), "a read behind a break still says that it stopped there"

    @behaviour
    async def test_every_break_is_where_it_was_written(self) -> None:
        """Intervals of one row and of several, the last one open."""
        async with self.open_pair("float64_1") as (writer, reader):
            expected, first = [], 1
            for count in (1, 1, 4, 2, 300, 1):
                rows = make_rows("float64_1", first, count)
                await writer.write(rows)
                await writer.close_interval()
                expected.append(rows["timestamp"].tolist())
                first += count
            await writer.write(make_rows("float64_1", first, 2))
            for interval in expected:
                assert (await read_to_break(reader))["timestamp"].tolist() == interval
                reader.consume_all()
            assert len(await read_rows(reader, 2)) == 2

    @behaviour
    async def test_a_break_without_rows_before_it_is_none(self) -> None:
        """At the beginning, and twice in a row."""
        async with self.open_pair("float64_1") as (writer, reader):
            await writer.close_interval()
            await writer.write(make_rows("float64_1", 1, 2))
            for _ in range(3):
                await writer.close_interval()
            await writer.write(make_rows("float64_1", 3, 2))
            assert (await read_to_break(reader))["timestamp"].tolist() == [1, 2]
            reader.consume_all()
            assert (await read_rows(reader, 2))["timestamp"].tolist() == [3, 4]
            assert not reader.end_of_interval, "a break was made up"

    @behaviour
    async def test_a_break_behind_rows_that_were_read_comes_alone(self) -> None:
        """A read without new rows, which says that the interval has ended."""
        async with self.open_pair("float64_1") as (writer, reader):
            rows = make_rows("float64_1", 1, 2)
            await writer.write(rows)
            await read_rows(reader, 2)
            reader.consume(1)
            async with waiting_read(reader) as task:
                await writer.close_interval()
                assert_rows(await woken(task), rows[1:])
            assert reader.end_of_interval
            reader.consume_all()
            await writer.write(make_rows("float64_1", 3, 2))
            await read_rows(reader, 2)
            reader.consume_all()
            async with waiting_read(reader) as task:
                await writer.close_interval()
                assert len(await woken(task)) == 0
            assert reader.end_of_interval

    @behaviour
    async def test_unconsumed_rows_survive_a_break(self) -> None:
        """They come first in the next interval's read, and the one after that."""
        async with self.open_pair("float64_1") as (writer, reader):
            rows = make_rows("float64_1", 1, 9)
            for start in (0, 3, 6):
                await writer.write(rows[start : start + 3])
                await writer.close_interval()
            assert_rows(await read_to_break(reader), rows[:3])
            reader.consume(2)
            assert_rows(await read_to_break(reader), rows[2:6])
            assert_rows(await read_to_break(reader), rows[2:9])

    @behaviour
    async def test_a_break_at_the_very_end_is_seen(self) -> None:
        """Before the end of the data."""
        if not self.ends_with_writer:
            return
        async with self.open_pair("float64_1") as (writer, reader):
            await writer.write(make_rows("float64_1", 1, 2))
            await writer.close_interval()
            await writer.close()
            assert await read_to_end(reader) == [[1, 2], []]

    @behaviour
    async def test_breaks_can_be_written_without_waiting(self) -> None:
        """`close_interval_nowait()` does the same."""
        async with self.open_pair("float64_1") as (writer, reader):
            await writer.write(make_rows("float64_1", 1, 2))
            writer.close_interval_nowait()
            await writer.write(make_rows("float64_1", 3, 2))
            assert (await read_to_break(reader))["timestamp"].tolist() == [1, 2]

    @behaviour
    async def test_a_cancelled_read_does_not_lose_the_interval_behind_a_break(self) -> None:
        """Nor return the break twice."""
        async with self.open_pair("float64_1") as (writer, reader):
            await writer.write(make_rows("float64_1", 1, 2))
            await writer.close_interval()
            await read_to_break(reader)
            reader.consume_all()
            await assert_waits(reader)
            await writer.write(make_rows("float64_1", 3, 2))
            await writer.close_interval()
            assert (await read_to_break(reader))["timestamp"].tolist() == [3, 4]
            await assert_waits(reader)


def _ends_interval(reader: Pipe) -> bool:
    return reader.end_of_interval
