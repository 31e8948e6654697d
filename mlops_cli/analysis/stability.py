"""The population stability index of two sets of counts, and what it comes to where nothing has changed. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[np.float64]

_LEAST_SHARE = 1e-4  # in place of 0, whose logarithm there is none

_ENOUGH = 50.0
"""Rows that the smaller side is expected to have in a part, from which on the index is as good as χ²."""
_MOST = 200
"""Rows that the smaller side never has in a part that has fewer than those."""


def stability(a: Numbers, b: Numbers) -> float:
    """Return the population stability index of two sets of counts over the same parts.

    Examples
    --------
    >>> stability(np.array([50.0, 50.0]), np.array([50.0, 50.0]))
    0.0
    """
    return float(_terms(a / a.sum(), b / b.sum()).sum())


def stability_by_chance(a: Numbers, b: Numbers) -> float:
    """Return what the index comes to on average where the rows of both sides are shuffled.

    It grows with the number of parts and falls with that of rows: about ``(parts - 1) * (1/n + 1/m)`` of parts with
    many rows. Of the others the chance of each count on the smaller side is that of drawing without putting back.

    Parameters
    ----------
    a, b : array of float
        Counts, shape (parts,); neither is without rows.

    Examples
    --------
    >>> round(stability_by_chance(np.array([500.0, 500.0]), np.array([500.0, 500.0])), 4)
    0.002
    """
    few, many = sorted((float(a.sum()), float(b.sum())))
    sizes, often = np.unique(a + b, return_counts=True)
    is_rare = sizes * few / (few + many) < _ENOUGH
    usual = (1 - sizes / (few + many)) * (1 / few + 1 / many)
    return float((often[~is_rare] * usual[~is_rare]).sum() + (often[is_rare] * _rare(sizes[is_rare], few, many)).sum())


def _rare(sizes: Numbers, few: float, many: float) -> Numbers:
    """Return what each part of so many rows adds on average. Shape (sizes,)."""
    on_few, size = np.arange(_MOST)[None, :], sizes[:, None]
    on_many = size - on_few
    # scipy's hypergeom takes seconds where one side has 100,000 rows
    ways = _ways(size, on_few) + _ways(few + many - size, few - on_few) - _ways(few + many, few)
    return np.asarray((np.exp(ways) * _terms(on_few / few, on_many / many)).sum(axis=1))


def _ways(of: Any, chosen: Any) -> Any:
    """Return the logarithm of the number of ways to choose; of what cannot be chosen minus infinity."""
    from scipy.special import gammaln

    can = (chosen >= 0) & (chosen <= of)
    chosen = np.where(can, chosen, 0)
    return np.where(can, gammaln(of + 1) - gammaln(chosen + 1) - gammaln(of - chosen + 1), -np.inf)


def _terms(before: Any, after: Any) -> Any:
    before, after = np.maximum(before, _LEAST_SHARE), np.maximum(after, _LEAST_SHARE)
    return (after - before) * np.log(after / before)
