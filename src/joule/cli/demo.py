"""`joule demo`: the whole system at work, on this machine's own sensors, in a directory that may be thrown away."""

from __future__ import annotations

from pathlib import Path

import click

from joule.cli._options import json_option

__all__ = ["demo"]


@click.command()
@click.option(
    "--directory",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the demo's node is made; a demo that is there already is replaced. Default: below the system's "
    "temporary directory.",
)
@click.option(
    "--duration",
    "duration_s",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="Stop after so many seconds. Default: 0, run until Ctrl-C.",
)
@click.option(
    "--rate",
    "rate_hz",
    type=click.FloatRange(min=0.1, max=100),
    default=10.0,
    metavar="HZ",
    help="How often the sensors are read. Default: 10.",
)
@json_option("Show nothing while it runs; at the end print one JSON document.")
def demo(directory: Path | None, duration_s: float, rate_hz: float, *, as_json: bool) -> None:
    """Run a node on this machine's own sensors and show it live.

    The node has a reader, a filter on it and a composite. Ctrl-C stops everything and tells what was stored, and how to
    look at it again: its directory stays until the next demo. The exit code is 0 when rows were stored.
    """
    from joule.cli._demo_node import default_demo_directory, demo_directory, write_node
    from joule.cli._demo_run import run_demo

    directory = default_demo_directory() if directory is None else directory.absolute()
    with demo_directory(directory):
        write_node(directory, rate_hz=rate_hz)
        run_demo(directory, duration_s=duration_s, as_json=as_json)
