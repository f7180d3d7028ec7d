"""`joule data`: the rows of streams, stored or as they come."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

import click

from joule.cli._options import json_option, moment, path_or_id
from joule.cli._output import note
from joule.cli._session import Session

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from joule.api import Node
    from joule.core import Rows
    from joule.log import Break

__all__ = ["data"]


@click.group()
def data() -> None:
    """Read the rows of streams."""


@data.command()
@click.argument("stream", type=path_or_id)
@click.option("--start", type=moment, metavar="TIME", help="Begin with the first row at or after this time.")
@click.option("--end", type=moment, metavar="TIME", help="End before the first row at or after this time.")
@click.option("--live", is_flag=True, help="Print rows as they come, until Ctrl-C; nothing that is already stored.")
@json_option('Print rows as {"timestamp": us, "data": [...]}, one a line; NaN is null, infinities are strings.')
@click.pass_obj
def read(session: Session, stream: str | int, *, start: int | None, end: int | None, live: bool, as_json: bool) -> None:
    """Print the rows of a stream.

    Every stored row, or those in a span of time. STREAM is a path such as /house/power, or an id.

    A line is a timestamp in Unix microseconds and then the values, or "# interval break" where rows are missing
    between two others. Without jouled the rows are read from the node's directory.

    \b
    TIME is one of
      2026-11-22T14:00, "2026-11-22 14:00:00.5+01:00"   ISO 8601, local time where no zone is given
      1795355996123456                                  Unix microseconds
      now, "2 hours ago", "yesterday 08:00"             words
    """  # noqa: D301 - the backspace is click's mark for lines to leave as they are
    if live and (start is not None or end is not None):
        raise click.UsageError("--live prints rows from now on: leave --start and --end out, or leave --live out.")
    if start is not None and end is not None and start > end:
        raise click.UsageError(f"--start {_moment(start)} is after --end {_moment(end)}: exchange them?")
    _tell_bounds(start, end)
    if live:
        session.follow(lambda node: _print_live(node, stream, as_json=as_json))
        return
    session.run(lambda node: _print_stored(node, stream, start, end, as_json=as_json))


def _moment(time_us: int) -> str:
    from joule.core.times import format_time

    return format_time(time_us)


def _tell_bounds(start_us: int | None, end_us: int | None) -> None:
    """Say how the times were understood: a local time alone does not tell which offset it was read with."""
    bounds = (("start", start_us), ("end", end_us))
    known = [f"{name} {_moment(time_us)} ({time_us})" for name, time_us in bounds if time_us is not None]
    if known:
        note("\n".join(known))


async def _print_stored(
    node: Node, stream: str | int, start_us: int | None, end_us: int | None, *, as_json: bool
) -> None:
    if not await _print_blocks(node.read_data(stream, start_us, end_us), as_json=as_json, flush=False):
        await _tell_why_empty(node, stream)


async def _print_live(node: Node, stream: str | int, *, as_json: bool) -> None:
    if sys.stderr.isatty():
        note(f"rows of {stream} as they come; Ctrl-C ends")
    await _print_blocks(node.follow_data(stream), as_json=as_json, flush=True)


async def _print_blocks(blocks: AsyncGenerator[Rows | Break], *, as_json: bool, flush: bool) -> bool:
    """Print what comes; tell whether anything came."""
    import asyncio

    import numpy as np

    from joule.cli._rows import BREAK_LINE, format_rows

    printed = False
    async with contextlib.aclosing(blocks):
        async for block in blocks:
            printed = True
            for text in format_rows(block, as_json=as_json) if isinstance(block, np.ndarray) else (BREAK_LINE,):
                sys.stdout.write(text)
                await asyncio.sleep(0)  # blocks that are there already never wait, and Ctrl-C must be seen
            if flush:
                sys.stdout.flush()
    sys.stdout.flush()
    return printed


async def _tell_why_empty(node: Node, stream: str | int) -> None:
    info = await node.stream(stream)
    if info.first_us is None or info.last_us is None:
        note(f"{info.path} holds no rows yet; joule stream info {info.path} tells who writes it")
    else:
        note(f"no rows of {info.path} in that span: it holds {_moment(info.first_us)} to {_moment(info.last_us)}")
