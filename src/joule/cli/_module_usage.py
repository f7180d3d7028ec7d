"""`joule module usage`: what a module has used over the last day, in at most some two dozen lines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from joule.cli._options import json_option
from joule.cli._output import Column, note, show_json, show_table
from joule.cli._session import Session
from joule.cli._text import size

if TYPE_CHECKING:
    from joule.api import UsageSample

__all__ = ["usage"]

_STEPS_MIN = (1, 5, 10, 30, 60)
_LINES = 24
_COLUMNS = (
    Column("FROM"),
    Column("CPU", right=True),
    Column("MOST CPU", right=True),
    Column("MEMORY", right=True),
    Column("MOST MEMORY", right=True),
    Column("PROCESSES", right=True),
)


@click.command()
@click.argument("name")
@json_option("Print one JSON document, with a sample for each minute.")
@click.pass_obj
def usage(session: Session, name: str, *, as_json: bool) -> None:
    """Show what a module has used over the last day.

    All its processes count, measured once a minute as long as jouled has been running. CPU is a share of one core;
    MOST is that of the busiest minute of a line, PROCESSES the highest number.
    """
    found = session.run(lambda node: node.module_usage(name))
    if as_json:
        show_json(found.to_json())
    elif found.samples:
        show_table(_COLUMNS, map(_row, _spans(found.samples)))
    else:
        note(f"{name} has not run for a minute yet; joule module info {name} tells what it uses now")


def _spans(samples: tuple[UsageSample, ...]) -> list[list[UsageSample]]:
    """Return the samples in groups of an hour or less each, so that there are few."""
    minutes = (samples[-1].time_us - samples[0].time_us) / 60e6
    step_us = next((step for step in _STEPS_MIN if minutes < step * _LINES), _STEPS_MIN[-1]) * 60_000_000
    spans: dict[int, list[UsageSample]] = {}
    for sample in samples:
        spans.setdefault(sample.time_us // step_us, []).append(sample)
    return list(spans.values())


def _row(span: list[UsageSample]) -> tuple[str, ...]:
    return (
        _minute(span[0].time_us),
        f"{_mean(sample.cpu_percent for sample in span):.1f} %",
        f"{max(sample.cpu_percent for sample in span):.1f} %",
        size(_mean(sample.memory_bytes for sample in span)),
        size(max(sample.memory_bytes for sample in span)),
        str(max(sample.processes for sample in span)),
    )


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)


def _minute(time_us: int) -> str:
    """Return a time as local ISO 8601 text with its offset, to the minute."""
    return dt.datetime.fromtimestamp(time_us // 1_000_000, dt.UTC).astimezone().isoformat(timespec="minutes")
