"""The reference of the command line, made from the commands' own help so that it cannot say anything else.

`python -m joule.cli._reference docs/reference/cli.md` writes it; a test fails while the file is out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from joule.cli._root import joule

__all__ = ["reference"]

_INTRODUCTION = """\
# The `joule` command

Made from `joule --help` and its like; do not edit by hand.

`-n`/`--node` comes before the command, and may be left to the environment variable `JOULE_NODE`. Results go to stdout,
everything said beside them to stderr.

With `--json` a result is one JSON document, or one object a line where there is no end to it; NaN is `null` there,
infinities are the strings `"Infinity"` and `"-Infinity"`. Without it, tables have colours on a terminal, and none when
`NO_COLOR` is set; elsewhere they are aligned text, with `-` for what is empty. Control characters in names and log
lines are shown as escapes. `JOULE_DEBUG=1` shows the traceback of an error.
"""


def reference() -> str:
    """Return the text of `docs/reference/cli.md`."""
    sections = (f"## `{path}`\n\n```text\n{text}\n```\n" for path, text in _helps(joule, None, "joule"))
    return "\n".join((_INTRODUCTION, *sections))


def _helps(command: click.Command, parent: click.Context | None, name: str) -> Iterator[tuple[str, str]]:
    settings = {**command.context_settings, "terminal_width": 100, "max_content_width": 100}
    context = click.Context(command, parent=parent, info_name=name, **settings)
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for child_name in command.list_commands(context):
            child = command.get_command(context, child_name)
            if child is not None:
                yield from _helps(child, context, child_name)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference())
