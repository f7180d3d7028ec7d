"""The command line of a module: its author's arguments and one option of ours.

`--pipes` is the only reserved name; `jouled` passes the module's pipes in it. Every other option, `-h` included, means
what the author says. Parsing touches nothing: no file, no node, no pipe.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import NoReturn

from joule.errors import ModuleError

__all__ = ["UNSET", "parse_arguments", "pipes_argument"]

UNSET = "unset"
"""Value of `--pipes` that means: nobody made pipes for this module."""


class _ModuleParser(argparse.ArgumentParser):
    """Says where arguments come from when it is not a person who typed them."""

    under_jouled = False

    def error(self, message: str) -> NoReturn:
        if self.under_jouled and "arguments are required" in message:
            message += (
                "\nin a module's file, positional arguments belong in exec_cmd (exec_cmd = reader.py 0.1), options in"
                " [Arguments]"
            )
        super().error(message)


def parse_arguments(
    arguments: Sequence[str],
    *,
    custom_args: Callable[[argparse.ArgumentParser], object],
    description: str,
    epilog: str,
) -> argparse.Namespace:
    """Return the parsed command line of a module; ends the process as argparse does for `-h` and usage errors.

    Args:
        arguments: Without the program's name.
        custom_args: The author's hook, called once.
        description: Shown by `-h` unless the hook sets another.
        epilog: Shown by `-h` at its end, likewise.

    Raises:
        ModuleError: The author took `--pipes`.
    """
    parser = _ModuleParser(
        description=description or None,
        epilog=epilog or None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        conflict_handler="resolve",
    )
    parser.under_jouled = any(text == "--pipes" or text.startswith("--pipes=") for text in arguments)
    pipes = parser.add_argument("--pipes", default=UNSET, help="managed by jouled")
    custom_args(parser)
    if "--pipes" not in pipes.option_strings:
        raise ModuleError("custom_args() defines --pipes, which Joule itself needs: choose another option name")
    return parser.parse_args(arguments)


def pipes_argument(parsed_args: argparse.Namespace) -> str | None:
    """Return what `jouled` passed as `--pipes`; None where nothing was, as in `Namespace(rate=0.1)`."""
    pipes = getattr(parsed_args, "pipes", None)
    return None if pipes in (None, UNSET) else str(pipes)
