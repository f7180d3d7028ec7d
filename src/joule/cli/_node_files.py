"""Which node's files a command reads: those that need no `jouled` and no socket."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["node_main_file"]


def node_main_file(directory: Path | None, where: str | None) -> Path:
    """Return the `main.conf` that is meant; it need not be there.

    Args:
        directory: What the command was given: a directory or a `main.conf`.
        where: The node of `-n` or `JOULE_NODE`, read where `directory` is None. Without both it is the current
            directory where that holds a `main.conf`, else this user's own node.
    """
    if directory is None and where is not None:
        directory = Path(where)
        if not directory.exists():
            raise click.UsageError(f"{where} is no directory here: this command reads a node's files; name their DIR.")
    if directory is None:
        from joule.config import default_node_directory

        directory = Path() if Path("main.conf").exists() else default_node_directory()
    return directory / "main.conf" if directory.is_dir() or not directory.exists() else directory
