"""From samples to a table: medians, spreads, verdicts, Markdown. Pure; measures nothing."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Sequence

__all__ = ["Result", "Spread", "judged", "percentile", "ratios", "spread", "table"]


@dataclasses.dataclass(frozen=True, slots=True)
class Spread:
    """Several measurements of one thing.

    Attributes:
        median: Of the rounds.
        low: The smallest.
        high: The largest.
    """

    median: float
    low: float
    high: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One line of the table.

    Attributes:
        what: The thing measured.
        target: What it should reach, in words; empty where there is no target.
        measured: What it reached, with its unit or "x".
        spread: Lowest and highest of the rounds.
        beside: Absolute figures that stand behind a ratio.
        met: Whether the target was reached; None where there is none.
    """

    what: str
    target: str = ""
    measured: str
    spread: str
    beside: str = ""
    met: bool | None = None


def spread(samples: Sequence[float]) -> Spread:
    """Return median, smallest and largest of at least one sample."""
    return Spread(statistics.median(samples), min(samples), max(samples))


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Return the ratio of the medians, and the range of the ratios of rounds that ran one after the other."""
    pairs = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return Spread(statistics.median(ours) / statistics.median(theirs), min(pairs), max(pairs))


def percentile(samples: Sequence[float], percent: float) -> float:
    """Return the smallest sample that `percent` % of all do not exceed."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def judged(
    what: str,
    found: Spread,
    *,
    unit: str,
    at_least: float | None = None,
    at_most: float | None = None,
    beside: str = "",
) -> Result:
    """Return a line whose verdict is that of the median.

    Args:
        what: The thing measured.
        found: What was measured.
        unit: Such as "x" or "s".
        at_least: The target, where more is better.
        at_most: The target, where less is better.
        beside: Absolute figures.
    """
    target, met = "", None
    if at_least is not None:
        target, met = f"at least {_number(at_least)} {unit}", found.median >= at_least
    elif at_most is not None:
        target, met = f"at most {_number(at_most)} {unit}", found.median <= at_most
    return Result(
        what=what,
        target=target,
        measured=f"{_number(found.median)} {unit}",
        spread=f"{_number(found.low)} to {_number(found.high)}",
        beside=beside,
        met=met,
    )


def table(results: Sequence[Result]) -> str:
    """Return the lines as a Markdown table."""
    lines = ["| what | target | measured | rounds | verdict | behind it |", "|---|---|---|---|---|---|"]
    for result in results:
        verdict = {True: "reached", False: "**missed**", None: ""}[result.met]
        cells = [result.what, result.target, result.measured, result.spread, verdict, result.beside]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
