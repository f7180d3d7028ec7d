"""One module's file, to run the module by hand: its arguments and pipes, and nothing of its node."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from joule.config._faults import FaultList
from joule.config._ini import read_ini
from joule.config._model import argument_options
from joule.config._modules import ARGUMENTS, INPUTS, OUTPUTS
from joule.config._variables import Variables
from joule.core.variables import replace_variables
from joule.errors import ConfigurationError

__all__ = ["ModuleArguments", "load_module_arguments"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ModuleArguments:
    """What a module's file gives the module.

    Attributes:
        options: `[Arguments]`, one text per argument.
        pipes: Names of its inputs and outputs.
    """

    options: tuple[str, ...]
    pipes: tuple[str, ...]


def load_module_arguments(file: Path) -> ModuleArguments:
    """Return what a module's file gives the module; its program need not be there.

    `${NAME}` is taken from the environment alone: whoever runs the module by hand has that, and not its node's secrets.

    Raises:
        ConfigurationError: The file cannot be read, or its lines are no sections with keys.
    """
    faults = FaultList()
    ini = read_ini(file, faults)
    entries = {
        names: section.entries.values() if ini and (section := ini.find(*names)) is not None else ()
        for names in (ARGUMENTS, INPUTS, OUTPUTS)
    }
    variables, values = Variables(), dict[str, str]()
    for entry in entries[ARGUMENTS]:
        found = variables.passed(entry, [entry.value], file, faults)
        values |= {name: value.reveal() for name, value in found.items()}
    if faults.has_errors(file):
        raise ConfigurationError("; ".join(str(fault) for fault in faults.sorted()), file=str(file))
    return ModuleArguments(
        options=argument_options((entry.key, replace_variables(entry.value, values)) for entry in entries[ARGUMENTS]),
        pipes=tuple(entry.key for names in (INPUTS, OUTPUTS) for entry in entries[names]),
    )
