"""How strongly two columns go together, from 0 to 1, by one measure that suits each pair of kinds.

All three see order and classes alone, so that no outlier and no change of scale moves them, and all but the first are
corrected for what chance gives columns of many classes. Pure; knows nothing of datasets.

References
----------
C. Spearman. The Proof and Measurement of Association between Two Things. American Journal of Psychology 15, 1904.
T. L. Kelley. An Unbiased Correlation Ratio Measure. PNAS 21, 1935; of ranks it is the effect size of Kruskal and
Wallis, JASA 47, 1952.
W. Bergsma. A bias-correction for Cramér's V and Tschuprow's T. Journal of the Korean Statistical Society 42, 2013.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Codes = npt.NDArray[np.intp]

_MOST_CELLS = 2_000_000
_FEWEST_ROWS = 3


@dataclass(frozen=True)
class Quantity:
    """Numbers whose order means something; NaN where missing. Shape (rows,)."""

    values: Floats

    @cached_property
    def present(self) -> npt.NDArray[np.bool_]:
        """Where there is a value."""
        return ~np.isnan(self.values)

    @cached_property
    def order(self) -> npt.NDArray[np.intp]:
        """The places of the values from the least to the greatest, and then of the missing ones."""
        return np.argsort(self.values)

    @cached_property
    def ranks(self) -> Floats:
        """The rank of each value, from 0; equal ones have the mean of theirs, and missing ones mean nothing."""
        ordered = self.values[self.order]
        starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        sizes = np.diff(np.concatenate((starts, [len(ordered)])))
        result = np.empty(len(ordered))
        result[self.order] = np.repeat(starts + (sizes - 1) / 2, sizes)
        return result

    def ranks_of(self, rows: npt.NDArray[np.bool_]) -> Floats:
        """Return the ranks among some rows, all of which have a value."""
        if np.array_equal(rows, self.present):  # missing values come last, and change no rank before them
            return self.ranks[rows]
        return Quantity(self.values[rows]).ranks


@dataclass(frozen=True)
class Classes:
    """Values that are equal or not, as numbers from 0; -1 where missing. Shape (rows,)."""

    codes: Codes

    @cached_property
    def present(self) -> npt.NDArray[np.bool_]:
        """Where there is a value."""
        return np.asarray(self.codes >= 0)


def association(a: Quantity | Classes, b: Quantity | Classes) -> float | None:
    """Return how strongly two columns go together.

    Two quantities: the absolute value of Spearman's rank correlation. A quantity and classes: the square root of
    epsilon squared, Kelley's unbiased correlation ratio, of ranks. Classes: Cramér's V with Bergsma's correction.
    Rows where either is missing do not count.

    Returns
    -------
    float or None
        From 0 to 1; None where one of them does not vary, or there are too few rows to say.

    Examples
    --------
    >>> up = Quantity(np.arange(8.0))
    >>> association(up, Quantity(np.arange(8.0) ** 3)), association(up, Classes(np.zeros(8, dtype=np.intp)))
    (1.0, None)
    """
    both = a.present & b.present
    if both.sum() < _FEWEST_ROWS:
        return None
    if isinstance(a, Quantity):
        ranks = a.ranks_of(both)
        return _spearman(ranks, b.ranks_of(both)) if isinstance(b, Quantity) else _epsilon(ranks, b.codes[both])
    return association(b, a) if isinstance(b, Quantity) else _cramer(a.codes[both], b.codes[both])


def _spearman(a: Floats, b: Floats) -> float | None:
    x, y = a - a.mean(), b - b.mean()
    scale = math.sqrt(float(x @ x) * float(y @ y))
    return min(1.0, abs(float(x @ y)) / scale) if scale > 0 else None


def _epsilon(ranks: Floats, codes: Codes) -> float | None:
    x = ranks - ranks.mean()
    total, sizes = float(x @ x), np.bincount(codes)
    groups, rows = int((sizes > 0).sum()), len(codes)
    if total == 0 or groups < 2 or groups >= rows:
        return None
    between = float((np.bincount(codes, x) ** 2 / np.maximum(sizes, 1)).sum())
    unbiased = 1 - (1 - between / total) * (rows - 1) / (rows - groups)
    return math.sqrt(min(1.0, max(0.0, unbiased)))


def _cramer(a: Codes, b: Codes) -> float | None:
    across, rows = int(b.max()) + 1, len(a)
    if (int(a.max()) + 1) * across > _MOST_CELLS:
        return None
    table = np.bincount(a * across + b, minlength=(int(a.max()) + 1) * across).reshape(-1, across).astype(float)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    r, k = table.shape
    if min(r, k) < 2:
        return None
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / rows
    phi2 = max(0.0, float(((table - expected) ** 2 / expected).sum()) / rows - (k - 1) * (r - 1) / (rows - 1))
    smaller = min(r - (r - 1) ** 2 / (rows - 1), k - (k - 1) ** 2 / (rows - 1)) - 1
    return min(1.0, math.sqrt(phi2 / smaller)) if smaller > 0 else None
