"""What a row of a stream looks like: a datatype and a number of elements, written `float32_8`.

A row is packed little-endian: an int64 timestamp in Unix microseconds, then the elements. These bytes are the same in
the stream log, on the wire and in every Joule era; only the *view* of a one-element row differs between eras (see
`Layout.dtype`).
"""

from __future__ import annotations

import dataclasses
import functools
import re

import numpy as np

from joule.errors import BadLayoutError

__all__ = ["DATATYPES", "MAX_WIDTH", "Layout"]

DATATYPES = {
    "int8": "<i1",
    "int16": "<i2",
    "int32": "<i4",
    "int64": "<i8",
    "uint8": "<u1",
    "uint16": "<u2",
    "uint32": "<u4",
    "uint64": "<u8",
    "float32": "<f4",
    "float64": "<f8",
}
MAX_WIDTH = 1024

_LAYOUT = re.compile(r"([a-z]+\d+)_(\d{1,9})", re.ASCII)


@dataclasses.dataclass(frozen=True, slots=True)
class Layout:
    """The datatype and the number of elements of a stream's rows.

    Attributes:
        datatype: One of `DATATYPES`.
        width: Number of elements, 1 to 1024.
        dtype: Rows as the seed page reads them: `data` has shape (n,) for one element, (n, width) for more.
        column_dtype: Rows as the newer era reads them: `data` has shape (n, width), also for one element. For more
            than one it is the same object as `dtype`.
        row_bytes: Size of one row, timestamp included, in bytes.
    """

    datatype: str
    width: int
    # Made once: pipes ask for them at every read and write.
    dtype: np.dtype[np.void] = dataclasses.field(init=False, repr=False, compare=False)
    column_dtype: np.dtype[np.void] = dataclasses.field(init=False, repr=False, compare=False)
    row_bytes: int = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.datatype not in DATATYPES:
            raise BadLayoutError(f"{self.datatype}_{self.width}", f"there is no datatype {self.datatype!r}")
        if not 1 <= self.width <= MAX_WIDTH:
            raise BadLayoutError(f"{self.datatype}_{self.width}", f"a stream cannot have {self.width} elements")
        dtype = _dtype(self.datatype, self.width, column=False)
        object.__setattr__(self, "dtype", dtype)
        object.__setattr__(
            self, "column_dtype", dtype if self.width > 1 else _dtype(self.datatype, self.width, column=True)
        )
        object.__setattr__(self, "row_bytes", dtype.itemsize)

    @classmethod
    def parse(cls, text: str | Layout) -> Layout:
        """Return the layout that a text such as `float32_8` names.

        Raises:
            BadLayoutError: The text is not of that form, or names a type or count that streams cannot have.
        """
        if isinstance(text, Layout):
            return text
        match = _LAYOUT.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise BadLayoutError(text, "not of the form TYPE_COUNT")
        return cls(match[1], int(match[2]))

    def __str__(self) -> str:
        return f"{self.datatype}_{self.width}"

    @property
    def element_dtype(self) -> np.dtype[np.generic]:
        """The datatype of one element."""
        return np.dtype(DATATYPES[self.datatype])


@functools.cache
def _dtype(datatype: str, width: int, *, column: bool) -> np.dtype[np.void]:
    element = DATATYPES[datatype]
    # NumPy 2 makes ('data', 'f4', 1) a (1,) sub-array: the scalar field must be asked for by leaving the shape out.
    data = ("data", element) if width == 1 and not column else ("data", element, (width,))
    return np.dtype([("timestamp", "<i8"), data])
