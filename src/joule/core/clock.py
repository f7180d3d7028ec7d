"""The present, as streams count it.

A module that runs alone goes by the system's clock. In a process of a node all go by the node's clock, which never runs
backwards: a record in memory, mapped from a file of the node, says how it goes (see `clock_law`), and no call leaves
the process.
"""

from __future__ import annotations

import time
from typing import Protocol

from joule.core.clock_law import LAW_BYTES, SEQUENCE_BYTES, ClockLaw

__all__ = ["ClockRecord", "NodeClock", "clock_jumps", "follow_clock", "time_now"]

_FOR_EVER = 2**63
_ATTEMPTS = 10
_JUMP_US = 1_000_000  # smaller steps are the daily work of time services
_PATIENCE_S = 0.001  # whoever lost its processor while it overwrites the record gets it back within milliseconds


class ClockRecord(Protocol):
    """The bytes of a law, as they are at the moment."""

    def __getitem__(self, part: slice, /) -> bytes:
        """Return a part of them."""


class NodeClock:
    """The clock of a node, in one of its processes; for any number of threads.

    Args:
        record: Where the law stands. What cannot be read later is passed over: the last law goes on.

    Attributes:
        jumps: How often the time has jumped ahead by more than a second, as far as this process has looked.

    Raises:
        ValueError: There is no law in it.
    """

    def __init__(self, record: ClockRecord) -> None:
        self._record = record
        law = self._load()
        if law is None:
            raise ValueError("the record holds no law of a clock")
        self.jumps = 0
        self._law = law
        # One tuple, replaced as a whole, so that threads never see parts of two.
        self._now: tuple[bytes, int, int, int, int] = (b"", 0, 0, 0, 1)

    def now_us(self) -> int:
        """Return the node's time."""
        # The clock first, then the record: a law that is found has counted since before the clock was looked at,
        # or is a newer one, which is nowhere behind it.
        boot_us = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000
        sequence, begin_us, end_us, node_us, divisor = self._now
        if begin_us <= boot_us < end_us and self._record[SEQUENCE_BYTES] == sequence:
            return node_us + (boot_us - begin_us) // divisor
        return self._look(boot_us)

    def _look(self, boot_us: int) -> int:
        """Find the piece that counts, for this call and the next ones."""
        sequence = self._record[SEQUENCE_BYTES]
        law = self._law
        if sequence != self._now[0]:
            found = self._load()
            if found is not None:  # else the file is spoilt: it is looked at again when it changes
                self.jumps += found.node_us(boot_us) - law.node_us(boot_us) > _JUMP_US
                law = self._law = found
                sequence = law.sequence.to_bytes(8, "little")
        piece = law.piece(boot_us)
        end_us = next((later.boot_us for later in law.pieces if later.boot_us > piece.boot_us), _FOR_EVER)
        self._now = (sequence, piece.boot_us, end_us, piece.node_us, piece.divisor)
        return law.node_us(boot_us)

    def _load(self) -> ClockLaw | None:
        for attempt in range(_ATTEMPTS):
            law = ClockLaw.unpack(self._record[0:LAW_BYTES])
            if law is not None:
                return law
            time.sleep(_PATIENCE_S if attempt else 0)
        return None


class _Present:
    """The clock that this process goes by."""

    clock: NodeClock | None = None


def time_now() -> int:
    """Return the present as whole Unix microseconds, the unit of every timestamp in Joule.

    In a process of a node it never runs backwards, also across processes and restarts; it may differ from the system's
    clock where that was set back.
    """
    clock = _Present.clock
    return (time.time_ns() + 500) // 1000 if clock is None else clock.now_us()


def clock_jumps() -> int:
    """Return how often `time_now()` has jumped ahead in this process: time that went by for nobody."""
    clock = _Present.clock
    return 0 if clock is None else clock.jumps


def follow_clock(clock: NodeClock | None) -> NodeClock | None:
    """Let `time_now()` go by a node's clock from now on, in this process; by the system's with None.

    Returns:
        What it went by before.
    """
    before, _Present.clock = _Present.clock, clock
    return before
