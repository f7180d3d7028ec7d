"""The classes as newer eras know them: one-element rows that their pipes read have `data` of shape (n, 1).

The same modules otherwise. `joule.ReaderModule` keeps the seed page's shape (n,), `joule.client.ReaderModule` this one,
so that an author's import line decides, and neither kind of code reads wrong numbers.

The first era had these names too, with the page's shape. Its modules alone give the constructor a name,
`super().__init__("Demo Filter")`, and that decides for them.
"""

from __future__ import annotations

from joule.client import _base_module, _composite_module, _filter_module, _reader_module

__all__ = ["CompositeModule", "FilterModule", "ReaderModule"]


class _Newer(_base_module.BaseModule):
    """What the classes below have in common."""

    column_data = True

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)
        if name is not None:
            self.column_data = False


class ReaderModule(_Newer, _reader_module.ReaderModule):
    """A `joule.ReaderModule` whose pipes give one-element rows as columns."""


class FilterModule(_Newer, _filter_module.FilterModule):
    """A `joule.FilterModule` whose pipes give one-element rows as columns."""


class CompositeModule(_Newer, _composite_module.CompositeModule):
    """A `joule.CompositeModule` whose pipes give one-element rows as columns."""
