"""From lines of numbers to rows of a stream: their times, their order, and what the stream does not take.

A bad line costs no good one: not the lines beside it in the same block, and not those behind a time that is far ahead.
"""

from __future__ import annotations

import logging

import numpy as np
import numpy.typing as npt

from joule.builtins.file_reader._complaints import Complaints
from joule.builtins.file_reader._lines import BadLine, Parsed
from joule.core import time_now
from joule.errors import BadRowsError, OutOfOrderError
from joule.pipes import Pipe

__all__ = ["RowWriter"]

_log = logging.getLogger("joule.builtins.file_reader")

Table = npt.NDArray[np.float64]
"""Rows with timestamps [us] in column 0, shape (n, 1 + width)."""
Numbers = npt.NDArray[np.int64]
"""Of the lines that the rows come from, shape (n,)."""

# What times from 1985 to far from now are in other units; as microseconds these are times of 1970 and 1971.
_OTHER_UNITS = {"s": (5 * 10**8, 5 * 10**10), "ms": (5 * 10**11, 5 * 10**13)}
_AHEAD = "its time is too far ahead of the clock"


def _is_time(times: Table) -> npt.NDArray[np.bool_]:
    """Return which numbers fit a timestamp; NaN and infinities do not."""
    fits: npt.NDArray[np.bool_] = np.abs(times) < 2.0**63
    return fits


