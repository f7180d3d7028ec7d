"""`main.conf`: the node's name and its directories, in the spelling of any era."""

from __future__ import annotations

import os
from pathlib import Path

from joule.config._faults import FaultList, did_you_mean
from joule.config._fields import Fields, check_keys, comment_hint, warn_of_comment
from joule.config._ini import Ini, Section
from joule.config._model import NodeConfig
from joule.config._other_eras import IDLE_MAIN_KEYS, IDLE_MAIN_SECTIONS
from joule.config._secrets import read_secrets
from joule.config._variables import Variables
from joule.core import parse_duration, parse_size

__all__ = ["DEFAULT_MAX_AHEAD_US", "MAIN_KEYS", "MAIN_SECTIONS", "is_first_era", "parse_main", "read_variables"]

MAIN_KEYS = (
    "Name",
    "ModuleDirectory",
    "StreamDirectory",
    "DataStreamDirectory",
    "DataDirectory",
    "LogDirectory",
    "LogSize",
    "MaxAhead",
    "SyncInterval",
    "SecretsFile",
)
MAIN_SECTIONS = ("main", "jouled")
_SMALLEST_LOG_BYTES = 100_000
DEFAULT_LOG_SIZE_BYTES = 2_000_000
"""Ten thousand lines or so, and as many before them: weeks of an ordinary module, and nothing to an SD card."""
DEFAULT_MAX_AHEAD_US = 86_400_000_000
"""A day: more than any zone that a wrong setting is off by, less than what would block a stream for long."""

DEFAULT_SYNC_INTERVAL_US = 1_000_000
_LONGEST_SYNC_INTERVAL_US = 60_000_000


def is_first_era(ini: Ini) -> bool:
    """Whether this is a `main.conf` of the first era, whose stream files give full paths."""
    return ini.find("jouled") is not None


def read_variables(ini: Ini, faults: FaultList) -> Variables:
    """Return what `${NAME}` stands for in the files of a node: read first, since `main.conf` too may have names."""
    main = ini.find(*MAIN_SECTIONS)
    entry = main.entries.get("secretsfile") if main else None
    value = Variables().shown(entry.value, entry, ini.file, faults) if entry else ""
    file = Path(os.path.normpath(ini.file.parent / os.path.expanduser(value or "secrets.conf")))
    if entry is None and not os.path.lexists(file):
        return Variables()
    if entry and not value:
        faults.error(ini.file, entry.line, "'secretsfile' is blank", "name a file, or remove the line for secrets.conf")
    elif entry and not os.path.lexists(file):
        message = f"the secrets file {file} does not exist"
        faults.error(ini.file, entry.line, message, comment_hint(value, "make it, with chmod 600, or name another"))
    else:
        return Variables(secrets=read_secrets(file, faults), file=file)
    return Variables()


def parse_main(ini: Ini, faults: FaultList, secrets_file: Path | None) -> NodeConfig:
    """Return what a `main.conf` says, with defaults in place of what it leaves out or gets wrong."""
    directory = ini.file.parent
    for section in ini.sections:
        _check_section(section, ini.file, faults)
    _check_one_main(ini, faults)
    main = ini.find(*MAIN_SECTIONS)
    if main is None:
        faults.error(ini.file, None, "the file has no [Main]", "add [Main] at the start of a line; it may be empty")
    fields = Fields(main or Section(name="Main", line=1, entries={}), ini.file, faults)
    name = fields.text("name").strip() or directory.name or "joule"
    stream_key = _stream_key(fields)
    return NodeConfig(
        name=name,
        directory=directory,
        main_file=ini.file,
        module_directory=_directory(fields, "moduledirectory", "module_configs", must_exist=True),
        stream_directory=_directory(fields, stream_key, "stream_configs", must_exist=True),
        data_directory=_directory(fields, "datadirectory", "data", must_exist=False),
        log_directory=_directory(fields, "logdirectory", "logs", must_exist=False),
        max_ahead_us=fields.parsed(
            "MaxAhead", _max_ahead_us, DEFAULT_MAX_AHEAD_US, "or none; without the line it is 1d"
        ),
        sync_interval_us=fields.parsed(
            "SyncInterval", _sync_interval_us, DEFAULT_SYNC_INTERVAL_US, "give 0 to 60s; without the line it is 1s"
        ),
        log_size_bytes=fields.parsed("LogSize", _log_size_bytes, DEFAULT_LOG_SIZE_BYTES, "without the line it is 2 MB"),
        secrets_file=secrets_file,
    )


def _max_ahead_us(text: str) -> int | None:
    return None if text.lower() == "none" else parse_duration(text)


def _log_size_bytes(text: str) -> int:
    size_bytes = parse_size(text)
    if size_bytes < _SMALLEST_LOG_BYTES:
        raise ValueError("write a size of 100 kB or more: one line may have 8 kB")
    return size_bytes


def _sync_interval_us(text: str) -> int:
    interval_us = 0 if text == "0" else parse_duration(text)
    if interval_us > _LONGEST_SYNC_INTERVAL_US:
        raise ValueError("a power cut would cost all rows of that time")
    return interval_us


def _check_section(section: Section, file: Path, faults: FaultList) -> None:
    kind = section.name.lower()
    if kind in MAIN_SECTIONS:
        check_keys(section, MAIN_KEYS, file, faults, IDLE_MAIN_KEYS)
    elif kind in IDLE_MAIN_SECTIONS:
        faults.warning(file, section.line, f"[{section.name}] has no effect here", IDLE_MAIN_SECTIONS[kind])
    else:
        remedy = did_you_mean(section.name, ("Main",), "the only section is Main")
        faults.warning(file, section.line, f"[{section.name}] is no section of main.conf", remedy)


def _check_one_main(ini: Ini, faults: FaultList) -> None:
    found = [section for section in ini.sections if section.name.lower() in MAIN_SECTIONS]
    for other in found[1:]:
        message = f"[{other.name}] means the same as [{found[0].name}] in line {found[0].line}"
        faults.error(ini.file, other.line, message, "make one of the two")


def _stream_key(fields: Fields) -> str:
    newer, older = fields.entry("datastreamdirectory"), fields.entry("streamdirectory")
    if newer and older and newer.value != older.value:
        message = f"'streamdirectory' has no effect, because 'datastreamdirectory' in line {newer.line} wins"
        fields.faults.warning(fields.file, older.line, message, "keep one of the two")
    return "datastreamdirectory" if newer else "streamdirectory"


def _directory(fields: Fields, key: str, default: str, *, must_exist: bool) -> Path:
    entry = fields.entry(key)
    value = entry.value if entry else ""
    if entry and not value:
        fields.bad(entry, f"{key!r} is blank", f"name a directory, or remove the line for {default}")
    path = Path(os.path.normpath(fields.file.parent / os.path.expanduser(value or default)))
    exists = os.path.exists(path)  # unlike Path.exists, it never raises
    if os.path.isdir(path) or (not must_exist and not exists):
        if entry and not exists:
            warn_of_comment(entry, fields.file, fields.faults)
        return path
    what = "is no directory" if exists else "does not exist"
    remedy = comment_hint(value, f"make it (mkdir -p {path}), or name another")
    if entry:
        fields.faults.error(fields.file, entry.line, f"the directory {path} {what}", remedy)
    else:  # a node may well have none of these files
        fields.faults.warning(fields.file, None, f"the directory {path} {what}", remedy)
    return path
