"""A file system in memory that forgets: what a power cut leaves of it is chosen, within what a disk may do.

It records every write, truncation, name and sync. `crashed` builds the disk that a power cut would leave: what was
synced is there; of everything else any subset, block by block, in any of the states that a block has been in; sizes
without their data, which are then zeros. Rows are also torn within a block. The changes of names in one directory come
to the disk in their order, as in every file system with a journal, but as late as they like.
"""

from __future__ import annotations

import errno
import itertools
import os
import random
from pathlib import Path
from typing import Any

import numpy as np

BLOCK = 512
ZEROS = bytes(BLOCK)


class Inode:
    """A file: what is in the page cache, and what has happened since it was synced last."""

    def __init__(self, durable: bytes = b"") -> None:
        self.data = bytearray(durable)
        self.durable = durable
        self.pending: list[tuple[int, bytes] | int] = []  # writes; or a new size

    def write(self, offset: int, data: bytes) -> None:
        if offset > len(self.data):
            self.data.extend(bytes(offset - len(self.data)))
        self.data[offset : offset + len(data)] = data
        self.pending.append((offset, data))

    def truncate(self, size: int) -> None:
        if size == len(self.data):
            return
        del self.data[size:]
        self.data.extend(bytes(size - len(self.data)))
        self.pending.append(size)

    def sync(self) -> None:
        self.durable = bytes(self.data)
        self.pending = []

    def left_by_crash(self, chance: random.Random, keep: float, *, tears: bool) -> bytes:
        """Return what is on the disk afterwards."""
        if not self.pending:
            return self.durable
        cache, sizes = bytearray(self.durable), [len(self.durable)]
        versions: dict[int, list[bytes]] = {}
        for step in self.pending:
            if isinstance(step, int):
                del cache[step:]
                cache.extend(bytes(step - len(cache)))
            else:
                offset, data = step
                cache.extend(bytes(max(0, offset + len(data) - len(cache))))
                for block in range(offset // BLOCK, (offset + len(data) - 1) // BLOCK + 1):
                    versions.setdefault(block, [bytes(cache[block * BLOCK :][:BLOCK])])
                cache[offset : offset + len(data)] = data
                for block in range(offset // BLOCK, (offset + len(data) - 1) // BLOCK + 1):
                    versions[block].append(bytes(cache[block * BLOCK : (block + 1) * BLOCK]))
            sizes.append(len(cache))
        size = sizes[-1] if chance.random() < keep else chance.choice(sizes)
        left = bytearray(self.durable)
        for block, states in versions.items():
            state = states[-1] if chance.random() < keep else chance.choice(states)
            if tears and chance.random() < 0.2:
                cut = chance.randrange(BLOCK)
                state = state[:cut] + states[0].ljust(BLOCK, b"\0")[cut : len(state)]
            left.extend(bytes(max(0, block * BLOCK + len(state) - len(left))))
            left[block * BLOCK : block * BLOCK + len(state)] = state
        del left[size:]
        left.extend(bytes(size - len(left)))
        return bytes(left)


Names = dict[str, dict[str, Inode]]


class MemoryFiles:
    """The file system; all paths below one directory that a test names.

    Attributes:
        syncs: How often something was synced.
        written_bytes: How much was written.
        fails: Paths whose sync fails from now on, with the number of the error.
    """

    def __init__(self, boot: int = 1, names: Names | None = None) -> None:
        self._boot = boot
        self._names: Names = names if names is not None else {}
        self._durable_names: Names = {d: dict(entries) for d, entries in self._names.items()}
        self._pending_names: dict[str, list[list[tuple[str, Inode | None]]]] = {}
        self._open: dict[int, Inode | str] = {}
        self._next = 1000
        self.syncs = 0
        self.written_bytes = 0
        self.fails: dict[str, int] = {}
        self._paths: dict[int, str] = {}

    def crashed(self, seed: int) -> MemoryFiles:
        """Return the file system after a power cut and a new boot; this one goes on as if there had been none."""
        chance = random.Random(seed)
        keep = chance.choice([0.0, 0.1, 0.5, 0.9, 1.0])
        made: dict[int, Inode] = {}
        names: Names = {}
        for directory in sorted(self._names.keys() | self._durable_names.keys()):
            entries = dict(self._durable_names.get(directory, {}))
            changes = self._pending_names.get(directory, [])
            kept = len(changes) if chance.random() < keep else chance.randint(0, len(changes))
            for name, inode in itertools.chain.from_iterable(changes[:kept]):
                if inode is None:
                    entries.pop(name, None)
                else:
                    entries[name] = inode
            names[directory] = {}
            for name, inode in sorted(entries.items()):
                if id(inode) not in made:
                    tears = name.endswith(".rows")
                    made[id(inode)] = Inode(inode.left_by_crash(chance, keep, tears=tears))
                names[directory][name] = made[id(inode)]
        return MemoryFiles(self._boot + 1, names)

    # The verbs

    def open(self, path: Path, *, write: bool = False, create: bool = False) -> int:
        directory, name = os.path.split(path)
        if str(path) in self._names:
            return self._take(str(path), str(path))
        entries = self._names.get(directory)
        if entries is None or (name not in entries and not create):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        if name not in entries:
            self._change(directory, [(name, Inode())])
        return self._take(self._names[directory][name], str(path))

    def _take(self, what: Inode | str, path: str) -> int:
        self._next += 1
        self._open[self._next] = what
        self._paths[self._next] = path
        return self._next

    def _change(self, directory: str, changes: list[tuple[str, Inode | None]]) -> None:
        for name, inode in changes:
            if inode is None:
                del self._names[directory][name]
            else:
                self._names[directory][name] = inode
        self._pending_names.setdefault(directory, []).append(changes)

    def _file(self, fd: int) -> Inode:
        found = self._open[fd]
        assert isinstance(found, Inode)
        return found

    def close(self, fd: int) -> None:
        del self._open[fd]

    def read(self, fd: int, count: int, offset: int) -> bytes:
        return bytes(self._file(fd).data[offset : offset + count])

    def read_into(self, fd: int, array: np.ndarray, offset: int) -> int:
        data = self.read(fd, array.nbytes, offset)
        array.view(np.uint8)[: len(data)] = np.frombuffer(data, np.uint8)
        return len(data)

    def write(self, fd: int, data: Any, size: int, offset: int) -> None:
        raw = np.frombuffer(memoryview(data).cast("B") if isinstance(data, bytes) else data.tobytes(), np.uint8)
        assert len(raw) == size
        self.written_bytes += size
        self._file(fd).write(offset, raw.tobytes())

    def size(self, fd: int) -> int:
        return len(self._file(fd).data)

    def truncate(self, fd: int, size: int) -> None:
        self._file(fd).truncate(size)

    def sync(self, fd: int) -> None:
        self.syncs += 1
        path = self._paths[fd]
        for part, error in self.fails.items():
            if part in path:
                found = self._open[fd]
                if isinstance(found, Inode):
                    found.pending = []  # as Linux does: the pages are clean, the disk has not got them
                raise OSError(error, os.strerror(error), path)
        found = self._open[fd]
        if isinstance(found, Inode):
            found.sync()
        else:
            self._durable_names[found] = dict(self._names[found])
            self._pending_names.pop(found, None)

    def rename(self, source: Path, target: Path) -> None:
        directory, name = os.path.split(source)
        inode = self._names[directory][name]
        self._change(directory, [(name, None), (os.path.basename(target), inode)])

    def remove(self, path: Path) -> None:
        directory, name = os.path.split(path)
        if name not in self._names.get(directory, {}):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        self._change(directory, [(name, None)])

    def names(self, directory: Path) -> list[str]:
        if str(directory) not in self._names:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(directory))
        below = {d[len(str(directory)) + 1 :] for d in self._names if d.startswith(f"{directory}/")}
        return [*self._names[str(directory)], *sorted({path.split("/")[0] for path in below})]

    def make_directory(self, path: Path) -> None:
        for each in (path, *path.parents):
            self._names.setdefault(str(each), {})
            self._durable_names.setdefault(str(each), {})

    def inode(self, path: Path) -> int:
        directory, name = os.path.split(path)
        if name not in self._names.get(directory, {}):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return id(self._names[directory][name])

    def boot(self, directory: Path) -> bytes:
        return self._boot.to_bytes(24, "little")
