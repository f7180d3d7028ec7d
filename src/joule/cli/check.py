"""`joule check`: every fault of every configuration file of a node at once, before anything runs."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from joule.cli._exit import FAILED
from joule.cli._node_files import node_main_file
from joule.cli._options import json_option
from joule.cli._output import note, painted, show_json
from joule.cli._session import Session
from joule.cli._text import plural, printable

if TYPE_CHECKING:
    from joule.config import Fault, NodeSetup

__all__ = ["check"]


@click.command()
@click.argument("directory", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@json_option()
@click.pass_context
def check(ctx: click.Context, directory: Path | None, *, as_json: bool) -> None:
    """Report every fault in a node's configuration.

    Each fault comes with its file, line and remedy. Files are read; nothing is touched or started.

    DIR may also be a main.conf file. Without DIR the node of -n or JOULE_NODE is checked, else the current directory
    where it holds a main.conf, else this user's own node. Warnings do not fail the check.
    """
    from joule.config import load_node

    session = ctx.find_object(Session)
    assert session is not None
    main_file = node_main_file(directory, session.where)
    setup = load_node(main_file)
    if as_json:
        show_json(_document(main_file, setup))
    else:
        _show(main_file, setup)
    if setup.errors:
        ctx.exit(FAILED)


def _show(main_file: Path, setup: NodeSetup) -> None:
    for text in setup.notes:  # first: what is wrong stands last, where a person looks
        click.echo(painted(f"note: {printable(_from_here(text))}", "dim"))
    for fault in setup.faults:
        click.echo(_line(fault))
    errors = len(setup.errors)
    warnings = len(setup.faults) - errors
    sound = f"{plural(len(setup.modules), 'module')} and {plural(len(setup.streams), 'stream')} are sound"
    click.echo(f"{printable(main_file)}: {plural(errors, 'error')}, {plural(warnings, 'warning')}; {sound}")
    if not setup.modules and not errors:
        note(f"no modules: put a .conf file into {setup.config.module_directory}")


def _line(fault: Fault) -> str:
    """Return a fault as compilers print theirs, so that editors jump to it."""
    place = _from_here(str(fault.file) if fault.line is None else f"{fault.file}:{fault.line}")
    severity = painted(fault.severity, "red" if fault.severity == "error" else "yellow")
    return f"{printable(place)}: {severity}: {printable(fault.message)}; {printable(fault.remedy)}"


def _from_here(place: str) -> str:
    """Return a text that begins with a file's path, the file named from the current directory if it lies below."""
    return place.removeprefix(f"{Path.cwd()}/")


def _document(main_file: Path, setup: NodeSetup) -> dict[str, Any]:
    return {
        "file": str(main_file.absolute()),
        "sound": not setup.errors,
        "faults": [{**dataclasses.asdict(fault), "file": str(fault.file)} for fault in setup.faults],
        "notes": list(setup.notes),
        "modules": [module.name for module in setup.modules],
        "streams": [stream.path for stream in setup.streams],
    }
