"""A filter that takes outliers away: each row becomes the median of a window around it."""

from joule.builtins.median_filter._filter import MedianFilter, main

__all__ = ["MedianFilter", "main"]
