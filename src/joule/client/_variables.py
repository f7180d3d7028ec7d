"""`${NAME}` on a module's command line, replaced in its own process: secrets are in no list of processes.

`jouled` leaves the text `${NAME}` on the command line of a module and puts the value into its environment, which only
its own user can read. The manifest in `--pipes` lists the names that are meant; nothing else is ever replaced, so a
module that a person starts sees what was typed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, MutableMapping, Sequence

from joule.core.variables import VARIABLE_PREFIX, replace_variables
from joule.errors import ModuleError

__all__ = ["hide_values", "take_values", "with_values"]


def take_values(arguments: Sequence[str], environment: MutableMapping[str, str]) -> dict[str, str]:
    """Return what the names in a command line of `jouled`'s stand for, taken out of the environment.

    They are taken out so that no child of the module inherits them, and no dump of its environment shows them.

    Args:
        arguments: The command line without the program; those of `jouled` end with `--pipes` and the manifest.
        environment: Of this process.

    Raises:
        ModuleError: A value is not there: the command line was copied, or the module started itself again.
    """
    values = {}
    for name in _names(arguments):
        value = environment.pop(VARIABLE_PREFIX + name, None)
        if value is None:
            raise ModuleError(
                f"the value of ${{{name}}} on the command line is missing: jouled passes it in the environment; to run "
                "the module alone, leave --pipes out and write the value itself"
            )
        values[name] = value
    return values


def with_values(arguments: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """Return a command line with its names replaced, the manifest excepted."""
    if not values:
        return list(arguments)
    return [*(replace_variables(text, values) for text in arguments[:-2]), *arguments[-2:]]


def hide_values(message: str, values: Mapping[str, str]) -> str:
    """Return a message with names in place of values, as they are and as `repr()` shows them."""
    for name, value in sorted(values.items(), key=lambda item: -len(item[1])):
        for shown in (value, repr(value)[1:-1]):
            message = message.replace(shown, f"${{{name}}}") if shown else message
    return message


def _names(arguments: Sequence[str]) -> list[str]:
    if len(arguments) < 2 or arguments[-2] != "--pipes":
        return []
    try:
        facts = json.loads(arguments[-1])
    except ValueError:
        return []  # whoever opens the pipes says what is wrong with the manifest
    names = facts.get("variables", []) if isinstance(facts, dict) else []
    return [name for name in names if isinstance(name, str)]
