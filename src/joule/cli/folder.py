"""`joule folder`: the tree of folders that a node's streams lie in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from joule.cli._confirm import check_running, confirm, cost, show_change, yes_option
from joule.cli._folder_copy import copy
from joule.cli._folder_tree import FolderTree
from joule.cli._options import json_option, path_or_id
from joule.cli._output import note, show_json
from joule.cli._session import Session
from joule.cli._text import plural

if TYPE_CHECKING:
    from joule.api import ChangeInfo, FolderInfo, Node, StreamInfo

__all__ = ["folder"]


@click.group()
def folder() -> None:
    """Show, move, copy and delete a node's folders of streams."""


folder.add_command(copy)


@folder.command("list")
@click.argument("path", default="/")
@click.option("-l", "--layout", "with_layout", is_flag=True, help="Show the layout of each stream.")
@click.option("-s", "--status", "with_status", is_flag=True, help="Show who writes each stream, and its last row.")
@click.option("-i", "--id", "with_id", is_flag=True, help="Show the ids of streams and folders.")
@json_option()
@click.pass_obj
def list_(session: Session, path: str, *, with_layout: bool, with_status: bool, with_id: bool, as_json: bool) -> None:
    """Show folders and streams as a tree.

    All of the node, or what is in and below the folder PATH.
    """
    root = session.run(lambda node: _root(node, path))
    if as_json:
        show_json(root.to_json())
        return
    if root.path == "/" and not (root.folders or root.streams):
        note("no folders: streams make them, such as a module's [Outputs] with output = /folder/name:float32[x, y]")
        return

    tree = FolderTree(with_layout=with_layout, with_status=with_status, with_id=with_id)
    click.echo("\n".join(tree.lines(root)))


@folder.command("set")
@click.argument("folder", type=path_or_id)
@click.argument("attributes", nargs=-1, required=True, metavar="description=TEXT|name=TEXT...")
@json_option()
@click.pass_obj
def set_(session: Session, folder: str | int, attributes: tuple[str, ...], *, as_json: bool) -> None:
    """Change the description of a folder, or its name.

    FOLDER is a path such as /house, or an id.
    """
    changes = dict(_assignment(text) for text in attributes)
    change = session.run(lambda node: node.folder_update(folder, changes))
    show_change(f"changed {change.path}", change, as_json=as_json)


@folder.command()
@click.argument("folder", type=path_or_id)
@click.argument("parent")
@json_option()
@click.pass_obj
def move(session: Session, folder: str | int, parent: str, *, as_json: bool) -> None:
    """Move a folder, with all that is below it, into the folder PARENT, which is made if there is none.

    Folders are not merged. A folder with a stream that a running module reads or writes is refused.
    """
    change = session.run(lambda node: node.folder_move(folder, parent))
    _show(f"moved {folder} to {change.path}", change, as_json=as_json)


@folder.command()
@click.argument("folder", type=path_or_id)
@click.argument("name")
@json_option()
@click.pass_obj
def rename(session: Session, folder: str | int, name: str, *, as_json: bool) -> None:
    """Give a folder another NAME in the folder that it lies in.

    A folder with a stream that a running module reads or writes is refused.
    """
    change = session.run(lambda node: node.folder_update(folder, {"name": name}))
    _show(f"renamed {folder} to {change.path}", change, as_json=as_json)


@folder.command()
@click.argument("folder", type=path_or_id)
@click.option("-r", "--recursive", is_flag=True, help="Also all folders, streams and rows in it, for good.")
@yes_option
@json_option()
@click.pass_obj
def delete(session: Session, folder: str | int, *, recursive: bool, yes: bool, as_json: bool) -> None:
    """Delete a folder.

    Only an empty one goes without --recursive. What a running module reads or writes is refused.
    """
    found = session.run(lambda node: _find(node, folder))
    streams = list(_streams(found))
    if recursive and streams:
        question = f"Delete {found.path} with {plural(len(streams), 'stream')} and all rows, for good?"
        confirm(question, [cost(info) for info in streams], yes=yes)
    change = session.run(lambda node: node.folder_delete(found.id, recursive=recursive))
    _show(f"deleted {change.path}", change, as_json=as_json)


async def _find(node: Node, folder: str | int) -> FolderInfo:
    await check_running(node)
    return await node.folder(folder)


def _show(sentence: str, change: ChangeInfo, *, as_json: bool) -> None:
    show_change(f"{sentence}, with {plural(change.streams, 'stream')}", change, as_json=as_json)


async def _root(node: Node, path: str) -> FolderInfo:
    return await node.folders() if path == "/" else await node.folder(path_or_id(path))


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or name not in ("name", "description"):
        raise click.UsageError(f"{text!r} sets no attribute of a folder. Write description=TEXT or name=TEXT.")
    return name, value


def _streams(folder: FolderInfo) -> Iterator[StreamInfo]:
    yield from folder.streams
    for below in folder.folders:
        yield from _streams(below)
