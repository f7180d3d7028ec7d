"""`${NAME}` in a text: what stands for something that is not to be written down there.

Replacing is a single pass over the text: what a name stands for is never looked at again, whatever it holds. `$${` is
the text `${`; any other `$` has no meaning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["VARIABLE_NAME", "VARIABLE_PREFIX", "has_variables", "replace_variables", "variable_names"]

VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
VARIABLE_PREFIX = "JOULE_VALUE_"
"""What comes before a name in the environment in which `jouled` hands its value to a module."""

_TOKEN = re.compile(rf"\$\$\{{|\$\{{(?:({VARIABLE_NAME.pattern})\}})?", re.ASCII)


def has_variables(text: str) -> bool:
    """Whether `text` holds a `${` or a `$${`, so that it has to be looked at."""
    return "${" in text


def variable_names(text: str) -> list[str]:
    """Return the names in `text`, each once, in their order.

    Raises:
        ValueError: A `${` is not followed by a name and `}`; the message holds nothing of the text.
    """
    names: dict[str, None] = {}
    for token in _TOKEN.finditer(text):
        if token[1]:
            names[token[1]] = None
        elif token[0] == "${":
            raise ValueError("a '${' is not followed by NAME}, letters, digits and _")
    return list(names)


def replace_variables(text: str, values: Mapping[str, str]) -> str:
    """Return `text` with `values` in place of their names and `${` in place of `$${`; other names are left alone."""
    if not has_variables(text):
        return text
    return _TOKEN.sub(lambda token: "${" if token[0] == "$${" else values.get(token[1], token[0]), text)
