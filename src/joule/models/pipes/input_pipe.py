"""A path of the newest era: see `joule.models.pipes`."""

from joule.pipes import InputPipe

__all__ = ["InputPipe"]
