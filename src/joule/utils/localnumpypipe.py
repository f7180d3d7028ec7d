"""The first era's local pipe; one-element rows are read with `data` of shape (n,)."""

from joule.pipes import LocalNumpyPipe

__all__ = ["LocalNumpyPipe"]
