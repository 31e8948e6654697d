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
from mlops_cli.analysis.stability import stability, stability_by_chance
from mlops_cli.analysis.tallies import cumulated, on_same_knots, order_statistics, steps_of
from mlops_cli.records import Kind, Shift

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from mlops_cli.records import ColumnReference, Steps

    Numbers = npt.NDArray[np.float64]

BINS = 10
"""Parts of equal weight by which the population stability index of numbers is taken."""

LEAST_EXPECTED = 5.0
"""Categories of which fewer are expected are put together: the χ² distribution does not hold for them."""

FEW = 20
"""Numbers of so many different values at most are tested by how often each value occurs."""

_ROWS_PER_VALUE = 5
_ENOUGH_ROWS = 50  # for the distribution that the Kolmogorov-Smirnov statistic has in the limit

_MOST_EXACT = 10_000  # rows of the other side, past which the exact distribution takes too long

OTHERS = "\0others"
"""Stands for all new categories that are not named."""

SHOWN_CATEGORIES = 20


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
        found = shift_of_steps(str(a.name), steps_of(_finite(a)), steps_of(_finite(b)))
    else:
        x, y = (dict(zip(c.index, c.tolist(), strict=True)) for c in (w.value_counts() for w in words(a, b)))
        found = shift_of_words(str(a.name), x, y)
    return replace(found, kind=kind, missing=missing)


def shift_between(a: ColumnReference, b: ColumnReference) -> Shift:
    """Return how far one column has moved, of which there are no rows; its p is not adjusted.

    Parameters
    ----------
    a, b : ColumnReference
        The column before and after, compared by the same.
    """
    if a.words is not None and b.words is not None:
        beyond = {OTHERS: b.words.others} if b.words.others else {}
        found = shift_of_words(a.name, a.words.counts, {**b.words.counts, **beyond})
    elif a.steps is not None and b.steps is not None:
        found = shift_of_steps(a.name, a.steps, b.steps)
    else:
        found = Shift(a.name, a.kind)
    missing = (a.missing / max(a.rows, 1), b.missing / max(b.rows, 1))
    return replace(found, kind=a.kind, missing=missing)


def _share_missing(column: pd.Series[Any]) -> float:
    return float(column.isna().mean()) if len(column) else 0.0


def _have_one_order(a: pd.Series[Any], b: pd.Series[Any]) -> bool:
    are_numbers = [bool(pd.api.types.is_numeric_dtype(column.dtype)) for column in (a, b)]
    return all(are_numbers) or (is_time(a) and is_time(b))


def _finite(column: pd.Series[Any]) -> Numbers:
    values = floats(column)
    return values[np.isfinite(values)]


# --- numbers -----------------------------------------------------------------------------------------------------


def shift_of_steps(name: str, a: Steps, b: Steps) -> Shift:
    """Return how far numbers have moved.

    Exact where all values of the first are knots and those of the second too; else the statistic of Kolmogorov and
    Smirnov is too small by the share of values between two knots at most.

    Parameters
    ----------
    name : str
        Of the column.
    a, b : Steps
        The numbers before and after; the second with all values, or by the knots of the first.
    """
    if a.total < 2 or b.total < 2:
        return Shift(name, Kind.NUMERIC)
    a, b = on_same_knots(a, b)
    moved = _wasserstein(a, b)
    found = Shift(name, Kind.NUMERIC, distance=moved / a.std if a.std > 0 else float(moved > 0))
    is_few = len(a.knots) <= FEW and len(a.knots) * _ROWS_PER_VALUE <= a.total + b.total
    if is_few and a.is_exact and b.is_exact:
        table = np.array([a.equal, b.equal])
        return _tested(_with_stability(found, *table), _pooled(table))
    return _ordered(_with_stability(found, *_binned(a, b)), a, b)


def _shares(steps: Steps) -> tuple[Numbers, Numbers]:
    """Return which share of values lies below each knot, and which at it or below."""
    below, upto = cumulated(steps)
    return below / steps.total, upto / steps.total


