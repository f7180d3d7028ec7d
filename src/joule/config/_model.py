"""What a node's configuration files say, as values.

Paths are absolute. Everything here was checked when it was read; nothing here reads or writes a file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from joule.config._faults import Fault
from joule.config._secrets import Secret
from joule.config._settings import Setting
from joule.core import StreamSpec
from joule.errors import ConfigurationError

__all__ = ["Limits", "ModuleConfig", "NodeConfig", "NodeSetup", "PipeConfig", "argument_options"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NodeConfig:
    """What `main.conf` says.

    Attributes:
        name: For people; the name of the directory where none is given.
        directory: The one that holds `main.conf`.
        main_file: `main.conf` itself.
        module_directory: Holds a `*.conf` for each module.
        stream_directory: Holds a `*.conf` for each stream that is not defined inline.
        data_directory: Catalog, stream logs and cursors.
        log_directory: What modules and `jouled` print.
        max_ahead_us: How far ahead of the node's clock a row may be, us; None for any time.
        log_size_bytes: Size at which a module's log is put aside for a new one; the one before it is kept.
        sync_interval_us: How often what is stored is made durable, us, 0 to 60 s; 0 for as often as is sensible.
        secrets_file: Holds the values of names that are secrets; None where there is none.
    """

    name: str
    directory: Path
    main_file: Path
    module_directory: Path
    stream_directory: Path
    data_directory: Path
    log_directory: Path
    max_ahead_us: int | None
    sync_interval_us: int
    log_size_bytes: int
    secrets_file: Path | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PipeConfig:
    """One line of `[Inputs]` or `[Outputs]`.

    Attributes:
        name: The pipe's name in the module, lower case.
        stream: Path of the stream that it reads or writes.
        inline: The stream, where the line defines it too; else None.
        line: In the module's file.
    """

    name: str
    stream: str
    inline: StreamSpec | None
    line: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a module may use, and when it counts as hung or as failed. All of it is supervised from outside.

    Attributes:
        timeout_us: Without a new row in any of its outputs for this long it counts as hung and is started again, us;
            None never.
        max_memory_bytes: Resident memory of its processes together, above which it is ended and started again; None
            for no limit.
        max_cpu_percent: Of one core, over half a minute, likewise.
        max_processes: How many processes it may have, itself included, likewise.
        nice: What is added to the daemon's niceness, from -20 to 19; positive gives way to others.
        max_restarts: How many of its ends within `restart_window_us` make it `failed`; None never does.
        restart_window_us: See `max_restarts`, us.
        on_failed: A failed module is tried again, once in every `restart_window_us`, or stays as it is until somebody
            starts it.
    """

    timeout_us: int | None = None
    max_memory_bytes: int | None = None
    max_cpu_percent: float | None = None
    max_processes: int | None = 500
    nice: int = 0
    max_restarts: int | None = 10
    restart_window_us: int = 600_000_000
    on_failed: Literal["retry", "stop"] = "retry"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ModuleConfig:
    """A module that can be started.

    Attributes:
        name: Unique in its node.
        exec_cmd: The program and its arguments as the file gives them, split like a shell does.
        program: The file that `exec_cmd` begins with, found: an absolute path.
        description: For people.
        arguments: `[Arguments]`, in the order of the file; keys are lower case.
        inputs: By pipe name.
        outputs: By pipe name.
        file: The module's configuration file.
        on_restart: Whether its outputs go on in the same interval after a restart. A module without inputs always
            begins a new one.
        limits: What it may use.
        variables: What each `${NAME}` on its command line stands for; empty where nothing there is to be replaced.
        is_app: It serves web pages.
    """

    name: str
    exec_cmd: tuple[str, ...]
    program: str
    description: str
    arguments: tuple[tuple[str, str], ...]
    inputs: Mapping[str, PipeConfig]
    outputs: Mapping[str, PipeConfig]
    file: Path
    on_restart: Literal["resume", "break"] = "resume"
    limits: Limits = Limits()
    variables: Mapping[str, Secret] = dataclasses.field(default_factory=dict)
    is_app: bool = False

    @property
    def command(self) -> list[str]:
        """The command line to start, one text per argument, for no shell.

        Relative paths in it are meant from the node's directory. It may be shown: the names in `variables` stand in it
        as `${NAME}`, and the module replaces them.
        """
        return [self.program, *self.exec_cmd[1:], *argument_options(self.arguments)]


def argument_options(arguments: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return lines of `[Arguments]` as arguments of a program, one text each.

    A line becomes `--key=value`, one with a blank value a bare `--key`; a value of many lines stays one argument.
    """
    return tuple(f"--{key}={value}" if value else f"--{key}" for key, value in arguments)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NodeSetup:
    """Everything that a node's files say: what can be used, and what is wrong.

    Attributes:
        config: `main.conf`.
        modules: The sound ones, producers before consumers.
        streams: The sound ones, from files and inline, by path.
        stream_files: Path of a stream to the file that defines it, for those that have one.
        faults: By file and line.
        settings: Every value that holds, with where it comes from; of what is sound.
        notes: Values as they were understood, such as what `keep = 6mo` amounts to, by file.
        broken_modules: Names of modules that are not in `modules` because of a fault, where the name could be read.
            Their cursors are kept.
        all_names_known: Whether `modules` and `broken_modules` are all there are. False when the name in some file, or
            the directory of the module files, cannot be read: then no cursor may be taken for one without a module.
    """

    config: NodeConfig
    modules: tuple[ModuleConfig, ...]
    streams: tuple[StreamSpec, ...]
    stream_files: Mapping[str, Path]
    faults: tuple[Fault, ...]
    settings: tuple[Setting, ...]
    notes: tuple[str, ...]
    broken_modules: frozenset[str]
    all_names_known: bool = True

    @property
    def errors(self) -> tuple[Fault, ...]:
        """The faults that keep something from being used."""
        return tuple(fault for fault in self.faults if fault.severity == "error")

    def require_places(self) -> None:
        """Make sure that it is known where rows and logs lie: elsewhere nothing may be read or written in their stead.

        Raises:
            ConfigurationError: The line of `DataDirectory` or `LogDirectory` has an error.
        """
        places = {setting.origin.line for setting in self.settings if setting.key in ("DataDirectory", "LogDirectory")}
        main_file = self.config.main_file
        faults = [fault for fault in self.errors if fault.file == main_file and fault.line in places - {None}]
        if faults:
            raise ConfigurationError("; ".join(map(str, faults)), file=str(main_file))
