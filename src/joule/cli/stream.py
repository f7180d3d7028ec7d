"""`joule stream`: what streams a node has, how fresh they are, and what is in their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from joule.cli._clock_note import with_clock_note
from joule.cli._exit import NotThere
from joule.cli._options import json_option, path_or_id
from joule.cli._output import Cell, Column, Styled, note, show_facts, show_json, show_table
from joule.cli._session import Session
from joule.cli._stream_changes import create, delete, move, rename, set_
from joule.cli._stream_history import show_history
from joule.cli._text import age, duration, plural, size

if TYPE_CHECKING:
    from joule.api import Node, ProvenanceInfo, StreamInfo
    from joule.core import ElementSpec

__all__ = ["stream"]

_COLUMNS = (
    Column("STREAM"),
    Column("LAYOUT"),
    Column("ROWS", right=True),
    Column("ROWS/S", right=True),
    Column("LAST ROW", right=True),
    Column("SIZE", right=True),
    Column("KEEP", right=True),
    Column("WRITER"),
    Column("PROBLEM"),
)
_ELEMENT_COLUMNS = (Column("ELEMENT"), Column("UNITS"), Column("DISPLAY"), Column("OFFSET"), Column("SCALE"))


@click.group()
def stream() -> None:
    """Show, make, change, move and delete a node's streams."""


for _command in (create, set_, move, rename, delete):
    stream.add_command(_command)


@stream.command("list")
@click.argument("path", default="/")
@json_option()
@click.pass_obj
def list_(session: Session, path: str, *, as_json: bool) -> None:
    """List streams with how fresh and how large they are.

    All streams of the node, or those in and below the folder PATH.
    """
    infos = session.run(lambda node: with_clock_note(node, node.streams()))
    below = [info for info in infos if _is_in(info.path, path)]
    if not below and infos and path != "/":
        raise NotThere(f"the node has no stream in {path}; joule stream list shows all {len(infos)}")
    if as_json:
        show_json([info.to_json() for info in below])
    elif below:
        show_table(_COLUMNS, [_row(info) for info in below])
    else:
        note("no streams: a module's [Outputs] make them, as in: output = /folder/name:float32[x, y]")


@stream.command()
@click.argument("stream", type=path_or_id)
@click.option("--history", is_flag=True, help="Show which module, command, code and machine wrote which rows.")
@json_option('Print one JSON document; with --history it has a list "history".')
@click.pass_obj
def info(session: Session, stream: str | int, *, history: bool, as_json: bool) -> None:
    """Show one stream: what is stored of it, who writes it, its elements.

    STREAM is a path such as /house/power, or an id.

    The history has one line for each stretch of rows from one module with one command and one version of its code.
    CODE is the git commit of the script, with ", modified" or ", not in git" where the file is not as in it; or the
    installed distribution.
    """
    found, parts = session.run(lambda node: with_clock_note(node, _with_history(node, stream, history=history)))
    if as_json:
        show_json(found.to_json() | ({"history": [part.to_json() for part in parts]} if history else {}))
        return
    if history:
        show_history(parts, found.path)
        return
    show_facts(_facts(found))
    click.echo()
    show_table(_ELEMENT_COLUMNS, [_element_row(element) for element in found.elements])


async def _with_history(node: Node, stream: str | int, *, history: bool) -> tuple[StreamInfo, list[ProvenanceInfo]]:
    found = await node.stream(stream)
    return found, await node.stream_provenance(found.id) if history else []


def _is_in(path: str, folder: str) -> bool:
    """Whether a stream lies in a folder or below it, or is what the user named."""
    top = "/" + folder.strip("/")
    return top == "/" or path == top or path.startswith(top + "/")


def _row(info: StreamInfo) -> tuple[Cell, ...]:
    return (
        info.path,
        info.layout,
        str(info.rows),
        _rate(info),
        _freshness(info),
        size(info.size_bytes),
        _keep(info.keep_us),
        info.writer or "",
        Styled(_problem(info), "red"),
    )


def _rate(info: StreamInfo) -> str:
    return "" if info.rate_hz is None else f"{info.rate_hz:.0f}" if info.rate_hz >= 100 else f"{info.rate_hz:.3g}"


def _freshness(info: StreamInfo) -> Cell:
    if info.age_us is None:
        return "no rows"
    return Styled(age(info.age_us), "green" if info.active else "")


def _problem(info: StreamInfo) -> str:
    """What keeps rows from being read, or kept them from being stored: never silently."""
    if info.problem:
        return info.problem
    late = info.refused_rows - info.ahead_rows
    parts = [f"{plural(late, 'row')} refused: out of order"] if late else []
    if info.ahead_rows:
        parts.append(f"{plural(info.ahead_rows, 'row')} refused: too far ahead of the node's clock")
    return "; ".join(parts)


def _durable(info: StreamInfo) -> str:
    """How many of the rows a power cut cannot cost any more."""
    if info.durable_rows is None:
        return "none: a stream that keeps nothing is not brought to the disk"
    if info.durable_rows >= info.stored_rows:
        return f"all {plural(info.stored_rows, 'row')} ever stored"
    return f"{info.durable_rows} of {plural(info.stored_rows, 'row')} ever stored"


def _keep(keep_us: int | None) -> str:
    if keep_us is None:
        return "all"
    return duration(keep_us) if keep_us else "none"


def _facts(info: StreamInfo) -> list[tuple[str, Cell]]:
    from joule.core.times import format_time

    facts: list[tuple[str, Cell]] = [
        ("stream", info.path),
        ("id", str(info.id)),
        ("description", info.description),
        ("layout", info.layout),
        ("keep", _keep(info.keep_us)),
        ("decimate", "yes" if info.decimate else "no"),
        ("writer", info.writer or "nobody"),
        ("problem", Styled(_problem(info), "red")),
        ("rows a second", _rate(info)),
        ("rows", f"{info.rows} in {plural(info.intervals, 'interval')}, {size(info.size_bytes)}"),
    ]
    if info.repeated_rows:
        facts.append(("repeated", f"{plural(info.repeated_rows, 'row')} written again after a restart, and dropped"))
    facts.append(("durable", _durable(info)))
    if info.lost_rows:
        facts.append(("lost", f"{plural(info.lost_rows, 'row')} that power cuts have cost"))
    if info.first_us is not None and info.last_us is not None:
        facts += [
            ("first row", f"{format_time(info.first_us)} ({info.first_us})"),
            ("last row", f"{format_time(info.last_us)} ({info.last_us}), {age(info.age_us or 0)}"),
        ]
    return facts


def _element_row(element: ElementSpec) -> tuple[str, ...]:
    display = element.display_type if element.plottable else f"{element.display_type}, not plotted"
    return element.name, element.units, display, f"{element.offset:g}", f"{element.scale_factor:g}"
