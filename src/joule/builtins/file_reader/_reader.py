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

from joule.builtins.file_reader._blocks import END, Source
from joule.builtins.file_reader._complaints import Complaints
from joule.builtins.file_reader._lines import LineCutter, LineParser
from joule.builtins.file_reader._writer import RowWriter
from joule.client import ReaderModule, yesno
from joule.errors import ModuleError
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
        writer = RowWriter(output, complaints, unit_us)
        cutter = LineCutter(skips_first=source.is_device)
        columns = None if isinstance(output, StdoutPipe) else output.width + (not stamps)
        parser = LineParser(_DELIMITERS[getattr(parsed_args, "delimiter", ",")], columns)
        async with contextlib.aclosing(source.blocks(from_end=from_end)) as blocks:
            async for block in blocks:
                await writer.take(parser.parse(cutter.end() if block == END else cutter.cut(block)))
                if block == END:
                    parser.restart()
                if self.stop_requested:
                    break
                await asyncio.sleep(0)
        writer.finish(path)


def _delimiter(text: str) -> str:
    """Return what a person called a delimiter, as a key of `_DELIMITERS`; a module's file may have it in quotes."""
    word = (text.strip("\"'") or text).lower()
    if word not in _DELIMITERS:
        raise argparse.ArgumentTypeError(f"a delimiter is comma, semicolon, tab or blank, not {text}")
    return word


def main() -> None:
    """Run the module: the program `joule-file-reader`."""
    FileReader().start()
