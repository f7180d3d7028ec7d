"""One value that holds for a node, with where it comes from: what `joule config show` prints.

Values of secrets are never here: an argument holds `${NAME}` as its file does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from joule.config._ini import Entry, Section
from joule.core.variables import has_variables, variable_names

__all__ = ["DEFAULT", "Origin", "Part", "Setting", "SettingValue", "plain", "tell"]

Kind = Literal["node", "module", "stream"]
SettingValue = str | int | float | bool | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a value comes from.

    Attributes:
        file: The file that gives it; None for a default.
        line: Its line there.
        way: What else has a part in it: `environment SITE`, `secret TOKEN`, `discrete`, the other key that gave it.
    """

    file: Path | None = None
    line: int | None = None
    way: str = ""

    def text(self, directory: Path) -> str:
        """Return it in words, files named from `directory` where they lie below it."""
        if self.file is None:
            return "default"
        file = self.file.relative_to(directory) if self.file.is_relative_to(directory) else self.file
        place = str(file) if self.line is None else f"{file}:{self.line}"
        return f"{place} ({self.way})" if self.way else place


DEFAULT = Origin()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One value that holds.

    Attributes:
        kind: What it is a value of.
        name: Of the node or module, or the stream's path.
        part: The element, or the section of a module's pipes and arguments; empty for `[Main]`.
        key: As the reference of the configuration spells it.
        value: As the program has it; times are in us, sizes in bytes.
        text: The same for people.
        origin: Where it comes from.
        note: What had to be understood, such as `keep = 6mo keeps rows for 186d`; empty where it is as written.
    """

    kind: Kind
    name: str
    part: str = ""
    key: str
    value: SettingValue
    text: str
    origin: Origin
    note: str = ""


class Part:
    """Makes the settings of one section of a file, or of none where all of them are defaults.

    Args:
        kind: See `Setting`.
        name: See `Setting`.
        file: Of the section.
        section: None where the file has none.
        part: See `Setting`.
        secrets: Names that are secrets.
        wrong: Lines whose values cannot be used, so that defaults hold.
    """

    def __init__(
        self,
        kind: Kind,
        name: str,
        file: Path,
        section: Section | None,
        *,
        part: str = "",
        secrets: Iterable[str] = (),
        wrong: Iterable[int] = (),
    ) -> None:
        self._kind: Kind = kind
        self._name = name
        self._file = file
        self._part = part
        self._entries = section.entries if section else {}
        self._secrets = frozenset(secrets)
        self._wrong = frozenset(wrong)

    def entry(self, *keys: str) -> Entry | None:
        """Return the line of the first of these keys (lower case) that the section has."""
        for key in keys:
            if key in self._entries:
                return self._entries[key]
        return None

    def origin(self, *keys: str) -> Origin:
        """Return where the first of these keys stands, the other names of a key after its own."""
        entry = self.entry(*keys)
        if entry is None:
            return DEFAULT
        ways = ([] if entry.key == keys[0] else [entry.key]) + self._names(entry)
        return Origin(file=self._file, line=entry.line, way=", ".join(ways))

    def setting(
        self, key: str, value: SettingValue, text: str | None = None, *, origin: Origin | None = None, note: str = ""
    ) -> Setting:
        """Return the setting of a key, from its line in the section unless another origin is given.

        Args:
            key: As the reference spells it.
            value: That it has.
            text: The value for people, where `plain` would not do.
            origin: Where it comes from, where that is not the line of this key.
            note: See `Setting`; where there is none, what `${NAME}` in the line stood for is told.
        """
        text = plain(value) if text is None else text
        if origin is None:
            origin = self.origin(key.lower())
            entry = self.entry(key.lower())
            note = note or (f"{key} = {entry.written} is {text}" if entry and entry.written is not None else "")
        return Setting(
            kind=self._kind, name=self._name, part=self._part, key=key, value=value, text=text, origin=origin, note=note
        )

    def resolved(self, key: str, value: SettingValue, text: str) -> Setting:
        """Return the setting of a key with a unit, noting what it comes to where that is not how it was written."""
        entry = self.entry(key.lower())
        if entry and entry.line in self._wrong:
            return self.setting(key, value, text, origin=DEFAULT)
        same = entry is None or "".join(entry.value.lower().split()) == "".join(text.lower().split())
        return self.setting(key, value, text, note="" if same or entry is None else f"{key} = {entry.value} is {text}")

    def _names(self, entry: Entry) -> list[str]:
        text = entry.written or entry.value
        if entry.line in self._wrong or not has_variables(text):
            return []
        names = variable_names(text)
        return [f"{'secret' if name in self._secrets else 'environment'} {name}" for name in names]


def plain(value: SettingValue) -> str:
    """Return a value as configurations write it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value!r}".removesuffix(".0") if isinstance(value, float) else str(value)


def tell(settings: Iterable[Setting]) -> tuple[str, ...]:
    """Return what had to be understood, one line a file: equal notes on several elements are one."""
    by_file: dict[Path, dict[str, list[str]]] = {}
    for setting in settings:
        if setting.note and setting.origin.file:
            elements = by_file.setdefault(setting.origin.file, {}).setdefault(setting.note, [])
            if setting.kind == "stream" and setting.part:
                elements.append(setting.part)
    return tuple(
        f"{file}: " + "; ".join(f"{_listed(of)}: {note}" if of else note for note, of in notes.items())
        for file, notes in by_file.items()
    )


def _listed(elements: Sequence[str]) -> str:
    shown = ", ".join(elements[:3])
    return f"{shown} and {len(elements) - 3} more" if len(elements) > 3 else shown
