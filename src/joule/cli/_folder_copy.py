"""`joule folder copy`: telling how far it is, where somebody watches."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import click

from joule.cli._options import json_option, moment, path_or_id
from joule.cli._output import show_json
from joule.cli._session import Session
from joule.cli._text import plural, printable

if TYPE_CHECKING:
    from joule.api import CopyProgress, Node

__all__ = ["copy"]


@click.command()
@click.argument("folder", type=path_or_id)
@click.argument("destination")
@click.option("-s", "--start", type=moment, metavar="TIME", help="Begin with the first rows at or after this time.")
@click.option("-e", "--end", type=moment, metavar="TIME", help="End before the first rows at or after this time.")
@json_option()
@click.pass_obj
def copy(
    session: Session, folder: str | int, destination: str, *, start: int | None, end: int | None, as_json: bool
) -> None:
    """Copy a folder with all streams below it: attributes, stored rows and breaks.

    DESTINATION is the path of the copy, such as /archive/june; no folder may be there yet. Streams may be written
    meanwhile: what is stored when the copying of each begins is copied.

    The copy appears when all of it is complete. Until then Ctrl-C, a full disk or a crash leaves nothing of it. Rows
    that are older than a stream's keep go from its copy too: joule stream set STREAM keep=all.

    TIME is as for joule data read.
    """
    if start is not None and end is not None and start > end:
        raise click.UsageError("--start is after --end: exchange them?")
    done = session.run(lambda node: _copy(node, folder, destination, start, end))
    if as_json:
        show_json({"path": destination, "streams": done.streams, "rows": done.rows})
    else:
        sentence = f"copied {folder} to {destination}: {plural(done.streams, 'stream')}, {plural(done.rows, 'row')}"
        click.echo(printable(sentence))


async def _copy(
    node: Node, folder: str | int, destination: str, start_us: int | None, end_us: int | None
) -> CopyProgress:
    copying = node.folder_copy(folder, destination, start_us, end_us)
    async with contextlib.aclosing(copying):
        return await (_watched(copying) if sys.stderr.isatty() else _last(copying))


async def _last(copying: AsyncGenerator[CopyProgress]) -> CopyProgress:
    return [progress async for progress in copying][-1]


async def _watched(copying: AsyncGenerator[CopyProgress]) -> CopyProgress:
    """Show a bar until it is done."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        progress = await anext(copying)
        task = bar.add_task(plural(progress.streams, "stream"), total=progress.total_rows)
        async for progress in copying:
            bar.update(task, completed=progress.rows)
        return progress
