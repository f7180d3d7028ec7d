"""Conformance of pipes: no more data, closed by you, failed; and the wrong end.

Three endings are kept apart, and none of them is a hang.
"""

from __future__ import annotations

from joule.errors import ClosedPipeError, EmptyPipeError, PipeError
from joule.pipes import LocalPipe
from joule.testing._pipe_kind import PipeKind, behaviour
from joule.testing._pipe_probes import assert_rows, make_rows, raises, read_rows, read_to_end, waiting_read, woken

__all__ = ["EndingConformance"]


class EndingConformance(PipeKind):
    """What ends reads and writes, and how."""

    @behaviour
    async def test_what_was_written_is_read_before_the_data_ends(self) -> None:
        """Then EmptyPipeError, however often one asks."""
        if not self.ends_with_writer:
            return
        async with self.open_pair("float64_1") as (writer, reader):
            rows = make_rows("float64_1", 1, 3)
            await writer.write(rows)
            await writer.close()
            assert writer.closed
            assert_rows(await read_rows(reader, 3), rows)
            reader.consume_all()
            for _ in range(2):
                with raises(EmptyPipeError):
                    await reader.read()
            assert await reader.is_empty()

    @behaviour
    async def test_a_pipe_closed_without_a_row_is_empty(self) -> None:
        """The reader does not wait for rows that cannot come."""
        if not self.ends_with_writer:
            return
        async with self.open_pair("float64_1") as (writer, reader):
            await writer.close()
            assert await reader.is_empty()

    @behaviour
    async def test_a_waiting_read_ends_when_the_writer_closes(self) -> None:
        """With EmptyPipeError."""
        if not self.ends_with_writer:
            return
        async with self.open_pair("float64_1") as (writer, reader):
            await writer.write(make_rows("float64_1", 1, 1))
            await read_rows(reader, 1)
            reader.consume_all()
            async with waiting_read(reader) as task:
                await writer.close()
                with raises(EmptyPipeError):
                    await woken(task)

    @behaviour
    async def test_unconsumed_rows_are_returned_once_more_at_the_end(self) -> None:
        """The third read in a row that consumes nothing raises, so that a median filter ends."""
        if not self.ends_with_writer:
            return
        async with self.open_pair("float64_1") as (writer, reader):
            rows = make_rows("float64_1", 1, 4)
            await writer.write(rows)
            await read_rows(reader, 4)
            reader.consume_all()
            await writer.write(make_rows("float64_1", 5, 2))
            await read_rows(reader, 2)
            await writer.close()
            again = await reader.read()
            assert again["timestamp"].tolist() == [5, 6]
            with raises(EmptyPipeError):
                await reader.read()

    @behaviour
    async def test_consuming_at_the_end_goes_on(self) -> None:
        """As long as each read consumes something, the rest is returned."""
        if not self.ends_with_writer:
            return
        async with self.open_pair("float64_1") as (writer, reader):
            rows = make_rows("float64_1", 1, 5)
            await writer.write(rows)
            await writer.close()
            await read_rows(reader, 5)
            for done in range(1, 5):
                reader.consume(1)
                assert_rows(await reader.read(), rows[done:])
            reader.consume(1)
            with raises(EmptyPipeError):
                await reader.read()

    @behaviour
    async def test_a_filter_that_leaves_an_edge_unconsumed_ends(self) -> None:
        """The page's median filter, in both idioms."""
        if not self.ends_with_writer:
            return
        for asks_first in (False, True):
            async with self.open_pair("float64_1") as (writer, reader):
                await writer.write(make_rows("float64_1", 1, 30))
                await writer.close()
                reads = 0
                with raises(EmptyPipeError):
                    while not asks_first or await reader.not_empty():
                        rows = await reader.read()
                        if len(rows) > 20:
                            reader.consume(len(rows) - 20)
                        reads += 1
                        assert reads < 20, "the data does not end"
                    raise EmptyPipeError(reader.name)

    @behaviour
    async def test_closing_twice_is_fine(self) -> None:
        """For either end."""
        async with self.open_pair("float64_1") as (writer, reader):
            for pipe in (writer, reader):
                await pipe.close()
                await pipe.close()
                pipe.close_nowait()
                assert pipe.closed

    @behaviour
    async def test_the_result_of_close_may_be_ignored(self) -> None:
        """As code of early eras does; readers come to the end all the same."""
        if not self.ends_with_writer:
            return
        async with self.open_pair("float64_1") as (writer, reader):
            await writer.write(make_rows("float64_1", 1, 3))
            writer.close()
            assert await read_to_end(reader) == [[1, 2, 3]]

    @behaviour
    async def test_a_closed_pipe_cannot_be_written(self) -> None:
        """And says so, in words that callers look for."""
        async with self.open_pair("float64_1") as (writer, _):
            await writer.write(make_rows("float64_1", 1, 1))
            await writer.close()
            with raises(ClosedPipeError, "write to a closed pipe"):
                await writer.write(make_rows("float64_1", 2, 1))
            with raises(ClosedPipeError, "closed pipe"):
                writer.write_nowait(make_rows("float64_1", 2, 1))
            with raises(ClosedPipeError, "closed pipe"):
                await writer.close_interval()

    @behaviour
    async def test_an_end_that_was_closed_cannot_be_read(self) -> None:
        """Although rows are there; that is not the end of the data."""
        if self.is_one_object:
            return
        async with self.open_pair("float64_1") as (writer, reader):
            await writer.write(make_rows("float64_1", 1, 2))
            await read_rows(reader, 2)
            await reader.close()
            with raises(ClosedPipeError, "read from a closed pipe"):
                await reader.read()
            with raises(ClosedPipeError, "closed pipe"):
                await reader.is_empty()
            with raises(ClosedPipeError, "closed pipe"):
                reader.consume(1)

    @behaviour
    async def test_closing_the_reading_end_ends_a_waiting_read(self) -> None:
        """With ClosedPipeError: the data has not ended."""
        if self.is_one_object:
            return
        async with self.open_pair("float64_1") as (_, reader), waiting_read(reader) as task:
            await reader.close()
            with raises(ClosedPipeError, "closed pipe"):
                await woken(task)

    @behaviour
    async def test_a_failed_pipe_raises_about_everything(self) -> None:
        """Reading, writing, breaks, consuming."""
        async with self.open_pair("float64_1") as (writer, reader):
            await writer.write(make_rows("float64_1", 1, 2))
            await read_rows(reader, 2)
            reader.fail()
            writer.fail()
            with raises(PipeError, "fail"):
                await reader.read()
            with raises(PipeError, "fail"):
                reader.consume(1)
            with raises(PipeError, "fail"):
                await writer.write(make_rows("float64_1", 3, 1))
            with raises(PipeError, "fail"):
                await writer.close_interval()
            await writer.close()
            await reader.close()

    @behaviour
    async def test_failing_ends_a_waiting_read(self) -> None:
        """With the failure; the data has not ended."""
        async with self.open_pair("float64_1") as (_, reader), waiting_read(reader) as task:
            reader.fail()
            with raises(PipeError, "fail"):
                await woken(task)

    @behaviour
    async def test_each_end_goes_one_way(self) -> None:
        """An input cannot be written, an output not read."""
        if self.is_one_object:
            return
        async with self.open_pair("float64_1") as (writer, reader):
            with raises(PipeError, "output"):
                await writer.read()
            with raises(PipeError, "output"):
                writer.consume(0)
            with raises(PipeError, "output"):
                await writer.is_empty()
            with raises(PipeError, "input"):
                await reader.write([[1, 1]])
            with raises(PipeError, "input"):
                await reader.close_interval()
            with raises(PipeError, "input"):
                reader.enable_cache(10)
            with raises(PipeError, "input"):
                reader.subscribe(LocalPipe("float64_1"))

    @behaviour
    async def test_a_pipe_that_carried_rows_keeps_its_layout(self) -> None:
        """Rows of another layout would be read as something else."""
        async with self.open_pair("float64_1") as (writer, reader):
            await writer.write(make_rows("float64_1", 1, 2))
            with raises(PipeError, "int8_2"):
                writer.change_layout("int8_2")
            assert (await read_rows(reader, 2))["timestamp"].tolist() == [1, 2]
