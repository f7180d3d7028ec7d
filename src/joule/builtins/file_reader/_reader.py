"""The file reader: lines of numbers, from anything that has a path, as rows.

A restarted reader begins at the beginning of its file. Where the file holds the rows' times, those that are stored
already are known by them, and left out. Where it does not, there is nothing to know them by: then a reader whose stream
has rows goes on at the end of its file.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging

import numpy as np
import numpy.typing as npt

from joule.builtins.file_reader._blocks import END, Source
from joule.builtins.file_reader._complaints import Complaints
from joule.builtins.file_reader._lines import BadLine, LineCutter, LineParser, Lines
from joule.client import ReaderModule, yesno
from joule.core import time_now
from joule.errors import BadRowsError, ModuleError, OutOfOrderError
from joule.pipes import Pipe, StdoutPipe

__all__ = ["FileReader", "main"]

_log = logging.getLogger("joule.builtins.file_reader")

_DELIMITERS = {
    "comma": b",",
    "semicolon": b";",
    "tab": b"\t",
    "blank": None,  # None: any run of blanks
    ",": b",",
    ";": b";",
    "\t": b"\t",
    " ": None,
}

_UNITS_US = {"us": 1, "ms": 1_000, "s": 1_000_000}
# What times from 1985 to far from now are in other units; as microseconds these are times of 1970 and 1971.
_OTHER_UNITS = {"s": (5 * 10**8, 5 * 10**10), "ms": (5 * 10**11, 5 * 10**13)}


class FileReader(ReaderModule):
    """Reads lines of numbers from a file, a named pipe or a device, and writes each as a row."""

    STOP_TIMEOUT = 0.2  # it looks at the stop between blocks; where none comes, there is nothing to wait for

    def custom_args(self, parser: argparse.ArgumentParser) -> None:
        """Add `--file`, also without its name, `--delimiter`, `--timestamp`, `--follow` and `--on-error`."""
        parser.description = "Reads lines of numbers from a file, a named pipe or a serial device: a row for each line."
        add = parser.add_argument
        add("file", nargs="?", default=argparse.SUPPRESS, metavar="FILE", help="same as --file FILE")
        add("--file", metavar="FILE", help="path of what is read; - for standard input")
        delimiter_help = "between values: comma, semicolon, tab or blank, or the character itself (default: comma)"
        add("-d", "--delimiter", type=_delimiter, default=",", nargs="?", const=" ", help=delimiter_help)
        timestamp_help = "yes: the time of reading is the row's; no: it is the first value (default: no)"
        add("-t", "--timestamp", "--timestamps", type=yesno, default=False, metavar="YES|NO", help=timestamp_help)
        unit_help = "of times in the file: us, ms or s, with fractions (default: us)"
        add("--time-unit", choices=tuple(_UNITS_US), default="us", help=unit_help)
        add("--follow", type=yesno, default=True, metavar="YES|NO", help="wait for more at the end (default: yes)")
        error_help = "what to do about a line that is no row (default: skip)"
        add("--on-error", choices=("skip", "stop"), default="skip", help=error_help)

    async def run(self, parsed_args: argparse.Namespace, output: Pipe) -> None:
        """Read until the source ends or the module is stopped.

        Raises:
            ModuleError: The source cannot be read, or a line is no row and `--on-error stop` was given.
        """
        path = getattr(parsed_args, "file", None)
        if not path:
            raise ModuleError("there is no file to read: give its path with --file")
        source = Source(path, follow=getattr(parsed_args, "follow", True))
        stamps = bool(getattr(parsed_args, "timestamp", False))
        complaints = Complaints(path, stops=getattr(parsed_args, "on_error", "skip") == "stop")
        from_end = stamps and source.is_file and output.last_us is not None
        if from_end:
            _log.warning("%s has no times, and its stream has rows: going on at its end", path)
        unit_us = None if stamps else _UNITS_US[getattr(parsed_args, "time_unit", "us")]
        writer = _RowWriter(output, complaints, unit_us)
        cutter = LineCutter(skips_first=source.is_device)
        columns = None if isinstance(output, StdoutPipe) else output.width + (not stamps)
        parser = LineParser(_DELIMITERS[getattr(parsed_args, "delimiter", ",")], columns)
        async with contextlib.aclosing(source.blocks(from_end=from_end)) as blocks:
            async for block in blocks:
                await writer.take(cutter.end() if block == END else cutter.cut(block), parser)
                if block == END:
                    parser.restart()
                if self.stop_requested:
                    break
                await asyncio.sleep(0)
        writer.finish(path)


class _RowWriter:
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

    async def take(self, lines: Lines, parser: LineParser) -> None:
        """Write the rows of lines, and complain about the others."""
        numbers, values, bad = parser.parse(lines)
        if values:
            rows, places = self._in_order(np.array(values), np.array(numbers), bad)
            if self._complaints.stops and bad:
                before = places < min(bad).number
                rows, places = rows[before], places[before]
            await self._write(rows, places, bad)
        self._complaints.hear(bad)

    def finish(self, path: str) -> None:
        """Say what came of the source."""
        self._end_repeats()
        _log.info("%s ended: %d rows, %d bad lines", path, self._written, self._complaints.count)

    def _in_order(
        self, values: npt.NDArray[np.float64], numbers: npt.NDArray[np.int64], bad: list[BadLine]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """Return the rows that are newer than all before them, and their numbers."""
        if self._unit_us is None:
            first_us = max(time_now(), int(self._last_us) + 1 if np.isfinite(self._last_us) else 0)
            return np.column_stack((first_us + np.arange(len(values)), values)), numbers
        times_us = values[:, 0] * self._unit_us
        whole = np.floor(times_us)
        times = values[:, 0] = whole + (times_us - whole >= 0.5)  # as pipes round them
        good = np.isfinite(times)
        newest = np.maximum.accumulate(np.concatenate(([self._last_us], np.where(good, times, -np.inf))))[:-1]
        in_order = good & (times > newest)
        is_stored = good & (times <= self._stored_us) if self._stored_us is not None else np.zeros_like(good)
        self._repeated += int(np.count_nonzero(is_stored))
        for row in np.flatnonzero(~in_order & ~is_stored):
            reason = f"its time {times[row]:.0f} is not later than {newest[row]:.0f}, the newest before it"
            bad.append(BadLine(int(numbers[row]), reason if good[row] else f"its time is {times[row]}"))
        return values[in_order], numbers[in_order]

    async def _write(self, rows: npt.NDArray[np.float64], numbers: npt.NDArray[np.int64], bad: list[BadLine]) -> None:
        """Write rows; of those that the stream does not take, complain about each by itself."""
        if not len(rows):
            return
        if not self._written:
            self._hint_at_unit(rows[0, 0])
        self._end_repeats()
        try:
            await self._output.write(rows)
        except OutOfOrderError as error:  # the order is right: these are too far ahead of the clock
            refused = rows[:, 0] > error.last_us
            bad += [BadLine(int(number), str(error)) for number in numbers[refused]]
            rows = rows[~refused]
        except BadRowsError as error:
            if len(rows) == 1:
                bad.append(BadLine(int(numbers[0]), error.detail["reason"]))
                return
            half = len(rows) // 2
            await self._write(rows[:half], numbers[:half], bad)
            if not (bad and self._complaints.stops):
                await self._write(rows[half:], numbers[half:], bad)
            return
        if len(rows):
            self._written += len(rows)
            self._last_us = rows[-1, 0]

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


def _delimiter(text: str) -> str:
    """Return what a person called a delimiter, as a key of `_DELIMITERS`; a module's file may have it in quotes."""
    word = (text.strip("\"'") or text).lower()
    if word not in _DELIMITERS:
        raise argparse.ArgumentTypeError(f"a delimiter is comma, semicolon, tab or blank, not {text}")
    return word


def main() -> None:
    """Run the module: the program `joule-file-reader`."""
    FileReader().start()
