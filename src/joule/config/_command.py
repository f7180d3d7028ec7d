"""What starts a module: the words of `exec_cmd`, the program that they begin with, and `[Arguments]`."""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import shutil
import sys
from pathlib import Path

from joule.config._faults import FaultList
from joule.config._fields import Fields, warn_of_comment
from joule.config._ini import Entry, Section
from joule.config._secrets import Secret
from joule.config._variables import Variables
from joule.core.variables import replace_variables

__all__ = ["Command", "check_arguments", "parse_command"]

_OPTION = re.compile(r"[^\s=-][^\s=]*")
_WRAPPERS = frozenset({"chrt", "env", "ionice", "nice", "nohup", "numactl", "stdbuf", "sudo", "taskset", "timeout"})
_OTHER_PERCENT = re.compile(r"%%|%\(\w+\)s")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """How a module is started.

    Attributes:
        words: Of `exec_cmd`.
        program: The file that they begin with, found; None where there is a fault.
        arguments: `[Arguments]`, in the order of the file.
        variables: What each `${NAME}` in words and arguments stands for; where there is none, no `$${` is left either.
    """

    words: tuple[str, ...]
    program: str | None
    arguments: tuple[tuple[str, str], ...]
    variables: dict[str, Secret]


def parse_command(fields: Fields, arguments: Section | None, node_directory: Path, variables: Variables) -> Command:
    """Return what `exec_cmd` in `fields` and the section of arguments say, noting their faults."""
    entry = fields.required("exec_cmd", "exec_cmd = python3 reader.py")
    words = _words(fields, entry) if entry else []
    count = _own_words(words)
    own = [variables.shown(word, entry, fields.file, fields.faults) for word in words[:count]] if entry else []
    passed = words[count:]
    entries = list(arguments.entries.values()) if arguments else []
    values = variables.passed(entry, passed, fields.file, fields.faults) if entry else {}
    for argument in entries:
        values |= variables.passed(argument, [argument.value], fields.file, fields.faults)
    program = _program(fields, entry, own, node_directory) if entry and words else None
    if values:
        pairs = [(argument.key, argument.value) for argument in entries]
    else:  # the module has nothing to replace, so `$${` becomes `${` here
        passed = [replace_variables(word, {}) for word in passed]
        pairs = [(argument.key, replace_variables(argument.value, {})) for argument in entries]
    return Command(words=(*own, *passed), program=program, arguments=tuple(pairs), variables=values)


def _words(fields: Fields, entry: Entry) -> list[str]:
    _check_text(entry, fields.file, fields.faults)
    try:
        words = shlex.split(entry.value)
    except ValueError:
        fields.bad(
            entry, f"'exec_cmd' has a quote that is not closed: {entry.value}", "close it, or write \\ before it"
        )
        return []
    if not words or not words[0]:
        fields.bad(entry, "'exec_cmd' names no program", "write such as exec_cmd = python3 reader.py")
        return []
    return words


def _own_words(words: list[str]) -> int:
    """Return how many words say what runs: the program; with a Python interpreter, what comes to its script too."""
    python = next((index for index, word in enumerate(words) if _is_python(word)), None)
    if python is None or (python and os.path.basename(words[0]) not in _WRAPPERS):
        return min(1, len(words))
    scripts = (index for index in range(python + 1, len(words)) if not words[index].startswith("-"))
    return next(scripts, len(words) - 1) + 1


def _program(fields: Fields, entry: Entry, words: list[str], node_directory: Path) -> str | None:
    program = _find_program(words[0], node_directory)
    if program is None:
        place = node_directory if "/" in words[0] else "PATH"
        fields.bad(
            entry,
            f"the program {words[0]!r} is not found, or not executable, in {place}",
            "install it, correct the name, give its full path, or make it executable (chmod +x)",
        )
    _check_script(fields, entry, words, node_directory)
    return program


def _find_program(name: str, node_directory: Path) -> str | None:
    """Return the absolute path of a program, None where it is not found.

    A name with a slash is meant from the node's directory. Any other is looked up in PATH, and beside the running
    interpreter: first when that is a virtual environment's, which need not be activated to be used, else last.
    """
    name = os.path.expanduser(name)
    if "/" in name:
        return shutil.which(str(node_directory / name))
    own = os.path.dirname(sys.executable)
    path = os.environ.get("PATH", os.defpath)
    places = (own, path) if sys.prefix != sys.base_prefix else (path, own)
    found = shutil.which(name, path=os.pathsep.join(places))
    return None if found is None else os.path.abspath(found)


def _is_python(program: str) -> bool:
    return os.path.basename(program).startswith("python")


def _check_script(fields: Fields, entry: Entry, words: list[str], node_directory: Path) -> None:
    script = words[-1] if len(words) > 1 else ""
    if script.endswith(".py") and not os.path.isfile(os.path.join(node_directory, script)):
        fields.faults.warning(
            fields.file,
            entry.line,
            f"the script {script!r} is not found in {node_directory}",
            "relative paths are meant from the node's directory: correct it, or put the script there",
        )


def check_arguments(section: Section, file: Path, faults: FaultList) -> None:
    """Note what cannot be an argument of a module, or is probably not meant as one."""
    for entry in section.entries.values():
        _check_argument(entry, file, faults)


def _check_argument(entry: Entry, file: Path, faults: FaultList) -> None:
    if entry.key == "pipes":
        faults.error(file, entry.line, "'pipes' is the daemon's own option", "rename the module's option")
    elif not _OPTION.fullmatch(entry.key):
        faults.error(
            file,
            entry.line,
            f"{entry.key!r} cannot be the name of an option",
            "write it without dashes in front and without blanks; positional arguments belong into exec_cmd",
        )
    _check_text(entry, file, faults)


def _check_text(entry: Entry, file: Path, faults: FaultList) -> None:
    """Warn of what other eras, or other programs, would not have passed as it stands."""
    warn_of_comment(entry, file, faults)
    percent = _OTHER_PERCENT.search(entry.value)
    if percent:
        faults.warning(
            file,
            entry.line,
            f"{percent[0]!r} in the value of {entry.key!r} is passed as it stands: % has no meaning here",
            "write one % where other eras needed two, and the value itself in place of %(name)s",
        )
