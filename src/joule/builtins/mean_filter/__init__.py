"""A filter that smooths: each row becomes the mean of a window around it."""

from joule.builtins.mean_filter._filter import MeanFilter, main

__all__ = ["MeanFilter", "main"]
