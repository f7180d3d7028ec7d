"""What state a module is in, and why: facts that its keeper sets and everybody else reads."""

from __future__ import annotations

import dataclasses
import enum
import shlex

__all__ = ["ModuleState", "ModuleStatus", "module_command"]


class ModuleState(enum.StrEnum):
    """The five states of a module."""

    WAITING = "waiting"
    """Not started yet: its turn has not come."""
    RUNNING = "running"
    """Its process lives."""
    BACKING_OFF = "backing off"
    """Its process ended; it starts again after a delay."""
    FAILED = "failed"
    """It cannot be started as it is configured. Where that may change by itself, it is tried again after delays."""
    STOPPED = "stopped"
    """It was stopped on purpose."""


@dataclasses.dataclass(slots=True, kw_only=True)
class ModuleStatus:
    """The present of one module. Times are on the event loop's clock.

    Attributes:
        state: One of the five.
        reason: One sentence: why.
        pid: Of its process, and id of its process group, while that lives.
        started_s: When that process started.
        next_start_s: When it is started again, while it backs off.
        restarts: How often it was started again.
        exit_code: How its last process ended: exit status, or minus the signal's number.
    """

    state: ModuleState = ModuleState.WAITING
    reason: str = "its turn to start has not come yet"
    pid: int | None = None
    started_s: float | None = None
    next_start_s: float | None = None
    restarts: int = 0
    exit_code: int | None = None


def module_command(verb: str, name: str) -> str:
    """Return the command for a module as a sentence has it: in quotes, unless its name needs quotes of its own."""
    word = shlex.quote(name)
    command = f"joule module {verb} {word}"
    return f"'{command}'" if word == name else command
