"""Which streams there are: from stream files and inline layouts, under the paths that are meant.

`path` in a stream file is the stream's folder, and `name` its last part; in the first era it was the whole path. Files
of a node of that era (its main.conf has [Jouled]) are read so. Else what the modules refer to decides: when some refer
to `path` and none to `path/name`, it is the whole path. What was decided is told, always (`_effective`).
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Sequence

from joule.config._faults import FaultList, did_you_mean
from joule.config._model import PipeConfig
from joule.config._modules import ModuleFile
from joule.config._streams import StreamFile
from joule.core import StreamSpec

__all__ = ["StreamTable", "resolve_streams"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StreamTable:
    """The streams of a node, by path.

    Attributes:
        sound: Those that can be used.
        files: The file of each that has one, sound or not.
    """

    sound: dict[str, StreamSpec]
    files: dict[str, StreamFile]


def resolve_streams(
    files: Sequence[StreamFile], modules: Sequence[ModuleFile], faults: FaultList, *, first_era: bool
) -> StreamTable:
    """Return the streams that files and modules define, noting definitions that contradict each other."""
    used = {pipe.stream for module in modules for pipe in _pipes(module)}
    by_path: dict[str, list[StreamFile]] = defaultdict(list)
    for file in files:
        path = _path(file, used, first_era=first_era)
        if path is None:
            reason = "the whole path of the stream, as files of the first era gave it," if first_era else "the folder"
            faults.error(file.file, file.line, f"'path' is read as {reason} and cannot be that", "correct it")
            continue
        by_path[path].append(file)
    _refuse_doubles(by_path, faults)
    table = {path: group[0].resolve(path) for path, group in by_path.items()}
    broken = {path for path, group in by_path.items() if any(faults.has_errors(file.file) for file in group)}
    inline = _inline(modules, table, by_path, broken, faults)
    sound = {path: spec for path, spec in (table | inline).items() if path not in broken}
    _check_references(modules, sound, by_path, faults)
    sources = {path: group[0] for path, group in by_path.items()}
    return StreamTable(sound=dict(sorted(sound.items())), files=sources)


def _pipes(module: ModuleFile) -> Iterable[PipeConfig]:
    yield from module.inputs.values()
    yield from module.outputs.values()


def _path(file: StreamFile, used: set[str], *, first_era: bool) -> str | None:
    if first_era:
        return file.full_path
    if file.full_path in used and file.folder_path not in used:
        return file.full_path
    return file.folder_path


def _refuse_doubles(by_path: dict[str, list[StreamFile]], faults: FaultList) -> None:
    for path, group in by_path.items():
        for file in group:
            others = ", ".join(str(other.file) for other in group if other is not file)
            if others:
                message = f"the stream {path!r} is also defined by {others}"
                faults.error(file.file, file.line, message, "remove one of the files, or correct its path or name")


def _inline(
    modules: Sequence[ModuleFile],
    table: dict[str, StreamSpec],
    by_path: dict[str, list[StreamFile]],
    broken: set[str],
    faults: FaultList,
) -> dict[str, StreamSpec]:
    """Return the streams that only modules define; refuse inline layouts that differ from another definition."""
    found: dict[str, tuple[StreamSpec, str]] = {}
    for module in modules:
        for pipe in _pipes(module):
            if pipe.inline is None or pipe.stream in broken:
                continue
            here = f"{module.file}:{pipe.line}"
            if pipe.stream in table:
                other, place = table[pipe.stream], str(by_path[pipe.stream][0].file)
            else:
                other, place = found.setdefault(pipe.stream, (pipe.inline, here))
            if _shape(other) != _shape(pipe.inline):
                message = (
                    f"pipe {pipe.name!r} defines {pipe.stream!r} as {_shape(pipe.inline)}, "
                    f"and {place} defines it as {_shape(other)}"
                )
                faults.error(module.file, pipe.line, message, "make them alike, or leave the layout out here")
    return {path: spec for path, (spec, _) in found.items()}


def _shape(spec: StreamSpec) -> str:
    return f"{spec.datatype}[{', '.join(element.name for element in spec.elements)}]"


def _check_references(
    modules: Sequence[ModuleFile], sound: dict[str, StreamSpec], by_path: dict[str, list[StreamFile]], faults: FaultList
) -> None:
    for module in modules:
        for pipe in _pipes(module):
            if pipe.stream in sound:
                continue
            if pipe.stream in by_path:
                files = ", ".join(str(file.file) for file in by_path[pipe.stream])
                message = f"pipe {pipe.name!r}: the stream {pipe.stream!r} has faults in {files}"
                faults.error(module.file, pipe.line, message, "correct those first")
                continue
            remedy = did_you_mean(
                pipe.stream, sound, f"add a stream file, or name the elements here: {pipe.stream}:float32[x, y]"
            )
            message = f"pipe {pipe.name!r}: the stream {pipe.stream!r} is defined nowhere"
            faults.error(module.file, pipe.line, message, remedy)
