"""A node directory to write configurations into."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from joule.config import Fault, NodeSetup, load_node


class NodeFiles:
    """A node's directory; `load()` reads what `write()` put there."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        for folder in ("module_configs", "stream_configs"):
            (directory / folder).mkdir()
        self.write("main.conf", "[Main]\nName = test\n")

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file, `a.conf` in module_configs being `module_configs/a.conf`."""
        file = self.directory / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        file.chmod(0o600)  # as a secrets file should be
        return file

    def module(self, name: str, body: str = "", file: str | None = None) -> Path:
        """Write a sound `[Main]` in lines 1 to 3 and `body` from line 4 on."""
        content = f"[Main]\nname = {name}\nexec_cmd = /bin/true\n{body}"
        return self.write(f"module_configs/{file or name}.conf", content)

    def stream(self, name: str, body: str = "[Element1]\nname = x\n", main: str = "") -> Path:
        """Write a sound stream `/s/NAME` in lines 1 to 4, `main` and `body` from line 5 on."""
        content = f"[Main]\nname = {name}\npath = /s\ndatatype = float32\n{main}{body}"
        return self.write(f"stream_configs/{name}.conf", content)

    def load(self) -> NodeSetup:
        return load_node(self.directory)

    def only_fault(self) -> Fault:
        """Load, and return the one fault there is."""
        faults = self.load().faults
        assert len(faults) == 1, "\n".join(map(str, faults))
        return faults[0]


@pytest.fixture
def node_files() -> Callable[[Path], NodeFiles]:
    """Make a node in a directory that is not there yet."""

    def make(directory: Path) -> NodeFiles:
        directory.mkdir()
        return NodeFiles(directory)

    return make


@pytest.fixture
def node(tmp_path, node_files) -> NodeFiles:
    return node_files(tmp_path / "node")
