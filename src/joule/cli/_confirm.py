"""What the commands that change streams and folders share: asking first, and telling what came of it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from joule.cli._output import note, show_json
from joule.cli._text import plural, printable, size

if TYPE_CHECKING:
    from joule.api import ChangeInfo, Node, StreamInfo

__all__ = ["check_running", "confirm", "cost", "show_change", "yes_option"]

yes_option = click.option("--yes", is_flag=True, help="Do not ask. Needed where nobody can be asked, as in scripts.")


def confirm(question: str, facts: Sequence[str], *, yes: bool) -> None:
    """Ask before something is lost for good; an answer other than yes ends the command.

    Args:
        question: What is about to be done.
        facts: What it would cost, a line each.
        yes: Somebody has said so already: ask nothing.

    Raises:
        click.UsageError: There is nobody to ask.
        click.Abort: They said no.
    """
    if yes:
        return
    for fact in facts:
        note(fact)
    if not sys.stdin.isatty():
        raise click.UsageError("this cannot be undone, and there is no terminal to ask: add --yes to do it.")
    click.confirm(printable(question), abort=True, err=True)


def cost(info: StreamInfo) -> str:
    """Return what a stream's deletion would cost, as a line for `confirm`."""
    return f"{info.path}: {plural(info.rows, 'row')}, {size(info.size_bytes)}"


async def check_running(node: Node) -> None:
    """Refuse what nobody could do, before somebody is asked whether to do it.

    Raises:
        NodeUnreachableError: No jouled runs the node.
    """
    from joule.errors import NodeUnreachableError

    if (await node.version()).pid is None:
        start = f"start it with 'jouled --config {node.where}'"
        raise NodeUnreachableError(f"no jouled runs the node in {node.where}: {start}", node=node.where)


def show_change(sentence: str, change: ChangeInfo, *, as_json: bool) -> None:
    """Print what was done, and on stderr what is left to do."""
    if as_json:
        show_json(change.to_json())
    else:
        click.echo(printable(sentence))
    for warning in change.warnings:
        note(f"warning: {warning}")
