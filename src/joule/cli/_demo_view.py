"""How the demo looks: a live picture on a terminal, a line now and then elsewhere, and what it leaves at the end."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from joule.cli._demo_node import MACHINE, MEANS
from joule.cli._demo_watch import Glance, StreamGlance
from joule.cli._output import Cell, Column, Styled, rich_table
from joule.cli._text import duration, printable, size
from joule.cli.module import STATE_STYLES

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["picture", "plain_line", "troubles_text", "value_text"]

_MODULE_COLUMNS = (Column("MODULE"), Column("STATE"), Column("CPU", right=True), Column("MEMORY", right=True))
_STREAM_COLUMNS = (Column("STREAM"), Column("ROWS/S", right=True), Column("ROWS", right=True), Column("LAST VALUES"))
_BAR = "▏▎▍▌▋▊▉█"
_BAR_CELLS = 8
_MOST_CORES = 16  # of more, only their mean is shown: the picture is to fit on a screen
_LINE_ELEMENTS = ("cpu", "memory")  # of the machine, in a plain line; a bar for each core would fill it


def picture(glance: Glance, *, elapsed_s: float, directory: str) -> RenderableType:
    """Return the picture of the node for a terminal."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    head = Text.assemble(
        ("Joule demo", "bold"),
        f"   {duration(elapsed_s * 1e6)}   node in {printable(directory)}   ",
        ("Ctrl-C stops it", "dim"),
    )
    parts: list[RenderableType] = [head, rich_table(_MODULE_COLUMNS, _module_rows(glance))]
    parts.append(rich_table(_STREAM_COLUMNS, [_stream_row(stream) for stream in glance.streams]))
    machine, means = glance.stream(MACHINE), glance.stream(MEANS)
    if machine is not None and machine.values:
        parts.append(_machine(machine, means))
    if glance.troubles:
        parts.append(Text(troubles_text(glance.troubles), style="yellow"))
    return Group(*(Padding(part, (0, 0, 1, 0)) for part in parts))


def plain_line(glance: Glance, *, elapsed_s: float) -> str:
    """Return how the node is in one line, for logs and pipes."""
    running = sum(module.state == "running" for module in glance.modules)
    rates = ", ".join(f"{stream.info.path} {stream.rate_hz:.0f}" for stream in glance.streams)
    machine = glance.stream(MACHINE)
    values = [] if machine is None else [pair for pair in _named_values(machine) if pair[0] in _LINE_ELEMENTS]
    fields = [
        f"{elapsed_s:3.0f} s",
        f"{running} of {len(glance.modules)} modules running",
        f"rows/s: {rates}",
        *(f"{name} {text}" for name, text in values),
        *(f"{module.name}: {module.state}" for module in glance.modules if module.state != "running"),
    ]
    return printable("  ".join(fields))


def troubles_text(troubles: dict[str, list[str]]) -> str:
    """Return which modules are not well, and the last lines that they printed."""
    lines = []
    for name, printed in troubles.items():
        lines.append(
            f"{name} does not run. It printed last:" if printed else f"{name} does not run, and printed nothing."
        )
        lines.extend(f"  {line}" for line in printed)
    return "\n".join(printable(line, keep="\t") for line in lines)


def value_text(value: float, units: str) -> str:
    """Return a value with its unit, at a precision that a person can follow."""
    if math.isnan(value):
        return "-"
    if units in ("B", "B/s"):
        return size(value) + units[1:]
    digits = 0 if abs(value) >= 1000 else 1 if units else 3
    return f"{value:.{digits}f} {units}".rstrip()


def _module_rows(glance: Glance) -> Iterable[Sequence[Cell]]:
    for module in glance.modules:
        state = Styled(module.state, STATE_STYLES.get(module.state, ""))
        cpu = "" if module.cpu_percent is None else f"{module.cpu_percent:.1f} %"
        memory = "" if module.memory_bytes is None else size(module.memory_bytes)
        yield module.name, state, cpu, memory


def _stream_row(stream: StreamGlance) -> tuple[Cell, ...]:
    rate = Styled(f"{stream.rate_hz:.1f}", "green" if stream.rate_hz else "yellow")
    values = (
        "below" if stream.info.path in (MACHINE, MEANS) else "  ".join(f"{n} {v}" for n, v in _named_values(stream))
    )
    return stream.info.path, rate, f"{stream.info.rows:,}", values


def _named_values(stream: StreamGlance) -> list[tuple[str, str]]:
    pairs = zip(stream.info.elements, stream.values, strict=False)  # a stream without rows has no values
    return [(element.name, value_text(value, element.units)) for element, value in pairs]


def _machine(machine: StreamGlance, means: StreamGlance | None) -> RenderableType:
    """Return what the machine is doing, now and in the mean, in two columns; a bar where it is a share."""
    from rich.table import Table

    smooth = means.values if means is not None and means.values else (math.nan,) * len(machine.values)
    rows: list[tuple[Cell, ...]] = []
    many_cores = sum(element.name.startswith("cpu_") for element in machine.info.elements) > _MOST_CORES
    for element, now, mean in zip(machine.info.elements, machine.values, smooth, strict=False):
        if many_cores and element.name.startswith("cpu_"):
            continue
        bar = Styled(_bar(mean if not math.isnan(mean) else now) if element.units == "%" else "", "green")
        rows.append((element.name, value_text(now, element.units), value_text(mean, element.units), bar))
    half = (len(rows) + 1) // 2
    numbers = (Column("NOW", right=True), Column("MEAN", right=True), Column(" " * _BAR_CELLS))
    grid = Table.grid(padding=(0, 2))
    grid.add_row(
        rich_table((Column("THIS MACHINE"), *numbers), rows[:half]), rich_table((Column(""), *numbers), rows[half:])
    )
    return grid


def _bar(percent: float) -> str:
    if math.isnan(percent):
        return ""
    eighths = round(min(100.0, max(0.0, percent)) / 100 * _BAR_CELLS * 8)
    return "█" * (eighths // 8) + (_BAR[eighths % 8 - 1] if eighths % 8 else "")
