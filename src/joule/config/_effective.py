"""Every value that holds for a node, from its files or by default, made into `Setting`s.

Each key of every file is named here once more; a test holds them against the keys that are read.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from joule.config._faults import FaultList
from joule.config._ini import Ini
from joule.config._main import MAIN_SECTIONS, is_first_era
from joule.config._model import Limits, ModuleConfig, NodeConfig
from joule.config._modules import ARGUMENTS, INPUTS, OUTPUTS, ModuleFile
from joule.config._resolve import StreamTable
from joule.config._settings import DEFAULT, Origin, Part, Setting, SettingValue
from joule.config._streams import StreamFile
from joule.config._variables import Variables
from joule.core import ElementSpec, StreamSpec, format_duration, format_size

__all__ = ["effective_settings"]


def effective_settings(
    config: NodeConfig,
    main: Ini,
    modules: Sequence[ModuleFile],
    table: StreamTable,
    sound: Collection[Path],
    variables: Variables,
    faults: FaultList,
) -> tuple[Setting, ...]:
    """Return every value that holds: of the node, of its sound modules by file, of its sound streams by path.

    Args:
        config: Of the node.
        main: Its `main.conf`.
        modules: All that were read.
        table: The streams.
        sound: Files of the modules that can be used.
        variables: What `${NAME}` stands for.
        faults: What was found wrong.
    """
    found = list(_node_settings(config, main, faults.wrong_lines(main.file)))
    for module in modules:
        if module.config and module.file in sound:
            found.extend(_module_settings(module.config, module.ini, variables))
    inline = _inline_origins(modules)
    for path, spec in table.sound.items():
        file = table.files.get(path)
        found.extend(
            _file_settings(spec, file, first_era=is_first_era(main)) if file else _inline_settings(spec, inline[path])
        )
    return tuple(found)


def _node_settings(config: NodeConfig, ini: Ini, wrong: Iterable[int]) -> Iterator[Setting]:
    """Yield what `main.conf` comes to; it holds also where it has errors, in lines `wrong`."""
    part = Part("node", config.name, ini.file, ini.find(*MAIN_SECTIONS), wrong=wrong)
    first_era = ini.find("jouled")
    if first_era:
        origin = Origin(file=ini.file, line=first_era.line)
        note = "[Jouled] is read as [Main], and path in stream files as the whole path of a stream"
        yield part.setting("era", "first", origin=origin, note=note)
    yield part.setting("Name", config.name)
    yield _directory(part, config, config.module_directory, "ModuleDirectory")
    yield _directory(part, config, config.stream_directory, "StreamDirectory", "DataStreamDirectory")
    yield _directory(part, config, config.data_directory, "DataDirectory")
    yield _directory(part, config, config.log_directory, "LogDirectory")
    yield part.resolved("LogSize", config.log_size_bytes, format_size(config.log_size_bytes))
    yield part.resolved("MaxAhead", config.max_ahead_us, _span(config.max_ahead_us))
    yield part.resolved("SyncInterval", config.sync_interval_us, _span(config.sync_interval_us))
    secrets = str(config.secrets_file) if config.secrets_file else None
    found = Origin(file=config.secrets_file, way="found") if secrets else DEFAULT
    yield part.setting(
        "SecretsFile", secrets, origin=part.origin("secretsfile") if part.entry("secretsfile") else found
    )


def _module_settings(module: ModuleConfig, ini: Ini, variables: Variables) -> Iterator[Setting]:
    """Yield what a module's file comes to."""
    secrets = variables.secrets
    part = Part("module", module.name, ini.file, ini.find("main"), secrets=secrets)
    yield part.setting("name", module.name)
    yield from _command(part, module)
    yield part.setting("description", module.description)
    yield part.setting("on_restart", module.on_restart)
    yield part.setting("is_app", module.is_app, origin=part.origin("is_app", "has_interface"))
    for key, (value, text) in _limits(module.limits).items():
        yield part.resolved(key, value, text)
    arguments = Part("module", module.name, ini.file, ini.find(*ARGUMENTS), part="[Arguments]", secrets=secrets)
    for key, value in module.arguments:
        way = arguments.origin(key).way
        yield arguments.setting(key, value, note=f"--{key} has {way}" if way else "")
    for title, names, pipes in (("[Inputs]", INPUTS, module.inputs), ("[Outputs]", OUTPUTS, module.outputs)):
        section = Part("module", module.name, ini.file, ini.find(*names), part=title)
        for key, pipe in pipes.items():
            yield section.setting(key, pipe.stream)


def _file_settings(spec: StreamSpec, file: StreamFile, *, first_era: bool) -> Iterator[Setting]:
    """Yield what a stream's file comes to; why `path` is all of its path, where that is not said once for all files."""
    part = Part("stream", spec.path, file.file, file.ini.find("main"))
    is_whole = spec.path == file.full_path != file.folder_path
    path = Origin(file=file.file, line=file.line, way="path is all of it" if is_whole else "path and name")
    why = f" ('path' is all of it: modules name that, and none names {file.folder_path})"
    note = f"the stream is {spec.path}{why if is_whole and not first_era else ''}"
    yield part.setting("path", spec.path, origin=path, note=note)
    yield from _stream_values(part, spec)
    for section, element in zip(file.sections, spec.elements, strict=True):
        yield from _element_values(Part("stream", spec.path, file.file, section, part=element.name), element)


