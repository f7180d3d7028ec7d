"""Conformance of pipes: what `write()` takes, and what it refuses without leaving a trace."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from joule.core import Layout
from joule.errors import BadRowsError, BadTimestampError, OutOfOrderError, PipeError, RowWidthError
from joule.pipes import Pipe
from joule.testing._pipe_kind import PipeKind, behaviour
from joule.testing._pipe_probes import assert_rows, assert_waits, make_rows, raises, read_rows

__all__ = ["WritingConformance"]


class _Messages(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.levels: list[int] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.levels.append(record.levelno)


async def assert_refused(pair: tuple[Pipe, Pipe], error: type[PipeError], data: Any, *texts: str) -> None:
    """Check that `data` is refused by both ways of writing, and that neither wrote anything."""
    writer, reader = pair
    before = writer.statistics()
    with raises(error, *texts):
        await writer.write(data)
    with raises(error, *texts):
        writer.write_nowait(data)
    assert writer.statistics() == before, "a refused write was counted"
    await assert_waits(reader)


class WritingConformance(PipeKind):
    """Formats, width, timestamps, values, order."""

    @behaviour
    async def test_rows_may_be_written_in_every_usual_form(self) -> None:
        """2-D arrays of three types, lists, tuples, structured rows in both one-element shapes."""
        for layout in ("float64_1", "float64_2"):
            parsed = Layout.parse(layout)
            rows = make_rows(layout, 1, 7)
            flat = np.column_stack((rows["timestamp"], rows["data"].astype(np.int64)))
            forms: tuple[Any, ...] = (
                flat[0:1].astype(np.float64),
                flat[1:2].astype(np.int64),
                flat[2:3].astype(np.uint64),
                flat[3:4].tolist(),
                tuple(map(tuple, flat[4:5].tolist())),
                rows[5:6].view(parsed.dtype),
                rows[6:7].view(parsed.column_dtype),
            )
            async with self.open_pair(layout) as (writer, reader):
                for form in forms:
                    await writer.write(form)
                assert_rows(await read_rows(reader, 7), rows, layout)

    @behaviour
    async def test_int64_and_uint64_arrays_are_exact(self) -> None:
        """Beyond what float64 could say."""
        for datatype, value in (("int64", 2**62 + 1), ("uint64", 2**63 + 1)):
            async with self.open_pair(f"{datatype}_1") as (writer, reader):
                await writer.write(np.array([[2**60 + 1, value]], datatype))
                rows = await read_rows(reader, 1)
                assert (rows["timestamp"].item(0), rows["data"].ravel().item(0)) == (2**60 + 1, value)

    @behaviour
    async def test_slices_of_any_stride_are_written_as_they_look(self) -> None:
        """Every other row, reversed columns of a bigger array, Fortran order, read-only arrays."""
        async with self.open_pair("float64_2") as (writer, reader):
            rows = make_rows("float64_2", 1, 12)
            flat = np.asfortranarray(np.column_stack((rows["timestamp"], rows["data"])))
            flat.flags.writeable = False
            await writer.write(rows[:6:2])
            await writer.write(flat[6::2])
            assert_rows(await read_rows(reader, 6), rows[::2])

    @behaviour
    async def test_both_ways_of_writing_are_the_same(self) -> None:
        """`write_nowait()` keeps the order with `write()`."""
        async with self.open_pair("float64_1") as (writer, reader):
            rows = make_rows("float64_1", 1, 6)
            await writer.write(rows[:2])
            writer.write_nowait(rows[2:4])
            await writer.write(rows[4:])
            assert_rows(await read_rows(reader, 6), rows)

    @behaviour
    async def test_empty_writes_are_ignored(self) -> None:
        """And mentioned in the log."""
        async with self.open_pair("float64_1") as (writer, reader):
            logger, messages = logging.getLogger("joule.pipes"), _Messages()
            level = logger.level
            logger.addHandler(messages)
            logger.setLevel(logging.INFO)
            try:
                empties: tuple[Any, ...] = ([], (), [[]], np.empty((0, 2)), np.empty((1, 0)), np.empty(0, reader.dtype))
                for empty in empties:
                    await writer.write(empty)
                    writer.write_nowait(empty)
            finally:
                logger.removeHandler(messages)
                logger.setLevel(level)
            assert messages.levels == [logging.INFO] * 2 * len(empties), messages.levels
            assert writer.statistics().writes == 0
            await assert_waits(reader)

    @behaviour
    async def test_rows_of_another_width_are_refused(self) -> None:
        """One value is not spread over three elements; transposed arrays get a hint."""
        if not self.checks_layout:
            return
        async with self.open_pair("float64_3") as pair:
            await assert_refused(pair, RowWidthError, np.ones((2, 2)), "1 values per row", "3-element")
            await assert_refused(pair, RowWidthError, np.ones((2, 3)), "2 values per row")
            await assert_refused(pair, RowWidthError, [[1, 2, 3, 4, 5]], "4 values per row")
            await assert_refused(pair, RowWidthError, np.ones((4, 100)), "transposed")
            await assert_refused(pair, ValueError, np.ones((2, 5)))  # type: ignore[arg-type]  # it is a ValueError too

    @behaviour
    async def test_what_is_no_rows_is_refused(self) -> None:
        """One-dimensional data, three dimensions, texts, numbers, nothing, ragged lists, other structures."""
        other = np.zeros(2, Layout("float32", 3).dtype)
        no_rows: tuple[Any, ...] = (
            [1, 2], np.ones(2), np.ones((2, 2, 2)), "1 2", b"1", 5, None, {}, [["1", "2"]], [[1, 2], [3]], [[1, None]],
            [[1, 1j]], np.ones((1, 2), complex), np.array([[None, 1]]), np.ones((1, 1026)), other.view([("t", "V20")]),
        )  # fmt: skip
        if self.checks_layout:
            no_rows += (other,)
        async with self.open_pair("float64_1") as pair:
            for data in no_rows:
                await assert_refused(pair, PipeError, data)

    @behaviour
    async def test_columns_that_cannot_hold_microseconds_are_refused(self) -> None:
        """float32 is off by half a minute."""
        async with self.open_pair("float32_1") as pair:
            for datatype in (np.float32, np.float16):
                await assert_refused(pair, BadTimestampError, np.ones((2, 2), datatype), "float64")
            await assert_refused(pair, PipeError, np.ones((2, 2), bool))

    @behaviour
    async def test_timestamps_that_are_no_time_are_refused(self) -> None:
        """NaN, infinity, beyond int64; the good rows of the write are not written either."""
        async with self.open_pair("float64_1") as pair:
            for bad in (np.nan, np.inf, -np.inf, 1e19, -1e19, 2.0**63):
                await assert_refused(pair, BadTimestampError, np.array([[1.0, 1.0], [bad, 2.0]]), "row 1")
            await assert_refused(pair, BadTimestampError, np.array([[2**63, 1]], np.uint64))
            await pair[0].write([[1, 1.0]])
            assert (await read_rows(pair[1], 1))["timestamp"].tolist() == [1]

    @behaviour
    async def test_values_that_an_integer_type_cannot_hold_are_refused(self) -> None:
        """Instead of being wrapped round; the message says where."""
        if not self.checks_layout:
            return
        cases: tuple[tuple[str, list[Any]], ...] = (
            ("int8", [128, -129, 1e9, np.nan, np.inf]),
            ("uint8", [256, -1, -1.5]),
            ("int16", [2**15, -(2**15) - 1]),
            ("uint16", [2**16, -1]),
            ("int32", [2**31, -(2**31) - 1, 3e9]),
            ("uint32", [2**32, -1]),
            ("int64", [2**63, 2.0**63, -(2.0**64)]),
            ("uint64", [-1, 2.0**64]),
        )
        for datatype, values in cases:
            async with self.open_pair(f"{datatype}_2") as pair:
                for value in values:
                    await assert_refused(pair, BadRowsError, [[1, 0, 0], [2, 0, value]], "row 1", "element 1", datatype)

    @behaviour
    async def test_numbers_beyond_float32_are_refused(self) -> None:
        """They would be stored as infinity."""
        if not self.checks_layout:
            return
        async with self.open_pair("float32_2") as pair:
            await assert_refused(pair, BadRowsError, [[1, 0.0, 1.0], [2, 1e39, 0.0]], "row 1", "element 0", "float32")

    @behaviour
    async def test_order_is_checked_where_the_kind_promises_it(self) -> None:
        """Rows in order are written, the others counted and reported; other kinds pass what they are given."""
        async with self.open_pair("float64_1") as (writer, reader):
            disordered = [[10, 0], [30, 1], [20, 2], [30, 3], [40, 4]]
            if self.checks_order:
                with raises(OutOfOrderError, "20", "30", "2 rows"):
                    await writer.write(disordered)
                with raises(OutOfOrderError, "40"):
                    await writer.write([[40, 0]])
                expected = [10, 30, 40]
            else:
                await writer.write(disordered)
                expected = [10, 30, 20, 30, 40]
            assert (await read_rows(reader, len(expected)))["timestamp"].tolist() == expected
            await assert_waits(reader)
