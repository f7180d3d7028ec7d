"""The merge filter: rows of one input, the primary, beside what the other inputs were at those times.

It is exact, as `docs/explanations/exactness.md` has it: everything that it remembers lies unconsumed in its inputs. Of
another input that is the newest row that is not later than the primary's next one, since the line to the row behind it
begins there; at a break it is nothing. An input is read only when its rows at hand say no more about the primary's
next row. So a row is read once (that newest one twice), and what an input is ahead of the others waits in its log.
"""

from __future__ import annotations

import argparse
import asyncio
import math

import numpy as np

from joule.builtins.merge_filter._line import Line
from joule.client import FilterModule
from joule.errors import ModuleError
from joule.pipes import Pipe

__all__ = ["MergeFilter", "main"]

_TURN_VALUES = 2**18  # values of the output made at a time: some 10 ms, after which a stop is seen


class MergeFilter(FilterModule):
    """Writes each row of `--primary` with the elements of all other inputs, interpolated to its time."""

    def custom_args(self, parser: argparse.ArgumentParser) -> None:
        """Add `--primary` and `--max-gap`."""
        parser.description = "Puts streams into one, at the times of the primary one; the others are interpolated."
        add = parser.add_argument
        add("--primary", "--master", metavar="NAME", help="input whose times are kept (default: the first one)")
        gap_help = "interpolate only between rows at most this far apart [s] (default: any)"
        add("--max-gap", type=_seconds, default=math.inf, metavar="SECONDS", help=gap_help)

    async def run(self, parsed_args: argparse.Namespace, inputs: dict[str, Pipe], outputs: dict[str, Pipe]) -> None:
        """Merge until an input has ended or the module is stopped.

        Raises:
            ModuleError: There is no such primary, or not one output of the right width.
        """
        primary, others, target = _lines(getattr(parsed_args, "primary", None), inputs, outputs)
        max_gap_us = getattr(parsed_args, "max_gap", math.inf) * 1e6
        turn = max(1, _TURN_VALUES // target.width)
        while not self.stop_requested:
            if not await _has_row(primary, target):
                return
            for other in others:
                if not await _reaches(other, primary.first_us, target):
                    return
            await _merge(primary, others, target, turn, max_gap_us)
            await asyncio.sleep(0)


async def _has_row(primary: Line, target: Pipe) -> bool:
    """Wait for a row of the primary, passing its breaks on; False when it has ended."""
    while not len(primary):
        if primary.is_at_break:
            await target.close_interval()
        if not await primary.read():
            return False
    return True


async def _reaches(other: Line, time_us: int, target: Pipe) -> bool:
    """Wait for a row of another input at or after the primary's next one; False when it ended before.

    A break that comes first breaks the output: rows before and behind it are of different intervals of this input.
    """
    while not len(other) or other.last_us < time_us:
        if other.is_at_break:
            other.consume(len(other))
            await target.close_interval()
        else:
            other.forget_before(time_us)
        if not await other.read():
            return False
    return True


async def _merge(primary: Line, others: list[Line], target: Pipe, turn: int, max_gap_us: float) -> None:
    """Write the primary's next rows, up to where the other inputs reach; drop those that lie in a gap of one."""
    horizon_us = min((other.last_us for other in others), default=primary.last_us)
    times = primary.times[: min(turn, np.searchsorted(primary.times, horizon_us, "right"))]
    known = np.ones(len(times), np.bool_)
    for other in others:
        known &= other.knows(times, max_gap_us)
    count = int(np.argmin(known == known[0])) or len(times)  # alike from the first row on
    if known[0]:
        merged = np.empty((count, 1 + target.width))
        merged[:, 0] = times[:count]
        columns = [primary.values(count), *(other.at(times[:count]) for other in others)]
        np.concatenate(columns, axis=1, out=merged[:, 1:])
        await target.write(merged)
    else:
        await target.close_interval()
    primary.consume(count)
    for other in others:
        other.forget_before(int(times[count - 1]))


def _lines(primary: str | None, inputs: dict[str, Pipe], outputs: dict[str, Pipe]) -> tuple[Line, list[Line], Pipe]:
    """Return the primary, the other inputs in the order of the module's file, and the output."""
    names = ", ".join(inputs) or "none"
    if not inputs or (primary is not None and primary not in inputs):
        raise ModuleError(f"--primary is {primary}, and must be one of the inputs in the module's file: {names}")
    if len(outputs) != 1:
        raise ModuleError(f"a merge has one output; the module's file names {', '.join(outputs) or 'none'}")
    (target,) = outputs.values()
    first = next(iter(inputs)) if primary is None else primary
    order = [first, *(name for name in inputs if name != first)]
    width = sum(inputs[name].width for name in order)
    if target.width != width:
        parts = " + ".join(f"{inputs[name].width} of {name}" for name in order)
        raise ModuleError(f"output {target.name!r} must have {width} elements ({parts}); it has {target.width}")
    lines = [Line(inputs[name]) for name in order]
    return lines[0], lines[1:], target


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not seconds > 0:
        raise argparse.ArgumentTypeError(f"a gap is a number of seconds above 0, not {text}")
    return seconds


def main() -> None:
    """Run the module: the program `joule-merge-filter`."""
    MergeFilter().start()
