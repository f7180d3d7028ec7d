"""The commands that make, change, move and delete streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from joule.cli._attributes import ATTRIBUTES_HELP, parse_attributes, parse_layout
from joule.cli._confirm import check_running, confirm, cost, show_change, yes_option
from joule.cli._options import json_option, path_or_id
from joule.cli._output import show_json
from joule.cli._session import Session
from joule.cli._text import printable

if TYPE_CHECKING:
    from joule.api import Node, StreamInfo

__all__ = ["create", "delete", "move", "rename", "set_"]


@click.command(epilog=ATTRIBUTES_HELP)
@click.argument("path")
@click.argument("layout", required=False)
@click.argument("attributes", nargs=-1, metavar="[ATTRIBUTE=VALUE]...")
@click.option("--element", "names", multiple=True, metavar="NAME", help="An element, for a LAYOUT without any.")
@json_option()
@click.pass_obj
def create(
    session: Session,
    path: str,
    layout: str | None,
    attributes: tuple[str, ...],
    names: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Make a stream without rows.

    PATH is the whole path, such as /house/power. LAYOUT is the type of the values and their names, such as
    'float32[volts, amps]'; or float32 with --element volts --element amps; or float32_2. Both may be written as one,
    as in a module's file: '/house/power:float32[volts, amps]'.

    Streams that a module's file names are made by jouled itself.
    """
    from joule.core import ElementSpec, StreamSpec, check_stream_path
    from joule.core.attributes import change_stream

    path, colon, inline = path.partition(":")
    if colon:  # what stands in the place of a layout is then the first of the attributes
        layout, attributes = inline.strip(), (layout, *attributes) if layout else ()
    if not layout:
        raise click.UsageError(f"what are its rows? Name their type and values: {path} 'float32[volts, amps]'")
    datatype, elements = parse_layout(layout, check_stream_path(path.rstrip()), names)
    spec = StreamSpec(
        path=path.rstrip(), datatype=datatype, elements=tuple(ElementSpec(name=name) for name in elements)
    )
    spec = change_stream(spec, parse_attributes(attributes, with_name=False))
    made = session.run(lambda node: node.stream_create(spec))
    if as_json:
        show_json(made.to_json())
    else:
        click.echo(printable(f"made {made.path}: {made.layout}, id {made.id}"))


@click.command("set", epilog=ATTRIBUTES_HELP)
@click.argument("stream", type=path_or_id)
@click.argument("attributes", nargs=-1, required=True, metavar="ATTRIBUTE=VALUE...")
@json_option()
@click.pass_obj
def set_(session: Session, stream: str | int, attributes: tuple[str, ...], *, as_json: bool) -> None:
    """Change attributes of a stream and of its elements.

    STREAM is a path such as /house/power, or an id. All of the changes are made, or none.

    A running module need not be stopped, but for a new name; out_of_order holds from its next start. What a stream
    file says returns when that is next read.
    """
    changes = parse_attributes(attributes)
    change = session.run(lambda node: node.stream_update(stream, changes))
    show_change(f"changed {change.path}", change, as_json=as_json)


@click.command()
@click.argument("stream", type=path_or_id)
@click.argument("folder")
@json_option()
@click.pass_obj
def move(session: Session, stream: str | int, folder: str, *, as_json: bool) -> None:
    """Move a stream into FOLDER, which is made if there is none.

    Its id, rows and attributes come with it. What a running module reads or writes is refused.
    """
    change = session.run(lambda node: node.stream_move(stream, folder))
    show_change(f"moved {stream} to {change.path}", change, as_json=as_json)


@click.command()
@click.argument("stream", type=path_or_id)
@click.argument("name")
@json_option()
@click.pass_obj
def rename(session: Session, stream: str | int, name: str, *, as_json: bool) -> None:
    """Give a stream another NAME in its folder.

    Its id, rows and attributes stay. What a running module reads or writes is refused.
    """
    change = session.run(lambda node: node.stream_update(stream, {"name": name}))
    show_change(f"renamed {stream} to {change.path}", change, as_json=as_json)


@click.command()
@click.argument("streams", nargs=-1, required=True, type=path_or_id, metavar="STREAM...")
@yes_option
@json_option("Print one JSON document for each stream.")
@click.pass_obj
def delete(session: Session, streams: tuple[str | int, ...], *, yes: bool, as_json: bool) -> None:
    """Delete streams with all their rows, for good.

    What a running module reads or writes is refused.
    """
    found = session.run(lambda node: _find(node, streams))
    asked = "this stream" if len(found) == 1 else f"these {len(found)} streams"
    confirm(f"Delete {asked} with all rows, for good?", [cost(info) for info in found], yes=yes)

    session.run(lambda node: _delete(node, found, as_json=as_json))


async def _find(node: Node, streams: tuple[str | int, ...]) -> list[StreamInfo]:
    await check_running(node)
    infos = [await node.stream(stream) for stream in streams]
    return list({info.id: info for info in infos}.values())


async def _delete(node: Node, infos: list[StreamInfo], *, as_json: bool) -> None:
    for info in infos:
        change = await node.stream_delete(info.id)
        show_change(f"deleted {cost(info)}", change, as_json=as_json)
