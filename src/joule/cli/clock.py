"""`joule clock`: how the node's clock stands to the system's, and what a person decides about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from joule.cli._options import json_option
from joule.cli._output import Cell, Column, Styled, note, show_facts, show_json, show_table
from joule.cli._session import Session
from joule.cli._text import duration

if TYPE_CHECKING:
    from joule.api import ClockChange, ClockInfo, RowsAside

__all__ = ["clock"]

_STATES = {
    "following": "it goes with the system's clock",
    "slowing": "it is ahead, and goes at half speed until both meet",
    "own": "it keeps its own time",
}
_ASIDE_COLUMNS = (Column("STREAM"), Column("ROWS", right=True), Column("FROM"), Column("TO"), Column("NOW IN"))


@click.group()
def clock() -> None:
    """Show the node's clock, and put it right.

    All timestamps of a node are made by one clock, which never runs backwards. It follows the system's clock as far as
    that allows.
    """


@clock.command()
@json_option()
@click.pass_obj
def show(session: Session, *, as_json: bool) -> None:
    """Show the node's clock, the system's, and what keeps them apart."""
    _show(session.run(lambda node: node.clock()), as_json=as_json)


@clock.command()
@json_option()
@click.pass_obj
def confirm(session: Session, *, as_json: bool) -> None:
    """Say that the node's clock is right.

    Needed after it went forward by more than a day, where no time service vouches for the system's clock: until then no
    row is removed for its age on the strength of that step.
    """
    _show(session.run(lambda node: node.clock_confirm()), as_json=as_json)


@clock.command()
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@json_option()
@click.pass_obj
def follow(session: Session, *, dry_run: bool, as_json: bool) -> None:
    """Say that the system's clock is right, and set the node's to it.

    That is the one way in which the node's clock goes back. All modules are stopped for it and started again. Rows with
    timestamps that then lie ahead are set aside, each stream's into a stream of its own beside it, so that new rows can
    be stored; none is lost.
    """
    change = session.run(lambda node: node.clock_follow(dry_run=dry_run))
    if as_json:
        show_json(change.to_json())
        return
    if not (change.back_us or change.streams):
        note("nothing to do: the node's clock is not ahead of the system's, and no stream has rows ahead of it")
        return
    click.echo(_headline(change, dry_run=dry_run))
    if change.streams:
        show_table(_ASIDE_COLUMNS, [_aside_row(aside) for aside in change.streams])


def _headline(change: ClockChange, *, dry_run: bool) -> str:
    from joule.core.times import format_time

    verb = "would go" if dry_run else "went"
    back = f"the node's clock {verb} back by {duration(change.back_us)}, to {format_time(change.now_us)}"
    parts = [back] if change.back_us else []
    if change.streams:
        parts.append(f"these rows {'would be' if dry_run else 'were'} set aside")
    if change.modules:
        parts.append(f"{'to be ' if dry_run else ''}started again: {', '.join(change.modules)}")
    return "; ".join(parts)


def _aside_row(aside: RowsAside) -> tuple[Cell, ...]:
    from joule.core.times import format_time

    return aside.stream, str(aside.rows), format_time(aside.first_us), format_time(aside.last_us), aside.aside


def _show(info: ClockInfo, *, as_json: bool) -> None:
    if as_json:
        show_json(info.to_json())
    else:
        show_facts(_facts(info))


def _facts(info: ClockInfo) -> list[tuple[str, Cell]]:
    from joule.core.times import format_time

    return [
        ("node's clock", format_time(info.node_us)),
        ("system's clock", format_time(info.system_us)),
        ("state", Styled(_STATES.get(info.state, info.state), "green" if info.state == "following" else "yellow")),
        ("difference", _difference(info.node_us - info.system_us)),
        ("they meet in", "" if info.meets_us is None else duration(info.meets_us)),
        ("synchronised", {True: "yes", False: "no", None: "not known"}[info.synchronised]),
        ("unconfirmed", duration(info.unconfirmed_us) if info.unconfirmed_us else ""),
        ("note", Styled("" if info.state == "slowing" else info.note, "yellow")),  # that is said above
    ]


def _difference(ahead_us: int) -> str:
    if abs(ahead_us) < 1000:
        return "none"
    return f"the node's is {duration(abs(ahead_us))} {'ahead' if ahead_us > 0 else 'behind'}"
