"""Which processes run a node's modules, on disk: how a `jouled` finds what a killed one left.

One small JSON file for each running module, written by renaming. A record names the boot and the start time of its
process, so that a number that the kernel has given to somebody else since is never taken for a module; and the place
where it was written, so that the modules of a node are not those of a copy of its directory. A record that cannot be
read, or cannot be written on a full disk, costs nothing but this one of the nets (see `_ending`).
"""

from __future__ import annotations

import json
import logging
import os
import urllib.parse
from pathlib import Path

from joule.daemon._process_table import boot_id, process_info

__all__ = ["ModuleRecords"]

_log = logging.getLogger(__name__)


class ModuleRecords:
    """The records of one node, below `DIR/run/modules`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._boot_id = boot_id()
        status = directory.stat()
        self._place = f"{status.st_dev}:{status.st_ino}"

    def write(self, module: str, pid: int, start_ticks: int) -> None:
        """Record that a process runs a module. A disk that refuses is logged, no more."""
        record = {
            "module": module,
            "pid": pid,
            "start_ticks": start_ticks,
            "boot_id": self._boot_id,
            "place": self._place,
        }
        path = self._path(module)
        draft = path.with_suffix(".new")
        try:
            draft.write_text(json.dumps(record))
            draft.replace(path)
        except OSError as error:
            _log.warning("module %s: its process %d cannot be recorded: %s", module, pid, error)

    def remove(self, module: str) -> None:
        """Forget the process of a module."""
        try:
            self._path(module).unlink(missing_ok=True)
        except OSError as error:
            _log.warning("module %s: the record of its ended process cannot be removed: %s", module, error)

    def living_groups(self) -> frozenset[int]:
        """Return the process groups of all recorded processes that still live."""
        pids = (self._living_pid(path) for path in self._directory.glob("*.json"))
        return frozenset(pid for pid in pids if pid is not None)

    def remove_all(self) -> None:
        """Forget all processes."""
        for path in (*self._directory.glob("*.json"), *self._directory.glob("*.new")):
            path.unlink(missing_ok=True)

    def _living_pid(self, path: Path) -> int | None:
        try:
            record = json.loads(path.read_bytes())
            pid, start_ticks = int(record["pid"]), int(record["start_ticks"])
            is_ours = (record["boot_id"], record["place"]) == (self._boot_id, self._place)
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("%s is no record of a module's process: %s", path, error)
            return None
        info = process_info(pid)
        same = info is not None and info.start_ticks == start_ticks and is_ours
        # Process 1 and our own group are never a module, whatever a damaged record says.
        return pid if same and pid > 1 and pid != os.getpgrp() else None

    def _path(self, module: str) -> Path:
        return self._directory / f"{urllib.parse.quote(module, safe='')}.json"
