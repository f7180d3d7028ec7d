"""The entry point of the `joule` program."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

from joule.cli._root import joule

__all__ = ["main"]


def main() -> None:
    """Run `joule` with this process's arguments; ends the process."""
    # Started with stdout or stderr closed, Python has None there.
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        # A path with bytes that are no text, or a terminal without UTF-8, must not end a listing half-way.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    joule.main(prog_name="joule")


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")
