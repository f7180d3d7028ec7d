"""Who wrote which rows of a stream, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from joule.cli._output import Cell, Column, Styled, note, show_table

if TYPE_CHECKING:
    from joule.api import ProvenanceInfo

__all__ = ["show_history"]

_COLUMNS = (
    Column("FIRST ROW", right=True),
    Column("ROWS", right=True),
    Column("FROM"),
    Column("TO"),
    Column("WRITTEN BY"),
    Column("STARTS", right=True),
    Column("PROCESS", right=True),
    Column("CODE"),
    Column("COMMAND"),
    Column("SCRIPT SHA-256"),
    Column("PYTHON"),
    Column("JOULE"),
    Column("HOST"),
    Column("USER"),
)
_SHOWN_DIGITS = 12  # of a hash; --json has all of them


def show_history(parts: Sequence[ProvenanceInfo], path: str) -> None:
    """Print one line for each stretch of rows, oldest first."""
    if parts:
        show_table(_COLUMNS, [_row(part) for part in parts])
    else:
        note(f"nothing has written {path} yet")


def _row(part: ProvenanceInfo) -> tuple[Cell, ...]:
    return (
        str(part.row),
        str(part.rows),
        _time(part.first_us),
        _time(part.last_us),
        _origin(part),
        str(part.starts) if part.starts else "",
        "" if part.pid is None else str(part.pid),
        part.code,
        part.command,
        part.script_sha256[:_SHOWN_DIGITS],
        part.python,
        part.joule,
        part.host,
        part.user,
    )


def _time(timestamp_us: int | None) -> str:
    from joule.core.times import format_time

    return "" if timestamp_us is None else format_time(timestamp_us)


def _origin(part: ProvenanceInfo) -> Cell:
    if part.kind == "unknown":
        return Styled("not recorded", "dim")
    return f"copy of {part.name}" if part.kind == "copy" else part.name
