"""The mean filter: a moving average over a window of rows."""

from __future__ import annotations

import argparse

import numpy as np
import numpy.typing as npt

from joule.client import FIRFilterModule

__all__ = ["MeanFilter", "main"]


class MeanFilter(FIRFilterModule):
    """Replaces each row by the mean of the `--window` rows around it, element by element."""

    def custom_args(self, parser: argparse.ArgumentParser) -> None:
        """Add `--window`."""
        parser.description = "Replaces each row by the mean of the rows around it, element by element."
        parser.add_argument("--window", type=_window, required=True, help="rows in a mean, an odd number")

    def make_filter(self, parsed_args: argparse.Namespace) -> npt.NDArray[np.float64]:
        """Return equal taps that sum to one."""
        return np.full(parsed_args.window, 1 / parsed_args.window)


def _window(text: str) -> int:
    if not text.isdecimal() or int(text) % 2 == 0:
        raise argparse.ArgumentTypeError(f"a window is an odd number of rows (1, 3, 5, ...), not {text}")
    return int(text)


def main() -> None:
    """Run the module: the program `joule-mean-filter`."""
    MeanFilter().start()
