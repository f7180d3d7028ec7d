"""`${NAME}` in configuration files: what a name stands for, and where it may stand.

Names in `[Arguments]`, and in `exec_cmd` behind the program, stay as they are until the module's own process replaces
them: those may be secrets. Names anywhere else are replaced here, from the environment alone, because what is made of
them is shown.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from joule.config._faults import FaultList, did_you_mean
from joule.config._ini import Entry, Ini, Section
from joule.config._secrets import Secret
from joule.core.variables import has_variables, replace_variables, variable_names

__all__ = ["Variables"]

_HIDDEN = "secrets stand in [Arguments], and in exec_cmd behind the program: what is shown, names and paths, has none"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Variables:
    """What names stand for.

    Attributes:
        secrets: From the secrets file; a name there wins against the same one in the environment.
        file: The secrets file; None where there is none.
        environment: Of this process.
    """

    secrets: Mapping[str, Secret] = dataclasses.field(default_factory=dict)
    file: Path | None = None
    environment: Mapping[str, str] = dataclasses.field(default_factory=lambda: os.environ, repr=False)

    def expand(self, ini: Ini, faults: FaultList, stays: Callable[[Section, Entry], bool] = lambda _, __: False) -> Ini:
        """Return a file with the names in its values replaced.

        Args:
            ini: The file as it was read.
            faults: Where to note names that stand for nothing, or for a secret.
            stays: Which values are left alone.
        """
        if not any(has_variables(entry.value) for section in ini.sections for entry in section.entries.values()):
            return ini
        return Ini(
            file=ini.file, sections=tuple(self._section(section, ini.file, faults, stays) for section in ini.sections)
        )

    def shown(self, text: str, entry: Entry, file: Path, faults: FaultList) -> str:
        """Return a text of an entry with its names replaced from the environment; blank where that cannot be done."""
        names = _names(text, entry, file, faults)
        if names is None:
            return ""
        for name in names:
            if name in self.secrets:
                faults.error(file, entry.line, f"${{{name}}} is a secret, and this value is shown", _HIDDEN)
            elif name not in self.environment:
                self._unset(name, self.environment, entry, file, faults)
            elif not self.environment[name].isprintable():
                message = f"${{{name}}} in the environment holds characters that cannot be printed"
                faults.error(file, entry.line, message, "give it a value of one line, in UTF-8")
            else:
                continue
            faults.silence(file, entry.line)
            return ""
        return replace_variables(text, self.environment)

    def passed(self, entry: Entry, texts: Iterable[str], file: Path, faults: FaultList) -> dict[str, Secret]:
        """Return the values of the names in texts that a module replaces itself."""
        values = {}
        for text in texts:
            for name in _names(text, entry, file, faults) or ():
                if name in self.secrets:
                    values[name] = self.secrets[name]
                elif name in self.environment:
                    values[name] = Secret(self.environment[name])
                else:
                    self._unset(name, {**self.environment, **self.secrets}, entry, file, faults)
        return values

    def _section(
        self, section: Section, file: Path, faults: FaultList, stays: Callable[[Section, Entry], bool]
    ) -> Section:
        entries = {
            key: self._entry(entry, file, faults) if has_variables(entry.value) and not stays(section, entry) else entry
            for key, entry in section.entries.items()
        }
        return dataclasses.replace(section, entries=entries)

    def _entry(self, entry: Entry, file: Path, faults: FaultList) -> Entry:
        return dataclasses.replace(entry, value=self.shown(entry.value, entry, file, faults), written=entry.value)

    def _unset(self, name: str, known: Iterable[str], entry: Entry, file: Path, faults: FaultList) -> None:
        place = f"add it to {self.file}" if self.file else "write a secrets file"
        remedy = did_you_mean(name, known, f"set it in the environment of jouled, or {place}; $${{ is the text ${{")
        faults.error(file, entry.line, f"${{{name}}} stands for nothing: it is not set", remedy)


def _names(text: str, entry: Entry, file: Path, faults: FaultList) -> list[str] | None:
    try:
        return variable_names(text)
    except ValueError as error:
        faults.error(file, entry.line, f"{entry.key!r}: {error}", "write ${NAME}, or $${ for the text ${")
        faults.silence(file, entry.line)
        return None
