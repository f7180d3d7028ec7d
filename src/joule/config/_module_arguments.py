"""One module's file, to run the module by hand: its arguments and pipes, and nothing of its node."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from joule.config._faults import FaultList
from joule.config._ini import read_ini
from joule.config._model import argument_options
from joule.config._modules import ARGUMENTS, INPUTS, OUTPUTS
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

    Raises:
        ConfigurationError: The file cannot be read, or its lines are no sections with keys.
    """
    faults = FaultList()
    ini = read_ini(file, faults)
    if ini is None or faults.has_errors(file):
        raise ConfigurationError("; ".join(str(fault) for fault in faults.sorted()), file=str(file))
    entries = {
        names: section.entries.values() if (section := ini.find(*names)) is not None else ()
        for names in (ARGUMENTS, INPUTS, OUTPUTS)
    }
    return ModuleArguments(
        options=argument_options((entry.key, entry.value) for entry in entries[ARGUMENTS]),
        pipes=tuple(entry.key for names in (INPUTS, OUTPUTS) for entry in entries[names]),
    )
