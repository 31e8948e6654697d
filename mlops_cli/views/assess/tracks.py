"""Lines side by side in a gutter: which runs on which track, so that none lies on another and few cross."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

_ROUNDS = 20


class Leaf(NamedTuple):
    """Where a line leaves a gutter."""

    is_after: bool  # to the right of an upright gutter, below a level one; else before it
    place: float  # along the gutter


@dataclass(frozen=True)
class Strand:
    """A line along a gutter, and where it leaves to either side.

    Places are along the gutter, in any unit that grows with the coordinate.
    """

    key: Hashable
    before: tuple[float, ...]  # where it leaves to the left of an upright gutter, above a level one
    after: tuple[float, ...]  # to the right, or below

    @property
    def low(self) -> float:
        """Where it begins."""
        return min(*self.before, *self.after, float("inf"))

    @property
    def high(self) -> float:
        """Where it ends."""
        return max(*self.before, *self.after, float("-inf"))

    def meets(self, other: Strand) -> bool:
        """Whether both cannot run on one track."""
        return self.low <= other.high and other.low <= self.high

    def spans(self, places: Sequence[float]) -> int:
        """Return how many of some places lie within it."""
        return sum(self.low <= place <= self.high for place in places)


def strand(key: Hashable, leaves: Sequence[Leaf]) -> Strand:
    """Return a line along a gutter from where it leaves."""
    before, after = (tuple(dict.fromkeys(p for way, p in leaves if way is side)) for side in (False, True))
    return Strand(key, before, after)


def assign(strands: Sequence[Strand]) -> dict[Hashable, int]:
    """Return the track of each strand, from 0, in the order of the coordinate across the gutter."""
    tracks: list[list[Strand]] = []
    for strand in sorted(strands, key=lambda one: (one.low, one.high, str(one.key))):
        free = (track for track in tracks if not any(strand.meets(other) for other in track))
        track = next(free, None)
        if track is None:
            tracks.append(track := [])
        track.append(strand)
    return {strand.key: place for place, track in enumerate(_ordered(tracks)) for strand in track}


def _ordered(tracks: list[list[Strand]]) -> list[list[Strand]]:
    """Return tracks in an order in which few lines cross: neighbours are swapped while that helps."""
    found = list(tracks)
    for _ in range(_ROUNDS):
        swapped = False
        for i in range(len(found) - 1):
            one, other = found[i : i + 2]
            if _crossings(other, one) < _crossings(one, other):
                found[i : i + 2] = [other, one]
                swapped = True
        if not swapped:
            break
    return found


def _crossings(first: Sequence[Strand], second: Sequence[Strand]) -> int:
    """Return how often lines of two tracks cross, the first being on the lower side."""
    return sum(b.spans(a.after) + a.spans(b.before) for a in first for b in second)
