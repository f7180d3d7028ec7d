"""The demo's composite: random numbers at a high rate and their moving mean, from one process.

Between the two modules the rows pass through a local pipe, in memory; both streams are stored.
"""

from __future__ import annotations

import argparse
from collections.abc import Awaitable
from typing import Any

from joule.builtins.mean_filter import MeanFilter
from joule.builtins.random_reader import RandomReader
from joule.client import CompositeModule
from joule.client.windows import window_rows
from joule.pipes import LocalPipe, Pipe

__all__ = ["DemoComposite", "main"]


class DemoComposite(CompositeModule):
    """Writes `raw`, random numbers, and `smooth`, their mean over a window. It has no inputs."""

    _reader: RandomReader | None = None

    def custom_args(self, parser: argparse.ArgumentParser) -> None:
        """Add `--rate` and `--window`."""
        parser.description = "A random reader and a mean filter in one process."
        parser.add_argument("--rate", type=float, default=1000.0, help="rows a second [Hz] (default: 1000)")
        parser.add_argument("--window", type=window_rows, default=101, help="rows in a mean (default: 101)")

    async def setup(
        self, parsed_args: argparse.Namespace, inputs: dict[str, Pipe], outputs: dict[str, Pipe]
    ) -> list[Awaitable[Any]]:
        """Connect the reader to the filter, and both to the outputs."""
        reader, smoother = RandomReader(), MeanFilter()
        self._reader = reader
        inner = LocalPipe(outputs["raw"].layout, name="inner")
        inner.subscribe(outputs["raw"])
        return [
            _run_and_close(reader, argparse.Namespace(width=inner.width, rate=parsed_args.rate, seed=None), inner),
            smoother.run(
                argparse.Namespace(window=parsed_args.window), {"input": inner}, {"output": outputs["smooth"]}
            ),
        ]

    def stop(self) -> None:
        """Let the reader finish the cycle that it is in; the filter then comes to the end of its data."""
        super().stop()
        if self._reader is not None:
            self._reader.stop()


async def _run_and_close(reader: RandomReader, arguments: argparse.Namespace, output: Pipe) -> None:
    """Run the reader; its end is the end of the filter's data, so that a stop ends both within a cycle."""
    await reader.run(arguments, output)
    await output.close()


def main() -> None:
    """Run the module: what the demo starts as `python -m joule.builtins.demo_composite`."""
    DemoComposite().start()
