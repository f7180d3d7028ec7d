"""The daemon's own log: stderr, and `jouled.log` beside the logs of the modules, bounded by one rotation."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

__all__ = ["journal_to_file", "journal_to_stderr"]

_MAX_BYTES = 1024 * 1024


class _Format(logging.Formatter):
    """One line for a record, and its traceback below; nothing in it that a terminal would act on."""

    _INERT: ClassVar = {code: f"\\x{code:02x}" for code in (*range(9), *range(11, 32), *range(127, 160))}

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", "%Y-%m-%dT%H:%M:%S%z")

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).translate(self._INERT)


class _File(logging.handlers.RotatingFileHandler):
    """A file that may be on a full disk: the daemon goes on, and stderr has had the line."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # the name is the library's
        return


@contextlib.contextmanager
def journal_to_stderr() -> Iterator[None]:
    """Log to stderr as long as the context lasts."""
    with _handler(logging.StreamHandler()):
        yield


@contextlib.contextmanager
def journal_to_file(path: Path) -> Iterator[None]:
    """Log to a file as well as long as the context lasts.

    Raises:
        OSError: The file cannot be opened.
    """
    with _handler(_File(path, maxBytes=_MAX_BYTES, backupCount=1, encoding="utf-8", errors="backslashreplace")):
        yield


@contextlib.contextmanager
def _handler(handler: logging.Handler) -> Iterator[None]:
    root = logging.getLogger("joule")
    before = root.level
    handler.setFormatter(_Format())
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        handler.close()
