"""What is wrong with a configuration, where, and what to do about it.

Reading never stops at a fault: each reader notes what it found in one list and goes on, so that a user sees every
fault of every file at once.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

__all__ = ["Fault", "FaultList", "did_you_mean"]

Severity = Literal["error", "warning"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong, or probably not meant, in one file.

    Attributes:
        file: The file to change, absolute.
        line: Its line, counted from 1; None for the file as a whole.
        message: What is wrong: subject, rule, what came.
        remedy: What to do about it.
        severity: An `error` keeps the module or stream from being used; a `warning` does not.
    """

    file: Path
    line: int | None
    message: str
    remedy: str
    severity: Severity = "error"

    def __str__(self) -> str:
        place = str(self.file) if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.message}; {self.remedy}"


class FaultList:
    """Collects faults while files are read."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._silent: set[tuple[Path, int | None]] = set()

    def error(self, file: Path, line: int | None, message: str, remedy: str) -> None:
        """Note what keeps something from being used."""
        self._add(Fault(file=file, line=line, message=message, remedy=remedy))

    def warning(self, file: Path, line: int | None, message: str, remedy: str) -> None:
        """Note what is probably not meant."""
        self._add(Fault(file=file, line=line, message=message, remedy=remedy, severity="warning"))

    def silence(self, file: Path, line: int) -> None:
        """Note nothing more for a line: its value is not known, and what would be said of it follows from that."""
        self._silent.add((file, line))

    def has_errors(self, file: Path) -> bool:
        """Whether an error was noted for this file."""
        return any(fault.file == file and fault.severity == "error" for fault in self._faults)

    def _add(self, fault: Fault) -> None:
        if (fault.file, fault.line) not in self._silent:
            self._faults.append(fault)

    def wrong_lines(self, file: Path) -> frozenset[int]:
        """Return the lines of a file that have errors."""
        found = (fault for fault in self._faults if fault.file == file and fault.severity == "error")
        return frozenset(fault.line for fault in found if fault.line is not None)

    def sorted(self) -> tuple[Fault, ...]:
        """Return the faults by file and line, each once."""
        return tuple(sorted(dict.fromkeys(self._faults), key=lambda fault: (str(fault.file), fault.line or 0)))


def did_you_mean(word: str, known: Iterable[str], otherwise: str) -> str:
    """Return the remedy for a word that is not among the known ones: the nearest of them, or `otherwise`."""
    spellings = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), spellings, n=1)
    return f"did you mean {spellings[near[0]]!r}?" if near else otherwise
