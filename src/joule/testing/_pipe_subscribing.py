"""Conformance of pipes: subscribers get a copy of every write, break and close."""

from __future__ import annotations

from joule.errors import PipeError
from joule.pipes import LocalPipe
from joule.testing._pipe_kind import PipeKind, behaviour
from joule.testing._pipe_probes import assert_rows, make_rows, raises, read_rows, read_to_break, read_to_end

__all__ = ["SubscribingConformance"]


class SubscribingConformance(PipeKind):
    """A local pipe subscribes to this kind, and this kind to a local pipe."""

    @behaviour
    async def test_a_subscriber_gets_rows_breaks_and_the_end(self) -> None:
        """And the reader of the pipe itself gets them too."""
        async with self.open_pair("float64_2") as (writer, reader):
            copy = LocalPipe("float64_2")
            writer.subscribe(copy)
            assert writer.subscribers == [copy]
            await writer.write(make_rows("float64_2", 1, 2))
            await writer.close_interval()
            writer.write_nowait(make_rows("float64_2", 3, 1))
            writer.close_interval_nowait()
            assert (await read_to_break(reader))["timestamp"].tolist() == [1, 2]
            await writer.close()
            assert await read_to_end(copy) == [[1, 2], [3], []]

    @behaviour
    async def test_a_subscriber_has_copies_of_its_own(self) -> None:
        """Neither the writer's array nor the other reader's is shared."""
        async with self.open_pair("float64_2") as (writer, reader):
            copy = LocalPipe("float64_2")
            writer.subscribe(copy)
            rows = make_rows("float64_2", 1, 3)
            array = rows.copy()
            await writer.write(array)
            array["data"] = -1
            (await read_rows(reader, 3))["data"] = -2
            assert_rows(await copy.read(), rows)
            await copy.close()

    @behaviour
    async def test_cached_rows_reach_subscribers_with_the_flush(self) -> None:
        """In the same order as breaks."""
        async with self.open_pair("float64_1") as (writer, _):
            copy = LocalPipe("float64_1")
            writer.subscribe(copy)
            writer.enable_cache(100)
            await writer.write(make_rows("float64_1", 1, 2))
            assert len(copy.read_nowait()) == 0
            await writer.close_interval()
            await writer.write(make_rows("float64_1", 3, 2))
            await writer.close()
            assert await read_to_end(copy) == [[1, 2], [3, 4]]

    @behaviour
    async def test_a_subscription_ends_when_it_is_ended(self) -> None:
        """Ending it twice is fine, and leaves the subscriber open and the others alone."""
        async with self.open_pair("float64_1") as (writer, _):
            copy, other = LocalPipe("float64_1"), LocalPipe("float64_1")
            unsubscribe = writer.subscribe(copy)
            writer.add_subscriber(other)
            await writer.write(make_rows("float64_1", 1, 1))
            unsubscribe()
            unsubscribe()
            await writer.write(make_rows("float64_1", 2, 1))
            await writer.close()
            assert copy.read_nowait()["timestamp"].tolist() == [1]
            assert not copy.closed
            assert await read_to_end(other) == [[1, 2]]

    @behaviour
    async def test_a_subscriber_that_was_closed_is_dropped_and_the_writer_goes_on(self) -> None:
        """By its own hand or as failed, between writes, breaks and the close; the others miss nothing."""
        async with self.open_pair("float64_1") as (writer, reader):
            last = LocalPipe("float64_1")
            gone = [LocalPipe("float64_1") for _ in range(5)]
            for pipe in (*gone, last):
                writer.subscribe(pipe)
            await gone[0].close()
            gone[1].fail()
            await writer.write(make_rows("float64_1", 1, 1))
            assert writer.subscribers == [*gone[2:], last]
            await gone[2].close()
            writer.write_nowait(make_rows("float64_1", 2, 1))
            await gone[3].close()
            await writer.close_interval()
            await writer.write(make_rows("float64_1", 3, 1))
            gone[4].close_nowait()
            writer.close_interval_nowait()
            assert writer.subscribers == [last]
            assert (await read_to_break(reader))["timestamp"].tolist() == [1, 2]
            await writer.close()
            assert await read_to_end(last) == [[1, 2], [3], []]

    @behaviour
    async def test_what_an_open_subscriber_refuses_comes_out_of_the_write(self) -> None:
        """When the rows are written, here and to the others."""
        async with self.open_pair("float64_2") as (writer, reader):
            other, last = LocalPipe("float64_1"), LocalPipe("float64_2")
            writer.subscribe(other)
            writer.subscribe(last)
            with raises(PipeError, "float64_1"):
                await writer.write(make_rows("float64_2", 1, 1))
            with raises(PipeError, "float64_1"):
                writer.write_nowait(make_rows("float64_2", 2, 1))
            assert writer.subscribers == [other, last]
            assert (await read_rows(reader, 2))["timestamp"].tolist() == [1, 2]
            assert (await read_rows(last, 2))["timestamp"].tolist() == [1, 2]

    @behaviour
    async def test_this_kind_can_subscribe(self) -> None:
        """To a local pipe."""
        async with self.open_pair("float64_1") as (writer, reader):
            source = LocalPipe("float64_1")
            source.subscribe(writer)
            await source.write(make_rows("float64_1", 1, 2))
            await source.close_interval()
            await source.write(make_rows("float64_1", 3, 1))
            assert (await read_to_break(reader))["timestamp"].tolist() == [1, 2]
            reader.consume_all()
            assert (await read_rows(reader, 1))["timestamp"].tolist() == [3]
            await source.close()
            assert writer.closed
