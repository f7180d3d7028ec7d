"""Stream files: what a stream holds, how long it is kept, how its elements are shown.

The path of a stream is its folder and its name, or in files of the first era the whole path: which one is meant is
known when the modules were read (`StreamFile.resolve`), and is always told.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Literal

from joule.config._faults import FaultList, did_you_mean
from joule.config._fields import Fields, check_keys
from joule.config._ini import Ini, Section
from joule.core import (
    DATATYPES,
    MAX_WIDTH,
    ElementSpec,
    StreamSpec,
    check_stream_path,
    format_duration,
    join_stream_path,
    parse_keep,
)
from joule.errors import BadPathError

__all__ = ["ELEMENT_KEYS", "STREAM_KEYS", "StreamFile", "parse_stream"]

STREAM_KEYS = ("name", "path", "datatype", "keep", "decimate", "out_of_order", "description")
ELEMENT_KEYS = (
    "name",
    "units",
    "plottable",
    "display_type",
    "type",
    "discrete",
    "offset",
    "scale_factor",
    "default_min",
    "default_max",
)
_ELEMENT = re.compile(r"element(\d+)", re.IGNORECASE | re.ASCII)
_BARE_M = re.compile(r"\d\s*m(?![a-z])", re.IGNORECASE)
_OUT_OF_ORDER: dict[str, Literal["raise", "drop"]] = {"raise": "raise", "drop": "drop"}
DisplayType = Literal["continuous", "discrete", "event"]
_DISPLAY: dict[str, DisplayType] = {
    "continuous": "continuous",
    "discrete": "discrete",
    "event": "event",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StreamFile:
    """What could be read of a stream's file.

    Attributes:
        file: The file.
        line: Where its path stands.
        name: As the file has it: the last part of the path, or, where `path` is all of it, a title for people.
        full_path: The path when `path` is all of it; None where that cannot be one.
        folder_path: The path when `path` is the folder; None likewise.
        spec: The stream, under either path until `resolve`.
        ini: What the file holds.
        sections: Those of the elements of `spec`, in their order.
    """

    file: Path
    line: int | None
    name: str
    full_path: str | None
    folder_path: str | None
    spec: StreamSpec
    ini: Ini
    sections: tuple[Section, ...]

    def resolve(self, path: str) -> StreamSpec:
        """Return the stream under the path that was found to be meant; a title stands for a description left out."""
        description = self.spec.description or (self.name if self.name != path.rpartition("/")[2] else "")
        return dataclasses.replace(self.spec, path=path, description=description)


def parse_stream(ini: Ini, faults: FaultList, *, first_era: bool = False) -> StreamFile | None:
    """Return what a stream's file says, noting its faults; None where it names no path.

    Args:
        ini: The file.
        faults: Where to note them.
        first_era: Whether its node is of the first era, where a bare `m` in `keep` cannot mean minutes.
    """
    elements = _elements(ini, faults)
    main = ini.find("main")
    if main is None:
        faults.error(ini.file, None, "the file has no [Main]", "begin it with [Main], name, path and datatype")
        return None
    check_keys(main, STREAM_KEYS, ini.file, faults)
    fields = Fields(main, ini.file, faults)
    spec = StreamSpec(
        path="",
        datatype=_datatype(fields),
        elements=elements,
        keep_us=_keep(fields, first_era=first_era),
        decimate=fields.yesno("decimate", default=True),
        out_of_order=fields.choice("out_of_order", _OUT_OF_ORDER, "raise"),
        description=fields.text("description"),
    )
    full_path, folder_path = _paths(fields)
    if full_path is None and folder_path is None:
        return None
    return StreamFile(
        file=ini.file,
        line=main.entries["path"].line,
        name=main.entries["name"].value,
        full_path=full_path,
        folder_path=folder_path,
        spec=spec,
        ini=ini,
        sections=tuple(element_sections(ini)),
    )


def _paths(fields: Fields) -> tuple[str | None, str | None]:
    name = fields.required("name", "name = mains")
    path = fields.required("path", "path = /house/power")
    if name is None or path is None:
        return None, None
    full_path = _valid(path.value)
    try:
        return full_path, join_stream_path(path.value, name.value)
    except BadPathError as error:
        if full_path is None:
            fields.bad(path, error.message, "path is the folder of the stream, name its last part")
        return full_path, None


def _valid(path: str) -> str | None:
    try:
        return check_stream_path(path)
    except BadPathError:
        return None


def _datatype(fields: Fields) -> str:
    entry = fields.required("datatype", "datatype = float32")
    if entry is None:
        return "float32"
    if entry.value.lower() not in DATATYPES:
        remedy = did_you_mean(entry.value, DATATYPES, f"types are {', '.join(DATATYPES)}")
        fields.bad(entry, f"there is no datatype {entry.value!r}", remedy)
        return "float32"
    return entry.value.lower()


def _keep(fields: Fields, *, first_era: bool) -> int | None:
    keep_us = fields.parsed("keep", parse_keep, None, "or all, or none")
    entry = fields.entry("keep")
    if entry is not None and keep_us is not None and _BARE_M.search(entry.value) and not first_era:
        kept = format_duration(keep_us)
        message = f"'keep' is {entry.value!r}, which keeps rows for {kept}: m is months, and was minutes for a while"
        fields.faults.warning(fields.file, entry.line, message, "write mo for months, or min for minutes")
    return keep_us


def element_sections(ini: Ini) -> list[Section]:
    """Return the sections of the elements, in the order of the file: that of the columns."""
    return [section for section in ini.sections if _ELEMENT.fullmatch(section.name)]


def _elements(ini: Ini, faults: FaultList) -> tuple[ElementSpec, ...]:
    sections = element_sections(ini)
    for section in ini.sections:
        if section.name.lower() != "main" and not _ELEMENT.fullmatch(section.name):
            remedy = did_you_mean(section.name, ("Main", "Element1"), "sections are Main, Element1, Element2, ...")
            faults.warning(ini.file, section.line, f"[{section.name}] is no section of a stream's file", remedy)
    _check_order(sections, ini.file, faults)
    elements = [_element(Fields(section, ini.file, faults)) for section in sections]
    _check_elements(sections, elements, ini.file, faults)
    return tuple(elements)


def _element(fields: Fields) -> ElementSpec:
    check_keys(fields.section, ELEMENT_KEYS, fields.file, fields.faults)
    name = fields.required("name", "name = voltage")
    low, high = fields.bound("default_min"), fields.bound("default_max")
    if low is not None and high is not None and low >= high:
        entry = fields.section.entries["default_max"]
        fields.bad(entry, f"default_min {low} is not below default_max {high}", "swap them, or leave one blank")
    return ElementSpec(
        name=" ".join(name.value.split()) if name else "",
        units=fields.text("units"),
        plottable=fields.yesno("plottable", default=True),
        display_type=_display_type(fields),
        offset=fields.number("offset", 0.0),
        scale_factor=fields.number("scale_factor", 1.0),
        default_min=low,
        default_max=high,
    )


def _display_type(fields: Fields) -> DisplayType:
    """Take the plot type from `display_type`, `type` or `discrete`, its names in the eras, newest first."""
    found: dict[str, DisplayType] = {}
    for key in ("display_type", "type"):
        if fields.entry(key):
            found[key] = fields.choice(key, _DISPLAY, "continuous")
    if fields.entry("discrete"):
        found["discrete"] = "discrete" if fields.yesno("discrete", default=False) else "continuous"
    for key in list(found)[1:]:
        winner, entry = next(iter(found)), fields.section.entries[key]
        if found[key] != found[winner]:
            message = f"{key!r} has no effect, because {winner!r} is {found[winner]!r}"
            fields.faults.warning(fields.file, entry.line, message, "keep one of the two")
    return next(iter(found.values()), "continuous")


def _check_order(sections: list[Section], file: Path, faults: FaultList) -> None:
    numbers = [int(section.name[len("element") :]) for section in sections]
    if numbers != sorted(numbers):
        faults.warning(
            file,
            sections[0].line,
            "the elements stand in the order " + ", ".join(section.name for section in sections),
            "that is the order of the columns, whatever their numbers: put the sections into the order meant",
        )


def _check_elements(sections: list[Section], elements: list[ElementSpec], file: Path, faults: FaultList) -> None:
    if not elements:
        faults.error(file, None, "the stream has no elements", "add [Element1] with a name")
    if len(elements) > MAX_WIDTH:
        faults.error(
            file, None, f"the stream has {len(elements)} elements, and {MAX_WIDTH} are allowed", "make two streams"
        )
    first: dict[str, Section] = {}
    for section, element in zip(sections, elements, strict=True):
        if element.name and element.name in first:
            other = first[element.name]
            faults.error(
                file,
                section.line,
                f"[{section.name}] has the same name as [{other.name}] in line {other.line}: {element.name!r}",
                "give each element a name of its own",
            )
        first.setdefault(element.name, section)
