"""Conformance of pipes: reading, consuming, reading again."""

from __future__ import annotations

import numpy as np

from joule.core import DATATYPES
from joule.errors import EmptyPipeError, PipeError
from joule.testing._pipe_kind import PipeKind, behaviour
from joule.testing._pipe_probes import assert_rows, assert_waits, make_rows, raises, read_rows, read_to_break

__all__ = ["ReadingConformance"]


class ReadingConformance(PipeKind):
    """Positions of the reader, and what reads look like."""

    @behaviour
    async def test_reading_does_not_consume(self) -> None:
        """Unconsumed rows come first in the next read, new ones behind them."""
        async with self.open_pair("float64_1") as (writer, reader):
            rows = make_rows("float64_1", 1, 6)
            await writer.write(rows[:4])
            assert_rows(await read_rows(reader, 4), rows[:4])
            reader.consume(1)
            await writer.write(rows[4:])
            assert_rows(await read_rows(reader, 5), rows[1:])

    @behaviour
    async def test_unconsumed_rows_alone_are_nothing_new(self) -> None:
        """A read that could only repeat what the last one returned waits."""
        async with self.open_pair("float64_1") as (writer, reader):
            await writer.write(make_rows("float64_1", 1, 3))
            await read_rows(reader, 3)
            await assert_waits(reader)

    @behaviour
    async def test_consuming_in_steps_reaches_every_row_once(self) -> None:
        """Zero is fine; each step takes the first of what is left."""
        async with self.open_pair("float64_1") as (writer, reader):
            rows = make_rows("float64_1", 1, 10)
            await writer.write(rows)
            await read_rows(reader, 10)
            done = 0
            for count in (0, 1, 2, 0, 3):
                reader.consume(count)
                done += count
                reader.reread_last()
                assert_rows(await reader.read(), rows[done:])

    @behaviour
    async def test_consume_all_leaves_nothing_of_the_last_read(self) -> None:
        """Rows that no read has returned stay."""
        async with self.open_pair("float64_1") as (writer, reader):
            rows = make_rows("float64_1", 1, 5)
            await writer.write(rows[:3])
            await read_rows(reader, 3)
            await writer.write(rows[3:])
            reader.consume_all()
            assert_rows(await read_rows(reader, 2), rows[3:])

    @behaviour
    async def test_impossible_amounts_are_refused_and_consume_nothing(self) -> None:
        """A negative number, and more rows than the last read returned."""
        async with self.open_pair("float64_1") as (writer, reader):
            rows = make_rows("float64_1", 1, 5)
            await writer.write(rows[:3])
            with raises(PipeError, "consume"):
                reader.consume(1)  # nothing was read yet
            await read_rows(reader, 3)
            reader.consume(1)
            await writer.write(rows[3:])
            with raises(PipeError, "consume"):
                reader.consume(3)  # written, but never returned by a read
            with raises(PipeError, "negative"):
                reader.consume(-1)
            assert_rows(await read_rows(reader, 4), rows[1:])

    @behaviour
    async def test_reread_last_returns_what_is_unconsumed_and_nothing_new(self) -> None:
        """Once; then reads look for new rows again."""
        async with self.open_pair("float64_1") as (writer, reader):
            rows = make_rows("float64_1", 1, 6)
            await writer.write(rows[:4])
            await read_rows(reader, 4)
            reader.consume(2)
            await writer.write(rows[4:])
            reader.reread_last()
            assert_rows(await reader.read(), rows[2:4])
            assert_rows(await read_rows(reader, 4), rows[2:])

    @behaviour
    async def test_reread_last_keeps_the_end_of_the_interval(self) -> None:
        """The break belongs to the rows that are returned again."""
        async with self.open_pair("float64_1") as (writer, reader):
            rows = make_rows("float64_1", 1, 4)
            await writer.write(rows[:2])
            await writer.close_interval()
            await writer.write(rows[2:])
            await read_to_break(reader)
            reader.reread_last()
            assert_rows(await reader.read(), rows[:2])
            assert reader.end_of_interval, "reading again lost the interval break"
            reader.consume_all()
            assert_rows(await read_rows(reader, 2), rows[2:])

    @behaviour
    async def test_is_empty_gives_what_came_to_the_next_read(self) -> None:
        """Asking twice changes nothing."""
        async with self.open_pair("float64_1") as (writer, reader):
            rows = make_rows("float64_1", 1, 4)
            await writer.write(rows[:2])
            assert not await reader.is_empty()
            assert await reader.not_empty()
            await writer.write(rows[2:])
            first = await reader.read()
            assert_rows(first, rows[: len(first)])
            assert 1 <= len(first) <= 2, "the read after is_empty() returned rows that came later"

    @behaviour
    async def test_the_not_empty_idiom_reads_everything_and_ends(self) -> None:
        """`while await pipe.not_empty(): rows = await pipe.read(); pipe.consume(len(rows))`."""
        async with self.open_pair("float64_1") as (writer, reader):
            rows = make_rows("float64_1", 1, 9)
            for start in (0, 3, 6):
                await writer.write(rows[start : start + 3])
                await writer.close_interval()
            if not self.ends_with_writer:
                return
            await writer.close()
            blocks = []
            while await reader.not_empty():
                block = await reader.read()
                reader.consume(len(block))
                blocks.append(block)
            assert_rows(np.concatenate(blocks), rows)

    @behaviour
    async def test_rows_consumed_unread_are_not_waited_for_again(self) -> None:
        """`while await pipe.not_empty(): pipe.consume_all()` ends."""
        async with self.open_pair("float64_1") as (writer, reader):
            await writer.write(make_rows("float64_1", 1, 3))
            await writer.close_interval()
            if not self.ends_with_writer:
                return
            await writer.close()
            asked = 0
            while await reader.not_empty():
                reader.consume_all()
                asked += 1
                assert asked < 10, "is_empty() says that there is more, although everything was consumed"

    @behaviour
    async def test_the_read_until_empty_idiom_reads_everything_and_ends(self) -> None:
        """`while True: rows = await pipe.read() ...` until EmptyPipeError."""
        async with self.open_pair("float64_1") as (writer, reader):
            if not self.ends_with_writer:
                return
            rows = make_rows("float64_1", 1, 9)
            await writer.write(rows)
            await writer.close()
            blocks = []
            with raises(EmptyPipeError):
                while True:
                    block = await reader.read()
                    reader.consume(len(block))
                    blocks.append(block)
            assert_rows(np.concatenate(blocks), rows)

    @behaviour
    async def test_flattened_reads_have_timestamps_in_column_0(self) -> None:
        """float64, but int64 for int64 streams."""
        for datatype in DATATYPES:
            for width in (1, 2):
                layout = f"{datatype}_{width}"
                async with self.open_pair(layout) as (writer, reader):
                    rows = make_rows(layout, 1, 4)
                    await writer.write(rows)
                    await read_rows(reader, 4)
                    reader.reread_last()
                    flat = await reader.read(flatten=True)
                    assert flat.shape == (4, 1 + width), f"{layout}: {flat.shape}"
                    assert flat.dtype == (np.int64 if datatype == "int64" else np.float64), f"{layout}: {flat.dtype}"
                    assert flat[:, 0].tolist() == [1, 2, 3, 4]
                    assert flat[:, 1:].tolist() == rows["data"].tolist()

    @behaviour
    async def test_one_element_rows_have_the_shape_that_the_kind_promises(self) -> None:
        """(n, 1) or (n,); more elements are (n, width) always."""
        for layout, shape in (("float32_1", (3, 1) if self.column else (3,)), ("float32_2", (3, 2))):
            async with self.open_pair(layout) as (writer, reader):
                await writer.write(make_rows(layout, 1, 3))
                rows = await read_rows(reader, 3)
                assert rows["data"].shape == shape
                assert rows.dtype == reader.dtype
                assert type(rows) is np.ndarray

    @behaviour
    async def test_both_ends_know_their_layout(self) -> None:
        """`layout`, `width` and `dtype`; a writer that checks no layout has the one of its last rows."""
        async with self.open_pair("uint16_3") as pair:
            if not self.checks_layout:
                await pair[0].write(make_rows("uint16_3", 1, 1))
            for pipe in pair:
                assert (pipe.layout, pipe.width, pipe.decimation_level) == ("uint16_3", 3, 1)
                assert pipe.dtype.itemsize == 14
                assert "uint16_3" in repr(pipe)

    @behaviour
    async def test_read_nowait_never_waits(self) -> None:
        """Nothing, everything, and everything again."""
        if not self.reads_nowait:
            return
        async with self.open_pair("float64_1") as (writer, reader):
            assert len(reader.read_nowait()) == 0
            rows = make_rows("float64_1", 1, 5)
            await writer.write(rows[:3])
            assert_rows(reader.read_nowait(), rows[:3])
            assert reader.read_nowait(flatten=True).shape == (3, 2)
            reader.consume(2)
            await writer.write(rows[3:])
            assert_rows(reader.read_nowait(), rows[2:])

    @behaviour
    async def test_statistics_count_what_passed(self) -> None:
        """Rows written, read, consumed; writes; breaks gone beyond."""
        async with self.open_pair("float64_1") as (writer, reader):
            await writer.write(make_rows("float64_1", 1, 4))
            await writer.close_interval()
            await writer.write(make_rows("float64_1", 5, 3))
            await read_to_break(reader)
            reader.consume(3)
            await read_rows(reader, 4)
            written, read = writer.statistics(), reader.statistics()
            assert (written.rows_written, written.writes, written.rows_cached) == (7, 2, 0), written
            assert (read.rows_read, read.rows_consumed, read.rows_unconsumed, read.breaks_passed) == (7, 3, 4, 1), read
