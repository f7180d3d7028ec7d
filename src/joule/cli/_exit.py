"""How a command ends: the exit codes that programs may rely on, and errors as sentences.

The root group is the seam of the command line. Below it code raises; here an error of ours becomes one sentence and
its exit code, and anything unexpected a line that says how to get the traceback.
"""

from __future__ import annotations

import os
import sys
import traceback

import click

from joule.cli._text import printable
from joule.errors import JouleError, NodeUnreachableError, NotFoundError

__all__ = ["EXIT_CODES", "FAILED", "INTERRUPTED", "Failure", "NotThere", "Unreachable", "failure_of"]

FAILED, USAGE, UNREACHABLE, NOT_FOUND = 1, 2, 3, 4
INTERRUPTED = 130  # what shells give for SIGINT

EXIT_CODES = {
    0: "done; also what goes on until Ctrl-C (--live, --follow), ended by that",
    FAILED: "what was asked for failed, or what was checked has faults",
    USAGE: "the command was typed wrongly",
    UNREACHABLE: "no jouled answers there",
    NOT_FOUND: "the node has no stream or module of that name",
    INTERRUPTED: "ended by Ctrl-C before it was done",
}


class Failure(click.ClickException):
    """An error that ends the command: a sentence for stderr and an exit code."""

    exit_code = FAILED

    def format_message(self) -> str:
        """Return the sentence with nothing in it that a terminal would act on."""
        return printable(self.message, keep="\n")


class Unreachable(Failure):
    """No jouled answers."""

    exit_code = UNREACHABLE


class NotThere(Failure):
    """The node has nothing of that name."""

    exit_code = NOT_FOUND


def failure_of(error: Exception) -> Failure:
    """Return what the user is told about `error`.

    With `JOULE_DEBUG=1` in the environment its traceback goes to stderr first.
    """
    if os.environ.get("JOULE_DEBUG") == "1":
        traceback.print_exception(error, file=sys.stderr)
    if isinstance(error, JouleError):
        return _kind(error)(error.message)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename is not None else ""
        return Failure(f"{where}{error.strerror}")
    return Failure(
        f"{type(error).__name__}: {error}\nThis is a fault in joule itself; JOULE_DEBUG=1 in the environment shows the "
        "traceback to report it with."
    )


def _kind(error: JouleError) -> type[Failure]:
    if isinstance(error, NodeUnreachableError):
        return Unreachable
    return NotThere if isinstance(error, NotFoundError) else Failure
