"""The command line of a module: its author's arguments and one option of ours.

`--pipes` is the only reserved name; `jouled` passes the module's pipes in it. Every other option, `-h` included, means
what the author says; those of other eras are understood where the author has none of that name (see `_options`).
Parsing touches nothing: no file, no node, no pipe.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar, NoReturn

from joule.client._options import UsageError, WebOptions, refuse, take_options
from joule.client._variables import hide_values, take_values, with_values
from joule.errors import ModuleError

__all__ = ["UNSET", "parse_arguments", "pipes_argument"]

UNSET = "unset"
"""Value of `--pipes` that means: nobody made pipes for this module."""


class _ModuleParser(argparse.ArgumentParser):
    """Says where arguments come from when it is not a person who typed them."""

    under_jouled = False
    values: ClassVar[Mapping[str, str]] = {}  # of the names on the command line, secrets among them: never shown

    def is_authors(self, option: str) -> bool:
        """Whether an option, perhaps abbreviated, may mean one that the author has defined, in a subcommand too."""
        for action in self._actions:
            if action.nargs == argparse.REMAINDER:  # what stands there is not for us to read
                return True
            choices = action.choices.values() if isinstance(action.choices, dict) else ()
            if any(isinstance(choice, _ModuleParser) and choice.is_authors(option) for choice in choices):
                return True
        return any(name == option or (self.allow_abbrev and name.startswith(option)) for name in self._names())

    def _names(self) -> Iterable[str]:
        return self._option_string_actions.keys()

    def error(self, message: str) -> NoReturn:
        message = hide_values(message, self.values)
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
) -> tuple[argparse.Namespace, WebOptions]:
    """Return the parsed command line of a module; ends the process as argparse does for `-h` and usage errors.

    Args:
        arguments: Without the program's name.
        custom_args: The author's hook, called once.
        description: Shown by `-h` unless the hook sets another.
        epilog: Shown by `-h` at its end, likewise.

    Returns:
        The author's arguments, and where web pages are served.

    Raises:
        ModuleError: The author took `--pipes`, the command line asks for what this version does not do, or a value that
            `jouled` should have passed is missing.
    """
    taken = take_values(arguments, os.environ)

    class Parser(_ModuleParser):  # also the class of the author's subcommands
        values = taken

    parser = Parser(
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
    try:
        own, web, refused = take_options(with_values(arguments, taken), parser.is_authors)
    except UsageError as error:
        parser.error(str(error))
    parsed = parser.parse_args(own)
    refuse(refused)
    return parsed, web


def pipes_argument(parsed_args: argparse.Namespace) -> str | None:
    """Return what `jouled` passed as `--pipes`; None where nothing was, as in `Namespace(rate=0.1)`."""
    pipes = getattr(parsed_args, "pipes", None)
    return None if pipes in (None, UNSET) else str(pipes)
