"""A path of the newest era: see `joule.models.pipes`."""

from joule.pipes import OutputPipe

__all__ = ["OutputPipe"]
