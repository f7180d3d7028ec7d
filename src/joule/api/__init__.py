"""The node client: what programs, the command line included, ask a node.

    async with open_node() as node:
        async for block in node.read_data("/house/power"):
            ...

A node is a name, a directory or a URL. Where no `jouled` runs, streams and stored rows are read from the directory's
files. Importing this package loads neither web client nor catalog; opening a node does.
"""

from joule.api._models import FolderInfo, ModuleInfo, StreamInfo, VersionInfo
from joule.api._node import Node
from joule.api._open import open_node

__all__ = [
    "FolderInfo",
    "ModuleInfo",
    "Node",
    "StreamInfo",
    "VersionInfo",
    "open_node",
]
