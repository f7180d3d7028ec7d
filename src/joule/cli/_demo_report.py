"""What a demo leaves: the rows of each stream, and the commands that show them again."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

import click

from joule.api import StreamInfo, open_node
from joule.cli._demo_node import MEANS, find_program, short_path
from joule.cli._output import Cell, Column, show_json, show_table
from joule.cli._text import duration, printable, size

__all__ = ["report"]

_COLUMNS = (
    Column("STREAM"),
    Column("ROWS", right=True),
    Column("TIME SPAN", right=True),
    Column("FROM"),
    Column("SIZE", right=True),
)


async def report(directory: Path, *, as_json: bool) -> int:
    """Print what the demo in `directory` stored, and return how many rows that is in all."""
    async with open_node(str(directory)) as node:
        streams = await node.streams()
    again, further = _commands(directory)
    if as_json:
        found = [stream.to_json() for stream in streams]
        show_json({"directory": str(directory), "streams": found, "commands": [*again, *further]})
        return sum(stream.rows for stream in streams)
    click.echo("\nStored:")
    show_table(_COLUMNS, [_row(stream) for stream in streams])
    if not any(stream.rows for stream in streams):
        return 0
    click.echo("\nLook at it again:")
    click.echo("\n".join(f"  {printable(command)}" for command in again))
    click.echo("\nLet it go on, without this picture:")
    click.echo("\n".join(f"  {printable(command)}" for command in further))
    return sum(stream.rows for stream in streams)


def _row(stream: StreamInfo) -> tuple[Cell, ...]:
    from joule.core.times import format_time

    if stream.first_us is None or stream.last_us is None:
        return stream.path, "0", "", "", size(stream.size_bytes)
    span = duration(stream.last_us - stream.first_us)
    return stream.path, f"{stream.rows:,}", span, format_time(stream.first_us), size(stream.size_bytes)


def _commands(directory: Path) -> tuple[list[str], list[str]]:
    """Return the commands that look at the node, and the one that runs it, as they can be typed here."""
    joule, jouled, where = _shown("joule"), _shown("jouled"), shlex.quote(short_path(directory))
    again = [f"{joule} -n {where} stream list", f"{joule} -n {where} data read {MEANS}"]
    return again, [f"{jouled} --config {where}"]


def _shown(program: str) -> str:
    """Return how to call a program from here: by its name where that finds it, else by its path."""
    found = find_program(program)
    on_path = shutil.which(program)
    if found is None or (on_path is not None and os.path.samefile(found, on_path)):
        return program
    return shlex.quote(short_path(Path(found)))
