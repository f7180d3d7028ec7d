"""What a node tells about its clock, and what setting that has done."""

from __future__ import annotations

import dataclasses
from typing import Any, Self

from joule.api._models import _Wire

__all__ = ["ClockChange", "ClockInfo", "RowsAside"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ClockInfo(_Wire):
    """A node's clock, by which all its timestamps are made.

    Attributes:
        state: `following` (it goes with the system's clock), `slowing` (it is ahead, and goes at half speed until both
            meet) or `own` (it is more than a day ahead, and keeps its own time until somebody decides).
        node_us: The node's time, Unix us.
        system_us: The system's clock at the same moment.
        meets_us: How long it takes until both meet, us; None while it does not go slower.
        unconfirmed_us: By how much, if more than a day, it went forward in steps that nobody has confirmed, us: so long
            no row is removed for its age on the strength of that.
        synchronised: Whether the kernel calls the system's clock synchronised; None where that cannot be known.
        note: What a person has to know; empty when all is well.
    """

    state: str
    node_us: int
    system_us: int
    meets_us: int | None = None
    unconfirmed_us: int = 0
    synchronised: bool | None = None
    note: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RowsAside(_Wire):
    """Rows of a stream that lie ahead of the clock, and the stream that they become.

    Attributes:
        stream: Path of the stream.
        aside: Path of the stream that has them afterwards.
        rows: How many there are.
        first_us: Timestamp of the first of them.
        last_us: Timestamp of the last.
    """

    stream: str
    aside: str
    rows: int
    first_us: int
    last_us: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ClockChange(_Wire):
    """What setting the node's clock back to the system's has done, or would do.

    Attributes:
        done: Whether it was done. Nothing is where both agree, or where only a preview was asked for.
        back_us: How far the clock goes back, us; 0 where both agree.
        now_us: The node's time then.
        streams: Those of which rows are set aside.
        modules: Names of the modules that are stopped for it, and started again.
    """

    done: bool
    back_us: int
    now_us: int
    streams: tuple[RowsAside, ...] = ()
    modules: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        """Return the change that `to_json` described."""
        streams = tuple(RowsAside.from_json(aside) for aside in body["streams"])
        return super(ClockChange, cls).from_json({**body, "streams": streams, "modules": tuple(body["modules"])})
