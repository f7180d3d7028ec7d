"""Conformance of pipes: `read_all()`, which reads a pipe to its end."""

from __future__ import annotations

from joule.errors import PipeError
from joule.testing._pipe_kind import PipeKind, behaviour
from joule.testing._pipe_probes import assert_rows, make_rows, raises

__all__ = ["ReadAllConformance"]


class ReadAllConformance(PipeKind):
    """Everything, at most so many rows, or an error."""

    @behaviour
    async def test_read_all_returns_all_intervals_and_closes(self) -> None:
        """Across breaks, until the end of the data."""
        if not self.ends_with_writer:
            return
        async with self.open_pair("float64_2") as (writer, reader):
            rows = make_rows("float64_2", 1, 7)
            await writer.write(rows[:3])
            await writer.close_interval()
            await writer.write(rows[3:])
            await writer.close()
            assert_rows(await reader.read_all(), rows)
            assert reader.closed

    @behaviour
    async def test_read_all_can_flatten(self) -> None:
        """As `read()` does."""
        if not self.ends_with_writer:
            return
        async with self.open_pair("float64_2") as (writer, reader):
            await writer.write(make_rows("float64_2", 1, 7))
            await writer.close()
            assert (await reader.read_all(flatten=True)).shape == (7, 3)

    @behaviour
    async def test_read_all_stops_at_maxrows_while_the_writer_goes_on(self) -> None:
        """It does not wait for a row that it would not return."""
        async with self.open_pair("float64_1") as (writer, reader):
            rows = make_rows("float64_1", 1, 7)
            await writer.write(rows[:5])
            assert_rows(await reader.read_all(maxrows=5), rows[:5])
            assert reader.closed

    @behaviour
    async def test_read_all_cuts_at_maxrows(self) -> None:
        """And closes the pipe."""
        async with self.open_pair("float64_1") as (writer, reader):
            rows = make_rows("float64_1", 1, 7)
            await writer.write(rows)
            assert_rows(await reader.read_all(maxrows=4), rows[:4])
            assert reader.closed

    @behaviour
    async def test_read_all_raises_on_overflow_if_asked_to(self) -> None:
        """And closes the pipe."""
        async with self.open_pair("float64_1") as (writer, reader):
            await writer.write(make_rows("float64_1", 1, 7))
            with raises(PipeError, "4"):
                await reader.read_all(maxrows=4, error_on_overflow=True)
            assert reader.closed

    @behaviour
    async def test_as_many_rows_as_maxrows_are_no_overflow(self) -> None:
        """The limit itself is allowed."""
        if not self.ends_with_writer:
            return
        async with self.open_pair("float64_1") as (writer, reader):
            rows = make_rows("float64_1", 1, 4)
            await writer.write(rows)
            await writer.close()
            assert_rows(await reader.read_all(maxrows=4, error_on_overflow=True), rows)

    @behaviour
    async def test_read_all_of_an_empty_pipe_is_an_error(self) -> None:
        """In the words `No data in pipe`, which callers look for."""
        if not self.ends_with_writer:
            return
        async with self.open_pair("float64_1") as (writer, reader):
            await writer.close()
            with raises(PipeError, "No data in pipe"):
                await reader.read_all()