def _ordered(found: Shift, a: Steps, b: Steps) -> Shift:
    """Return a shift tested by Kolmogorov and Smirnov; exactly where there are too few rows for the limit."""
    from scipy.stats import ks_2samp, kstwo

    few, many = sorted((a.total, b.total))
    if few < _ENOUGH_ROWS and many <= _MOST_EXACT and a.is_exact and b.is_exact:
        tested = ks_2samp(*(np.repeat(s.knots, s.equal.astype("int64")) for s in (a, b)), method="auto")
        return replace(found, test="ks", statistic=float(tested.statistic), p=float(tested.pvalue))
    statistic = max(float(np.abs(x - y).max()) for x, y in zip(_shares(a), _shares(b), strict=True))
    # As `ks_2samp` has it with ``method="asymp"``, which wants the rows.
    p = float(np.clip(kstwo.sf(statistic, np.round(float(many) * few / (float(many) + few))), 0, 1))
    return replace(found, test="ks", statistic=statistic, p=p)


def _wasserstein(a: Steps, b: Steps) -> float:
    """Return the area between two distribution functions.

    Between two knots the area under each is known by the sum of the values there. Where they cross between two, which
    the values alone would tell, they are taken for straight.
    """
    (a_below, a_upto), (b_below, b_upto) = _shares(a), _shares(b)
    (a_area, a_ends), (b_area, b_ends) = _areas(a, a_upto), _areas(b, b_upto)
    area, left, right = np.abs(a_area - b_area), (a_upto - b_upto)[:-1], (a_below - b_below)[1:]
    crossing = left * right < 0
    if crossing.any():
        x, y = np.abs(left[crossing]), np.abs(right[crossing])
        straight = np.diff(a.knots)[crossing] * (x**2 + y**2) / (2 * (x + y))
        area[crossing] = np.maximum(area[crossing], straight)
    return float(np.abs(a_ends - b_ends).sum() + area.sum())


def _areas(steps: Steps, upto: Numbers) -> tuple[Numbers, Numbers]:
    """Return the area under a distribution function between knots, below the first, and above it past the last."""
    knots, between, sums = steps.knots, steps.between, steps.sums
    inside = upto[:-1] * np.diff(knots) + (between[1:-1] * knots[1:] - sums[1:-1]) / steps.total
    ends = np.array([between[0] * knots[0] - sums[0], sums[-1] - between[-1] * knots[-1]]) / steps.total
    return inside, ends


def _binned(a: Steps, b: Steps) -> tuple[Numbers, Numbers]:
    """Return how many values lie in each of some parts that hold equally many of the first, bounded by values of it."""
    _, upto = cumulated(a)
    deciles = np.searchsorted(upto, order_statistics(a.total, BINS), side="right")
    edges = np.unique(np.minimum(deciles, len(a.knots) - 1))[1:-1]

    def counts(steps: Steps) -> Numbers:
        return np.diff(np.concatenate([[0.0], cumulated(steps)[0][edges], [float(steps.total)]]))

    return counts(a), counts(b)


# --- categories --------------------------------------------------------------------------------------------------


def shift_of_words(name: str, a: Mapping[str, float], b: Mapping[str, float]) -> Shift:
    """Return how far categories have moved, of which it is known how often each occurs."""
    names = sorted({*a, *b})
    table = np.array([[counts.get(name, 0) for name in names] for counts in (a, b)], dtype="float64")
    new, gone = ([n for n, count in zip(names, row, strict=True) if not count] for row in table)
    found = Shift(name, Kind.CATEGORICAL, new=_first(new), gone=_first(gone))
    if not table.any(axis=1).all():
        return found
    shares = table / table.sum(axis=1, keepdims=True)
    found = replace(found, distance=float(np.abs(shares[0] - shares[1]).sum() / 2))
    return _tested(_with_stability(found, *table), _pooled(table))


def _first(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name != OTHERS)[:SHOWN_CATEGORIES]


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
    test, statistic, p = tested_table(table)
    return replace(found, test=test, statistic=statistic, p=p)


def tested_table(table: Numbers) -> tuple[str, float | None, float | None]:
    """Return by which test, with which statistic and p, two rows of counts differ.

    By χ²; by Fisher's exact test where of two categories one is too rare for that; not at all where there is one.
    """
    from scipy.stats import chi2_contingency, fisher_exact

    if table.shape[1] < 2:
        return "", None, None
    if table.shape[1] == 2 and _least_expected(table).min() < LEAST_EXPECTED:
        tested = fisher_exact(table.astype("int64"))
        return "fisher", float(tested.statistic), float(tested.pvalue)
    tested = chi2_contingency(table, correction=False)
    return "chi2", float(tested.statistic), float(tested.pvalue)


def _with_stability(found: Shift, a: Numbers, b: Numbers) -> Shift:
    return replace(found, psi=stability(a, b), psi_by_chance=stability_by_chance(a, b))
