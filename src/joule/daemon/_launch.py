"""How a module is started: what its configuration and its streams come to, as one value that can be compared."""

from __future__ import annotations

import dataclasses
import errno
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from joule.config import Limits, Secret
from joule.core.variables import VARIABLE_PREFIX
from joule.daemon._process_table import MARK_VARIABLE
from joule.pipes import Manifest

__all__ = ["Launch"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How a module is started.

    Attributes:
        name: The module's.
        command: Program and arguments, its pipes included; for no shell.
        directory: Where it starts: the node's.
        log_file: Where its output goes.
        log_size_bytes: Size at which that file is put aside for a new one.
        mark: What all its processes carry in their environment.
        manifest: Its pipes, as `command` hands them over; None for a program without any.
        running_reason: Why it is as it is while it runs, for people.
        variables: What the names on its command line stand for; handed over in its environment.
        limits: What it may use, and when it counts as failed.
        input_logs: Directories of the logs of its inputs.
        output_logs: The same for outputs.
    """

    name: str
    command: tuple[str, ...]
    directory: Path
    log_file: Path
    mark: str
    log_size_bytes: int = 2_000_000
    manifest: Manifest | None = None
    running_reason: str = "its process runs"
    variables: Mapping[str, Secret] = dataclasses.field(default_factory=dict)
    limits: Limits = dataclasses.field(default_factory=Limits)
    input_logs: tuple[Path, ...] = ()
    output_logs: tuple[Path, ...] = ()

    @property
    def uses(self) -> dict[str, Literal["read", "written"]]:
        """What the module does with each of its streams, by path."""
        if self.manifest is None:
            return {}
        read: dict[str, Literal["read", "written"]] = {entry.stream: "read" for entry in self.manifest.inputs.values()}
        return read | {entry.stream: "written" for entry in self.manifest.outputs.values()}

    @property
    def ready_lock(self) -> Path | None:
        """The lock that the module's process takes when it opens its pipes; None where it has none."""
        return self.manifest.cursor.with_suffix(".lock") if self.manifest else None

    def environment(self) -> dict[str, str]:
        """Return the environment of the module: our own, and what a supervised Python program needs."""
        values = {VARIABLE_PREFIX + name: secret.reveal() for name, secret in self.variables.items()}
        return {**os.environ, **values, "PYTHONUNBUFFERED": "1", MARK_VARIABLE: self.mark}

    def holds_for(self, process: Launch) -> bool:
        """Return whether a process that was started as `process` says can go on as this says."""
        # Limits are looked at from outside while it runs, all but the niceness that it was started with.
        limits = dataclasses.replace(self.limits, nice=process.limits.nice)
        wanted = self._without_elements()
        return (
            dataclasses.replace(process._without_elements(), running_reason=self.running_reason, limits=limits)
            == wanted
        )

    def _without_elements(self) -> Launch:
        """Return the launch without names and units of elements: a running module goes on with those that it knows."""
        if self.manifest is None:
            return self
        manifest = self.manifest.without_elements()
        command = tuple(manifest.to_json() if part == self.manifest.to_json() else part for part in self.command)
        return dataclasses.replace(self, manifest=manifest, command=command)

    def why_not_started(self, error: OSError | ValueError) -> str:
        """Return what keeps the program from being started, for people."""
        program = self.command[0]
        if not isinstance(error, OSError):
            return str(error)
        if isinstance(error, FileNotFoundError) and os.path.isfile(program):
            return f"{program} is there, but the interpreter that its first line (#!) names is not: correct that line"
        if error.errno == errno.ENOEXEC:
            return f"{program} is no program: begin a script with a line such as #!/usr/bin/env python3"
        return f"{error.filename or program}: {error.strerror or error}"
