"""`FIRFilterModule` as newer eras know it; see `_column.py`. A file of its own, so that only filters load it."""

from __future__ import annotations

from joule.client import _fir_filter
from joule.client._column import FilterModule

__all__ = ["FIRFilterModule"]


class FIRFilterModule(_fir_filter.FIRFilterModule, FilterModule):
    """A `joule.FIRFilterModule` whose pipes give one-element rows as columns."""
