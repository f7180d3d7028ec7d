"""A module that prints a gigabyte a minute, beside one that writes rows: how much the flood takes from the rows."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path

import psutil

from benchmarks._children import MeasurementError
from benchmarks._figures import Result, judged, ratios, spread
from benchmarks._node import new_node, running
from benchmarks._scale import Scale
from joule.log import read_head

__all__ = ["measure"]

GIGABYTE_A_MINUTE = 1e9 / 60
_PROGRAMS = Path(__file__).with_name("programs")
_START_LIMIT_S = 30.0
_WINDOW_S = 2.0
_SETTLE_S = 0.3  # longer than the printer takes to see a new rate


def measure(scale: Scale, directory: Path) -> list[Result]:
    """Return the writer's rate beside a flood against its rate without, in turn; the same for a flood without bound."""
    with new_node(directory) as node:
        _configure(node)
        with running(node) as daemon:
            log = _wait_for_rows(node, daemon)
            return [
                _compare(node, log, scale, GIGABYTE_A_MINUTE, "a writer beside 1 GB of prints a minute", at_least=0.95),
                _compare(node, log, scale, float("inf"), "a writer beside prints without bound"),
            ]


def _configure(node: Path) -> None:
    _print_at(node, 0.0)
    python = shlex.quote(sys.executable)
    writer, printer = (shlex.quote(str(_PROGRAMS / name)) for name in ("flood_writer.py", "flood_printer.py"))
    (node / "module_configs" / "writer.conf").write_text(
        f"[Main]\nname = writer\nexec_cmd = {python} {writer}\n\n[Outputs]\noutput = /bench/rows:float64[value]\n"
    )
    (node / "module_configs" / "printer.conf").write_text(
        f"[Main]\nname = printer\nexec_cmd = {python} {printer} {shlex.quote(str(node / 'rate'))}\n"
    )


def _print_at(node: Path, rate: float) -> None:
    draft = node / "rate.new"
    draft.write_text(str(rate))
    draft.replace(node / "rate")


def _wait_for_rows(node: Path, daemon: psutil.Popen) -> Path:
    log = node / "data" / "streams" / "1"
    limit_s = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < limit_s and daemon.poll() is None:
        if (log / "head").exists() and read_head(log).stored > 1000:
            return log
        time.sleep(0.1)
    raise MeasurementError(f"the node did not get its writer to run within {_START_LIMIT_S:.0f} s")


def _compare(node: Path, log: Path, scale: Scale, rate: float, what: str, *, at_least: float | None = None) -> Result:
    quiet, flooded = [], []
    for _ in range(scale.rounds):
        for printed, rates in ((0.0, quiet), (rate, flooded)):
            _print_at(node, printed)
            time.sleep(_SETTLE_S)
            rates.append(_rows_a_second(log))
    _print_at(node, 0.0)
    behind = f"{spread(flooded).median / 1e3:.3g} of {spread(quiet).median / 1e3:.3g} thousand rows/s"
    return judged(what, ratios(flooded, quiet), unit="x alone", at_least=at_least, beside=behind)


def _rows_a_second(log: Path) -> float:
    before, began_s = read_head(log).stored, time.monotonic()
    time.sleep(_WINDOW_S)
    return (read_head(log).stored - before) / (time.monotonic() - began_s)
