"""The groups of commands: loaded when named, and where errors become sentences.

`joule --help` answers from a table and imports no command, so that it is quick on a Raspberry Pi; a test keeps the
table in step with the commands.
"""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from typing import Any

import click

from joule.cli._exit import INTERRUPTED, failure_of
from joule.cli._text import printable

__all__ = ["LazyGroup"]


class LazyGroup(click.Group):
    """A group whose commands are imported when one of them is asked for.

    Attributes:
        lazy: For each command `module:attribute` and its line in the help.
    """

    def __init__(self, *args: Any, lazy: dict[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; None where the table has no such name."""
        if cmd_name not in self.lazy:
            return None
        module, _, attribute = self.lazy[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self.lazy.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or fail with the name that may have been meant."""
        if args and args[0] not in self.lazy and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], self.lazy, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else f" There are: {', '.join(self.lazy)}."
            ctx.fail(f"No such command '{printable(args[0])}'.{hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; every error that leaves it becomes a sentence and an exit code."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # The program that read our output has seen enough. Python would complain when it flushes stdout at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        except KeyboardInterrupt:
            click.echo(err=True)  # a line of its own for the terminal's ^C
            ctx.exit(INTERRUPTED)
        except click.NoSuchOption as error:
            raise _misplaced(error) from None
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:  # the seam; failure_of shows the traceback with JOULE_DEBUG=1
            raise failure_of(error) from error


def _misplaced(error: click.NoSuchOption) -> click.NoSuchOption:
    """Return the error, with where the option belongs when it is one of `joule` itself."""
    name = error.option_name
    if name not in ("-n", "--node"):
        return error
    return click.NoSuchOption(name, f"{name} comes before the command: joule {name} NODE ...", ctx=error.ctx)
