"""Module files: what to start, with which options, on which streams."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

from joule.config._command import check_arguments, parse_command
from joule.config._faults import FaultList, did_you_mean
from joule.config._fields import Fields, check_keys, comment_hint, warn_of_comment
from joule.config._ini import Entry, Ini, Section
from joule.config._limits import LIMIT_KEYS, parse_limits
from joule.config._model import ModuleConfig, PipeConfig
from joule.config._pipes import PipeFaultError, parse_pipe
from joule.config._variables import Variables

__all__ = ["ARGUMENTS", "INPUTS", "MODULE_KEYS", "OUTPUTS", "ModuleFile", "parse_module"]

MODULE_KEYS = ("name", "exec_cmd", "description", "on_restart", "is_app", "has_interface", *LIMIT_KEYS)
ARGUMENTS = ("arguments",)
INPUTS = ("inputs", "input", "source")
OUTPUTS = ("outputs", "output", "destination")

_IDLE_KEYS = {
    "db_schema": "this version has no database for modules: remove the line",
}
_SECTIONS = ("Main", "Arguments", "Inputs", "Outputs")
_ON_RESTART: dict[str, Literal["resume", "break"]] = {"resume": "resume", "break": "break"}
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
        ini: What the file holds.
    """

    file: Path
    name: str | None
    line: int | None
    inputs: dict[str, PipeConfig]
    outputs: dict[str, PipeConfig]
    config: ModuleConfig | None
    ini: Ini


def parse_module(ini: Ini, node_directory: Path, faults: FaultList, variables: Variables) -> ModuleFile:
    """Return what a module's file says, noting its faults."""
    ini = variables.expand(ini, faults, stays=_is_passed)
    _check_sections(ini, faults)
    inputs = _pipes(ini, INPUTS, faults)
    outputs = _pipes(ini, OUTPUTS, faults)
    arguments = ini.find(*ARGUMENTS)
    if arguments:
        check_arguments(arguments, ini.file, faults)
    main = ini.find("main")
    if main is None:
        faults.error(ini.file, None, "the file has no [Main]", "begin it with [Main], name and exec_cmd")
        return ModuleFile(file=ini.file, name=None, line=None, inputs=inputs, outputs=outputs, config=None, ini=ini)
    check_keys(main, MODULE_KEYS, ini.file, faults, _IDLE_KEYS)
    fields = Fields(main, ini.file, faults)
    name = _name(fields)
    command = parse_command(fields, arguments, node_directory, variables)
    on_restart = fields.choice("on_restart", _ON_RESTART, "resume")
    limits = parse_limits(fields)
    if limits.timeout_us is not None and not ini.find(*OUTPUTS):
        _warn_of_timeout(fields)
    config = None
    if name and command.program:
        config = ModuleConfig(
            name=name.value,
            exec_cmd=command.words,
            program=command.program,
            description=fields.text("description"),
            arguments=command.arguments,
            inputs=inputs,
            outputs=outputs,
            file=ini.file,
            on_restart=on_restart,
            limits=limits,
            variables=command.variables,
            is_app=fields.yesno("is_app", default=fields.yesno("has_interface", default=False)),
        )
    return ModuleFile(
        file=ini.file,
        name=name.value if name else None,
        line=name.line if name else None,
        inputs=inputs,
        outputs=outputs,
        config=config,
        ini=ini,
    )


def _warn_of_timeout(fields: Fields) -> None:
    """Say that a module without outputs cannot be late with a row."""
    entry = fields.entry("timeout")
    assert entry is not None
    message = "'timeout' has no effect: the module has no outputs, whose rows it waits for"
    fields.faults.warning(fields.file, entry.line, message, "remove it, or give the module an output")


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


def _is_passed(section: Section, entry: Entry) -> bool:
    """Whether a value stands on the module's command line, where it may be a secret."""
    kind = section.name.lower()
    return kind in ARGUMENTS or (kind == "main" and entry.key == "exec_cmd")


def _pipes(ini: Ini, names: tuple[str, ...], faults: FaultList) -> dict[str, PipeConfig]:
    section = ini.find(*names)
    return {} if section is None else _section_pipes(section, ini.file, faults)


def _section_pipes(section: Section, file: Path, faults: FaultList) -> dict[str, PipeConfig]:
    pipes = {}
    for entry in section.entries.values():
        try:
            stream, inline = parse_pipe(entry.value)
        except PipeFaultError as fault:
            remedy = comment_hint(entry.value, fault.remedy)
            faults.error(file, entry.line, f"pipe {entry.key!r}: {fault.message}", remedy)
        else:
            if inline is None:
                warn_of_comment(entry, file, faults)
            pipes[entry.key] = PipeConfig(name=entry.key, stream=stream, inline=inline, line=entry.line)
    return pipes
