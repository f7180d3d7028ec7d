"""A path of the newest era: see `joule.models.pipes`."""

from joule.models.pipes import Pipe, compute_dtype, find_interval_token, interval_token

__all__ = ["Pipe", "compute_dtype", "find_interval_token", "interval_token"]
