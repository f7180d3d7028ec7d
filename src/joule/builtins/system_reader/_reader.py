"""The system reader: rows of what this machine is doing, at an even rate."""

from __future__ import annotations

import argparse
import asyncio
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from joule.builtins.system_reader._configs import module_config, stream_config
from joule.builtins.system_reader._gauges import SENSORS, Selection, gauges, parse_cores, parse_sensors, select
from joule.client import ReaderModule
from joule.core import time_now
from joule.errors import ModuleError, RowWidthError
from joule.pipes import Pipe

__all__ = ["SystemReader", "main"]

MAX_RATE_HZ = 100.0  # the kernel counts processor time in ticks of 10 ms: above, loads would only repeat
_FIRST_ROW_S = 1.0  # a rate needs two readings; at low rates the first pair is taken closer together


class SystemReader(ReaderModule):
    """Measures this machine through psutil; see `--show-config` for the elements and their units."""

    def custom_args(self, parser: argparse.ArgumentParser) -> None:
        """Add `--rate`, `--cores`, `--sensors` and `--show-config`."""
        here = select()
        parser.description = "Measures this machine: processor, memory, disks and network."
        parser.add_argument("--rate", type=_rate, default=1.0, help="rows a second [Hz] (default: 1)")
        parser.add_argument(
            "--cores", type=parse_cores, default=here.cores, help=f"cores to measure (default: here {here.cores})"
        )
        parser.add_argument(
            "--sensors",
            type=parse_sensors,
            default=here.sensors,
            help=f"any of {','.join(SENSORS)}; or none (default: here {','.join(here.sensors) or 'none'})",
        )
        parser.add_argument(
            "--show-config",
            action=_ShowConfig,
            nargs="?",
            choices=("all", "module", "stream"),
            help="print the module file and the stream file that fit this machine, or one of them, and exit",
        )

    async def run(self, parsed_args: argparse.Namespace, output: Pipe) -> None:
        """Write a row each period, the first one when there are two readings to compare.

        A row is stamped when it is measured. Where the machine was too busy for a row, or asleep, that row is missing:
        it cannot be measured afterwards.

        Raises:
            ModuleError: The output stream has another number of elements.
        """
        measured = gauges(Selection(cores=parsed_args.cores, sensors=parsed_args.sensors))
        for gauge in measured:
            gauge.sample()
        clock = asyncio.get_running_loop().time
        period_s = 1 / parsed_args.rate
        due_s = clock() + min(period_s, _FIRST_ROW_S)
        while not self.stop_requested:
            await asyncio.sleep(due_s - clock())
            values = [value for gauge in measured for value in gauge.sample()]
            await _write(output, np.array([[time_now(), *values]]))
            due_s += period_s * max(1, math.ceil((clock() - due_s) / period_s))


async def _write(output: Pipe, row: np.ndarray) -> None:
    try:
        await output.write(row)
    except RowWidthError as error:
        raise ModuleError(
            f"{error}; --cores and --sensors say which elements there are: set them as the stream has them, or write "
            "another stream, with the file that joule-system-reader --show-config stream prints"
        ) from error


def _rate(text: str) -> float:
    try:
        rate_hz = float(text)
    except ValueError:
        rate_hz = math.nan
    if not 0 < rate_hz <= MAX_RATE_HZ:
        raise argparse.ArgumentTypeError(f"a rate is above 0 and at most {MAX_RATE_HZ:g} Hz, not {text}")
    return rate_hz


class _ShowConfig(argparse.Action):
    """Prints the configuration files and exits, as `--help` does, whatever else is missing."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        selection = Selection(cores=namespace.cores, sensors=namespace.sensors)
        module = module_config(selection, stream="/system/machine")
        stream = stream_config(selection, folder="/system", name="machine", description="what this machine is doing")
        texts = {"module": module, "stream": stream}
        both = f"# module_configs/system_reader.conf\n{module}\n# stream_configs/machine.conf\n{stream}"
        print(texts.get(str(values), both), end="")  # noqa: T201 - this is what was asked for
        parser.exit()


def main() -> None:
    """Run the module: the program `joule-system-reader`."""
    SystemReader().start()
