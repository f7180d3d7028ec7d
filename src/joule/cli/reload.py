"""`joule reload`: a running node reads its files again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from joule.cli._exit import FAILED
from joule.cli._options import json_option
from joule.cli._output import Cell, note, show_facts, show_json
from joule.cli._session import Session

if TYPE_CHECKING:
    from joule.api import ReloadReport

__all__ = ["reload"]


@click.command()
@json_option()
@click.pass_context
def reload(ctx: click.Context, *, as_json: bool) -> None:
    """Let a running node read its files again.

    Only what they have changed is touched. New modules are started, those whose files are gone are stopped, changed
    ones are stopped and started; all others go on. Attributes of streams take effect. A module whose file has a fault
    now goes on as it was; a fault in main.conf changes nothing. A changed script is no changed file: see 'joule module
    restart'. Sending SIGHUP to jouled does the same. The exit code is 1 where there are faults, or a module
    that was started does not stay up.
    """
    session = ctx.ensure_object(Session)
    report = session.run(lambda node: node.reload())
    if as_json:
        show_json(report.to_json())
    else:
        show_facts(_facts(report))
    for fault in report.faults:
        note(f"fault: {fault}")
    for module in report.ended:
        note(f"did not stay up: {module}")
    for key in report.waiting:
        note(f"{key} was changed in main.conf: it takes effect when jouled is started again")
    if report.faults or report.ended:
        ctx.exit(FAILED)


def _facts(report: ReloadReport) -> list[tuple[str, Cell]]:
    return [
        ("started", ", ".join(report.started)),
        ("stopped", ", ".join(report.stopped)),
        ("restarted", ", ".join(report.restarted)),
        ("adjusted", ", ".join(report.adjusted)),
        ("left as they were", ", ".join(report.outdated)),
        ("unchanged", str(report.unchanged)),
    ]
