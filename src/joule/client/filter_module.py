"""`FilterModule` where module files of the newest era import it from."""

from joule.client._column import FilterModule

__all__ = ["FilterModule"]
