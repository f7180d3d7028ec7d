"""Starting the measured processes, hearing their answers, and leaving none behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, Self

__all__ = ["Child", "MeasurementError"]

_GRACE_S = 5.0
_QUIET = {"EZMSG_LOGLEVEL": "ERROR", "EZMSG_DISABLE_BACKPRESSURE_WARNING": "1", "PYTHONWARNINGS": "ignore"}


class MeasurementError(Exception):
    """A measured process ended without its answer."""


class Child:
    """A process that prints JSON lines; it is killed at the end if it still runs.

    Args:
        arguments: For the Python interpreter.
        pass_fds: Descriptors that it inherits.
    """

    def __init__(self, arguments: Sequence[str], pass_fds: Sequence[int] = ()) -> None:
        self._name = " ".join(arguments)
        self._process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=os.environ | _QUIET,
            pass_fds=pass_fds,
        )

    @classmethod
    def program(cls, name: str, *arguments: object, pass_fds: Sequence[int] = ()) -> Self:
        """Start one of `benchmarks.programs`."""
        return cls(["-m", f"benchmarks.programs.{name}", *map(str, arguments)], pass_fds)

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def line(self) -> bytes:
        """Wait for the next line.

        Raises:
            MeasurementError: There is none: the process has ended.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise MeasurementError(f"{self._name} ended with code {self._process.wait()} and without its answer")
        return line

    def answer(self) -> dict[str, Any]:
        """Wait for the next line and return what it says."""
        facts: dict[str, Any] = json.loads(self.line())
        return facts

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *exc: object) -> None:
        if kind is not None:
            self._process.kill()
        try:
            self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.terminate()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def stop(self) -> None:
        """Ask the process to end."""
        self._process.terminate()
