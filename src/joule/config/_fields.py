"""The values of one section, checked while they are taken out of it.

Each method takes one key, notes a fault when its value cannot be used, and then returns the default, so that the reader
of a file goes on to its next key and finds the faults there too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from joule.config._faults import FaultList, did_you_mean
from joule.config._ini import Entry, Section
from joule.errors import BadTextError

__all__ = ["Fields", "check_keys", "comment_hint", "warn_of_comment"]

_Word = TypeVar("_Word", bound=str)
_Value = TypeVar("_Value")
_Fallback = TypeVar("_Fallback")
_INLINE_COMMENT = re.compile(r"\s[#;]")
_AUTOMATIC = frozenset({"", "none", "null", "auto"})


def comment_hint(value: str, remedy: str) -> str:
    """Return `remedy`, led by a word on comments where the value seems to hold one."""
    if _INLINE_COMMENT.search(value):
        return f"a comment needs a line of its own, here it is part of the value; {remedy}"
    return remedy


def warn_of_comment(entry: Entry, file: Path, faults: FaultList) -> None:
    """Warn of a value that seems to hold a comment, where nothing else tells that it is wrong."""
    if _INLINE_COMMENT.search(entry.value):
        faults.warning(
            file,
            entry.line,
            f"the value of {entry.key!r} holds what looks like a comment, which is part of it: {entry.value!r}",
            "put the comment on a line of its own",
        )


def check_keys(
    section: Section, known: Iterable[str], file: Path, faults: FaultList, idle: Mapping[str, str] | None = None
) -> None:
    """Warn about each key that nothing reads.

    Args:
        section: Whose keys.
        known: The keys that are read, spelled for people.
        file: Of the section.
        faults: Where to note them.
        idle: Keys that other eras read, each with what to do about it.
    """
    spellings = list(known)
    lower = {name.lower() for name in spellings}
    idle = idle or {}
    for entry in section.entries.values():
        if entry.key in idle:
            faults.warning(file, entry.line, f"{entry.key!r} in [{section.name}] has no effect here", idle[entry.key])
        elif entry.key not in lower:
            faults.warning(
                file,
                entry.line,
                f"[{section.name}] has no key {entry.key!r}, so this line has no effect",
                did_you_mean(entry.key, spellings, f"keys are {', '.join(spellings)}"),
            )


class Fields:
    """A section with its file and the list that faults go to."""

    def __init__(self, section: Section, file: Path, faults: FaultList) -> None:
        self.section = section
        self.file = file
        self.faults = faults

    def entry(self, key: str) -> Entry | None:
        """Return the line of a key, None where there is none."""
        return self.section.entries.get(key)

    def text(self, key: str, default: str = "") -> str:
        """Return a text as it is."""
        entry = self.entry(key)
        return default if entry is None else entry.value

    def required(self, key: str, example: str) -> Entry | None:
        """Return the line of a key that must be there with a value, else note the fault."""
        entry = self.entry(key)
        if entry is None:
            self.faults.error(
                self.file, self.section.line, f"[{self.section.name}] has no {key!r}", f"add a line such as {example}"
            )
        elif not entry.value:
            self.bad(entry, f"{key!r} is blank", f"write such as {example}")
            return None
        return entry

    def choice(self, key: str, words: Mapping[str, _Word], default: _Word) -> _Word:
        """Return what one of some words, in any case, stands for."""
        entry = self.entry(key)
        if entry is None:
            return default
        if entry.value.lower() in words:
            return words[entry.value.lower()]
        remedy = did_you_mean(entry.value, words, f"write one of {', '.join(words)}")
        self.bad(entry, f"{key!r} is {entry.value!r}", remedy)
        return default

    def yesno(self, key: str, *, default: bool) -> bool:
        """Return a `yes` or a `no` as a bool."""
        fallback = "yes" if default else "no"
        words = {"yes": "yes", "no": "no", "true": "yes", "false": "no"}
        return self.choice(key, words, fallback) == "yes"

    def number(self, key: str, default: float) -> float:
        """Return a finite number."""
        entry = self.entry(key)
        return default if entry is None else self._finite(entry, default)

    def bound(self, key: str) -> float | None:
        """Return a finite number, or None for a blank, `none`, `null` or `auto`."""
        entry = self.entry(key)
        if entry is None or entry.value.lower() in _AUTOMATIC:
            return None
        return self._finite(entry, None)

    def parsed(
        self, key: str, parse: Callable[[str], _Value], default: _Fallback, otherwise: str = ""
    ) -> _Value | _Fallback:
        """Return what `parse` makes of a value.

        Args:
            key: As people spell it.
            parse: Raises `BadTextError` for a text of another form, or a `ValueError` that says what to write.
            default: Where there is no value, or none that can be used.
            otherwise: What else may be done about one that cannot.
        """
        entry = self.entry(key.lower())
        if entry is None:
            return default
        try:
            return parse(entry.value)
        except BadTextError as error:
            self.bad(entry, f"{key!r}: {error.message}", otherwise or "correct it")
        except ValueError as error:
            self.bad(entry, f"{key!r} is {entry.value!r}", f"{error}; {otherwise}" if otherwise else str(error))
        return default

    def bad(self, entry: Entry, message: str, remedy: str) -> None:
        """Note an error in one line."""
        self.faults.error(self.file, entry.line, message, comment_hint(entry.value, remedy))

    _Default = TypeVar("_Default", float, None)

    def _finite(self, entry: Entry, default: _Default) -> float | _Default:
        try:
            value = float(entry.value)
        except ValueError:
            value = math.nan
        if math.isfinite(value):
            return value
        self.bad(entry, f"{entry.key!r} is {entry.value!r}, which is no finite number", "write such as 2.5 or -1e3")
        return default
