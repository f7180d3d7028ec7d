"""Changing what describes a stream: which attributes there are, and which values each can have.

Values come from programs and people, as JSON has them; here they are checked, all of them before one counts. Path,
datatype and number of elements are no attributes: rows depend on them.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from joule.core.layout import MAX_WIDTH
from joule.core.stream import ElementSpec, StreamSpec
from joule.errors import BadAttributeError

__all__ = ["ELEMENT_ATTRIBUTES", "STREAM_ATTRIBUTES", "change_stream", "check_text"]

_MAX_TEXT = 10_000  # characters: a description is a sentence or a page, not a file
_MAX_NAME = 255


def change_stream(spec: StreamSpec, changes: Mapping[str, Any]) -> StreamSpec:
    """Return a stream with some of its attributes changed.

    Args:
        spec: As it is.
        changes: Values by attribute. `keep_us` None or -1 keeps all rows. `elements` holds the changes of each
            element: a mapping from names, or a sequence of as many as there are.

    Raises:
        BadAttributeError: There is no such attribute or element, or it cannot have that value.
    """
    known = (*STREAM_ATTRIBUTES, "elements")
    _check_names(changes, known)
    values = {name: check(name, changes[name]) for name, check in STREAM_ATTRIBUTES.items() if name in changes}
    if "elements" in changes:
        values["elements"] = _changed_elements(spec.elements, changes["elements"])
    return dataclasses.replace(spec, **values)


def check_text(name: str, value: Any) -> str:
    """Return a text that a person may have written, blanks at its ends left out.

    Raises:
        BadAttributeError: It is no text, or too long.
    """
    if not isinstance(value, str):
        raise BadAttributeError(name, f"it is a text, not {value!r}")
    if len(value) > _MAX_TEXT:
        raise BadAttributeError(name, f"it has {len(value)} characters, and {_MAX_TEXT} are allowed")
    return value.strip()


def _changed_elements(elements: Sequence[ElementSpec], changes: Any) -> tuple[ElementSpec, ...]:
    changed = list(elements)
    for position, values in _by_position(elements, changes).items():
        if not isinstance(values, Mapping):
            raise BadAttributeError("elements", f"an element's changes are values by attribute, not {values!r}")
        _check_names(values, ELEMENT_ATTRIBUTES)
        new = {name: check(name, values[name]) for name, check in ELEMENT_ATTRIBUTES.items() if name in values}
        changed[position] = dataclasses.replace(changed[position], **new)
    _check_elements(changed)
    return tuple(changed)


def _by_position(elements: Sequence[ElementSpec], changes: Any) -> dict[int, Any]:
    if isinstance(changes, Mapping):
        positions = {element.name: position for position, element in enumerate(elements)}
        for name in changes:
            if name not in positions:
                raise BadAttributeError("elements", f"there is no element {name!r}{_near(name, positions)}")
        return {positions[name]: values for name, values in changes.items()}
    if not isinstance(changes, Sequence) or isinstance(changes, str) or len(changes) != len(elements):
        raise BadAttributeError(
            "elements", f"the stream has {len(elements)}: give changes by name, or a list of as many; rows fix how many"
        )
    return dict(enumerate(changes))


def _check_elements(elements: Sequence[ElementSpec]) -> None:
    names = [element.name for element in elements]
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise BadAttributeError("name", f"two elements would be named {doubled!r}; give each a name of its own")
    for element in elements:
        low, high = element.default_min, element.default_max
        if low is not None and high is not None and low >= high:
            raise BadAttributeError("default_min", f"{low:g} is not below default_max {high:g}")
    assert 1 <= len(names) <= MAX_WIDTH, "a layout has as many"


def _check_names(changes: Mapping[str, Any], known: Iterable[str]) -> None:
    for name in changes:
        if name not in known:
            raise BadAttributeError(str(name), f"there is none of that name{_near(str(name), known)}")


def _near(name: str, known: Iterable[str]) -> str:
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    return f": did you mean {near[0]!r}?" if near else f"; there are {', '.join(known)}"


def _element_name(name: str, value: Any) -> str:
    text = " ".join(check_text(name, value).split())
    if not text or len(text) > _MAX_NAME or not text.isprintable():
        raise BadAttributeError(name, f"{value!r} cannot name an element: 1 to {_MAX_NAME} printable characters do")
    return text


def _yesno(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadAttributeError(name, f"it is true or false, not {value!r}")
    return value


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadAttributeError(name, f"it is a finite number, not {value!r}")
    return float(value)


def _bound(name: str, value: Any) -> float | None:
    return None if value is None else _number(name, value)


def _keep(name: str, value: Any) -> int | None:
    if value in (None, -1) and not isinstance(value, bool):
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise BadAttributeError(name, f"it is a number of microseconds, 0 for none, or null for all, not {value!r}")
    return value


def _choice(*choices: str) -> Callable[[str, Any], Any]:
    def check(name: str, value: Any) -> Any:
        word = value.lower() if isinstance(value, str) else value  # upstream's clients write capitals
        if word not in choices:
            raise BadAttributeError(name, f"it is one of {', '.join(choices)}, not {value!r}")
        return word

    return check


STREAM_ATTRIBUTES: Mapping[str, Callable[[str, Any], Any]] = {
    "description": check_text,
    "keep_us": _keep,
    "decimate": _yesno,
    "out_of_order": _choice("raise", "drop"),
}
"""What can be changed of a stream, and what checks a value; the names are those of `StreamSpec`."""

ELEMENT_ATTRIBUTES: Mapping[str, Callable[[str, Any], Any]] = {
    "name": _element_name,
    "units": check_text,
    "plottable": _yesno,
    "display_type": _choice("continuous", "discrete", "event"),
    "offset": _number,
    "scale_factor": _number,
    "default_min": _bound,
    "default_max": _bound,
}
"""Likewise of an element; the names are those of `ElementSpec`."""
