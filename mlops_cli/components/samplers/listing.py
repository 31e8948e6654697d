"""The points of a space in order and by number: products of choices, and unions of such products.

Subspaces of a union may share points, and each point counts once. Whether an earlier subspace holds a point is seen
from the point alone, so nothing is remembered however many points there are.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlops_cli.records import Dimension

    Point = dict[str, Any]
    Box = dict[str, dict[str, Any]]
    """Key → the identity of each of its values → the value: a product of finitely many values."""


_WIDEST = 1_000_000


def identity(value: Any) -> str:
    """Return a text that differs for values that differ; 1, 1.0 and True do."""
    if isinstance(value, dict):
        return f"{{{','.join(sorted(f'{k!r}:{identity(v)}' for k, v in value.items()))}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(identity, value))}]"
    return f"{type(value).__name__}:{value!r}"


def is_listable(subspaces: Sequence[Sequence[Dimension]]) -> bool:
    """Whether the points can be listed: no dimension is an interval of real numbers, or a very wide one."""
    return all(breadth(d) <= _WIDEST for subspace in subspaces for d in subspace)


def breadth(dimension: Dimension) -> float:
    """Return how many values a dimension has."""
    if dimension.is_finite:
        return len(dimension.choices)
    return int(dimension.high or 0) - int(dimension.low or 0) + 1 if dimension.integer else math.inf


def _values_of(dimension: Dimension) -> Sequence[Any]:
    if dimension.is_finite:
        return dimension.choices
    return range(int(dimension.low or 0), int(dimension.high or 0) + 1)


def points_of(subspaces: Sequence[Sequence[Dimension]]) -> Iterator[Point]:
    """Yield every point of a union of listable subspaces once, in order."""
    boxes: list[Box] = []
    for subspace in subspaces or [()]:
        box = _box(subspace)
        rivals = [other for other in boxes if _common(box, other) is not None]
        for values in itertools.product(*(choices.values() for choices in box.values())):
            point = dict(zip(box, values, strict=True))
            if not any(_holds(rival, point) for rival in rivals):
                yield point
        boxes.append(box)


def count(subspaces: Sequence[Sequence[Dimension]]) -> int:
    """Return how many points a union of listable subspaces has, by arithmetic."""
    return _union([_box(subspace) for subspace in subspaces or [()]])


def _box(subspace: Sequence[Dimension]) -> Box:
    return {d.key: {identity(value): value for value in _values_of(d)} for d in subspace}


def _holds(box: Box, point: Mapping[str, Any]) -> bool:
    return all(identity(value) in box[key] for key, value in point.items())


def _common(a: Box, b: Box) -> Box | None:
    """Return what two boxes share; None where that is nothing."""
    if a.keys() != b.keys():
        return None
    common = {key: {name: value for name, value in a[key].items() if name in b[key]} for key in a}
    return common if all(common.values()) else None


def _union(boxes: Sequence[Box]) -> int:
    """Return the size of a union: of each box what the boxes before it do not hold."""
    total = 0
    for place, box in enumerate(boxes):
        shared = [_common(box, other) for other in boxes[:place]]
        if box in shared:  # one before holds it whole
            continue
        total += math.prod(len(choices) for choices in box.values()) - _union([s for s in shared if s is not None])
    return total
