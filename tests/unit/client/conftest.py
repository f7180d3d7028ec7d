"""Modules on stream logs, as `jouled` would start them, but in this process."""

import argparse
from pathlib import Path

import numpy as np
import pytest

from joule.core import Layout
from joule.log import BREAK, CursorFile, create_log, ensure_cursors, read_log
from joule.pipes import Manifest, PipeEntry

LAYOUT = "float32_1"


class LogNode:
    """Logs by name and one module's cursor: what `jouled` prepares before it starts a module."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.run = directory / "run"
        self.run.mkdir()

    def log(self, name: str) -> Path:
        create_log(self.directory / name, Layout.parse(LAYOUT), f"/test/{name}")
        return self.directory / name

    def args(self, inputs: tuple[str, ...] = (), outputs: tuple[str, ...] = (), **arguments) -> argparse.Namespace:
        """The arguments of a module with these pipes, its cursor made."""
        cursor = self.directory / f"module{len(inputs)}{len(outputs)}.cursor"
        ensure_cursors(
            cursor, "module", {name: self.log(name) for name in inputs}, {name: self.log(name) for name in outputs}
        )
        manifest = Manifest(
            module="module", cursor=cursor, run=self.run, inputs=self._entries(inputs), outputs=self._entries(outputs)
        )
        return argparse.Namespace(pipes=manifest.to_json(), **arguments)

    def position(self, name: str, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> int:
        """The first row of an input that the module has not consumed."""
        cursor = CursorFile(self.directory / f"module{len(inputs)}{len(outputs)}.cursor")
        cursor.close()
        return cursor.inputs[name].row

    def rows(self, name: str) -> list[list[tuple[int, float]]]:
        """What a log holds, by interval."""
        intervals: list[list[tuple[int, float]]] = [[]]
        for block in read_log(self.log(name)):
            if block is BREAK:
                intervals.append([])
            else:
                intervals[-1] += [
                    (int(t), float(v)) for t, v in zip(block["timestamp"], np.ravel(block["data"]), strict=True)
                ]
        return intervals

    def _entries(self, names: tuple[str, ...]) -> dict[str, PipeEntry]:
        return {name: PipeEntry(stream=f"/test/{name}", log=self.log(name), layout=LAYOUT) for name in names}


@pytest.fixture
def node(tmp_path: Path) -> LogNode:
    return LogNode(tmp_path)
