"""A new node's directory: a commented `main.conf` and folders for the files of modules and streams."""

from __future__ import annotations

import os
from pathlib import Path

from joule.errors import ConfigurationError

__all__ = ["default_node_directory", "init_node"]

_MAIN = """\
# A Joule node. Paths are meant from the directory of this file. Check with: joule check
# The lines that begin with # show the defaults: take the # away to change one.

[Main]
Name = {name}

# Each module to run has a file here, such as module_configs/reader.conf:
#   [Main]
#   name = Reader
#   exec_cmd = joule-random-reader
#   [Arguments]
#   width = 2
#   rate = 10
#   [Outputs]
#   output = /demo/random:float32[a, b]
# ModuleDirectory = module_configs

# Each stream that is not defined in a module's file, as above, has one here.
# StreamDirectory = stream_configs

# Rows, catalog and cursors.
# DataDirectory = data

# What modules and jouled print.
# LogDirectory = logs

# How large a module's log gets before it is put aside for a new one; the one before it is kept.
# LogSize = 2 MB

# How far ahead of the clock a row may be; none allows any time.
# MaxAhead = 1d

# How often what is stored is brought to the disk, 0 to 60s; a power cut costs at most about so much.
# SyncInterval = 1s

# Passwords and tokens, a line NAME = value each. ${{NAME}} in a module's [Arguments] stands for one; none is shown.
# SecretsFile = secrets.conf
"""


def init_node(directory: Path) -> list[Path]:
    """Make the files of a new node and return their paths: `main.conf`, `module_configs` and `stream_configs`.

    Args:
        directory: Of the node; made, with its parents, when it is not there.

    Raises:
        ConfigurationError: A `main.conf` is there already, or the directory cannot be written.
    """
    directory = Path(directory).absolute()
    main_file = directory / "main.conf"
    folders = [directory / "module_configs", directory / "stream_configs"]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with main_file.open("x", encoding="utf-8") as file:  # first: a node that is there stays as it is
            file.write(_MAIN.format(name=_name(directory)))
        for folder in folders:
            folder.mkdir(exist_ok=True)
    except FileExistsError as error:
        raise ConfigurationError(
            f"{error.filename} is there already and was left as it is: use this node, or name another directory",
            file=str(error.filename),
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"no node can be made in {directory}: {error.strerror}; name a directory that you can write",
            file=str(error.filename),
        ) from error
    return [main_file, *folders]


def default_node_directory() -> Path:
    """Return the directory of the user's own node, which is used where none is named; it need not be there."""
    data = os.environ.get("XDG_DATA_HOME", "")
    home = Path(data) if os.path.isabs(data) else Path.home() / ".local" / "share"
    return home / "joule" / "node"


def _name(directory: Path) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in directory.name).split()) or "joule"
