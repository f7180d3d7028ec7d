"""The entry point of the `joule` program."""

from __future__ import annotations

import io
import sys

from joule.cli._root import joule

__all__ = ["main"]


def main() -> None:
    """Run `joule` with this process's arguments; ends the process."""
    for stream in (sys.stdout, sys.stderr):
        # A path with bytes that are no text, or a terminal without UTF-8, must not end a listing half-way.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    joule.main(prog_name="joule")
