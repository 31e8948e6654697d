"""The contract suite of samplers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from mlops_cli.records import TrialState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlops_cli.contracts import Sampler

_WINDOW = 8
_MANY = 200


def check_sampler(make: Callable[[], Sampler], *, objectives: int = 1, most: int = _MANY) -> None:
    """Check that a sampler keeps to `mlops_cli.contracts.Sampler`.

    It gives mappings, none of them twice, as many as it says, and then None for good; it takes trials that ended in any
    state, while others are under way; and what it gives depends on the calls alone, so that a sweep can be resumed.

    Parameters
    ----------
    make : callable
        Returns a new sampler, the same at each call.
    objectives : int
        How many values it is told of a point.
    most : int
        How many points are asked for at most.

    Examples
    --------
    >>> from mlops_cli.components.samplers import make_sampler
    >>> from mlops_cli.records import Dimension, DimensionKind, SweepSpec
    >>> c = Dimension("model.C", DimensionKind.CHOICE, (1, 10))
    >>> check_sampler(lambda: make_sampler(SweepSpec(subspaces=((c,),))))
    """
    points = _swept(make(), objectives, most)
    _check_points(points)
    _check_end(make(), len(points), objectives, most)
    again = _swept(make(), objectives, most)
    assert again == points, f"the same calls gave other points: {_first_difference(points, again)}"  # noqa: S101
    for stop in {1, len(points) // 2}:
        _check_resumed(make, points, stop, objectives)


def _swept(sampler: Sampler, objectives: int, most: int) -> list[Mapping[str, Any]]:
    """Return the points of a sweep, of which so many are under way at a time."""
    points: list[Mapping[str, Any]] = []
    while len(points) < most and (point := sampler.ask()) is not None:
        points.append(point)
        if len(points) > _WINDOW:
            _tell(sampler, len(points) - 1 - _WINDOW, objectives)
    return points


def _tell(sampler: Sampler, number: int, objectives: int) -> None:
    """Tell of a point what its number says: most are completed, with an odd one of each other kind."""
    values = [math.sin(number + place) for place in range(objectives)]
    if number % 7 == 3:
        sampler.tell(number, TrialState.FAILED, None)
    elif number % 7 == 4:
        sampler.tell(number, TrialState.LOST, None)
    elif number % 7 == 5:
        sampler.tell(number, TrialState.PRUNED, values)
    else:
        sampler.tell(number, TrialState.COMPLETED, values)


def _check_points(points: list[Mapping[str, Any]]) -> None:
    assert points, "it gave no point"  # noqa: S101
    seen = [repr(sorted(point.items())) for point in points]
    twice = next((point for number, point in enumerate(seen) if point in seen[:number]), None)
    assert twice is None, f"it gave a point twice: {twice}"  # noqa: S101


def _check_end(sampler: Sampler, given: int, objectives: int, most: int) -> None:
    size = sampler.size
    assert size is None or min(size, most) == given, f"it says that it gives {size} points, and gave {given}"  # noqa: S101
    _swept(sampler, objectives, most)
    if given < most:
        assert sampler.ask() is None, "it gave another point after None"  # noqa: S101


def _check_resumed(make: Callable[[], Sampler], points: list[Mapping[str, Any]], stop: int, objectives: int) -> None:
    """Check that a sampler that is asked and told the same as far as ``stop`` goes on in the same way."""
    first, second = make(), make()
    for sampler in (first, second):
        _swept(sampler, objectives, stop)
    for number in range(stop, len(points)):
        found = first.ask(), second.ask()
        assert found[0] == found[1] == points[number], f"resumed at {stop} it gave {found[1]} as {number}"  # noqa: S101
        for sampler in (first, second):
            if number >= _WINDOW:
                _tell(sampler, number - _WINDOW, objectives)


def _first_difference(a: list[Mapping[str, Any]], b: list[Mapping[str, Any]]) -> str:
    number = next((n for n, pair in enumerate(zip(a, b, strict=False)) if pair[0] != pair[1]), min(len(a), len(b)))
    return f"{a[number : number + 1]} and {b[number : number + 1]} as number {number}"
