"""`joule module start`, `stop` and `restart`: one line for each module, when it has happened."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from joule.cli._exit import FAILED, failure_of
from joule.cli._options import json_option
from joule.cli._output import note, show_json
from joule.cli._session import Session
from joule.cli._text import printable
from joule.errors import JouleError, NodeUnreachableError

if TYPE_CHECKING:
    from joule.api import ModuleChange, Node

__all__ = ["restart", "start", "stop"]

_names = click.argument("names", nargs=-1, metavar="NAME...")
_all = click.option("--all", "is_all", is_flag=True, help="All modules of the node, instead of names.")
_json = json_option("Print one JSON document: a list with an object for each module.")


@click.command()
@_names
@_all
@_json
@click.pass_obj
def start(session: Session, names: tuple[str, ...], *, is_all: bool, as_json: bool) -> None:
    """Start modules that are stopped, failed or backing off.

    What counted against them is forgotten. Waits until each has opened its pipes; one that ends at once makes the exit
    code 1.
    """
    _change(session, names, lambda node, name: node.module_start(name), "was running already", is_all, as_json)


@click.command()
@_names
@_all
@_json
@click.pass_obj
def stop(session: Session, names: tuple[str, ...], *, is_all: bool, as_json: bool) -> None:
    """Stop modules until they are started again.

    A stopped module stays stopped over 'joule reload'; with the next start of jouled it runs again. (Who wants it gone
    for longer moves its file out of module_configs.) A module has 5 s to end by itself.
    """
    _change(session, names, lambda node, name: node.module_stop(name), "was not running", is_all, as_json)


@click.command()
@_names
@_all
@_json
@click.pass_obj
def restart(session: Session, names: tuple[str, ...], *, is_all: bool, as_json: bool) -> None:
    """Stop modules, and start them again.

    That is also how a changed script takes effect. For a changed configuration file there is 'joule reload'.
    """
    _change(session, names, lambda node, name: node.module_restart(name), "", is_all, as_json)


def _change(
    session: Session,
    names: tuple[str, ...],
    ask: Callable[[Node, str], Awaitable[ModuleChange]],
    nothing_to_do: str,
    is_all: bool,  # noqa: FBT001  # as the option gives it
    as_json: bool,  # noqa: FBT001  # likewise
) -> None:
    if is_all == bool(names):
        raise click.UsageError("Name the modules, or say --all.")
    answers = session.run(lambda node: _ask_all(node, names, ask))
    if as_json:
        show_json([_to_json(name, answer) for name, answer in answers])
    failures = [failure_of(answer) for _, answer in answers if isinstance(answer, JouleError)]
    for name, answer in answers:
        if isinstance(answer, JouleError):
            note(f"{name}: {answer.message}")
        elif not as_json:
            click.echo(printable(_line(answer, nothing_to_do)))
    code = max((failure.exit_code for failure in failures), default=0)
    if not code and any(not isinstance(answer, JouleError) and _went_wrong(answer) for _, answer in answers):
        code = FAILED
    if code:
        click.get_current_context().exit(code)


async def _ask_all(
    node: Node, names: Sequence[str], ask: Callable[[Node, str], Awaitable[ModuleChange]]
) -> list[tuple[str, ModuleChange | JouleError]]:
    """Ask for all at once, so that one that takes its time to stop delays no other."""
    import asyncio  # not for --help

    names = list(dict.fromkeys(names)) or [module.name for module in await node.modules()]

    async def one(name: str) -> ModuleChange | JouleError:
        try:
            return await ask(node, name)
        except NodeUnreachableError:
            raise
        except JouleError as error:
            return error

    return list(zip(names, await asyncio.gather(*map(one, names)), strict=True))


def _line(change: ModuleChange, nothing_to_do: str) -> str:
    module = change.module
    already = "" if change.changed else f"{nothing_to_do}; "
    process = "" if module.pid is None else f", process {module.pid}"
    why = f": {module.reason}" if module.state not in ("running", "stopped") else ""
    file = f"; what its file says now is not in effect: {module.outdated}" if module.outdated and not why else ""
    return f"{module.name}: {already}{module.state}{process}{why}{file}"


def _went_wrong(change: ModuleChange) -> bool:
    return change.module.state in ("backing off", "failed")


def _to_json(name: str, answer: ModuleChange | JouleError) -> dict[str, Any]:
    if isinstance(answer, JouleError):
        return {"name": name, **answer.to_wire()}
    return {"name": name, **answer.to_json()}
