"""Attributes of streams as people type them: `keep=1w`, `volts.units=V`, into the values that a node takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import click

__all__ = ["ATTRIBUTES_HELP", "parse_attributes", "parse_layout"]

ATTRIBUTES_HELP = """\b
Attributes of a stream:
  name=TEXT                  its last part of the path
  description=TEXT
  keep=SPAN                  how long rows are kept: 90min, 7d, 1y, all or none
  decimate=yes|no            whether means and extremes are kept for plots
  out_of_order=raise|drop    what becomes of rows that are not newer than the last
\b
Attributes of an element, with its name in front, such as volts.units=V:
  name=TEXT  units=TEXT  offset=NUMBER  scale_factor=NUMBER
  default_min=NUMBER|none  default_max=NUMBER|none
  plottable=yes|no  display_type=continuous|discrete|event"""

_YESNO = {"yes": True, "true": True, "on": True, "1": True, "no": False, "false": False, "off": False, "0": False}
_NOTHING = frozenset({"", "none", "null", "auto"})
_DATATYPE = re.compile(r"[a-z]+\d+", re.ASCII)


def parse_attributes(texts: Sequence[str], *, with_name: bool = True) -> dict[str, Any]:
    """Return changes as `joule.api.Node.stream_update` takes them.

    Args:
        texts: Such as `keep=1w` or `volts.units=V`.
        with_name: Whether the stream's own name is one of the attributes.

    Raises:
        click.UsageError: One is none; the message says which there are.
    """
    changes: dict[str, Any] = {}
    elements: dict[str, dict[str, Any]] = {}
    for text in texts:
        element, attribute, value = _split(text, with_name=with_name)
        if element is None:
            changes["keep_us" if attribute == "keep" else attribute] = _STREAM[attribute](attribute, value)
        else:
            elements.setdefault(element, {})[attribute] = _ELEMENT[attribute](attribute, value)
    if elements:
        changes["elements"] = elements
    return changes


def parse_layout(layout: str, path: str, names: Sequence[str]) -> tuple[str, list[str]]:
    """Return the datatype and the names of the elements that a layout on the command line gives.

    Args:
        layout: `float32[x, y]`; or `float32`, with the names given apart; or `float32_2`.
        path: The stream's, for messages.
        names: What `--element` gave.

    Raises:
        click.UsageError: It is none.
    """
    from joule.config import PipeFaultError, parse_pipe
    from joule.core import Layout
    from joule.errors import BadLayoutError

    if names and not _DATATYPE.fullmatch(layout):
        raise click.UsageError(f"--element goes with a datatype alone, such as float32, not with {layout!r}.")
    if names:
        layout = f"{layout}[{','.join(names)}]"
    try:
        if "[" not in layout:
            parsed = Layout.parse(layout)
            return parsed.datatype, [str(place + 1) for place in range(parsed.width)]
        _, spec = parse_pipe(f"{path}:{layout}")
    except PipeFaultError as fault:
        raise click.UsageError(f"LAYOUT: {fault.message}; {fault.remedy}") from fault
    except BadLayoutError as error:
        raise click.UsageError(f"{error.message}; or name the elements: 'float32[x, y]'") from error
    assert spec is not None  # the pipe has a layout: we wrote its colon
    return spec.datatype, [element.name for element in spec.elements]


def _split(text: str, *, with_name: bool) -> tuple[str | None, str, str]:
    """Return the element, the attribute and the value of an assignment; names of elements may hold any character."""
    match = _ASSIGNMENT.fullmatch(text)
    element, attribute = (match[1], match[2]) if match else (None, "")
    is_known = attribute in _ELEMENT if element is not None else attribute in _STREAM
    if match is None or not is_known or (element is None and attribute == "name" and not with_name):
        raise click.UsageError(
            f"{text!r} sets no attribute. Write such as keep=7d, description='the mains' or volts.units=V; "
            "--help lists all attributes."
        )
    return element, attribute, match[3]


def _text(attribute: str, value: str) -> str:
    return value


def _yesno(attribute: str, value: str) -> bool:
    if value.strip().lower() not in _YESNO:
        raise click.UsageError(f"{attribute} is yes or no, not {value!r}.")
    return _YESNO[value.strip().lower()]


def _number(attribute: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise click.UsageError(f"{attribute} is a number, not {value!r}.") from None


def _bound(attribute: str, value: str) -> float | None:
    return None if value.strip().lower() in _NOTHING else _number(attribute, value)


def _keep(attribute: str, value: str) -> int | None:
    from joule.core import parse_keep
    from joule.errors import BadDurationError

    try:
        return parse_keep(value)
    except BadDurationError as error:
        raise click.UsageError(f"keep: {error.message}, or all, or none") from error


_STREAM: dict[str, Callable[[str, str], Any]] = {
    "name": _text,
    "description": _text,
    "keep": _keep,
    "decimate": _yesno,
    "out_of_order": _text,
}
_ELEMENT: dict[str, Callable[[str, str], Any]] = {
    "name": _text,
    "units": _text,
    "plottable": _yesno,
    "display_type": _text,
    "offset": _number,
    "scale_factor": _number,
    "default_min": _bound,
    "default_max": _bound,
}
_NAMES = "|".join({**_STREAM, **_ELEMENT})
_ASSIGNMENT = re.compile(rf"(?:(.+?)\.)?({_NAMES})=(.*)", re.DOTALL)
