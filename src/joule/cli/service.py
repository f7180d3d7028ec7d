"""`joule service`: a node that starts with the machine, as a systemd service of its user or of the system."""

from __future__ import annotations

import dataclasses
import os
import pwd
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from joule.cli._exit import FAILED, Failure
from joule.cli._node_files import node_main_file
from joule.cli._options import json_option
from joule.cli._output import Cell, Styled, note, show_facts, show_json
from joule.cli._session import Session
from joule.cli._systemctl import ServiceState, Systemctl
from joule.cli._text import plural, printable
from joule.cli._unit import Scope, Unit, make_unit, node_of_unit, unit_directory

if TYPE_CHECKING:
    from joule.config import NodeSetup

__all__ = ["service"]

F = TypeVar("F", bound=Callable[..., Any])


@click.group()
def service() -> None:
    """Let a node start with the machine, as a systemd service.

    Without --system it is a service of your own user, which needs no root.
    """


def _of_node(command: F) -> F:
    command = click.option(
        "--system/--user", default=False, help="A service of the whole system (needs root), or of your user (default)."
    )(command)
    return click.argument("directory", metavar="[DIR]", required=False, type=click.Path(path_type=Path))(command)


def _run_as_option(command: F) -> F:
    return click.option(
        "--run-as", metavar="USER", help="With --system: who runs the node. Default: the owner of its directory."
    )(command)


@service.command()
@_of_node
@_run_as_option
@json_option()
@click.pass_obj
def show(session: Session, directory: Path | None, *, system: bool, run_as: str | None, as_json: bool) -> None:
    """Print the unit file that install would write, to read it first."""
    unit = _unit(_load(session, directory), system=system, run_as=run_as)
    if as_json:
        show_json({"unit": unit.name, "file": str(unit.file), "text": unit.text})
        return
    click.echo(unit.text, nl=False)
    note(f"joule service install writes this to {unit.file}")


@service.command()
@_of_node
@_run_as_option
@json_option()
@click.pass_obj
def install(session: Session, directory: Path | None, *, system: bool, run_as: str | None, as_json: bool) -> None:
    """Write the unit file of a node, enable it, and start it.

    What is installed already is replaced. DIR as for joule check.
    """
    setup = _load(session, directory)
    unit = _unit(setup, system=system, run_as=run_as)
    systemctl = _systemctl(unit)
    _check_is_free(session, unit, systemctl)
    is_new = _write(unit)
    systemctl.do("daemon-reload")
    systemctl.do("enable", unit.name)
    state = _started(systemctl, unit)
    if as_json:
        show_json(_document(unit, state))
    else:
        click.echo(f"{printable(unit.file)}: {'written' if is_new else 'as it was'}; enabled and {state.active}")
    if setup.errors:
        note(f"{plural(len(setup.errors), 'error')} in the configuration: see joule check {_quoted(unit.node)}")
    if unit.scope == "user":
        _note_linger()


@service.command()
@_of_node
@json_option()
@click.pass_obj
def uninstall(session: Session, directory: Path | None, *, system: bool, as_json: bool) -> None:
    """Stop a node's service and remove its unit file; the node's own files stay as they are."""
    unit = _unit(_load(session, directory), system=system)
    systemctl = _systemctl(unit)
    _check_is_ours(unit)
    if not unit.file.exists():
        raise Failure(f"{unit.name} is not installed: there is no {unit.file}")
    systemctl.do("disable", "--now", unit.name)
    unit.file.unlink()
    systemctl.do("daemon-reload")
    if as_json:
        show_json(_document(unit, systemctl.state(unit.name)))
    else:
        click.echo(f"{printable(unit.file)}: stopped and removed; the node in {printable(unit.node)} is as it was")


@service.command()
@_of_node
@json_option()
@click.pass_context
def status(ctx: click.Context, directory: Path | None, *, system: bool, as_json: bool) -> None:
    """Show whether a node's service is installed and runs; ends with 1 where it does not run."""
    session = ctx.find_object(Session)
    assert session is not None
    unit = _unit(_load(session, directory), system=system)
    systemctl = Systemctl(unit.scope)
    systemctl.check()
    state = systemctl.state(unit.name)
    if as_json:
        show_json(_document(unit, state))
    else:
        show_facts(_facts(unit, state))
        if not unit.file.exists():
            note(_how_to_install(unit))
    if not state.is_running:
        ctx.exit(FAILED)


def _load(session: Session, directory: Path | None) -> NodeSetup:
    from joule.config import load_node

    return load_node(node_main_file(directory, session.where))


def _unit(setup: NodeSetup, *, system: bool, run_as: str | None = None) -> Unit:
    scope: Scope = "system" if system else "user"
    if run_as and not system:
        raise click.UsageError("--run-as goes with --system: a service of your user runs as you.")
    user = _user(setup.config.directory, run_as) if system else None
    try:
        return make_unit(setup.config, scope, jouled=_find_jouled(), user=user)
    except ValueError as error:
        raise Failure(str(error)) from error


