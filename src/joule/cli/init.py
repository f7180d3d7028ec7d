"""`joule init`: a new node directory."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from joule.cli._options import json_option
from joule.cli._output import show_json
from joule.cli._text import printable

__all__ = ["init"]


def _directory(ctx: click.Context, parameter: click.Parameter, value: str) -> Path:
    if not value:  # an unset variable of a script, which is not meant to make a node in the current directory
        raise click.BadParameter("it is empty; the current directory is .")
    return Path(value)


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False), callback=_directory)
@json_option()
def init(directory: Path, *, as_json: bool) -> None:
    """Make a node directory.

    DIR gets main.conf, module_configs/ and stream_configs/, and is made where it is missing. One that has a main.conf
    already is left as it is.
    """
    from joule.config import init_node

    made = init_node(directory)
    if as_json:
        show_json({"directory": str(directory.absolute()), "created": [str(path) for path in made]})
        return
    for path in made:
        click.echo(f"made {printable(path)}")
    where = printable(shlex.quote(str(directory)))
    click.echo(
        f"\nNext: put a module's .conf file into {where}/module_configs, then\n"
        f"  joule check {where}             every fault in it\n"
        f"  jouled --config {where}         run the node, in the foreground\n"
        f"  joule -n {where} module list    see how its modules are\n"
        f"  joule service install {where}   start it with the machine"
    )