class RowWriter:
    """Writes what lines give, in order.

    Args:
        output: Where to.
        complaints: Told about lines that cannot be written.
        unit_us: Of times, which are the first value of each line, us; None: rows get the time at which they are read.
    """

    def __init__(self, output: Pipe, complaints: Complaints, unit_us: int | None) -> None:
        self._output = output
        self._complaints = complaints
        self._unit_us = unit_us
        self._stored_us = output.last_us  # by an earlier run
        self._last_us = -np.inf if self._stored_us is None else float(self._stored_us)
        self._repeated = 0
        self._written = 0

    async def take(self, parsed: Parsed) -> None:
        """Write the rows of lines, and complain about the others.

        Raises:
            ModuleError: There is a bad line, and it ends the module; the rows before it are written.
        """
        bad = list(parsed.bad)
        if parsed.values:
            rows, numbers = self._timed(np.array(parsed.values)), np.array(parsed.numbers)
            if self._complaints.stops and bad:
                before = numbers < min(bad).number
                rows, numbers = rows[before], numbers[before]
            await self._take_rows(rows, numbers, bad)
        self._complaints.hear(bad)

    def finish(self, path: str) -> None:
        """Say what came of the source."""
        self._end_repeats()
        _log.info("%s ended: %d rows, %d bad lines", path, self._written, self._complaints.count)

    def _timed(self, values: Table) -> Table:
        if self._unit_us is None:
            first_us = max(time_now(), int(self._last_us) + 1 if np.isfinite(self._last_us) else 0)
            return np.column_stack((first_us + np.arange(len(values)), values))
        times_us = values[:, 0] * self._unit_us
        whole_us = np.floor(times_us)
        values[:, 0] = whole_us + (times_us - whole_us >= 0.5)  # as pipes round them
        return values

    async def _take_rows(self, rows: Table, numbers: Numbers, bad: list[BadLine]) -> None:
        """Write the rows that are newer than all before them."""
        while len(rows):
            times = rows[:, 0]
            bounded = np.where(_is_time(times), times, -np.inf)
            newest = np.maximum.accumulate(np.concatenate(([self._last_us], bounded)))[:-1]
            in_order = bounded > newest
            count = len(rows)
            faults = self._faults(rows, numbers, newest, is_begun=np.cumsum(in_order) > 0)
            if faults and self._complaints.stops:
                count = int(np.searchsorted(numbers, min(faults).number))
            horizon_us = await self._write(rows[:count][in_order[:count]], numbers[:count][in_order[:count]], bad)
            if horizon_us is None:
                bad += faults
                return
            # A time too far ahead made those behind it look old: they are looked at again without it.
            ahead = bounded > horizon_us
            first = int(np.argmax(ahead))
            bad += [fault for fault in faults if fault.number < numbers[first]]
            bad += [BadLine(int(number), _AHEAD) for number in numbers[ahead & ~in_order]]
            again = ~ahead & (np.arange(len(rows)) > first)
            rows, numbers = rows[again], numbers[again]

    def _faults(
        self, rows: Table, numbers: Numbers, newest: npt.NDArray[np.float64], *, is_begun: npt.NDArray[np.bool_]
    ) -> list[BadLine]:
        """Return what is wrong with the times of rows.

        Rows that an earlier run has stored are counted only, up to the first one that is new (`is_begun`).
        """
        times = rows[:, 0]
        is_stored = (times <= (-np.inf if self._stored_us is None else self._stored_us)) & ~is_begun
        is_time = _is_time(times)
        self._repeated += int(np.count_nonzero(is_stored & is_time))
        wrong = ~(times > newest) & ~is_stored | ~is_time
        return [
            BadLine(int(number), f"its time {time:.0f} is not later than {before:.0f}, the newest before it")
            if _is_time(time)
            else BadLine(int(number), f"its time is {time}")
            for number, time, before in zip(numbers[wrong], times[wrong], newest[wrong], strict=True)
        ]

    async def _write(self, rows: Table, numbers: Numbers, bad: list[BadLine]) -> float | None:
        """Write rows in order; of those that the stream does not take, complain about each by itself.

        Returns:
            None; or the latest time that the stream takes, us, where some were later.
        """
        if not len(rows):
            return None
        if not self._written:
            self._hint_at_unit(rows[0, 0])
        self._end_repeats()
        horizon_us = None
        try:
            await self._output.write(rows)
        except OutOfOrderError as error:  # the order is right: these are too far ahead of the clock
            refused = rows[:, 0] > error.last_us
            bad += [BadLine(int(number), str(error)) for number in numbers[refused]]
            rows, horizon_us = rows[~refused], float(error.last_us)
        except BadRowsError as error:
            if len(rows) > 1:
                return await self._write_halves(rows, numbers, bad)
            bad.append(BadLine(int(numbers[0]), error.detail["reason"]))
            return None
        else:
            taken_us = self._output.last_us
            if taken_us is not None and taken_us < rows[-1, 0]:  # the stream drops them without an error
                refused = rows[:, 0] > taken_us
                bad += [BadLine(int(number), _AHEAD) for number in numbers[refused]]
                rows, horizon_us = rows[~refused], float(np.nextafter(rows[refused][0, 0], -np.inf))
        if len(rows):
            self._written += len(rows)
            self._last_us = rows[-1, 0]
        return horizon_us

    async def _write_halves(self, rows: Table, numbers: Numbers, bad: list[BadLine]) -> float | None:
        half = len(rows) // 2
        first_us = await self._write(rows[:half], numbers[:half], bad)
        if bad and self._complaints.stops:
            return first_us
        second_us = await self._write(rows[half:], numbers[half:], bad)
        return first_us if second_us is None else second_us

    def _hint_at_unit(self, time_us: float) -> None:
        """Warn about a first time that is likely to be in another unit."""
        hint = "the first time is %.0f, in microseconds: if that is in %s, give --time-unit"
        for unit, (lowest, highest) in _OTHER_UNITS.items():
            if self._unit_us == 1 and lowest <= time_us < highest:
                _log.warning(hint, time_us, unit)

    def _end_repeats(self) -> None:
        """Rows that are older than the stream's newest are faults from now on, and no repetition of an earlier run."""
        if self._repeated:
            _log.info("%d rows are left out, as they are stored already or older than those", self._repeated)
        self._stored_us, self._repeated = None, 0
