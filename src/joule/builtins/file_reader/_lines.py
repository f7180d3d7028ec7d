"""From blocks of bytes to numbered lines, and from lines to rows of numbers."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["BadLine", "LineCutter", "LineParser", "Lines", "Parsed"]

MAX_LINE_BYTES = 2**17  # more than 1,024 elements need
_SHOWN_CHARACTERS = 60


class Lines(NamedTuple):
    """Consecutive lines."""

    first: int  # number of the first one, counted from 1
    contents: list[bytes]  # without line ends


class BadLine(NamedTuple):
    """A line that gave no row, and why."""

    number: int
    reason: str


class Parsed(NamedTuple):
    """What some lines gave."""

    numbers: list[int]  # of the lines that gave rows
    values: list[list[float]]  # of each of them
    bad: list[BadLine]


class LineCutter:
    """Cuts bytes into lines, however they come; of a line that does not end the rest is left out: memory is bounded.

    Args:
        skips_first: The first line may have lost its beginning.
    """

    def __init__(self, *, skips_first: bool = False) -> None:
        self._rest = b""
        self._skips = skips_first
        self._number = 0

    def cut(self, block: bytes) -> Lines:
        """Return the lines that end in this block."""
        *contents, self._rest = (self._rest + block).split(b"\n")
        is_long = len(self._rest) > MAX_LINE_BYTES
        if is_long:
            contents.append(self._rest[: MAX_LINE_BYTES + 1])
            self._rest = b""
        lines = self._numbered(contents)
        if is_long:  # what follows up to the next line end belongs to that line
            self._skips = True
            self._number -= 1
        return lines

    def end(self) -> Lines:
        """Return the last line, where it has no line end, and start counting anew."""
        lines = self._numbered([self._rest] if self._rest else [])
        self._rest, self._number, self._skips = b"", 0, False
        return lines

    def _numbered(self, contents: list[bytes]) -> Lines:
        skipped = 1 if self._skips and contents else 0
        first = self._number + 1 + skipped
        self._number += len(contents)
        self._skips = self._skips and not skipped
        return Lines(first, contents[skipped:])


class LineParser:
    """Turns lines into numbers, all lines into equally many.

    Args:
        delimiter: Between values; None for any run of blanks.
        columns: How many values a line has; None: as many as the first good line.
    """

    def __init__(self, delimiter: bytes | None, columns: int | None) -> None:
        self._delimiter = delimiter
        self._columns = columns
        self._is_start = True

    def restart(self) -> None:
        """Expect a header again: another file or writer begins."""
        self._is_start = True

    def parse(self, lines: Lines) -> Parsed:
        """Return what lines give.

        Empty lines, lines that begin with `#`, and a header (a first line that does not begin with a number) are
        neither good nor bad.
        """
        parsed = Parsed([], [], [])
        for number, line in enumerate(lines.contents, lines.first):
            content = line.strip()
            if not content or content.startswith(b"#"):
                continue
            is_start, self._is_start = self._is_start, False
            if is_start:
                content = content.removeprefix(b"\xef\xbb\xbf")  # how some programs mark UTF-8
            try:
                row = self._row(content)
            except ValueError as error:
                if not is_start or _is_number(content.split(self._delimiter)[0]):
                    parsed.bad.append(BadLine(number, f"{error}: {_shown(content)}"))
            else:
                parsed.numbers.append(number)
                parsed.values.append(row)
        return parsed

    def _row(self, content: bytes) -> list[float]:
        if len(content) > MAX_LINE_BYTES:
            raise ValueError(f"it is longer than {MAX_LINE_BYTES} bytes")
        fields = content.split(self._delimiter)
        if self._columns is not None and len(fields) != self._columns:
            raise ValueError(f"it has {len(fields)} of {self._columns} values")
        try:
            row = [float(field) for field in fields]
        except ValueError:
            raise ValueError(_complaint(fields)) from None
        if b"_" in content:  # Python takes it for a separator of digits
            raise ValueError(_complaint(fields))
        self._columns = len(fields)
        return row


def _complaint(fields: list[bytes]) -> str:
    index, field = next((i, field) for i, field in enumerate(fields, start=1) if not _is_number(field))
    if not field.strip():
        return f"value {index} is empty (write nan for one that is missing)"
    return f"value {index} is no number"


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return b"_" not in field


def _shown(content: bytes) -> str:
    """Return a line as a person can read it, shortened, without anything that a terminal would obey."""
    text = content[: 4 * _SHOWN_CHARACTERS].decode("utf-8", "replace")
    text = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]} ..."
