"""What must hold between modules: own names, one writer for each stream, no cycles; and the order to start them in.

Pure rules over what the files say. A fault is noted in each file that has a part in it, naming the others, and none of
them is preferred: of two modules with one name, neither is started.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence

from joule.config._faults import FaultList
from joule.config._model import ModuleConfig
from joule.config._modules import ModuleFile

__all__ = ["check_cycles", "check_names", "check_writers", "start_order"]


def check_names(modules: Sequence[ModuleFile], faults: FaultList) -> None:
    """Refuse modules with the same name."""
    named = defaultdict(list)
    for module in modules:
        if module.name is not None:
            named[module.name].append(module)
    for name, group in named.items():
        for module in group:
            others = ", ".join(str(other.file) for other in group if other is not module)
            if others:
                message = f"the module name {name!r} is also used by {others}"
                faults.error(module.file, module.line, message, "give each module a name of its own")


def check_writers(modules: Sequence[ModuleFile], faults: FaultList) -> None:
    """Refuse modules that write the same stream, and a module that writes one twice."""
    writers = defaultdict(list)
    for module in modules:
        for pipe in module.outputs.values():
            writers[pipe.stream].append((module, pipe))
    for stream, group in writers.items():
        for module, pipe in group:
            others = [f"{other.file}:{its.line}" for other, its in group if its is not pipe]
            if others:
                message = f"the stream {stream!r} is also written by {', '.join(others)}, and a stream has one writer"
                faults.error(module.file, pipe.line, message, "let one of them write another stream")


def check_cycles(modules: Sequence[ModuleFile], faults: FaultList) -> None:
    """Refuse modules that read what they write, themselves or through others."""
    edges = _edges(modules)
    for index in _cyclic(edges):
        cycle = _shortest_cycle(index, edges)
        if not cycle:
            continue
        module = modules[index]
        after = modules[cycle[1]]
        pipe = next(pipe for pipe in module.outputs.values() if pipe.stream in _streams(after))
        if len(cycle) == 2:
            message = f"the module reads its own output {pipe.stream!r}"
        else:
            way = " -> ".join(str(modules[i].name or modules[i].file.name) for i in cycle)
            files = ", ".join(str(modules[i].file) for i in cycle[1:-1])
            message = f"the module reads what it writes, through others: {way} (see {files})"
        faults.error(module.file, pipe.line, message, "break the circle: let one of its inputs read another stream")


def start_order(modules: Iterable[ModuleConfig]) -> tuple[ModuleConfig, ...]:
    """Return modules, which must have no cycles, with each producer before its consumers, else in the order given."""
    modules = list(modules)
    producers = {pipe.stream: index for index, module in enumerate(modules) for pipe in module.outputs.values()}
    done: dict[int, None] = {}

    def visit(start: int) -> None:
        stack = [start]
        while stack:  # not recursive: a chain may be longer than Python's stack
            inputs = modules[stack[-1]].inputs.values()
            needed = [producers[pipe.stream] for pipe in inputs if pipe.stream in producers]
            missing = [index for index in needed if index not in done and index != stack[-1]]
            if missing:
                stack.append(missing[0])
            else:
                done[stack.pop()] = None

    for index in range(len(modules)):
        visit(index)
    return tuple(modules[index] for index in done)


def _streams(module: ModuleFile) -> set[str]:
    return {pipe.stream for pipe in module.inputs.values()}


def _edges(modules: Sequence[ModuleFile]) -> dict[int, list[int]]:
    """Return for each module which ones read what it writes, by their places in `modules`."""
    readers = defaultdict(list)
    for index, module in enumerate(modules):
        for stream in _streams(module):
            readers[stream].append(index)
    edges = {}
    for index, module in enumerate(modules):
        found = {reader for pipe in module.outputs.values() for reader in readers[pipe.stream]}
        edges[index] = sorted(found)
    return edges


def _cyclic(edges: Mapping[int, list[int]]) -> list[int]:
    """Return the nodes that can be on a cycle: what is left when ends without a successor are taken off."""
    left = {index: set(targets) for index, targets in edges.items()}
    while True:
        ends = [index for index, targets in left.items() if not targets & left.keys()]
        if not ends:
            return list(left)
        for index in ends:
            del left[index]


def _shortest_cycle(start: int, edges: Mapping[int, list[int]]) -> list[int]:
    """Return the nodes of the shortest way from `start` back to it, both ends included; empty where there is none."""
    queue = deque([[start]])
    seen: set[int] = set()
    while queue:
        way = queue.popleft()
        for target in edges[way[-1]]:
            if target == start:
                return [*way, start]
            if target not in seen:
                seen.add(target)
                queue.append([*way, target])
    return []
