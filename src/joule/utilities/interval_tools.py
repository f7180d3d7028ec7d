"""Sums over lists of intervals: `[[start, end], ...]`, sorted, without overlaps, ends exclusive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import merge as imerge

__all__ = ["imerge", "interval_difference", "interval_intersection"]

Intervals = Iterable[Sequence[int]]


def interval_difference(source: Intervals, destination: Intervals) -> list[list[int]]:
    """Return the parts of `source` that `destination` does not cover, such as what is still to be processed."""
    left = [[start, end] for start, end in source if start < end]
    for low, high in destination:
        cut = []
        for start, end in left:
            cut += [[start, min(end, low)], [max(start, high), end]] if low < high else [[start, end]]
        left = [[start, end] for start, end in cut if start < end]
    return left


def interval_intersection(first: Intervals, second: Intervals) -> list[list[int]]:
    """Return the parts that lie in both."""
    others = list(second)
    both = [[max(start, low), min(end, high)] for start, end in first for low, high in others]
    return [[start, end] for start, end in both if start < end]
