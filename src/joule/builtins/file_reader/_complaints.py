"""What becomes of lines that give no row: told by number and left out, or the end of the module."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from joule.builtins.file_reader._lines import BadLine
from joule.errors import ModuleError

__all__ = ["Complaints"]

_log = logging.getLogger("joule.builtins.file_reader")

_TOLD = 10  # one by one; later ones are counted, and the count is told when it has grown tenfold


class Complaints:
    """The bad lines of a source.

    Args:
        path: Of the source.
        stops: A bad line ends the module.

    Attributes:
        count: How many there were.
        stops: As above.
    """

    def __init__(self, path: str, *, stops: bool) -> None:
        self.count = 0
        self.stops = stops
        self._path = path
        self._next_count = _TOLD

    def hear(self, bad: Iterable[BadLine]) -> None:
        """Tell about bad lines, in the order of their numbers.

        Raises:
            ModuleError: There is one, and it ends the module.
        """
        for line in sorted(bad):
            if self.stops:
                raise ModuleError(
                    f"{self._path}, line {line.number}: {line.reason}; correct it, or leave such lines out with "
                    "--on-error skip"
                )
            self.count += 1
            if self.count <= _TOLD:
                _log.warning("%s, line %d is left out: %s", self._path, line.number, line.reason)
            if self.count == self._next_count:
                _log.warning("%s: %d bad lines so far; most of the next ones are only counted", self._path, self.count)
                self._next_count *= 10
