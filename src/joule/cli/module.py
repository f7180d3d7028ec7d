"""`joule module`: what modules a node runs, how they are, and what they print."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from joule.cli._clock_note import with_clock_note
from joule.cli._limits_text import limits_text, recent_ends_text
from joule.cli._module_changes import restart, start, stop
from joule.cli._module_logs import logs
from joule.cli._module_usage import usage
from joule.cli._options import json_option
from joule.cli._output import Cell, Column, Style, Styled, note, show_facts, show_json, show_table
from joule.cli._session import Session
from joule.cli._text import duration, size

if TYPE_CHECKING:
    from joule.api import ModuleInfo, Node

__all__ = ["STATE_STYLES", "module"]

STATE_STYLES: dict[str, Style] = {
    "running": "green",
    "waiting": "yellow",
    "backing off": "yellow",
    "failed": "red",
    "stopped": "dim",
}

_COLUMNS = (
    Column("MODULE"),
    Column("STATE"),
    Column("UPTIME", right=True),
    Column("RESTARTS", right=True),
    Column("CPU", right=True),
    Column("MEMORY", right=True),
    Column("INPUTS"),
    Column("OUTPUTS"),
    Column("REASON"),
)


_LAST_LINES = 10  # among them those of jouled: how it ended, and that it starts again


@click.group()
def module() -> None:
    """Show, start and stop a node's modules."""


for _command in (logs, usage, start, stop, restart):
    module.add_command(_command)


@module.command("list")
@json_option()
@click.pass_obj
def list_(session: Session, *, as_json: bool) -> None:
    """List the modules of the node with their states."""
    modules = session.run(lambda node: with_clock_note(node, node.modules()))
    if as_json:
        show_json([info.to_json() for info in modules])
    elif modules:
        show_table(_COLUMNS, [_row(info) for info in modules])
    else:
        note("no modules: put a .conf file into the node's module_configs directory, then 'joule reload'")


@module.command()
@click.argument("name")
@json_option()
@click.pass_obj
def info(session: Session, name: str, *, as_json: bool) -> None:
    """Show one module: its state and why, its process, its pipes."""
    found, last_line = session.run(lambda node: with_clock_note(node, _module_and_last_line(node, name)))
    if as_json:
        show_json(found.to_json())
    else:
        show_facts([*_facts(found), ("last line", last_line)])


async def _module_and_last_line(node: Node, name: str) -> tuple[ModuleInfo, str]:
    """Return a module, and where it has ended the last line that it printed: most often that tells why."""
    found = await node.module(name)
    if found.state not in ("backing off", "failed"):
        return found, ""
    printed = [line.partition("] ")[2] for line in await node.module_logs(name, _LAST_LINES)]
    return found, next((line for line in reversed(printed) if line and not line.startswith("---")), "")


def _row(info: ModuleInfo) -> tuple[Cell, ...]:
    return (
        info.name,
        _state(info),
        "" if info.uptime_s is None else duration(info.uptime_s * 1e6),
        str(info.restarts),
        _cpu(info),
        _memory(info),
        ", ".join(info.inputs.values()),
        ", ".join(info.outputs.values()),
        (info.outdated or "") if info.state == "running" else info.reason,
    )


def _state(info: ModuleInfo) -> Styled:
    return Styled(info.state, STATE_STYLES.get(info.state, ""))


def _cpu(info: ModuleInfo) -> str:
    return "" if info.cpu_percent is None else f"{info.cpu_percent:.1f} %"


def _memory(info: ModuleInfo) -> str:
    return "" if info.memory_bytes is None else size(info.memory_bytes)


def _memory_and_peak(info: ModuleInfo) -> str:
    peak = info.peak_memory_bytes
    return _memory(info) + (f" (at most {size(peak)} since its start)" if peak is not None else "")


def _facts(info: ModuleInfo) -> list[tuple[str, Cell]]:
    return [
        ("module", info.name),
        ("description", info.description),
        ("state", _state(info)),
        ("reason", info.reason),
        ("process", "" if info.pid is None else str(info.pid)),
        ("uptime", "" if info.uptime_s is None else duration(info.uptime_s * 1e6)),
        ("restarts", str(info.restarts)),
        ("next start", "" if info.next_start_s is None else f"in {duration(info.next_start_s * 1e6)}"),
        ("recent ends", recent_ends_text(info.recent_ends, info.limits)),
        ("limits", limits_text(info.limits)),
        ("last exit", _exit(info.exit_code)),
        ("CPU", _cpu(info)),
        ("memory", _memory_and_peak(info)),
        ("web pages", f"unix socket {info.socket}" if info.socket else ""),
        *((f"input {pipe}", path) for pipe, path in info.inputs.items()),
        *((f"output {pipe}", path) for pipe, path in info.outputs.items()),
    ]


def _exit(exit_code: int | None) -> str:
    if exit_code is None:
        return ""
    return f"signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
