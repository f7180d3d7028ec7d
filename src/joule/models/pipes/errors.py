"""A path of the newest era: see `joule.models.pipes`."""

from joule.errors import EmptyPipe, EmptyPipeError, PipeError

__all__ = ["EmptyPipe", "EmptyPipeError", "PipeError"]
