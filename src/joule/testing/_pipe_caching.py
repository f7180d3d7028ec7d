"""Conformance of pipes: the writer's cache, an author's choice between few big writes and rows at once."""

from __future__ import annotations

from joule.errors import PipeError
from joule.testing._pipe_kind import PipeKind, behaviour
from joule.testing._pipe_probes import (
    assert_rows,
    assert_waits,
    make_rows,
    raises,
    read_rows,
    read_to_break,
    read_to_end,
)

__all__ = ["CachingConformance"]


class CachingConformance(PipeKind):
    """Gathering rows, and everything that lets them go."""

    @behaviour
    async def test_a_cache_gathers_rows_until_it_is_full(self) -> None:
        """Then all of them leave, in order."""
        async with self.open_pair("float64_1") as (writer, reader):
            rows = make_rows("float64_1", 1, 5)
            writer.enable_cache(5)
            await writer.write(rows[:2])
            writer.write_nowait(rows[2:4])
            await assert_waits(reader)
            assert writer.statistics()[:3] == (4, 2, 4)
            await writer.write(rows[4:])
            assert writer.statistics().rows_cached == 0
            assert_rows(await read_rows(reader, 5), rows)

    @behaviour
    async def test_a_flush_lets_cached_rows_go(self) -> None:
        """An empty cache has nothing to flush."""
        async with self.open_pair("float64_1") as (writer, reader):
            writer.enable_cache(100)
            await writer.flush_cache()
            await writer.write(make_rows("float64_1", 1, 2))
            await writer.flush_cache()
            assert (await read_rows(reader, 2))["timestamp"].tolist() == [1, 2]

    @behaviour
    async def test_a_break_stays_behind_the_cached_rows(self) -> None:
        """Also when nothing has left the cache before."""
        for nowait in (False, True):
            async with self.open_pair("float64_1") as (writer, reader):
                writer.enable_cache(100)
                await writer.write(make_rows("float64_1", 1, 2))
                if nowait:
                    writer.close_interval_nowait()
                else:
                    await writer.close_interval()
                await writer.write(make_rows("float64_1", 3, 1))
                await writer.flush_cache()
                assert (await read_to_break(reader))["timestamp"].tolist() == [1, 2]
                reader.consume_all()
                assert (await read_rows(reader, 1))["timestamp"].tolist() == [3]

    @behaviour
    async def test_closing_lets_cached_rows_go(self) -> None:
        """They are the last rows of the data, also when nothing was sent before and nobody awaits the closing."""
        for awaits in (True, False):
            async with self.open_pair("float64_1") as (writer, reader):
                writer.enable_cache(100)
                await writer.write(make_rows("float64_1", 1, 2))
                closing = writer.close()
                if awaits:
                    await closing
                if self.ends_with_writer:
                    assert await read_to_end(reader) == [[1, 2]]
                else:
                    assert (await read_rows(reader, 2))["timestamp"].tolist() == [1, 2]

    @behaviour
    async def test_cached_rows_are_private_copies(self) -> None:
        """The author may reuse the array before the cache is flushed."""
        async with self.open_pair("float64_2") as (writer, reader):
            rows = make_rows("float64_2", 1, 3)
            array = rows.copy()
            writer.enable_cache(100)
            await writer.write(array)
            array["data"] = -1
            await writer.flush_cache()
            assert_rows(await read_rows(reader, 3), rows)

    @behaviour
    async def test_a_refused_write_leaves_the_cache_as_it_is(self) -> None:
        """Rows that were accepted before it are not lost with it."""
        async with self.open_pair("float64_1") as (writer, reader):
            writer.enable_cache(100)
            await writer.write(make_rows("float64_1", 1, 2))
            with raises(PipeError):
                await writer.write([[float("nan"), 1.0]])
            if not self.carries_zero_rows:
                with raises(PipeError, "zero"):
                    await writer.write([[0, 0]])
            assert writer.statistics().rows_cached == 2
            await writer.flush_cache()
            assert (await read_rows(reader, 2))["timestamp"].tolist() == [1, 2]

    @behaviour
    async def test_a_cache_of_no_rows_is_refused(self) -> None:
        """It could never be full."""
        async with self.open_pair("float64_1") as (writer, _):
            with raises(PipeError):
                writer.enable_cache(0)
