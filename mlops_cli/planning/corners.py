"""A few points that between them have every choice of a space that is not a number.

What could be wrong with a sweep is looked for at these before the first fit: a choice of a model or of a step is a
config of its own, while numbers in the same place are alike.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_cli.records import Dimension, SweepSpec

MOST = 64
"""Points that are looked at; what lies beyond is met when its trial begins."""

WHOLE = ("split", "seed")
"""Sections of which numbers are looked at too: they decide how rows are parted."""


def corners(sweep: SweepSpec) -> list[dict[str, Any]]:
    """Return the points: of each subspace the first one, and that with each other choice in its place.

    Examples
    --------
    >>> from mlops_cli.records import Dimension, DimensionKind, SweepSpec
    >>> penalty = Dimension("model.penalty", DimensionKind.CHOICE, ("l1", "l2"))
    >>> c = Dimension("model.C", DimensionKind.CHOICE, (1, 10))
    >>> corners(SweepSpec(subspaces=((penalty, c),)))
    [{'model.penalty': 'l1', 'model.C': 1}, {'model.penalty': 'l2', 'model.C': 1}]
    """
    if not sweep.is_sweep:
        return [{}]
    return list(itertools.islice(itertools.chain.from_iterable(map(_star, sweep.subspaces)), MOST))


def _star(subspace: tuple[Dimension, ...]) -> Iterator[dict[str, Any]]:
    middle = {d.key: _first(d) for d in subspace}
    yield middle
    for dimension in subspace:
        for choice in dimension.choices[1:]:
            if _is_looked_at(dimension, choice):
                yield {**middle, dimension.key: choice}


def _is_looked_at(dimension: Dimension, choice: Any) -> bool:
    is_number = isinstance(choice, int | float) and not isinstance(choice, bool)
    return not is_number or dimension.key.partition(".")[0] in WHOLE


def _first(dimension: Dimension) -> Any:
    if dimension.is_finite:
        return dimension.choices[0]
    low, high = float(dimension.low or 0), float(dimension.high or 0)
    middle = math.sqrt(low * high) if dimension.log else (low + high) / 2
    return min(int(high), max(int(low), round(middle))) if dimension.integer else middle
