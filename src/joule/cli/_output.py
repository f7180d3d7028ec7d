"""Results onto stdout: tables and facts for people, JSON for programs.

On a terminal tables are drawn with rich, with colours unless NO_COLOR is set; anywhere else they are aligned plain
text, one line an entry, nothing cut off, so that grep, awk and diff work on them. Notes go to stderr, and only there.
"""

from __future__ import annotations

import dataclasses
import math
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import click

from joule.cli._text import printable

if TYPE_CHECKING:
    import rich.table

__all__ = [
    "Cell",
    "Column",
    "Style",
    "Styled",
    "json_text",
    "note",
    "painted",
    "rich_table",
    "show_facts",
    "show_json",
    "show_table",
]

Style = Literal["", "bold", "dim", "green", "yellow", "red"]


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        title: Its heading.
        right: Whether its cells are aligned at their right ends, as numbers are.
    """

    title: str
    right: bool = dataclasses.field(default=False, kw_only=True)


@dataclasses.dataclass(frozen=True, slots=True)
class Styled:
    """A text with the style that it has where there are colours."""

    text: str
    style: Style


Cell = str | Styled


def show_table(columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> None:
    """Print a table; an empty cell of plain text becomes `-`, so that a line always has all its fields."""
    if sys.stdout.isatty():
        _console_print(rich_table(columns, rows))
        return
    click.echo("\n".join(_plain_table(columns, rows)))


def show_facts(facts: Iterable[tuple[str, Cell]]) -> None:
    """Print names with their values, one a line; facts without a value are left out."""
    known = [(name, value) for name, value in facts if _text(value)]
    width = max((len(name) for name, _ in known), default=0)
    for name, value in known:
        click.echo(f"{painted(name.ljust(width), 'bold')}  {painted(_text(value), _style(value))}")


def show_json(document: Any) -> None:
    """Print one JSON document; indented for a terminal, on one line otherwise."""
    click.echo(json_text(document, indent=2 if sys.stdout.isatty() else None))


def json_text(document: Any, *, indent: int | None = None) -> str:
    """Return `document` as JSON that any parser takes: NaN is null, infinities are strings."""
    import json

    return json.dumps(_finite(document), indent=indent, allow_nan=False)


def painted(text: str, style: Style) -> str:
    """Return `text` in a style where stdout has colours, as it is elsewhere."""
    if not style or not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    colour = style if style in ("green", "yellow", "red") else None
    return click.style(text, fg=colour, bold=style == "bold" or None, dim=style == "dim" or None)


def note(text: str) -> None:
    """Tell the user something beside the result, on stderr."""
    click.echo(printable(text, keep="\n"), err=True)


def rich_table(columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> rich.table.Table:
    """Return the table as rich draws it: long cells fold, none is cut off; a column without any text is left out."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    cells = [list(row) for row in rows]
    shown = [i for i in range(len(columns)) if not cells or any(_text(row[i]) for row in cells)]
    for i in shown:
        table.add_column(columns[i].title, justify="right" if columns[i].right else "left", overflow="fold")
    for row in cells:
        table.add_row(*(Text(_text(row[i]), style=_style(row[i])) for i in shown))
    return table


def _console_print(renderable: Any) -> None:
    from rich.console import Console

    Console(file=sys.stdout, markup=False, emoji=False, highlight=False).print(renderable)


def _plain_table(columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> Iterable[str]:
    lines = [[column.title for column in columns], *([_text(cell) or "-" for cell in row] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    for line in lines:
        cells = (
            cell.rjust(width) if column.right else cell.ljust(width)
            for cell, width, column in zip(line, widths, columns, strict=True)
        )
        yield "  ".join(cells).rstrip()


def _text(cell: Cell) -> str:
    return printable(cell.text if isinstance(cell, Styled) else cell)


def _style(cell: Cell) -> Style:
    return cell.style if isinstance(cell, Styled) else ""


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
