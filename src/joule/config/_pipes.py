"""The right-hand side of `[Inputs]` and `[Outputs]`: `/path/name` or `/path/name:float32[x,y]`."""

from __future__ import annotations

import re

from joule.config._faults import did_you_mean
from joule.core import DATATYPES, MAX_WIDTH, ElementSpec, StreamSpec, check_stream_path
from joule.errors import BadPathError

__all__ = ["PipeFaultError", "parse_pipe"]

_INLINE = re.compile(r"\s*(\w+)\s*\[(.*)\]\s*", re.DOTALL)
_LAYOUT = re.compile(r"\s*([a-z]+\d+)_\d+\s*")
_EXAMPLE = "write such as /house/mains or /house/mains:float32[voltage, current]"


class PipeFaultError(ValueError):
    """A pipe's value is not one; carries what is wrong and what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


def parse_pipe(value: str) -> tuple[str, StreamSpec | None]:
    """Return the path that a pipe's value names, and the stream where the value defines one.

    Raises:
        PipeFaultError: The value is of another form, or defines a stream that cannot be.
    """
    text = value.strip()
    if not text:
        raise PipeFaultError("no stream is named", _EXAMPLE)
    if not text.startswith("/") and re.match(r"\S+ +/", text):
        node = text.split()[0]
        raise PipeFaultError(
            f"{text!r} is a stream of another node, {node!r}, and pipes join streams of one node",
            "name a stream of this node",
        )
    path, colon, inline = text.partition(":")
    try:
        check_stream_path(path.rstrip())
    except BadPathError as error:
        raise PipeFaultError(str(error.message), _EXAMPLE) from error
    path = path.rstrip()
    return path, _parse_inline(path, inline) if colon else None


def _parse_inline(path: str, text: str) -> StreamSpec:
    match = _INLINE.fullmatch(text)
    if match is None:
        layout = _LAYOUT.fullmatch(text)
        hint = f"name the elements: {layout[1]}[x, y]" if layout else _EXAMPLE
        raise PipeFaultError(f"{text.strip()!r} is not of the form TYPE[element, ...]", hint)
    datatype = match[1].lower()
    if datatype not in DATATYPES:
        raise PipeFaultError(
            f"there is no datatype {match[1]!r}", did_you_mean(datatype, DATATYPES, f"types are {', '.join(DATATYPES)}")
        )
    return StreamSpec(
        path=path, datatype=datatype, elements=tuple(ElementSpec(name=name) for name in _elements(match[2]))
    )


def _elements(text: str) -> list[str]:
    names = [" ".join(name.split()) for name in text.split(",")]
    if "" in names:
        raise PipeFaultError(f"an element of [{text}] has no name", "give each element a name, with commas between")
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise PipeFaultError(f"the element {doubled[0]!r} is named twice", "give each element a name of its own")
    if len(names) > MAX_WIDTH:
        raise PipeFaultError(f"{len(names)} elements are named, and a stream has at most {MAX_WIDTH}", "name fewer")
    return names
