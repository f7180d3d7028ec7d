"""A path of the newest era: see `joule.models`."""

from joule.api import Element

__all__ = ["Element"]
