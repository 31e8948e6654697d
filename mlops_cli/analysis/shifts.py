"""How far the values of columns have moved between two tables, and whether chance would move them as far. Pure.

Numbers and times are compared by the Kolmogorov-Smirnov test and the Wasserstein distance, all others by the χ² test
and the total variation distance; both also by the population stability index. Numbers of few different values are
tested by χ² too: the distribution of Kolmogorov and Smirnov is that of values without ties, and finds next to nothing
in columns of 0 and 1.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlops_cli.analysis.forms import floats, is_time, words
from mlops_cli.records import Kind, Shift

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    Numbers = npt.NDArray[np.float64]

BINS = 10
"""Parts of equal weight by which the population stability index of numbers is taken."""

LEAST_EXPECTED = 5.0
"""Categories of which fewer are expected are put together: the χ² distribution does not hold for them."""

FEW = 20
"""Numbers of so many different values at most are tested by how often each value occurs."""

_ROWS_PER_VALUE = 5
_ENOUGH_ROWS = 50  # for the distribution that the Kolmogorov-Smirnov statistic has in the limit

SHOWN_CATEGORIES = 20

_LEAST_SHARE = 1e-4  # in place of 0, whose logarithm there is none


def shifts(a: pd.DataFrame, b: pd.DataFrame, kinds: Mapping[str, Kind]) -> tuple[Shift, ...]:
    """Return how far each column has moved, those with the least p first.

    Parameters
    ----------
    a, b : DataFrame
        Two tables.
    kinds : mapping of str to Kind
        The columns that are to be compared; both tables have them.

    Returns
    -------
    tuple of Shift
        With p adjusted for the number of columns that were tested.

    References
    ----------
    Y. Benjamini, Y. Hochberg. Controlling the False Discovery Rate. J. R. Stat. Soc. B 57, 1995.
    """
    found = adjusted([shift(a[name], b[name], kind) for name, kind in kinds.items()])
    return tuple(sorted(found, key=lambda s: (s.p is None, s.p, -(s.distance or 0.0), s.column)))


def adjusted(found: Sequence[Shift]) -> list[Shift]:
    """Return shifts with their p adjusted, so that of those under a level no more than that share is false."""
    from scipy.stats import false_discovery_control

    tested = [s.p for s in found if s.p is not None]
    if not tested:
        return list(found)
    values = iter(false_discovery_control(tested).tolist())
    return [s if s.p is None else replace(s, p=next(values)) for s in found]


def shift(a: pd.Series[Any], b: pd.Series[Any], kind: Kind) -> Shift:
    """Return how far one column has moved; its p is not adjusted.

    Parameters
    ----------
    a, b : Series
        The values before and after, of whatever length.
    kind : Kind
        Numbers and times are compared by their order, others by their categories.
    """
    missing = (_share_missing(a), _share_missing(b))
    if kind in {Kind.NUMERIC, Kind.DATETIME} and _have_one_order(a, b):
        found = _of_numbers(str(a.name), _finite(a), _finite(b))
    else:
        found = _of_categories(str(a.name), *words(a, b))
    return replace(found, kind=kind, missing=missing)


def _share_missing(column: pd.Series[Any]) -> float:
    return float(column.isna().mean()) if len(column) else 0.0


def _have_one_order(a: pd.Series[Any], b: pd.Series[Any]) -> bool:
    are_numbers = [bool(pd.api.types.is_numeric_dtype(column.dtype)) for column in (a, b)]
    return all(are_numbers) or (is_time(a) and is_time(b))


def _finite(column: pd.Series[Any]) -> Numbers:
    values = floats(column)
    return values[np.isfinite(values)]


# --- numbers -----------------------------------------------------------------------------------------------------


def _of_numbers(name: str, a: Numbers, b: Numbers) -> Shift:
    from scipy.stats import wasserstein_distance

    if len(a) < 2 or len(b) < 2:
        return Shift(name, Kind.NUMERIC)
    spread = float(a.std(ddof=1))
    moved = float(wasserstein_distance(a, b))
    found = Shift(name, Kind.NUMERIC, distance=moved / spread if spread > 0 else float(moved > 0))
    values, places = np.unique(np.concatenate([a, b]), return_inverse=True)
    if len(values) <= FEW and len(values) * _ROWS_PER_VALUE <= len(places):
        table = np.array([np.bincount(p, minlength=len(values)) for p in (places[: len(a)], places[len(a) :])], float)
        return _tested(replace(found, psi=_stability(*table)), _pooled(table))
    return _ordered(replace(found, psi=_stability(*_binned(a, b))), a, b)


def _ordered(found: Shift, a: Numbers, b: Numbers) -> Shift:
    """Return a shift tested by Kolmogorov and Smirnov; exactly where there are too few rows for the limit."""
    from scipy.stats import ks_2samp

    tested = ks_2samp(a, b, method="auto" if min(len(a), len(b)) < _ENOUGH_ROWS else "asymp")
    return replace(found, test="ks", statistic=float(tested.statistic), p=float(tested.pvalue))


def _binned(a: Numbers, b: Numbers) -> tuple[Numbers, Numbers]:
    """Return how many values lie in each of some parts that hold equally many of the first."""
    edges = np.unique(np.quantile(a, np.linspace(0, 1, BINS + 1)))[1:-1]

    def counts(values: Numbers) -> Numbers:
        found: Numbers = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1).astype(
            float
        )
        return found

    return counts(a), counts(b)


# --- categories --------------------------------------------------------------------------------------------------


def _of_categories(name: str, a: pd.Series[Any], b: pd.Series[Any]) -> Shift:
    counts = pd.concat([a.value_counts(), b.value_counts()], axis=1, keys=["a", "b"]).fillna(0.0)
    new, gone = counts.index[counts["a"] == 0], counts.index[counts["b"] == 0]
    found = Shift(name, Kind.CATEGORICAL, new=_first(new), gone=_first(gone))
    if not len(a) or not len(b):
        return found
    table = counts.to_numpy(dtype="float64").T
    shares = table / table.sum(axis=1, keepdims=True)
    found = replace(found, distance=float(np.abs(shares[0] - shares[1]).sum() / 2), psi=_stability(*table))
    return _tested(found, _pooled(table))


def _first(names: pd.Index[Any]) -> tuple[str, ...]:
    return tuple(sorted(map(str, names))[:SHOWN_CATEGORIES])


def _pooled(table: Numbers) -> Numbers:
    """Return the counts with rare categories put together, and with the next rarest until together they are not rare.

    One category at least stays beside them; where that is rare too, there is nothing to tell, and one column is left.
    """
    expected = _least_expected(table)
    order = np.argsort(expected, kind="stable")
    rare = int((expected < LEAST_EXPECTED).sum())
    if not rare or len(order) < 3:
        return table
    if rare == len(order):
        return np.asarray(table.sum(axis=1, keepdims=True))
    enough = int(np.searchsorted(np.cumsum(expected[order]), LEAST_EXPECTED)) + 1
    together = min(max(rare, enough), len(order) - 1)
    pooled = table[:, order[:together]].sum(axis=1)
    return np.column_stack([table[:, order[together:]], pooled])


def _least_expected(table: Numbers) -> Numbers:
    """Return how many of each category are expected in the smaller of two samples. Shape (categories,)."""
    return np.asarray(table.sum(axis=0) * table.sum(axis=1).min() / table.sum())


def _tested(found: Shift, table: Numbers) -> Shift:
    """Return a shift tested by χ²; by Fisher's exact test where of two categories one is too rare for that."""
    from scipy.stats import chi2_contingency, fisher_exact

    if table.shape[1] < 2:
        return found
    if table.shape[1] == 2 and _least_expected(table).min() < LEAST_EXPECTED:
        tested = fisher_exact(table.astype("int64"))
        return replace(found, test="fisher", statistic=float(tested.statistic), p=float(tested.pvalue))
    tested = chi2_contingency(table, correction=False)
    return replace(found, test="chi2", statistic=float(tested.statistic), p=float(tested.pvalue))


def _stability(a: Numbers, b: Numbers) -> float:
    """Return the population stability index of two sets of counts over the same parts."""
    before = np.maximum(a / a.sum(), _LEAST_SHARE)
    after = np.maximum(b / b.sum(), _LEAST_SHARE)
    return float(((after - before) * np.log(after / before)).sum())
