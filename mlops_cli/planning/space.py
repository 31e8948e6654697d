"""A search space → its points. One function per sampler; each point maps swept keys to values."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np

    from mlops_cli.records import Dimension, SweepSpec

Point = dict[str, Any]


def points(sweep: SweepSpec, seed: int) -> list[Point]:
    """Return the points that a sweep tries, in order; one empty point where nothing is swept.

    Parameters
    ----------
    sweep : SweepSpec
        The space, the sampler, and how many trials.
    seed : int
        Of the random sampler.

    Examples
    --------
    >>> from mlops_cli.records import Dimension, DimensionKind, SweepSpec
    >>> c = Dimension("model.C", DimensionKind.CHOICE, (1, 10))
    >>> points(SweepSpec(subspaces=((c,),)), seed=0)
    [{'model.C': 1}, {'model.C': 10}]
    """
    if not sweep.is_sweep:
        return [{}]
    return _random(sweep, seed) if sweep.sampler == "random" else _grid(sweep)


def _grid(sweep: SweepSpec) -> list[Point]:
    """Return every combination; one that several subspaces have in common comes once."""
    found: dict[str, Point] = {}
    for subspace in sweep.subspaces:
        _require_finite(subspace)
        for values in itertools.product(*(d.choices for d in subspace)):
            point = {d.key: v for d, v in zip(subspace, values, strict=True)}
            found.setdefault(repr(sorted(point.items(), key=lambda item: item[0])), point)
    everything = list(found.values())
    return everything if sweep.trials is None else everything[: sweep.trials]


def _require_finite(subspace: Sequence[Dimension]) -> None:
    for dimension in subspace:
        if not dimension.is_finite:
            raise ConfigError(
                "an interval has no end of values to list, and sweep.sampler is grid",
                key=dimension.key,
                hint="draw from it with sweep.sampler=random sweep.trials=20, or list values: a,b,c or range(1,10,3)",
            )


def _random(sweep: SweepSpec, seed: int) -> list[Point]:
    """Draw points; each subspace is as likely as the others, and a point drawn twice comes once."""
    import numpy as np

    rng = np.random.default_rng(seed)
    wanted = sweep.trials or 0
    found: dict[str, Point] = {}
    for point in itertools.islice(_draws(sweep, rng), 20 * wanted):
        found.setdefault(repr(sorted(point.items(), key=lambda item: item[0])), point)
        if len(found) == wanted:
            break
    return list(found.values())


def _draws(sweep: SweepSpec, rng: np.random.Generator) -> Iterator[Point]:
    while True:
        subspace = sweep.subspaces[int(rng.integers(len(sweep.subspaces)))]
        yield {d.key: _draw(d, rng) for d in subspace}


def _draw(dimension: Dimension, rng: np.random.Generator) -> Any:
    if dimension.is_finite:
        return dimension.choices[int(rng.integers(len(dimension.choices)))]
    low, high = float(dimension.low or 0), float(dimension.high or 0)
    if dimension.integer and not dimension.log:
        return int(rng.integers(int(low), int(high) + 1))
    value = math.exp(rng.uniform(math.log(low), math.log(high))) if dimension.log else float(rng.uniform(low, high))
    return min(int(high), max(int(low), round(value))) if dimension.integer else value
