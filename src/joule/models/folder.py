"""A path of the newest era: see `joule.models`."""

from joule.api import Folder

__all__ = ["Folder"]
