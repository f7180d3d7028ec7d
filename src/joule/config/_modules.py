"""Module files: what to start, with which options, on which streams."""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import Literal

from joule.config._faults import FaultList, did_you_mean
from joule.config._fields import Fields, check_keys
from joule.config._ini import Entry, Ini, Section
from joule.config._limits import LIMIT_KEYS, parse_limits
from joule.config._model import ModuleConfig, PipeConfig
from joule.config._pipes import PipeFaultError, parse_pipe

__all__ = ["ARGUMENTS", "INPUTS", "MODULE_KEYS", "OUTPUTS", "ModuleFile", "parse_module"]

MODULE_KEYS = ("name", "exec_cmd", "description", "on_restart", *LIMIT_KEYS)
ARGUMENTS = ("arguments",)
INPUTS = ("inputs", "input", "source")
OUTPUTS = ("outputs", "output", "destination")

_IDLE_KEYS = {
    "is_app": "this version serves no web pages of modules: remove the line",
    "has_interface": "this version serves no web pages of modules: remove the line",
    "db_schema": "this version has no database for modules: remove the line",
}
_SECTIONS = ("Main", "Arguments", "Inputs", "Outputs")
_ON_RESTART: dict[str, Literal["resume", "break"]] = {"resume": "resume", "break": "break"}
_OPTION = re.compile(r"[^\s=-][^\s=]*")
_MAX_NAME_BYTES = 100
_RESERVED_NAMES = frozenset({"jouled"})  # the daemon's own log file


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ModuleFile:
    """What could be read of a module's file, for checks across files.

    Attributes:
        file: The file.
        name: The module's name, None where it could not be read.
        line: Where the name stands.
        inputs: Pipes that could be read.
        outputs: Likewise.
        config: The module; whether it is sound is known when all files were read.
    """

    file: Path
    name: str | None
    line: int | None
    inputs: dict[str, PipeConfig]
    outputs: dict[str, PipeConfig]
    config: ModuleConfig | None


def parse_module(ini: Ini, node_directory: Path, faults: FaultList) -> ModuleFile:
    """Return what a module's file says, noting its faults."""
    _check_sections(ini, faults)
    inputs = _pipes(ini, INPUTS, faults)
    outputs = _pipes(ini, OUTPUTS, faults)
    arguments = _arguments(ini, faults)
    main = ini.find("main")
    if main is None:
        faults.error(ini.file, None, "the file has no [Main]", "begin it with [Main], name and exec_cmd")
        return ModuleFile(file=ini.file, name=None, line=None, inputs=inputs, outputs=outputs, config=None)
    check_keys(main, MODULE_KEYS, ini.file, faults, _IDLE_KEYS)
    fields = Fields(main, ini.file, faults)
    name = _name(fields)
    exec_cmd = _exec_cmd(fields)
    program = _program(fields, exec_cmd, node_directory)
    on_restart = fields.choice("on_restart", _ON_RESTART, "resume")
    limits = parse_limits(fields)
    config = None
    if name and program:
        config = ModuleConfig(
            name=name.value,
            exec_cmd=tuple(exec_cmd),
            program=program,
            description=fields.text("description"),
            arguments=arguments,
            inputs=inputs,
            outputs=outputs,
            file=ini.file,
            on_restart=on_restart,
            limits=limits,
        )
    return ModuleFile(
        file=ini.file,
        name=name.value if name else None,
        line=name.line if name else None,
        inputs=inputs,
        outputs=outputs,
        config=config,
    )


def _check_sections(ini: Ini, faults: FaultList) -> None:
    known = ("main", *ARGUMENTS, *INPUTS, *OUTPUTS)
    for section in ini.sections:
        if section.name.lower() not in known:
            remedy = did_you_mean(section.name, _SECTIONS, f"sections are {', '.join(_SECTIONS)}")
            faults.warning(ini.file, section.line, f"[{section.name}] is no section of a module's file", remedy)
    for names in (INPUTS, OUTPUTS):
        found = [section for section in ini.sections if section.name.lower() in names]
        for extra in found[1:]:
            faults.error(
                ini.file,
                extra.line,
                f"[{extra.name}] means the same as [{found[0].name}] in line {found[0].line}",
                "make one of the two",
            )


def _name(fields: Fields) -> Entry | None:
    entry = fields.required("name", "name = Power Meter")
    if entry is None:
        return None
    name = entry.value
    if "/" in name or not name.isprintable() or len(name.encode()) > _MAX_NAME_BYTES:
        fields.bad(
            entry,
            f"{name!r} cannot be a module's name",
            f"names are one line of at most {_MAX_NAME_BYTES} bytes without /",
        )
        return None
    if name.lower() in _RESERVED_NAMES:
        fields.bad(entry, f"{name!r} is the daemon's own name", "choose another name")
        return None
    return entry


def _exec_cmd(fields: Fields) -> list[str]:
    entry = fields.required("exec_cmd", "exec_cmd = python3 reader.py")
    if entry is None:
        return []
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


def _program(fields: Fields, exec_cmd: list[str], node_directory: Path) -> str | None:
    entry = fields.entry("exec_cmd")
    if not exec_cmd or entry is None:
        return None
    program = find_program(exec_cmd[0], node_directory)
    if program is None:
        place = node_directory if "/" in exec_cmd[0] else "PATH"
        fields.bad(
            entry,
            f"the program {exec_cmd[0]!r} is not found, or not executable, in {place}",
            "install it, correct the name, give its full path, or make it executable (chmod +x)",
        )
    _check_script(fields, entry, exec_cmd, node_directory)
    return program


def find_program(name: str, node_directory: Path) -> str | None:
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


def _check_script(fields: Fields, entry: Entry, exec_cmd: list[str], node_directory: Path) -> None:
    if not os.path.basename(exec_cmd[0]).startswith("python") or len(exec_cmd) < 2:
        return
    script = exec_cmd[1]
    if script.endswith(".py") and not os.path.isfile(os.path.join(node_directory, script)):
        fields.faults.warning(
            fields.file,
            entry.line,
            f"the script {script!r} is not found in {node_directory}",
            "relative paths are meant from the node's directory: correct it, or put the script there",
        )


def _arguments(ini: Ini, faults: FaultList) -> tuple[tuple[str, str], ...]:
    section = ini.find(*ARGUMENTS)
    if section is None:
        return ()
    for entry in section.entries.values():
        _check_argument(entry, ini.file, faults)
    return tuple((entry.key, entry.value) for entry in section.entries.values())


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
    if re.search(r"\s[#;]", entry.value):
        faults.warning(
            file,
            entry.line,
            f"the value of {entry.key!r} holds what looks like a comment, and is passed with it: {entry.value!r}",
            "put the comment on a line of its own",
        )


def _pipes(ini: Ini, names: tuple[str, ...], faults: FaultList) -> dict[str, PipeConfig]:
    section = ini.find(*names)
    return {} if section is None else _section_pipes(section, ini.file, faults)


def _section_pipes(section: Section, file: Path, faults: FaultList) -> dict[str, PipeConfig]:
    pipes = {}
    for entry in section.entries.values():
        try:
            stream, inline = parse_pipe(entry.value)
        except PipeFaultError as fault:
            faults.error(file, entry.line, f"pipe {entry.key!r}: {fault.message}", fault.remedy)
        else:
            pipes[entry.key] = PipeConfig(name=entry.key, stream=stream, inline=inline, line=entry.line)
    return pipes
