"""Where the demo is shown: drawn over itself on a terminal, a line every two seconds elsewhere, or nowhere."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from joule.cli._demo_view import picture, plain_line, troubles_text
from joule.cli._demo_watch import Glance

if TYPE_CHECKING:
    from rich.live import Live

__all__ = ["Display", "open_display"]

_LINE_S = 2.0


class Display:
    """Shows nothing, and remembers the last glance; the base of those that do show it.

    Attributes:
        last: What was shown last.
    """

    last: Glance | None = None

    def show(self, glance: Glance, elapsed_s: float) -> None:
        """Show how the node is, `elapsed_s` seconds after it was up."""
        self.last = glance
        self._draw(glance, elapsed_s)

    def _draw(self, glance: Glance, elapsed_s: float) -> None:
        pass


class _Terminal(Display):
    def __init__(self, live: Live, directory: str) -> None:
        self._live = live
        self._directory = directory

    def _draw(self, glance: Glance, elapsed_s: float) -> None:
        self._live.update(picture(glance, elapsed_s=elapsed_s, directory=self._directory), refresh=True)


class _Lines(Display):
    def __init__(self) -> None:
        self._due_s = 0.0
        self._troubled: frozenset[str] = frozenset()

    def _draw(self, glance: Glance, elapsed_s: float) -> None:
        if elapsed_s >= self._due_s:
            click.echo(plain_line(glance, elapsed_s=elapsed_s))
            self._due_s = elapsed_s + _LINE_S
        troubled = frozenset(glance.troubles)
        if troubled - self._troubled:
            click.echo(troubles_text(glance.troubles))
        self._troubled = troubled


@contextlib.contextmanager
def open_display(directory: str, *, silent: bool) -> Iterator[Display]:
    """Give the display that fits stdout.

    Args:
        directory: Of the node, to be shown.
        silent: Show nothing.
    """
    if silent:
        yield Display()
    elif sys.stdout.isatty():
        from rich.console import Console
        from rich.live import Live

        console = Console(file=sys.stdout, markup=False, emoji=False, highlight=False)
        with Live(f"starting a node in {directory} ...", console=console, auto_refresh=False) as live:
            live.refresh()
            yield _Terminal(live, directory)
    else:
        click.echo(f"demo in {directory}; Ctrl-C stops it")
        yield _Lines()
