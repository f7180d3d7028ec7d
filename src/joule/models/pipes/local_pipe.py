"""A path of the newest era: see `joule.models.pipes`."""

from joule.pipes import LocalPipe

__all__ = ["LocalPipe"]
