"""A node's configuration, whole: every file read, every fault found, nothing touched.

What is sound can be started although something else is not: a fault costs the modules and streams that have a part in
it, and no others.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from joule.config._effective import effective_settings
from joule.config._faults import FaultList
from joule.config._graph import check_cycles, check_names, check_writers, start_order
from joule.config._ini import Ini, read_ini
from joule.config._main import is_first_era, parse_main, read_variables
from joule.config._model import ModuleConfig, NodeSetup
from joule.config._modules import ModuleFile, parse_module
from joule.config._resolve import resolve_streams
from joule.config._settings import tell
from joule.config._streams import StreamFile, parse_stream
from joule.errors import ConfigurationError

__all__ = ["load_node"]


def load_node(main_file: Path) -> NodeSetup:
    """Return what a node's files say, with every fault in them.

    Args:
        main_file: The node's `main.conf`, or the directory that holds it.

    Raises:
        ConfigurationError: There is no `main.conf`, or it is no readable text. No other content raises.
    """
    main_file = Path(main_file).absolute()
    if os.path.isdir(main_file):
        main_file /= "main.conf"
    _check_is_there(main_file)
    faults = FaultList()
    main = read_ini(main_file, faults)
    if main is None:
        raise ConfigurationError("; ".join(str(fault) for fault in faults.sorted()), file=str(main_file))
    variables = read_variables(main, faults)
    main = variables.expand(main, faults)
    config = parse_main(main, faults, variables.file)
    found = _read_all(config.module_directory, faults)
    modules = [parse_module(ini, config.directory, faults, variables) for ini in found or () if ini]
    stream_files = [ini for ini in _read_all(config.stream_directory, faults) or () if ini]
    first_era = is_first_era(main)
    parsed = [parse_stream(variables.expand(ini, faults), faults, first_era=first_era) for ini in stream_files]
    streams: list[StreamFile] = [stream for stream in parsed if stream is not None]
    table = resolve_streams(streams, modules, faults, first_era=first_era)
    check_names(modules, faults)
    check_writers(modules, faults)
    check_cycles(modules, faults)
    sound = _sound(modules, faults)
    _warn_of_silence(sound, modules, faults)
    files = {module.file for module in sound}
    settings = effective_settings(config, main, modules, table, files, variables, faults)
    return NodeSetup(
        config=config,
        modules=start_order(sound),
        streams=tuple(table.sound.values()),
        stream_files={path: file.file for path, file in table.files.items()},
        faults=faults.sorted(),
        settings=settings,
        notes=tell(settings),
        broken_modules=frozenset(module.name for module in modules if module.name) - {m.name for m in sound},
        all_names_known=found is not None and None not in found and all(module.name for module in modules),
    )


def _check_is_there(main_file: Path) -> None:
    try:
        main_file.stat()
    except PermissionError:
        raise ConfigurationError(
            f"{main_file} cannot be read: you may not look into its directory; check the permissions and the owner",
            file=str(main_file),
        ) from None
    except OSError:  # it is not there, a part of its path is a file, or its name is too long
        directory = main_file.parent if main_file.suffix == ".conf" else main_file
        raise ConfigurationError(
            f"there is no {main_file}: name a node's main.conf or its directory, or make one with "
            f"'joule init {directory}'",
            file=str(main_file),
        ) from None


def _read_all(directory: Path, faults: FaultList) -> list[Ini | None] | None:
    """Return what each file of a directory holds, None for one that is no text; None when it cannot be listed."""
    if not os.path.isdir(directory):
        return None  # a fault of main.conf, noted there
    try:
        files = sorted(file for file in directory.iterdir() if file.suffix == ".conf" and file.name[0] != ".")
    except OSError as error:
        faults.error(directory, None, f"the directory cannot be read: {error.strerror}", "check its permissions")
        return None
    return [read_ini(file, faults) for file in files]


def _sound(modules: Sequence[ModuleFile], faults: FaultList) -> list[ModuleConfig]:
    return [module.config for module in modules if module.config and not faults.has_errors(module.file)]


def _warn_of_silence(sound: Sequence[ModuleConfig], modules: Sequence[ModuleFile], faults: FaultList) -> None:
    """Warn of inputs that no module writes; a program outside the node may."""
    written = {pipe.stream for module in modules for pipe in module.outputs.values()}
    for module in sound:
        for pipe in module.inputs.values():
            if pipe.stream not in written:
                faults.warning(
                    module.file,
                    pipe.line,
                    f"pipe {pipe.name!r}: no module writes the stream {pipe.stream!r}, so its rows are waited for",
                    "add a module that writes it, if nothing else does",
                )
