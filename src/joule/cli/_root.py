"""`joule` itself: its options and the table of its commands."""

from __future__ import annotations

import click

from joule._version import __version__
from joule.cli._exit import EXIT_CODES
from joule.cli._group import LazyGroup
from joule.cli._session import Session

__all__ = ["joule"]

_COMMANDS = {
    "demo": ("joule.cli.demo:demo", "Run a node on this machine's own sensors and show it live."),
    "init": ("joule.cli.init:init", "Make a node directory."),
    "check": ("joule.cli.check:check", "Report every fault in a node's configuration."),
    "config": ("joule.cli.config:config", "Show what a node's configuration files come to."),
    "module": ("joule.cli.module:module", "Show, start and stop a node's modules."),
    "stream": ("joule.cli.stream:stream", "Show, make, change, move and delete a node's streams."),
    "folder": ("joule.cli.folder:folder", "Show, move, copy and delete a node's folders of streams."),
    "clock": ("joule.cli.clock:clock", "Show the node's clock, and put it right."),
    "data": ("joule.cli.data:data", "Read the rows of streams."),
    "reload": ("joule.cli.reload:reload", "Let a running node read its files again."),
    "service": ("joule.cli.service:service", "Let a node start with the machine, as a systemd service."),
}

_EPILOG = "\b\nExit codes:\n" + "\n".join(f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES.items())


@click.group(
    cls=LazyGroup,
    lazy=_COMMANDS,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
@click.option(
    "-n",
    "--node",
    envvar="JOULE_NODE",
    metavar="NODE",
    help="The node: a name, a directory or a URL. Default: JOULE_NODE, else this user's own node.",
)
@click.version_option(__version__, "--version", prog_name="joule", message="%(prog)s %(version)s")
@click.pass_context
def joule(ctx: click.Context, node: str | None) -> None:
    """Look at a node of Joule: its modules, its streams, its data.

    A node is a directory that jouled runs. Options of joule itself come before the command: joule -n DIR module list.
    Every command takes --json.
    """
    session = ctx.ensure_object(Session)
    session.where = node or None
