"""Which modules use a stream, and which files name it: asked before a stream is moved, renamed or deleted."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from joule.config import ModuleConfig, PipeConfig
from joule.daemon._node import ManagedNode
from joule.errors import StreamHeldError

__all__ = ["StreamUsage"]


class StreamUsage:
    """The uses of streams in one node, as they are at the moment of each question."""

    def __init__(self, node: ManagedNode) -> None:
        self._node = node

    def check_unused(self, paths: Iterable[str]) -> None:
        """Make sure that no running module reads or writes any of these streams.

        A module that waits for its next start counts: it begins where its cursors say, in the logs of these streams.

        Raises:
            StreamHeldError: One does; the message names the stream, the module and what to do.
        """
        wanted = set(paths)
        for launch in self._node.supervisor.kept_launches():
            for path, use in launch.uses.items():
                if path in wanted:
                    remedy = f"stop that first: joule module stop {shlex.quote(launch.name)}"
                    raise StreamHeldError(path, f"{use} by module {launch.name!r}", remedy, module=launch.name)

    def places(self, path: str) -> list[str]:
        """Return where configuration files name a stream, as `file` or `file:line`."""
        files = self._node.setup.stream_files
        found = [str(files[path])] if path in files else []
        for module in self._node.modules.values():
            found += [f"{module.file}:{pipe.line}" for pipe in _pipes(module) if pipe.stream == path]
        return found

    def defining_file(self, path: str) -> str | None:
        """Return the stream file that defines a stream; None for one that pipes or programs made."""
        file = self._node.setup.stream_files.get(path)
        return None if file is None else str(file)


def _pipes(module: ModuleConfig) -> Iterator[PipeConfig]:
    yield from module.outputs.values()
    yield from module.inputs.values()
