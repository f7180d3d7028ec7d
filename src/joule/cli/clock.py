"""`joule clock`: how the node's clock stands to the system's, and what a person decides about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from joule.cli._options import json_option
from joule.cli._output import Cell, Styled, show_facts, show_json
from joule.cli._session import Session
from joule.cli._text import duration

if TYPE_CHECKING:
    from joule.api import ClockInfo

__all__ = ["clock"]

_STATES = {
    "following": "it goes with the system's clock",
    "slowing": "it is ahead, and goes at half speed until both meet",
    "own": "it keeps its own time",
}


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
        ("note", Styled(info.note, "yellow")),
    ]


def _difference(ahead_us: int) -> str:
    if abs(ahead_us) < 1000:
        return "none"
    return f"the node's is {duration(abs(ahead_us))} {'ahead' if ahead_us > 0 else 'behind'}"
