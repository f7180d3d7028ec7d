"""`joule module logs`: what modules and `jouled` printed, all of it or what somebody looks for."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

from joule.cli._options import json_option, moment
from joule.cli._output import json_text, note, show_json
from joule.cli._session import Session
from joule.cli._text import printable

if TYPE_CHECKING:
    from joule.api import LogLine, LogQuery, Node

__all__ = ["logs"]

_DEFAULT_LINES = 100
_DEFAULT_FOLLOWED = 10
_MOST_LINES = 100_000


@click.command()
@click.argument("name", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines as they are printed, until Ctrl-C.")
@click.option(
    "--lines",
    type=click.IntRange(min=0, max=_MOST_LINES),
    metavar="N",
    help="How many of the newest lines to show. Default: 100; with --follow 10; with --since or --until all.",
)
@click.option("--grep", metavar="TEXT", default="", help="Only lines that hold this text.")
@click.option("-i", "--ignore-case", is_flag=True, help="With --grep: upper and lower case are the same.")
@click.option("--since", metavar="TIME", type=moment, help="Only lines printed at this time or later.")
@click.option("--until", metavar="TIME", type=moment, help="Only lines printed before this time.")
@json_option('Print one JSON document; with --follow {"line": "..."} for each line.')
@click.pass_obj
def logs(
    session: Session,
    name: str | None,
    *,
    follow: bool,
    lines: int | None,
    grep: str,
    ignore_case: bool,
    since: int | None,
    until: int | None,
    as_json: bool,
) -> None:
    """Show what a module printed, each line stamped with its time.

    NAME is a module, or jouled for the daemon's own messages; without a NAME the lines of all are shown together, in
    the order of their times. What is stored can be read when no jouled runs, too.

    A TIME is such as "10 minutes ago", "yesterday 14:00" or 2026-05-01T08:30. Control characters are shown as escapes.
    """
    from joule.api import LogQuery

    if follow and until is not None:
        raise click.UsageError("--follow goes on without end: it takes no --until")
    if ignore_case and not grep:
        raise click.UsageError("-i is for --grep: name the TEXT to look for")
    query = LogQuery(text=grep, ignores_case=ignore_case, since_us=since, until_us=until)
    if lines is None:
        few = _DEFAULT_FOLLOWED if follow else _DEFAULT_LINES
        lines = few if since is None and until is None else _MOST_LINES
    if follow:
        session.follow(lambda node: _follow(node, name, lines, query, as_json=as_json))
    elif name is None:
        found = session.run(lambda node: node.logs(lines, query))
        _show_all(found, query, wants_lines=lines > 0, as_json=as_json)
    else:
        own = session.run(lambda node: node.module_logs(name, lines, query))
        _show(name, own, query, wants_lines=lines > 0, as_json=as_json)


def _show(name: str, found: list[str], query: LogQuery, *, wants_lines: bool, as_json: bool) -> None:
    if as_json:
        show_json({"module": name, "lines": found})
    elif found:
        click.echo("\n".join(printable(line, keep="\t") for line in found))
    elif not query.is_for_all:
        note(f"no line of {name} is like that: its log may begin later")
    elif wants_lines:
        note(f"{name} has printed nothing yet; joule module info {name} tells its state")


def _show_all(found: list[LogLine], query: LogQuery, *, wants_lines: bool, as_json: bool) -> None:
    if as_json:
        show_json([{"module": line.module, "line": line.line} for line in found])
    elif found:
        width = max(len(line.module) for line in found)
        click.echo("\n".join(_shown(line, width) for line in found))
    elif wants_lines:
        note("nothing has been printed yet" if query.is_for_all else "no line of any module is like that")


async def _follow(node: Node, name: str | None, lines: int, query: LogQuery, *, as_json: bool) -> None:
    if name is not None:
        async with contextlib.aclosing(node.follow_module_logs(name, lines, query)) as printed:
            async for line in printed:
                click.echo(json_text({"line": line}) if as_json else printable(line, keep="\t"))
        return
    width = 0
    async with contextlib.aclosing(node.follow_logs(lines, query)) as all_printed:
        async for found in all_printed:
            width = max(width, len(found.module))
            facts = {"module": found.module, "line": found.line}
            click.echo(json_text(facts) if as_json else _shown(found, width))


def _shown(line: LogLine, width: int) -> str:
    return f"{printable(line.module).ljust(width)}  {printable(line.line, keep=chr(9))}"
