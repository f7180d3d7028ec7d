"""Asking systemd: the program `systemctl`, of the system or of one user, and its answers as sentences."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess

from joule.cli._exit import Failure
from joule.cli._unit import Scope

__all__ = ["ServiceState", "Systemctl"]

_PROPERTIES = ("LoadState", "ActiveState", "SubState", "UnitFileState", "MainPID", "NRestarts", "StatusText", "Result")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ServiceState:
    """What systemd says of a unit.

    Attributes:
        active: Such as `active`, `inactive`, `failed`, `activating`.
        sub: More exactly, such as `running`, `dead`, `auto-restart`.
        enabled: Whether it starts at boot (a user service: with its user's first login).
        pid: Of jouled; 0 while there is none.
        restarts: How often systemd has started it again.
        text: What jouled last said of itself.
        result: Why it ended, such as `success`, `exit-code`, `watchdog`.
    """

    active: str
    sub: str
    enabled: bool
    pid: int
    restarts: int
    text: str
    result: str

    @property
    def is_running(self) -> bool:
        """Whether the node runs."""
        return self.active in ("active", "reloading")


class Systemctl:
    """`systemctl` for units of one scope.

    Args:
        scope: The system's own units, or those of this user.
    """

    def __init__(self, scope: Scope) -> None:
        self._flags = ["--user"] if scope == "user" else []
        self._program = shutil.which("systemctl")

    def check(self) -> None:
        """Make sure that systemd answers.

        Raises:
            Failure: It does not; the message says what to do instead.
        """
        if self._program is None:
            raise Failure(
                "there is no systemctl: this machine is not run by systemd. Let what starts its programs run jouled "
                "(the command stands behind ExecStart= in 'joule service show')."
            )
        ended = self._run("show", "--property=Version")
        if ended.returncode:
            of_user = " A user's services need a login of that user (not su or sudo); or use --system."
            reason = ended.stderr.strip() or f"exit code {ended.returncode}"
            raise Failure(f"systemd does not answer: {reason}.{of_user if self._flags else ''}")

    def state(self, unit: str) -> ServiceState:
        """Return what systemd says of a unit, also of one that it does not know."""
        ended = self.do("show", unit, f"--property={','.join(_PROPERTIES)}")
        facts = dict(line.partition("=")[::2] for line in ended.splitlines())
        return ServiceState(
            active=facts.get("ActiveState", ""),
            sub=facts.get("SubState", ""),
            enabled=facts.get("UnitFileState", "") in ("enabled", "enabled-runtime"),
            pid=_number(facts.get("MainPID", "")),
            restarts=_number(facts.get("NRestarts", "")),
            text=facts.get("StatusText", ""),
            result=facts.get("Result", ""),
        )

    def do(self, *words: str) -> str:
        """Run `systemctl` with these words and return what it printed.

        Raises:
            Failure: It refused; the message is its own.
        """
        ended = self._run(*words)
        if ended.returncode:
            reason = ended.stderr.strip() or f"exit code {ended.returncode}"
            raise Failure(f"systemctl {' '.join([*self._flags, *words])}: {reason}")
        return ended.stdout

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        assert self._program is not None, "check() comes first"
        return subprocess.run(
            [self._program, *self._flags, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
        )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
