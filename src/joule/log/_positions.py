"""Where the modules of a node begin to read: positions made before any producer starts, and kept across restarts.

`jouled` uses these, never a module: a module opens the file that is there. Trimming asks how far all have come.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from joule.log._cursors import CURSOR_SUFFIX, CursorFile, InputPosition, ModuleLogs, write_cursors
from joule.log._files import DISK, Files
from joule.log._head import Head, read_head
from joule.log._identity import read_identity
from joule.log._record import load_records

__all__ = ["ensure_cursors", "lowest_rows"]


def ensure_cursors(
    path: Path, module: str, inputs: Mapping[str, Path], outputs: Mapping[str, Path], files: Files = DISK
) -> None:
    """Make sure that a module has positions for exactly these pipes; call it before any producer starts.

    An input that reads the same log under the same name as before keeps its position, and an output that writes the
    same log under any name. A new input begins at the end of its log, which for a new log is row 0; a new output has
    written what its log holds. Does nothing where nothing changed.

    Args:
        path: The module's cursor file, see `cursor_path`.
        module: Its name.
        inputs: The directory of each input's log, by pipe name.
        outputs: The same for outputs.
        files: The file system.

    Raises:
        LogError: A log does not exist or cannot be read.
        ForeignFileError, DamagedLogError: The cursor file there is none of ours; it was left alone.
    """
    logs = ModuleLogs(
        module,
        {name: read_identity(log, files).log_id for name, log in inputs.items()},
        {name: read_identity(log, files).log_id for name, log in outputs.items()},
    )
    old_inputs: dict[str, InputPosition] = {}
    old_outputs: dict[str, int] = {}
    with contextlib.suppress(FileNotFoundError):
        old = CursorFile(path, files)
        old.close()
        if (old.logs.inputs, old.logs.outputs) == (logs.inputs, logs.outputs):
            return
        old_inputs = {name: at for name, at in old.inputs.items() if old.logs.inputs[name] == logs.inputs.get(name)}
        # By log, not by name: what the module will write again must be dropped whatever the pipe is called now.
        # A composite that has lost what to skip in its inner pipes writes all of that again, from long before.
        forgets = old.has_inner_rows
        old_outputs = {old.logs.outputs[name]: 0 if forgets else rows for name, rows in old.outputs.items()}
    values: list[int] = []
    for name, log in inputs.items():
        position = old_inputs.get(name) or _end(read_head(log, files))
        values += [position.row, position.breaks]
    values += [old_outputs.get(logs.outputs[name], read_head(log, files).stored) for name, log in outputs.items()]
    write_cursors(path, logs, values, files)


def _end(head: Head) -> InputPosition:
    return InputPosition(head.end, head.breaks)


def lowest_rows(cursors_directory: Path, files: Files = DISK) -> dict[str, int]:
    """Return the lowest row index that some module still has to read, by log id; for trimming.

    A power cut would set modules back to the positions of a record, so those count as well.

    Raises:
        ForeignFileError, DamagedLogError: A cursor file or record cannot be read; nothing should be trimmed then.
    """
    lowest: dict[str, int] = {}
    names: list[str] = []
    with contextlib.suppress(FileNotFoundError):
        names = files.names(cursors_directory)
    for name in sorted(names):
        if name.endswith(CURSOR_SUFFIX):
            cursors = CursorFile(cursors_directory / name, files)
            cursors.close()
            for pipe, log_id in cursors.logs.inputs.items():
                row = cursors.inputs[pipe].row
                lowest[log_id] = min(row, lowest.get(log_id, row))
    for record in load_records(cursors_directory.parent, files):
        for point in record.cursors.values():
            for log_id, row, _ in point.inputs.values():
                lowest[log_id] = min(row, lowest.get(log_id, row))
    return lowest
