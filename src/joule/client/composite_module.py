"""`CompositeModule` where module files of the newest era import it from."""

from joule.client._column import CompositeModule

__all__ = ["CompositeModule"]
