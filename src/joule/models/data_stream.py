"""A path of the newest era: see `joule.models`."""

from joule.api import DataStream

__all__ = ["DataStream"]
