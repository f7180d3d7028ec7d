"""Conformance of pipes: rows arrive, all of them, in order, bit for bit, and as private copies."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import numpy.typing as npt

from joule.core import DATATYPES, Layout, Rows
from joule.errors import PipeError
from joule.testing._pipe_kind import PipeKind, behaviour
from joule.testing._pipe_probes import assert_rows, assert_waits, make_rows, raises, read_rows, settle

__all__ = ["CarryingConformance"]

READ_LIMIT_BYTES = 16_000_000
_SPECIAL_BITS = (
    0x7FF8000000000000,  # the usual NaN
    0x7FF8DEADBEEF0001,  # NaN with a payload
    0xFFF8000000000123,  # negative NaN with a payload
    0x7FF0000000000000,  # infinity
    0xFFF0000000000000,
    0x8000000000000000,  # -0.0
    0x0000000000000001,  # the smallest denormal
    0x7FEFFFFFFFFFFFFF,  # the greatest finite number
)


def random_rows(layout: Layout, count: int) -> Rows:
    """Return rows of arbitrary bits (NaN payloads, denormals, extremes among them), timestamps increasing."""
    generator = np.random.default_rng(count)
    rows: Rows = np.frombuffer(generator.bytes(count * layout.row_bytes), layout.column_dtype).copy()
    rows["timestamp"] = np.arange(1, count + 1)
    return rows


def with_usual_nans(rows: Rows) -> Rows:
    """Return the rows with one and the same NaN wherever there is any."""
    data = rows["data"]
    if data.dtype.kind == "f":
        data[np.isnan(data)] = np.nan
    return rows


def extremes(datatype: str) -> npt.NDArray[Any]:
    """Return the smallest and the greatest value of an integer type."""
    info = np.iinfo(datatype)
    return np.array([info.min, info.max], datatype)


class CarryingConformance(PipeKind):
    """Order, loss, copies, values."""

    @behaviour
    async def test_rows_come_out_in_the_order_in_which_they_went_in(self) -> None:
        """Blocks of any size, read in between."""
        async with self.open_pair("float64_2") as (writer, reader):
            rows = make_rows("float64_2", 1, 700)
            start = 0
            for count in (1, 2, 255, 1, 256, 100, 3, 82):
                await writer.write(rows[start : start + count])
                assert_rows(await read_rows(reader, count), rows[start : start + count])
                reader.consume(count)
                start += count

    @behaviour
    async def test_rows_written_before_anyone_reads_are_not_lost(self) -> None:
        """A thousand writes of one row, then a reader."""
        async with self.open_pair("int32_1") as (writer, reader):
            rows = make_rows("int32_1", 1, 1000)
            for row in range(1000):
                await writer.write(rows[row : row + 1])
            assert_rows(await read_rows(reader, 1000), rows)

    @behaviour
    async def test_an_array_may_be_changed_after_it_was_written(self) -> None:
        """2-D and structured, few rows and many: kinds may treat those differently."""
        for layout, count in (("float64_1", 3), ("float64_2", 3), ("float64_2", 1000)):
            async with self.open_pair(layout) as (writer, reader):
                rows = make_rows(layout, 1, 2 * count)
                plain = np.column_stack((rows["timestamp"], rows["data"]))[:count]
                structured = rows[count:].copy()
                await writer.write(plain)
                plain[:] = -1
                await writer.write(structured)
                structured["data"], structured["timestamp"] = -1, -1
                assert_rows(await read_rows(reader, 2 * count), rows, layout)

    @behaviour
    async def test_an_array_that_read_returned_may_be_changed(self) -> None:
        """The rows that stay unconsumed keep their values."""
        async with self.open_pair("float64_2") as (writer, reader):
            rows = make_rows("float64_2", 1, 5)
            await writer.write(rows[:3])
            first = await read_rows(reader, 3)
            assert first.flags.writeable, "a read returned an array that cannot be changed"
            first["data"], first["timestamp"] = -1, -1
            reader.consume(1)
            await writer.write(rows[3:])
            assert_rows(await read_rows(reader, 4), rows[1:])

    @behaviour
    async def test_an_array_that_read_returned_does_not_change_by_itself(self) -> None:
        """Consuming, reading and writing go on without touching it."""
        async with self.open_pair("float64_1") as (writer, reader):
            rows = make_rows("float64_1", 1, 600)
            await writer.write(rows[:300])
            first = await read_rows(reader, 300)
            kept = first.copy()
            reader.consume_all()
            await writer.write(rows[300:])
            await read_rows(reader, 300)
            assert_rows(first, kept)

    @behaviour
    async def test_two_reads_return_independent_arrays(self) -> None:
        """What is unconsumed is copied again."""
        async with self.open_pair("float64_1") as (writer, reader):
            await writer.write(make_rows("float64_1", 1, 4))
            first = await read_rows(reader, 4)
            reader.reread_last()
            assert not np.shares_memory(first, await reader.read()), "two reads returned the same memory"

    @behaviour
    async def test_every_datatype_is_carried_bit_for_bit(self) -> None:
        """Structured rows of arbitrary bits, one element and three."""
        for datatype in DATATYPES:
            for width in (1, 3):
                layout = Layout(datatype, width)
                async with self.open_pair(str(layout)) as (writer, reader):
                    rows = self._as_carried(random_rows(layout, 200))
                    await writer.write(rows)
                    assert_rows(await read_rows(reader, 200), rows, str(layout))

    @behaviour
    async def test_the_widest_rows_are_carried(self) -> None:
        """1024 elements."""
        async with self.open_pair("float64_1024") as (writer, reader):
            rows = self._as_carried(random_rows(Layout("float64", 1024), 3))
            await writer.write(rows)
            assert_rows(await read_rows(reader, 3), rows)

    @behaviour
    async def test_nan_infinity_and_denormals_are_data(self) -> None:
        """In a 2-D float64 array: NaN payloads and the sign of zero stay."""
        rows = np.zeros(len(_SPECIAL_BITS), Layout("float64", 1).column_dtype)
        rows["timestamp"] = np.arange(1, 1 + len(rows))
        rows["data"] = np.array(_SPECIAL_BITS, np.uint64).view(np.float64)[:, None]
        async with self.open_pair("float64_1") as (writer, reader):
            await writer.write(np.column_stack((rows["timestamp"], rows["data"])))
            assert_rows(await read_rows(reader, len(rows)), self._as_carried(rows))

    @behaviour
    async def test_float32_keeps_what_it_can_hold(self) -> None:
        """NaN, infinity, -0.0 and denormals, from a 2-D float64 array."""
        async with self.open_pair("float32_1") as (writer, reader):
            values = np.array([np.nan, np.inf, -np.inf, -0.0, 1e-45, 3.4028234e38], np.float32)
            await writer.write(np.column_stack((np.arange(1, 7), values.astype(np.float64))))
            came = (await read_rows(reader, 6))["data"].ravel()
            assert came.tobytes() == values.tobytes(), came

    @behaviour
    async def test_integer_extremes_are_carried(self) -> None:
        """In structured rows, and in 2-D arrays of the same type or wider."""
        for datatype in DATATYPES:
            if datatype.startswith("float"):
                continue
            async with self.open_pair(f"{datatype}_1") as (writer, reader):
                values = extremes(datatype)
                wide = np.uint64 if datatype == "uint64" else np.int64
                await writer.write(np.column_stack((np.array([1, 2], wide), values.astype(wide))))
                assert (await read_rows(reader, 2))["data"].ravel().tolist() == values.tolist(), datatype

    @behaviour
    async def test_float64_arrays_reach_the_ends_of_integer_types(self) -> None:
        """As far as float64 can say them: -2**63 is exact."""
        if not self.checks_layout:
            return
        for datatype in ("int8", "uint8", "int16", "uint16", "int32", "uint32"):
            async with self.open_pair(f"{datatype}_1") as (writer, reader):
                values = extremes(datatype)
                await writer.write(np.column_stack(([1.0, 2.0], values.astype(np.float64))))
                assert (await read_rows(reader, 2))["data"].ravel().tolist() == values.tolist(), datatype
        async with self.open_pair("int64_1") as (writer, reader):
            await writer.write(np.array([[1.0, -(2.0**63)]]))
            assert (await read_rows(reader, 1))["data"].ravel().tolist() == [-(2**63)]

    @behaviour
    async def test_a_row_of_zeros_is_data_or_refused(self) -> None:
        """Never silently lost: it is the first row of many a test."""
        async with self.open_pair("int16_2") as (writer, reader):
            if self.carries_zero_rows:
                rows = np.zeros(1, Layout("int16", 2).dtype)
                await writer.write(rows)
                assert_rows(await read_rows(reader, 1), rows)
                assert not reader.end_of_interval, "a row of zeros was taken for an interval break"
                return
            with raises(PipeError, "zero"):
                await writer.write([[-1, 0, 0], [0, 0, 0]])
            await writer.write([[0, 0, 1]])
            assert (await read_rows(reader, 1))["data"].tolist() == [[0, 1]]

    @behaviour
    async def test_timestamps_in_float64_columns_are_exact(self) -> None:
        """Whole microseconds up to 2**53; fractions are rounded and keep their order."""
        async with self.open_pair("float64_1") as (writer, reader):
            stamps = [1.7e15, 1_700_000_000_000_001.0, 2.0**53 - 1]
            await writer.write(np.column_stack((stamps, [1, 2, 3])))
            assert (await read_rows(reader, 3))["timestamp"].tolist() == [int(stamp) for stamp in stamps]

    @behaviour
    async def test_fractional_timestamps_become_distinct_microseconds(self) -> None:
        """As `np.linspace` makes them: 1000 points in a second."""
        async with self.open_pair("float64_1") as (writer, reader):
            stamps = np.linspace(1.7e15, 1.7e15 + 1e6, 1000)
            await writer.write(np.column_stack((stamps, np.arange(1000))))
            steps = np.diff((await read_rows(reader, 1000))["timestamp"])
            assert set(steps.tolist()) <= {1001, 1002}, set(steps.tolist())

    @behaviour
    async def test_big_writes_arrive_in_bounded_reads(self) -> None:
        """24 MB in one write: no read returns more than 16 MB, nothing is missing, and the writer waits if it must."""
        async with self.open_pair("float64_1024") as (writer, reader):
            rows = make_rows("float64_1024", 1, 3000)
            writing = asyncio.create_task(writer.write(rows))
            await settle()
            waits = "returned" if writing.done() else "waits"
            assert writing.done() == self.holds_any_amount, f"a write of 24 MB that nobody reads {waits}"
            done = 0
            while done < len(rows):
                block = await reader.read()
                assert block.nbytes <= READ_LIMIT_BYTES, f"a read returned {block.nbytes} bytes"
                assert np.array_equal(block, rows[done : done + len(block)]), f"rows behind {done} differ"
                reader.consume(len(block))
                done += len(block)
            await writing
            await assert_waits(reader)

    def _as_carried(self, rows: Rows) -> Rows:
        return rows if self.carries_nan_payloads else with_usual_nans(rows)
