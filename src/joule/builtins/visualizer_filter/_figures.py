"""What is shown of one input: the newest value of each element, and its smallest and largest since a reset.

Values are as people read them, in the units of the stream's file: `scale_factor * (stored - offset)`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from joule.core import Rows
from joule.pipes import Pipe

__all__ = ["Figures"]

_Values = npt.NDArray[np.float64]


class Figures:
    """The figures of one input's elements; NaN where there is no number.

    Args:
        pipe: The input.
    """

    def __init__(self, pipe: Pipe) -> None:
        elements: list[Any] = list(getattr(pipe.stream, "elements", None) or [])
        self._input = pipe.name
        self._stream = str(getattr(pipe.stream, "name", None) or pipe.name)
        self._names = [str(element.name) for element in elements] or [f"E{index}" for index in range(pipe.width)]
        self._units = [str(element.units or "") for element in elements] or [""] * pipe.width
        self._offsets = np.array([element.offset for element in elements] or [0.0] * pipe.width)
        self._factors = np.array([element.scale_factor for element in elements] or [1.0] * pipe.width)
        self._time_us: int | None = None
        self._last = np.full(pipe.width, np.nan)
        self._low = self._last
        self._high = self._last

    def update(self, rows: Rows) -> None:
        """Take new rows into account; NaN counts as a newest value, and neither as the smallest nor as the largest."""
        if not len(rows):
            return
        data = rows["data"]
        values = data[:, None] if data.ndim == 1 else data
        ends = self._shown(np.array([np.fmin.reduce(values), np.fmax.reduce(values)], np.float64))
        self._low = np.fmin(self._low, np.fmin.reduce(ends))  # a negative factor turns them round
        self._high = np.fmax(self._high, np.fmax.reduce(ends))
        self._last = self._shown(values[-1].astype(np.float64))
        self._time_us = int(rows["timestamp"][-1])

    def reset(self) -> None:
        """Let the smallest and the largest value begin at the newest one."""
        self._low = self._high = self._last

    def to_json(self, first_id: int) -> list[dict[str, Any]]:
        """Return the figures of each element.

        Args:
            first_id: Number of the first element.
        """
        return [
            {
                "id": first_id + index,
                "input": self._input,
                "stream": self._stream,
                "element": name,
                "units": self._units[index],
                "time_us": self._time_us,
                "value": _json_number(self._last[index]),
                "min": _json_number(self._low[index]),
                "max": _json_number(self._high[index]),
            }
            for index, name in enumerate(self._names)
        ]

    def _shown(self, values: _Values) -> _Values:
        with np.errstate(all="ignore"):
            shown: _Values = self._factors * (values - self._offsets)
        return shown


def _json_number(value: float) -> float | str | None:
    """Return a number, as JSON can carry it: NaN is null, infinities are words."""
    if math.isfinite(value):
        return float(value)
    return None if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