def _user(directory: Path, run_as: str | None) -> str:
    try:
        owner = pwd.getpwuid(directory.stat().st_uid).pw_name
    except KeyError:
        owner = "root"
    if run_as is None:
        if owner == "root":
            note("its modules run as root: give the directory to a user, or name one with --run-as USER")
        return owner
    try:
        pwd.getpwnam(run_as)
    except KeyError:
        raise click.BadParameter(f"there is no user {run_as!r}", param_hint="--run-as") from None
    if run_as not in (owner, "root"):
        note(f"{directory} belongs to {owner}: let {run_as} write it (chown -R {run_as} {_quoted(directory)})")
    return run_as


def _find_jouled() -> Path:
    beside = Path(sys.executable).with_name("jouled")
    found = str(beside) if beside.exists() else shutil.which("jouled")
    if found is None:
        raise Failure(f"there is no jouled beside {sys.executable} or in PATH: install Joule with pip into one place")
    return Path(found).absolute()


def _systemctl(unit: Unit) -> Systemctl:
    """Return `systemctl`, when it answers and the unit may be changed."""
    if unit.scope == "system" and os.geteuid() != 0:
        raise Failure(f"{unit.file} can be written by root only: use sudo, or leave --system out")
    systemctl = Systemctl(unit.scope)
    systemctl.check()
    return systemctl


def _check_is_ours(unit: Unit) -> None:
    node = node_of_unit(unit.file) if unit.file.exists() else unit.node
    if node != unit.node:
        whose = f"runs the node in {node}" if node else "was not made by joule"
        raise Failure(f"{unit.file} {whose}: give this node another Name in its main.conf, or remove that file")


def _check_is_free(session: Session, unit: Unit, systemctl: Systemctl) -> None:
    """Refuse when a `jouled` that is not the service runs the node: the service could not start beside it."""
    _check_is_ours(unit)
    pid = _running_pid(session, unit.node)
    if pid is not None and pid != systemctl.state(unit.name).pid:
        raise Failure(f"a jouled, process {pid}, already runs this node: stop it first (kill {pid})")


def _running_pid(session: Session, directory: Path) -> int | None:
    """Return the process of the `jouled` that answers for a node; None where none does."""
    at = dataclasses.replace(session, where=str(directory))
    return at.run(lambda node: node.version()).pid


def _write(unit: Unit) -> bool:
    """Write the unit file whole or not at all; return whether that changed anything."""
    if unit.file.exists() and unit.file.read_text(encoding="utf-8", errors="replace") == unit.text:
        return False
    unit.file.parent.mkdir(parents=True, exist_ok=True)
    draft = unit.file.with_name(f".{unit.file.name}.new")
    draft.write_text(unit.text, encoding="utf-8")
    draft.chmod(0o644)
    draft.replace(unit.file)
    return True


def _started(systemctl: Systemctl, unit: Unit) -> ServiceState:
    flag = "--user " if unit.scope == "user" else ""
    was_running = systemctl.state(unit.name).is_running
    try:
        systemctl.do("start", unit.name)
    except Failure as error:
        raise Failure(f"{error.message}\n{unit.name} is installed; see: journalctl {flag}-u {unit.name}") from error
    if was_running:
        note(f"it runs as it was started; to start it as it is now: systemctl {flag}restart {unit.name}")
    return systemctl.state(unit.name)


def _note_linger() -> None:
    user = pwd.getpwuid(os.geteuid()).pw_name
    if not Path("/var/lib/systemd/linger", user).exists():
        note(f"it runs while {user} is logged in; to start it with the machine: loginctl enable-linger {user}")


def _how_to_install(unit: Unit) -> str:
    other: Scope = "user" if unit.scope == "system" else "system"
    file = unit_directory(other) / unit.name
    where = _quoted(unit.node)
    if file.exists() and node_of_unit(file) == unit.node:
        return f"it is a service of the {other}: joule service status {where} --{other}"
    return f"install it: joule service install {where} --{unit.scope}"


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))


def _facts(unit: Unit, state: ServiceState) -> list[tuple[str, Cell]]:
    is_there = unit.file.exists()
    return [
        ("unit", unit.name),
        ("file", str(unit.file) if is_there else "not installed"),
        ("node", str(unit.node)),
        ("state", Styled(f"{state.active} ({state.sub})", "green" if state.is_running else "red")),
        ("enabled", "yes" if state.enabled else "no"),
        ("process", str(state.pid or "")),
        ("says", state.text),
        ("restarts", str(state.restarts)),
        ("ended", state.result if not state.is_running and state.result != "success" else ""),
    ]


def _document(unit: Unit, state: ServiceState) -> dict[str, Any]:
    return {
        "unit": unit.name,
        "file": str(unit.file),
        "node": str(unit.node),
        "installed": unit.file.exists(),
        "running": state.is_running,
        **dataclasses.asdict(state),
    }
