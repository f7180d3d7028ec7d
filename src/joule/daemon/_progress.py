"""Whether a module gets on: whether rows come out of it, seen from outside in the heads of its logs.

`timeout` counts from the last new row or break in any output, and not before the module's process was started. A
module with inputs owes rows only for rows: its time counts from when, since then, the first new row came to one of its
inputs. So a filter behind a silent sensor is not stuck, and neither is one that leaves the last rows of a window
unconsumed. While a writer waits for room on a full disk, which its head says, no time counts at all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from joule.core import format_duration
from joule.log import Head, read_head

__all__ = ["Progress", "Sight", "look"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What the heads of a module's logs say at one moment.

    Attributes:
        inputs: How far each input's stream has come: rows and breaks.
        outputs: The same for outputs.
        is_waiting: A writer of an output waits for room on the disk.
    """

    inputs: tuple[tuple[int, int], ...]
    outputs: tuple[tuple[int, int], ...]
    is_waiting: bool = False


def look(inputs: Sequence[Path], outputs: Sequence[Path]) -> Sight:
    """Return what the heads of a module's logs say now.

    Raises:
        LogError, OSError: A head cannot be read; then nothing is known of the module.
    """
    written = [read_head(log) for log in outputs]
    return Sight(
        inputs=tuple(_position(read_head(log)) for log in inputs),
        outputs=tuple(map(_position, written)),
        is_waiting=any(head.is_waiting for head in written),
    )


def _position(head: Head) -> tuple[int, int]:
    return head.end, head.breaks


class Progress:
    """The progress of one process of a module; pure.

    Args:
        started_s: When the process was started.
        sight: What the heads said then.
    """

    def __init__(self, started_s: float, sight: Sight) -> None:
        self._sight = sight
        self._owes_since_s = None if sight.inputs else started_s

    def cause(self, timeout_us: int, sight: Sight, now_s: float) -> str | None:
        """Take what the heads say now; return why the module is ended, None where it is not.

        Args:
            timeout_us: How long it may owe a row, us.
            sight: Of now.
            now_s: On the clock of `started_s`.
        """
        if sight.is_waiting or sight.outputs != self._sight.outputs:
            self._sight = sight
            self._owes_since_s = None if sight.inputs else now_s
            return None
        if self._owes_since_s is None and sight.inputs != self._sight.inputs:
            self._owes_since_s = now_s
        if self._owes_since_s is None or (now_s - self._owes_since_s) * 1e6 < timeout_us:
            return None
        since = " since new rows came to its inputs" if sight.inputs else ""
        return (
            f"no row came out of it for {now_s - self._owes_since_s:.0f} s{since} (timeout = "
            f"{format_duration(timeout_us)})"
        )
