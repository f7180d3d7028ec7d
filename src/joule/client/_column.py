"""The classes as newer eras know them: one-element rows that their pipes read have `data` of shape (n, 1).

The same modules otherwise. `joule.ReaderModule` keeps the seed page's shape (n,), `joule.client.ReaderModule` this one,
so that an author's import line decides, and neither kind of code reads wrong numbers.
"""

from __future__ import annotations

from joule.client import _composite_module, _filter_module, _reader_module

__all__ = ["CompositeModule", "FilterModule", "ReaderModule"]


class ReaderModule(_reader_module.ReaderModule):
    """A `joule.ReaderModule` whose pipes give one-element rows as columns."""

    column_data = True


class FilterModule(_filter_module.FilterModule):
    """A `joule.FilterModule` whose pipes give one-element rows as columns."""

    column_data = True


class CompositeModule(_composite_module.CompositeModule):
    """A `joule.CompositeModule` whose pipes give one-element rows as columns."""

    column_data = True
