"""What flows, written beside its arrow where there is room: over no box, no other arrow and no other words."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_cli.views.assess.fitting import fit, text_width
from mlops_cli.views.assess.layout import Area
from mlops_cli.views.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mlops_cli.views.assess.layout import Arrow, Layout, Point

SIZE, LINE = 10.5, 12
_LONGEST = 130
_HEAD = 9  # of an arrow: nothing is written over it
_CELL = 150  # of what is taken: about as wide as a box, as few words are wider


@dataclass(frozen=True)
class Label:
    """Words beside an arrow."""

    lines: tuple[str, ...]
    area: Area
    of: Arrow


class _Taken:
    """What room is taken, by squares of the chart: only what is near is looked at."""

    def __init__(self, areas: Iterable[Area]) -> None:
        self._cells: defaultdict[tuple[int, int], list[Area]] = defaultdict(list)
        for area in areas:
            self.add(area)

    def add(self, area: Area) -> None:
        """Take an area."""
        for cell in self._over(area):
            self._cells[cell].append(area)

    def is_free(self, area: Area) -> bool:
        """Whether nothing lies there."""
        return not any(area.overlaps(other) for cell in self._over(area) for other in self._cells.get(cell, ()))

    def _over(self, area: Area) -> Iterator[tuple[int, int]]:
        """Return the squares that an area lies on, its borders too."""
        across, down = (
            range(int(a // _CELL), int(b // _CELL) + 1) for a, b in ((area.x, area.right), (area.y, area.bottom))
        )
        return itertools.product(across, down)


def labels(drawn: Layout) -> tuple[Label, ...]:
    """Return what can be written; what flows elsewhere is told by the arrow's title."""
    lines = [_thick(a, b) for arrow in drawn.arrows for a, b in itertools.pairwise(arrow.points)]
    taken = _Taken([*(box.area for box in drawn.boxes), *(phase.area for phase in drawn.phases), *lines])
    made: list[Label] = []
    for arrow in drawn.arrows:
        if arrow.edge.what:
            words = clean(arrow.edge.what)
            places = ((lines, area) for lines, area in _places(arrow, words, drawn) if _is_inside(area, drawn))
            free = next((place for place in places if taken.is_free(place[1])), None)
            if free is not None:
                made.append(Label(*free, arrow))
                taken.add(free[1])
    return tuple(made)


def _is_inside(area: Area, drawn: Layout) -> bool:
    return area.x >= 0 and area.y >= 0 and area.right <= drawn.width and area.bottom <= drawn.height


def _places(arrow: Arrow, words: str, drawn: Layout) -> Iterator[tuple[tuple[str, ...], Area]]:
    """Return where words could stand, the best place first: near the end, above a level part or right of an upright."""
    shared = [p for other in drawn.arrows if _shares(other, arrow) for p in itertools.pairwise(other.points)]
    parts = list(itertools.pairwise(arrow.points))
    for place in range(len(parts) - 1, -1, -1):
        a, b = parts[place]
        if any(_thick(a, b).overlaps(_thick(*other)) for other in shared):
            continue
        is_last = place == len(parts) - 1
        yield from _beside_level(a, b, words, is_last=is_last) if a[1] == b[1] else _beside_upright(a, b, words)


def _shares(other: Arrow, arrow: Arrow) -> bool:
    """Whether words beside one could be read of the other: they come from one process and say different things."""
    return other.edge.source == arrow.edge.source and other.edge.what != arrow.edge.what


def _beside_level(a: Point, b: Point, words: str, *, is_last: bool) -> Iterator[tuple[tuple[str, ...], Area]]:
    left, right = sorted((a[0], b[0]))
    if is_last:
        left, right = (left, right - _HEAD) if b[0] > a[0] else (left + _HEAD, right)
    room = min(_LONGEST, right - left - 6)
    for count in (1, 2):
        lines = _whole(words, room, count)
        if lines:
            width, height = _size(lines)
            for y in (a[1] - 3 - height, a[1] + 3):
                for x in ((left + right - width) / 2, left + 3, right - width - 3):
                    yield lines, Area(x, y, width, height)


def _beside_upright(a: Point, b: Point, words: str) -> Iterator[tuple[tuple[str, ...], Area]]:
    top, bottom = sorted((a[1], b[1]))
    for count in (1, 2):
        lines = _whole(words, _LONGEST if count == 1 else _LONGEST / 2, count)
        if lines:
            width, height = _size(lines)
            if height + 4 <= bottom - top:
                for y in ((top + bottom - height) / 2, top + 3, bottom - height - 3):
                    yield lines, Area(a[0] + 4, y, width, height)
                    yield lines, Area(a[0] - 4 - width, y, width, height)


def _whole(words: str, room: float, count: int) -> tuple[str, ...]:
    """Return words in lines where all of them fit."""
    lines = fit(words, room, SIZE, lines=count)
    return lines if not any(line.endswith("…") for line in lines) or words.endswith("…") else ()


def _size(lines: Sequence[str]) -> tuple[float, float]:
    return max(text_width(line, SIZE) for line in lines), len(lines) * LINE


def _thick(a: Point, b: Point) -> Area:
    """Return a line as a rectangle that is as wide as it is drawn."""
    (left, right), (top, bottom) = sorted((a[0], b[0])), sorted((a[1], b[1]))
    return Area(left - 1, top - 1, right - left + 2, bottom - top + 2)
