"""What a stream is, apart from its rows: path, layout, elements, how long to keep it."""

from __future__ import annotations

import dataclasses
from typing import Literal

from joule.core.layout import Layout

__all__ = ["ElementSpec", "StreamSpec"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ElementSpec:
    """One column of a stream's rows, and how to show it. Nothing here ever changes stored values.

    Attributes:
        name: Unique in its stream.
        units: Of the shown value, such as `W`; empty where not given.
        plottable: Whether it is offered for plots.
        display_type: How a plot draws it.
        offset: Subtracted from the stored value for display, in stored units.
        scale_factor: The shown value is `scale_factor * (stored - offset)`.
        default_min: Lower end of a plot's axis, in shown units; None scales by the data.
        default_max: Upper end, likewise.
    """

    name: str
    units: str = ""
    plottable: bool = True
    display_type: Literal["continuous", "discrete", "event"] = "continuous"
    offset: float = 0.0
    scale_factor: float = 1.0
    default_min: float | None = None
    default_max: float | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StreamSpec:
    """A stream as a configuration describes it and the catalog keeps it.

    Attributes:
        path: Absolute, such as `/house/power/mains`: folders and, last, the stream's name.
        datatype: One of `joule.core.DATATYPES`.
        elements: One or more.
        keep_us: How long rows are kept, in us; None keeps all, 0 keeps nothing but the newest two segments.
        decimate: Whether the archive keeps means, minima and maxima for plots.
        out_of_order: What `write()` does about rows that are not newer than the last: raise, or drop and count them.
        description: For people.
    """

    path: str
    datatype: str
    elements: tuple[ElementSpec, ...]
    keep_us: int | None = None
    decimate: bool = True
    out_of_order: Literal["raise", "drop"] = "raise"
    description: str = ""

    @property
    def layout(self) -> Layout:
        """The layout of the stream's rows."""
        return Layout(self.datatype, len(self.elements))

    @property
    def folder(self) -> str:
        """Path of the folder that holds the stream; `/` for the root."""
        return self.path.rpartition("/")[0] or "/"

    @property
    def name(self) -> str:
        """Last component of the path."""
        return self.path.rpartition("/")[2]
