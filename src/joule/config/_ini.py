"""INI files with line numbers, read to the end whatever they hold.

The dialect is that of Python's configparser with interpolation off, which is what files of every era were written
for: keys are lower-cased, `=` or `:` parts key and value, `#` and `;` begin a comment at the start of a line only, and
a line with more indentation than its key goes on with the value. configparser itself stops at the first doubled key
and knows no lines, so this reader is our own; a property test holds the two together.
"""

from __future__ import annotations

import dataclasses
import re
import stat
from pathlib import Path

from joule.config._faults import FaultList

__all__ = ["Entry", "Ini", "Section", "parse_ini", "read_ini", "read_text"]

_HEADER = re.compile(r"\[(.+)\]")
_ENTRY = re.compile(r"(.*?)\s*[=:]\s*(.*)")
_LOST_HEADER = re.compile(r"\[(main|arguments|inputs?|outputs?|source|destination|element\d+)\]", re.IGNORECASE)
_MAX_BYTES = 1_000_000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One `key = value`.

    Attributes:
        key: Lower-cased.
        value: Without blanks around it; the lines of a long value are joined by newlines.
        line: Of the key, from 1.
        written: The value as the file has it, where `${NAME}` in it was replaced; else None.
    """

    key: str
    value: str
    line: int
    written: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One `[name]` and what follows it; a doubled section or key is a fault, and its first holder counts.

    Attributes:
        name: As written.
        line: Of the header, from 1.
        entries: By lower-cased key, in the order of the file.
    """

    name: str
    line: int
    entries: dict[str, Entry]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Ini:
    """A file that could be read.

    Attributes:
        file: Where it was read.
        sections: In the order of the file.
    """

    file: Path
    sections: tuple[Section, ...]

    def find(self, *names: str) -> Section | None:
        """Return the first section of one of these names (lower case), however the file spells their case."""
        return next((section for section in self.sections if section.name.lower() in names), None)


def read_ini(file: Path, faults: FaultList) -> Ini | None:
    """Return what a file holds, None when it is no readable text; every fault in it is noted."""
    text = read_text(file, faults)
    return None if text is None else parse_ini(text, file, faults)


def parse_ini(text: str, file: Path, faults: FaultList) -> Ini:
    """Return the sections of a text, noting doubled sections and keys and lines that are neither."""
    reader = _Reader(file, faults)
    for number, line in enumerate(text.split("\n"), start=1):
        reader.feed(number, line)
    return Ini(file=file, sections=reader.finish())


def read_text(file: Path, faults: FaultList) -> str | None:
    """Return the text of a file, its lines ended by line feeds; None, with a fault, where it is no readable text."""
    try:
        state = file.stat()
        if not stat.S_ISREG(state.st_mode):  # opening a FIFO would wait for its writer
            faults.error(file, None, "this is no regular file", "configurations are text files: move it away")
            return None
        if state.st_size > _MAX_BYTES:
            faults.error(
                file, None, f"a configuration of {state.st_size} bytes is no configuration", "move the file away"
            )
            return None
        content = file.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        remedy = "correct the link or remove it" if file.is_symlink() else "check its permissions and owner"
        faults.error(file, None, f"the file cannot be read: {reason}", remedy)
        return None
    return _decode(content, file, faults)


def _decode(content: bytes, file: Path, faults: FaultList) -> str | None:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        faults.error(
            file, line, f"byte 0x{content[error.start]:02x} is not UTF-8", "save the file with the encoding UTF-8"
        )
        return None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        faults.error(file, line, "the file holds a NUL character", "configurations are text files: write it anew")
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n")


class _Reader:
    """The state between one line and the next."""

    def __init__(self, file: Path, faults: FaultList) -> None:
        self._file = file
        self._faults = faults
        self._sections: dict[str, Section] = {}
        self._section: Section | None = None
        self._entry: Entry | None = None
        self._lines: list[str] = []
        self._indent = 0
        self._is_homeless = False

    def feed(self, number: int, line: str) -> None:
        text = line.strip()
        if text.startswith(("#", ";")):
            return
        if not text:
            self._lines.append("")
            return
        indent = len(line) - len(line.lstrip())
        if self._entry is not None and indent > self._indent:
            self._go_on(number, text)
            return
        self._indent = indent
        header = _HEADER.match(text)
        if header:
            self._begin_section(number, header[1].strip())
        elif self._section is None:
            self._note_homeless(number)
        else:
            self._begin_entry(number, text)

    def finish(self) -> tuple[Section, ...]:
        self._end_entry()
        return tuple(self._sections.values())

    def _go_on(self, number: int, text: str) -> None:
        if _LOST_HEADER.fullmatch(text):
            self._faults.warning(
                self._file,
                number,
                f"{text} is read as part of the value above, because it is indented",
                "remove the blanks in front of it",
            )
        self._lines.append(text)

    def _begin_section(self, number: int, name: str) -> None:
        self._end_entry()
        first = self._sections.get(name.lower())
        self._section = Section(name=name, line=number, entries={})
        if first is None:
            self._sections[name.lower()] = self._section
        else:  # it is read for its own faults, and then left out
            self._faults.error(
                self._file, number, f"section [{name}] was begun before, in line {first.line}", "make one of the two"
            )

    def _begin_entry(self, number: int, text: str) -> None:
        self._end_entry()
        match = _ENTRY.fullmatch(text)
        if match is None or not match[1]:
            self._faults.error(
                self._file,
                number,
                f"{_shortened(text)!r} is neither a [section] nor key = value",
                "write key = value, indent the line if it goes on with the value above, or begin it with # for a note",
            )
            return
        self._entry = Entry(key=match[1].lower(), value="", line=number)
        self._lines = [match[2]]

    def _end_entry(self) -> None:
        entry, self._entry = self._entry, None
        if entry is None or self._section is None:
            return
        first = self._section.entries.get(entry.key)
        if first is not None:
            self._faults.error(
                self._file,
                entry.line,
                f"{entry.key!r} was given before, in line {first.line}",
                "keep one of the two (capitals make no difference)",
            )
            return
        value = "\n".join(self._lines).rstrip()
        self._section.entries[entry.key] = dataclasses.replace(entry, value=value)

    def _note_homeless(self, number: int) -> None:
        if not self._is_homeless:
            self._faults.error(self._file, number, "this line comes before any [section]", "begin the file with [Main]")
        self._is_homeless = True


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
