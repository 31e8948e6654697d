"""Gutters of a chart and what lies between them, along one coordinate, in pixels."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TRACK, MARGIN = 10, 16


@dataclass(frozen=True)
class Axis:
    """All gutters, and the rows or columns between them."""

    gutters: Sequence[float]  # where each begins, one more than there are lines
    widths: Sequence[float]
    lines: Sequence[float]  # where each row or column begins
    sizes: Sequence[float]
    tracks: Mapping[int, Mapping[object, int]]  # of each gutter: net → track

    def track(self, gutter: int, net: object) -> float:
        """Return the middle of a track."""
        found = self.tracks[gutter]
        used = (max(found.values()) + 1) * TRACK
        return self.gutters[gutter] + (self.widths[gutter] - used + TRACK) / 2 + found[net] * TRACK


def axis(
    start: float, least: Sequence[float], sizes: Sequence[float], made: Mapping[int, Mapping[object, int]]
) -> Axis:
    """Return gutters that are as wide as what runs in them needs, and what lies between."""
    counts = [max(made.get(i, {}).values(), default=-1) + 1 for i in range(len(least))]
    widths = [max(w, 2 * MARGIN + (n - 1) * TRACK if n else 0) for w, n in zip(least, counts, strict=True)]
    steps = list(itertools.accumulate(itertools.chain(*itertools.zip_longest(widths, sizes, fillvalue=0.0))))
    begins = [start, *(start + step for step in steps)]
    return Axis(begins[: 2 * len(widths) : 2], widths, begins[1 : 2 * len(sizes) : 2], sizes, made)
