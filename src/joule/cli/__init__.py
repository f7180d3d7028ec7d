"""The command line of Joule, `joule`: one file per noun, loaded when it is named.

It talks to nodes only through `joule.api`, and to configuration files only through `joule.config`, as any other
program could. Every command prints for people or, with `--json`, for programs, from the same values. What it promises
about exit codes is in `joule.cli._exit`; the reference in `docs/reference/cli.md` is made from the commands' own help.
"""

from __future__ import annotations

from joule.cli._main import main

__all__ = ["main"]
