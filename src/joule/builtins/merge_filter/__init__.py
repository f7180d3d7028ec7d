"""A filter that puts several streams into one, at the times of one of them."""

from joule.builtins.merge_filter._filter import MergeFilter, main

__all__ = ["MergeFilter", "main"]
