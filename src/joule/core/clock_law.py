"""How a node's clock goes: node time as a function of the time since boot, the same for all processes of the node.

A law is a few straight pieces, each at full or at half speed, and whoever has it computes the time alone. A law that
takes the place of another is nowhere behind it: at once it can only jump forward, and it slows down from a moment on
that lies ahead. So a process that still goes by the old one is never ahead of one that has the new one, and the time
never runs backwards, whoever asks first.

    0   magic, format version, number of pieces     16  sequence number of the law
    24  id of the boot that the times count from     40  up to four pieces: boot time, node time; which are slow
    124 checksum of all that
"""

from __future__ import annotations

import dataclasses
import itertools
import struct
import zlib
from typing import NamedTuple, Self

__all__ = ["LAW_BYTES", "SEQUENCE_BYTES", "SLOW_DOWN_US", "ClockLaw", "Piece"]

SLOW_DOWN_US = 1_000_000
"""How far ahead a slow-down begins: longer than any process is kept from its processor between making a law and
publishing it."""

_MAGIC = b"JOULECLK"
_VERSION = 1
_PIECES = 4
_RECORD = struct.Struct("<8sIIQ16s8qI16x")
_CHECK = struct.Struct("<I")
LAW_BYTES = _RECORD.size + _CHECK.size
SEQUENCE_BYTES = slice(16, 24)


class Piece(NamedTuple):
    """A straight piece of a law, up to where the next one begins.

    Attributes:
        boot_us: Where it begins, us since boot, suspended time included.
        node_us: The node's time there.
        divisor: 1 for full speed, 2 for half.
    """

    boot_us: int
    node_us: int
    divisor: int

    def at(self, boot_us: int) -> int:
        """Return the node's time, us."""
        return self.node_us + (boot_us - self.boot_us) // self.divisor


def _meeting(slow: Piece, offset_us: int) -> Piece:
    """Return the full speed that follows a piece at half speed where it comes down to an offset."""
    gap_us = slow.node_us - (slow.boot_us + offset_us)
    return Piece(slow.boot_us + 2 * gap_us, slow.node_us + gap_us, 1)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ClockLaw:
    """A node's clock from the moment on at which this was made.

    Attributes:
        boot_id: Of the boot that it is for, 16 bytes.
        pieces: One to four, in order; the last one is at full speed and has no end.
        sequence: Larger than that of the law before.
    """

    boot_id: bytes
    pieces: tuple[Piece, ...]
    sequence: int = 1

    @classmethod
    def start(cls, boot_id: bytes, boot_us: int, node_us: int, sequence: int = 1) -> Self:
        """Return the law of a clock that goes at full speed."""
        return cls(boot_id=boot_id, pieces=(Piece(boot_us, node_us, 1),), sequence=sequence)

    def piece(self, boot_us: int) -> Piece:
        """Return the piece of a moment; the first one for what comes before it."""
        return next((piece for piece in reversed(self.pieces) if piece.boot_us <= boot_us), self.pieces[0])

    def node_us(self, boot_us: int) -> int:
        """Return the node's time, us.

        Before the law was made that is the time at which it was made: who looks at the clock, is held up, and then
        finds a newer law must not be behind somebody who has gone by the old one meanwhile.
        """
        return self.piece(boot_us).at(max(boot_us, self.pieces[0].boot_us))

    def slows_from_us(self, boot_us: int) -> int | None:
        """Return when a slow-down begins that still lies ahead; None without one."""
        return next((piece.boot_us for piece in self.pieces if piece.divisor > 1 and piece.boot_us > boot_us), None)

    @property
    def settles_us(self) -> int:
        """Boot time from which on it goes at full speed for good."""
        return self.pieces[-1].boot_us

    @property
    def offset_us(self) -> int:
        """Node time minus boot time, once it has settled."""
        return self.pieces[-1].node_us - self.pieces[-1].boot_us

    def jump(self, boot_us: int, node_us: int) -> ClockLaw:
        """Return the law that goes on from a later time at full speed.

        Args:
            boot_us: Now.
            node_us: The new time; not before the present one.
        """
        return self._followed_by(Piece(boot_us, max(node_us, self.node_us(boot_us)), 1))

    def slow_down(self, boot_us: int, offset_us: int) -> ClockLaw:
        """Return the law that goes at half speed until it is behind.

        It slows down from a moment ahead on, where this law does not do so already.

        Args:
            boot_us: Now; no slow-down of this law lies ahead.
            offset_us: Node time minus boot time where it shall arrive: less than that of this law now.
        """
        now = self.piece(boot_us)  # as it is: begun anew, half a microsecond may be lost
        base_us = boot_us + SLOW_DOWN_US
        is_slow_until_then = now.divisor > 1 and (self.settles_us >= base_us or offset_us >= self.offset_us)
        if is_slow_until_then:
            return self._followed_by(now, _meeting(now, offset_us))
        before = [piece for piece in self.pieces if boot_us < piece.boot_us < base_us]
        slow = Piece(base_us, self.node_us(base_us), 2)
        return self._followed_by(now, *before, slow, _meeting(slow, offset_us))

    def _followed_by(self, *pieces: Piece) -> ClockLaw:
        return ClockLaw(boot_id=self.boot_id, pieces=pieces, sequence=self.sequence + 1)

    def pack(self) -> bytes:
        """Return the record that processes go by, LAW_BYTES long."""
        times = list(itertools.chain.from_iterable(piece[:2] for piece in self.pieces))
        slow = sum(1 << place for place, piece in enumerate(self.pieces) if piece.divisor > 1)
        times += [0] * (2 * _PIECES - len(times))
        record = _RECORD.pack(_MAGIC, _VERSION, len(self.pieces), self.sequence, self.boot_id, *times, slow)
        return record + _CHECK.pack(zlib.crc32(record))

    @classmethod
    def unpack(cls, data: bytes) -> Self | None:
        """Return the law of a record; None for bytes that are none, or that somebody is overwriting."""
        record = data[: _RECORD.size]
        if len(data) != LAW_BYTES or _CHECK.pack(zlib.crc32(record)) != data[_RECORD.size :]:
            return None
        magic, version, count, sequence, boot_id, *times, slow = _RECORD.unpack(record)
        if (magic, version) != (_MAGIC, _VERSION) or not 1 <= count <= _PIECES:
            return None
        pieces = (
            Piece(times[2 * place], times[2 * place + 1], 2 if slow >> place & 1 else 1) for place in range(count)
        )
        return cls(boot_id=boot_id, pieces=tuple(pieces), sequence=sequence)