def _inline_origins(modules: Iterable[ModuleFile]) -> dict[str, Origin]:
    """Return where each stream is defined inline, by path: in the first of the files that do so."""
    found: dict[str, Origin] = {}
    for module in modules:
        for pipe in (*module.inputs.values(), *module.outputs.values()):
            if pipe.inline is not None:
                found.setdefault(pipe.stream, Origin(file=module.file, line=pipe.line, way="inline"))
    return found


def _inline_settings(spec: StreamSpec, here: Origin) -> Iterator[Setting]:
    """Yield what a stream comes to that is defined in a line of a module's file."""
    assert here.file is not None
    file = here.file
    part = Part("stream", spec.path, file, None)
    yield part.setting("path", spec.path, origin=here)
    yield from _stream_values(part, spec, inline=here)
    for element in spec.elements:
        yield from _element_values(Part("stream", spec.path, file, None, part=element.name), element, inline=here)


def _stream_values(part: Part, spec: StreamSpec, inline: Origin | None = None) -> Iterator[Setting]:
    keep = part.entry("keep")
    kept = "all" if spec.keep_us is None else format_duration(spec.keep_us) if spec.keep_us else "none"
    yield part.setting("datatype", spec.datatype, origin=inline)
    yield part.setting("keep", spec.keep_us, kept, note=f"keep = {keep.value} keeps {_kept(spec)}" if keep else "")
    yield part.setting("decimate", spec.decimate)
    yield part.setting("out_of_order", spec.out_of_order)
    title = part.origin("description", "name") if spec.description else None
    yield part.setting("description", spec.description, origin=title)


def _element_values(part: Part, element: ElementSpec, inline: Origin | None = None) -> Iterator[Setting]:
    yield part.setting("name", element.name, origin=inline)
    yield part.setting("units", element.units)
    yield part.setting("plottable", element.plottable)
    display = part.origin("display_type", "type", "discrete")
    note = f"display_type = {element.display_type}, from {display.way!r}" if display.way else ""
    yield part.setting("display_type", element.display_type, origin=display, note=note)
    yield part.setting("offset", element.offset)
    yield part.setting("scale_factor", element.scale_factor)
    for key, bound in (("default_min", element.default_min), ("default_max", element.default_max)):
        is_word = bound is None and part.entry(key) is not None
        yield part.setting(
            key, bound, "auto" if bound is None else None, note=f"{key} scales by the data" if is_word else ""
        )


def _directory(part: Part, config: NodeConfig, path: Path, key: str, *newer: str) -> Setting:
    """Return the setting of a directory; a newer name of its key wins where both are given."""
    names = [name.lower() for name in (*newer, key)]
    entry = part.entry(*names)
    is_as_written = entry is None or os.path.normpath(config.directory / entry.value) == str(path)
    origin = part.origin(entry.key if entry else key.lower())
    if entry and entry.key != key.lower():
        origin = Origin(file=origin.file, line=origin.line, way=f"{newer[0]} {origin.way}".rstrip())
    return part.setting(key, str(path), origin=origin, note="" if is_as_written else f"{key} is {path}")


def _command(part: Part, module: ModuleConfig) -> Iterator[Setting]:
    entry, origin = part.entry("exec_cmd"), part.origin("exec_cmd")
    yield part.setting("exec_cmd", entry.value if entry else "")
    is_found = module.program != module.exec_cmd[0]
    found = Origin(file=origin.file, line=origin.line, way=f"{module.exec_cmd[0]}, found" if is_found else "")
    note = f"{module.exec_cmd[0]} is {module.program}" if is_found else ""
    yield part.setting("program", module.program, origin=found, note=note)


def _limits(limits: Limits) -> dict[str, tuple[SettingValue, str]]:
    memory, cpu = limits.max_memory_bytes, limits.max_cpu_percent
    return {
        "timeout": (limits.timeout_us, _span(limits.timeout_us)),
        "max_memory": (memory, "none" if memory is None else format_size(memory)),
        "max_cpu": (cpu, "none" if cpu is None else f"{cpu:g} %"),
        "max_processes": (limits.max_processes, str(limits.max_processes or "none")),
        "nice": (limits.nice, str(limits.nice)),
        "max_restarts": (limits.max_restarts, str(limits.max_restarts or "none")),
        "restart_window": (limits.restart_window_us, _span(limits.restart_window_us)),
        "on_failed": (limits.on_failed, limits.on_failed),
    }


def _span(span_us: int | None) -> str:
    return "none" if span_us is None else format_duration(span_us)


def _kept(spec: StreamSpec) -> str:
    if spec.keep_us is None:
        return "all rows"
    return f"rows for {format_duration(spec.keep_us)}" if spec.keep_us else "no rows but the newest"
