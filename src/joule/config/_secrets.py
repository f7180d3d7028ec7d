"""The secrets file: values that are written in no other file, and shown nowhere.

One `NAME = value` a line; blank lines and lines that begin with `#` do not count. No message of this reader holds
anything of a line but a well-formed name: what is wrong with it may be that a secret stands in the wrong place.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from joule.config._faults import FaultList
from joule.config._ini import read_text
from joule.core.variables import VARIABLE_NAME

__all__ = ["Secret", "read_secrets"]


class Secret:
    """A text that no `print`, log line, traceback or JSON document shows by accident."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "Secret()"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def reveal(self) -> str:
        """Return the text, to hand it to the module that uses it."""
        return self._text


def read_secrets(file: Path, faults: FaultList) -> dict[str, Secret]:
    """Return the secrets in a file by name, noting its faults; none where it cannot be read."""
    text = read_text(file, faults)
    if text is None:
        return {}
    _check_permissions(file, faults)
    secrets: dict[str, Secret] = {}
    lines: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not VARIABLE_NAME.fullmatch(name):
            faults.error(
                file,
                number,
                "this line is not NAME = value, the name of letters, digits and _",
                "write it so, or begin it with # for a note; a value stands on one line",
            )
        elif name in secrets:
            faults.error(file, number, f"the secret {name} was given before, in line {lines[name]}", "keep one of them")
        elif not value:
            faults.error(file, number, f"the secret {name} has no value", "write it behind the =, or remove the line")
        else:
            _check_quotes(name, value, number, file, faults)
            secrets[name], lines[name] = Secret(value), number
    return secrets


def _check_permissions(file: Path, faults: FaultList) -> None:
    if os.stat(file).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        faults.warning(file, None, "other users may read or change the secrets", f"run: chmod 600 {file}")


def _check_quotes(name: str, value: str, number: int, file: Path, faults: FaultList) -> None:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        faults.warning(file, number, f"the quotes around the secret {name} are part of it", "remove them if not meant")
