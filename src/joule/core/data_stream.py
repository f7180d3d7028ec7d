"""A stream and its elements as programs of the newest era hold them: `joule.api.DataStream`, `pipe.stream`.

Values that can be changed, unlike everything else in this package: such programs make an empty one and fill it in. What
a node itself knows of a stream is `StreamSpec`. Loaded by whoever asks for these names, not with `joule.core`.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable
from typing import ClassVar

from joule.core.layout import Layout
from joule.core.stream import ElementSpec
from joule.errors import ApiError

__all__ = ["DataStream", "Element", "as_data_stream"]


class _Choice(enum.StrEnum):
    """One of a few words; any other is refused with all of them."""

    @classmethod
    def _missing_(cls, value: object) -> None:
        raise ValueError(f"{value!r} is none of {', '.join(cls)}")


class _DisplayType(_Choice):
    """How a plot draws an element."""

    DISCRETE = "discrete"
    CONTINUOUS = "continuous"
    EVENT = "event"


class _Datatype(_Choice):
    """Of all elements of a stream; equal to its name in lower case."""

    FLOAT64 = "float64"
    FLOAT32 = "float32"
    INT64 = "int64"
    INT32 = "int32"
    INT16 = "int16"
    INT8 = "int8"
    UINT64 = "uint64"
    UINT32 = "uint32"
    UINT16 = "uint16"
    UINT8 = "uint8"


class _Keep(enum.IntEnum):
    """Values of `keep_us` that are no spans of time."""

    ALL = -1
    NONE = 0


@dataclasses.dataclass
class Element:
    """One column of a stream's rows, and how to show it.

    Attributes:
        name: Unique in its stream.
        units: Of the shown value, such as `W`.
        plottable: Whether it is offered for plots.
        display_type: How a plot draws it; a `DISPLAYTYPE`, made of its name in any case.
        offset: Subtracted from the stored value for display.
        scale_factor: The shown value is `scale_factor * (stored - offset)`.
        default_max: Upper end of a plot's axis, in shown units; None scales by the data.
        default_min: Lower end, likewise.
        index: Place in the row, from 0; None while it is in no stream.
        id: Number in the node; None where it has none.
    """

    DISPLAYTYPE: ClassVar[type[_DisplayType]] = _DisplayType

    name: str = ""
    units: str | None = ""
    plottable: bool = True
    display_type: str = "continuous"
    offset: float = dataclasses.field(default=0.0, kw_only=True)
    scale_factor: float = dataclasses.field(default=1.0, kw_only=True)
    default_max: float | None = dataclasses.field(default=None, kw_only=True)
    default_min: float | None = dataclasses.field(default=None, kw_only=True)
    index: int | None = dataclasses.field(default=None, kw_only=True)
    id: int | None = dataclasses.field(default=None, kw_only=True, compare=False)

    def __post_init__(self) -> None:
        self.display_type = _DisplayType(str(self.display_type).lower())


@dataclasses.dataclass
class DataStream:
    """A stream as a value; changing it changes nothing in a node.

    Attributes:
        name: Last part of its path.
        description: For people.
        datatype: Of all elements; a `DATATYPE`, made of its name in any case.
        keep_us: How long rows are kept, us; `KEEP.ALL` (-1) or `KEEP.NONE` (0).
        elements: The columns, in order.
        decimate: Whether the archive keeps means, minima and maxima.
        is_configured: A configuration file defines it.
        is_source: A module reads it.
        is_destination: A module writes it.
        active: It is being written.
        saved_id: Its number in a node; None for one that no node has.
    """

    DATATYPE: ClassVar[type[_Datatype]] = _Datatype
    KEEP: ClassVar[type[_Keep]] = _Keep

    name: str = ""
    description: str = ""
    datatype: str = "float32"
    keep_us: int = -1
    elements: list[Element] = dataclasses.field(default_factory=list)
    decimate: bool = dataclasses.field(default=True, kw_only=True)
    is_configured: bool = dataclasses.field(default=False, kw_only=True)
    is_source: bool = dataclasses.field(default=False, kw_only=True)
    is_destination: bool = dataclasses.field(default=False, kw_only=True)
    active: bool = dataclasses.field(default=False, kw_only=True)
    saved_id: int | None = dataclasses.field(default=None, kw_only=True, compare=False)

    def __post_init__(self) -> None:
        self.datatype = _Datatype(str(self.datatype).lower())
        self.elements = list(self.elements or ())  # None, as other eras have it, is none

    @property
    def id(self) -> int:
        """Its number in a node.

        Raises:
            ApiError: No node has it.
        """
        if self.saved_id is None:
            raise ApiError(f"the stream {self.name!r} has no id: no node has saved it")
        return self.saved_id

    @property
    def layout(self) -> str:
        """Such as `float32_8`.

        Raises:
            BadLayoutError: It has no elements.
        """
        return str(Layout(str(self.datatype), len(self.elements)))

    @property
    def locked(self) -> bool:
        """Whether something of the node depends on it."""
        return self.is_configured or self.is_source or self.is_destination


def as_data_stream(
    path: str, layout: Layout, elements: Iterable[ElementSpec] = (), saved_id: int | None = None
) -> DataStream:
    """Return what a module sees as `pipe.stream`.

    Args:
        path: The stream's; or the name of what takes the place of one.
        layout: Of its rows.
        elements: In order; where they are not known, elements are named E0, E1 and so on.
        saved_id: Its number in the node.
    """
    known = [Element(**dataclasses.asdict(spec), index=index) for index, spec in enumerate(elements)]
    unnamed = [Element(name=f"E{index}", index=index) for index in range(layout.width)]
    return DataStream(
        name=path.rpartition("/")[2],
        datatype=layout.datatype,
        elements=known or unnamed,
        active=True,
        saved_id=saved_id,
    )
