"""A search space around one point: what is tried when a model is made anew with parameters like those it has. Pure."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_cli.records import Dimension, DimensionKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NARROWED = 0.25
"""The share of an interval's width, in its own scale, that is left around a value."""

Subspace = tuple[Dimension, ...]


def around(subspaces: Sequence[Subspace], params: Mapping[str, Any]) -> Subspace:
    """Return the space around a point of a space.

    An interval is narrowed to a quarter of its width around the value, in its own scale; near an end of the whole it is
    moved inwards.
    Of choices that are numbers the value stays with those beside it in their order; of others, and of options of a
    group, the value alone.

    Parameters
    ----------
    subspaces : sequence of tuple of Dimension
        The whole space.
    params : mapping of str to Any
        Swept key → value.

    Returns
    -------
    tuple of Dimension
        Nothing where the point lies in none of the subspaces.

    Examples
    --------
    >>> c = Dimension("model.C", DimensionKind.INTERVAL, low=1e-4, high=1e4, log=True)
    >>> (found,) = around([(c,)], {"model.C": 1.0})
    >>> round(found.low, 6), round(found.high, 6)
    (0.1, 10.0)
    """
    for subspace in subspaces:
        if {dimension.key for dimension in subspace} == set(params) and all(_holds(d, params[d.key]) for d in subspace):
            return tuple(_narrowed(dimension, params[dimension.key]) for dimension in subspace)
    return ()


def point(params: Mapping[str, Any], subspaces: Sequence[Subspace]) -> Subspace:
    """Return the space that has one point and no more; its keys are swept, so that they are told of as before."""
    groups = {d.key for subspace in subspaces for d in subspace if d.is_group}
    return tuple(Dimension(k, DimensionKind.CHOICE, (v,), is_group=k in groups) for k, v in params.items())


def _holds(dimension: Dimension, value: Any) -> bool:
    if dimension.kind is DimensionKind.CHOICE:
        return value in dimension.choices
    return _is_number(value) and bool((dimension.low or 0.0) <= value <= (dimension.high or 0.0))


def _narrowed(dimension: Dimension, value: Any) -> Dimension:
    if dimension.kind is DimensionKind.CHOICE:
        return replace(dimension, choices=_neighbours(dimension, value))
    low, high = _ends(dimension, float(value))
    if dimension.integer:
        low, high = max(dimension.low or 0.0, min(math.floor(low), value - 1)), max(math.ceil(high), value + 1)
    return replace(dimension, low=low, high=min(high, dimension.high or 0.0))


def _ends(dimension: Dimension, value: float) -> tuple[float, float]:
    """Return the ends of what is left of an interval, moved inwards where the value lies near an end of the whole."""
    first, last = float(dimension.low or 0.0), float(dimension.high or 0.0)
    if dimension.log:
        low, high = _inside(math.log(first), math.log(last), math.log(value))
        return max(first, math.exp(low)), min(last, math.exp(high))
    return _inside(first, last, value)


def _inside(first: float, last: float, value: float) -> tuple[float, float]:
    width = NARROWED * (last - first)
    low = min(max(first, value - width / 2), last - width)
    return low, low + width


def _neighbours(dimension: Dimension, value: Any) -> tuple[Any, ...]:
    numbers = [choice for choice in dimension.choices if _is_number(choice)]
    if dimension.is_group or not _is_number(value):
        return (value,)
    ordered = sorted(set(numbers))
    place = ordered.index(value)
    return tuple(ordered[max(0, place - 1) : place + 2])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
