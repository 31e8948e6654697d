"""How far a score could be another on other rows of the same kind: the percentile bootstrap, all resamples at once.

A resample is told by how often it has each row, so that a statistic is computed of a whole block of resamples by a few
products of matrices. Pure: knows neither models nor metrics.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Array = np.ndarray[Any, Any]
    Statistic = Callable[[Array], Array]

RESAMPLES = 1000
LEVEL = 0.95
MOST_UNDEFINED = 0.05
"""The share of resamples in which a score may be undefined, for want of a class, and still have an interval."""

_BLOCK = 2_000_000
"""Counts that are held at once."""


@dataclass(frozen=True)
class Resampled:
    """What a score came to in all resamples."""

    values: Array  # shape (resamples,); NaN where it is undefined

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where the middle 95 % lie; None where too often it is undefined.

        As `scipy.stats.bootstrap` has it with ``method="percentile"`` (Efron & Tibshirani 1993, chapter 13).
        """
        known = self._known
        if known is None:
            return None
        low, high = np.percentile(known, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
        return float(low), float(high)

    @property
    def std(self) -> float | None:
        """The standard error: the standard deviation over the resamples, with ddof=1."""
        known = self._known
        return None if known is None or len(known) < 2 else float(np.std(known, ddof=1))

    @property
    def _known(self) -> Array | None:
        known = self.values[np.isfinite(self.values)]
        return known if len(known) >= (1 - MOST_UNDEFINED) * len(self.values) else None


def resampled(
    statistics: Mapping[str, Statistic],
    rows: int,
    *,
    groups: Array | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Resampled]:
    """Return what each statistic comes to in the same resamples.

    Parameters
    ----------
    statistics : mapping of str to callable
        Each takes how often each row is in each of some resamples, shape (some, rows), and returns a value for each,
        shape (some,).
    rows : int
        How many rows there are.
    groups : array of shape (rows,), optional
        Rows of one group are drawn together; what is drawn is groups, as many as there are.
    resamples : int
        How many.
    seed : int
        The same seed draws the same resamples.

    Examples
    --------
    >>> values = np.array([1.0, 2.0, 3.0, 4.0])
    >>> found = resampled({"mean": lambda counts: counts @ values / 4}, rows=4, resamples=500)
    >>> low, high = found["mean"].interval
    >>> 1.25 <= low < 2.5 < high <= 3.75
    True
    """
    codes = None if groups is None else np.unique(groups, return_inverse=True)[1]
    units = rows if codes is None else int(codes.max()) + 1
    found: dict[str, list[Array]] = {name: [] for name in statistics}
    for drawn in _counts(units, max(units, rows), resamples, np.random.default_rng(seed)):
        counts = drawn if codes is None else drawn[:, codes]
        for name, statistic in statistics.items():
            found[name].append(statistic(counts))
    return {name: Resampled(np.concatenate(parts)) for name, parts in found.items()}


def _counts(units: int, width: int, resamples: int, chance: np.random.Generator) -> Iterator[Array]:
    """Yield how often each unit is drawn, block by block; together the draws of one call for all resamples."""
    size = max(1, _BLOCK // width)
    for begin in range(0, resamples, size):
        some = min(size, resamples - begin)
        drawn = chance.integers(0, units, (some, units))
        flat = (drawn + units * np.arange(some)[:, None]).ravel()
        yield np.bincount(flat, minlength=some * units).reshape(some, units).astype("float64")
