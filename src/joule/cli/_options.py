"""Options and kinds of argument that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["json_option", "moment", "path_or_id"]

F = TypeVar("F", bound=Callable[..., Any])


def json_option(text: str = "Print one JSON document.") -> Callable[[F], F]:
    """Return the decorator that adds `--json`, handed to the command as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help=text)


def moment(text: str) -> int:
    """Return a time of the command line as Unix microseconds; the `type` of an option.

    Raises:
        click.BadParameter: The text is no time; the message shows the forms that are.
    """
    from joule.core.times import parse_time  # loads NumPy: not for --help

    try:
        return parse_time(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def path_or_id(text: str) -> str | int:
    """Return what names a stream or a folder: a path, or its id; the `type` of an argument."""
    return int(text) if text.isascii() and text.isdecimal() else text
