"""`joule config`: what a node's files come to, value by value."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from joule.cli._exit import NotThere
from joule.cli._node_files import node_main_file
from joule.cli._options import json_option
from joule.cli._output import Cell, Column, Styled, note, show_json, show_table
from joule.cli._session import Session
from joule.cli._text import plural

if TYPE_CHECKING:
    from joule.config import NodeSetup, Setting

__all__ = ["config"]

_COLUMNS = (Column("OF"), Column("KEY"), Column("VALUE"), Column("FROM"))


@click.group()
def config() -> None:
    """Show what a node's configuration files come to."""


@config.command()
@click.argument("directory", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option("--module", "modules", metavar="NAME", multiple=True, help="Only this module; may be given again.")
@click.option("--stream", "streams", metavar="PATH", multiple=True, help="Only this stream; may be given again.")
@click.option("--set", "only_set", is_flag=True, help="Leave out what no file says: the defaults.")
@json_option()
@click.pass_obj
def show(
    session: Session,
    directory: Path | None,
    *,
    modules: tuple[str, ...],
    streams: tuple[str, ...],
    only_set: bool,
    as_json: bool,
) -> None:
    """Show every value that holds for a node, with where it comes from.

    The files are read as they are now; a jouled that runs may have read them before. What has errors is left out: joule
    check tells those. Secrets are shown by their names. DIR as for joule check.
    """
    from joule.config import load_node

    setup = load_node(node_main_file(directory, session.where))
    chosen = _chosen(setup, modules, streams)
    settings = [setting for setting in chosen if setting.origin.file or not only_set]
    if as_json:
        show_json({"directory": str(setup.config.directory), "settings": [_fields(setting) for setting in settings]})
    else:
        show_table(_COLUMNS, [_row(setting, setup.config.directory) for setting in settings])
    if setup.errors:
        where = shlex.quote(str(setup.config.directory))
        note(f"{plural(len(setup.errors), 'error')} in the files: see joule check {where}")


def _chosen(setup: NodeSetup, modules: tuple[str, ...], streams: tuple[str, ...]) -> list[Setting]:
    """Return the settings of what was named, or all.

    Raises:
        NotThere: There is no such module or stream, or it has errors.
    """
    if not modules and not streams:
        return list(setup.settings)
    for name in modules:
        broken = name in setup.broken_modules
        _check_name(name, "module", [module.name for module in setup.modules], "has errors" if broken else "")
    for path in streams:
        broken = path in setup.stream_files
        _check_name(path, "stream", [stream.path for stream in setup.streams], "has errors" if broken else "")
    wanted = {("module", name) for name in modules} | {("stream", path) for path in streams}
    return [setting for setting in setup.settings if (setting.kind, setting.name) in wanted]


def _check_name(name: str, kind: str, known: Iterable[str], fault: str) -> None:
    known = list(known)
    if name in known:
        return
    if fault:
        raise NotThere(f"the {kind} {name!r} {fault}: see joule check")
    near = difflib.get_close_matches(name, known, n=1)
    raise NotThere(f"there is no {kind} {name!r}" + (f": did you mean {near[0]!r}?" if near else ""))


def _row(setting: Setting, directory: Path) -> list[Cell]:
    of = {"node": "node", "module": f"module {setting.name}", "stream": setting.name}[setting.kind]
    origin = setting.origin.text(directory)
    is_default = setting.origin.file is None
    return [
        f"{of} {setting.part}".rstrip(),
        setting.key,
        setting.text,
        Styled(origin, "dim") if is_default else origin,
    ]


def _fields(setting: Setting) -> dict[str, Any]:
    origin = setting.origin
    return {
        "kind": setting.kind,
        "name": setting.name,
        "part": setting.part or None,
        "key": setting.key,
        "value": setting.value,
        "text": setting.text,
        "file": str(origin.file) if origin.file else None,
        "line": origin.line,
        "way": origin.way or None,
    }
