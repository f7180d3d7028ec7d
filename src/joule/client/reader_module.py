"""`ReaderModule` where module files of the newest era import it from."""

from joule.client._column import ReaderModule

__all__ = ["ReaderModule"]
