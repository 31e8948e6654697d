"""The same parts of a column's values before and after, out of what was counted. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_cli.analysis.forms import word
from mlops_cli.analysis.tallies import counted_below, on_same_knots, quantiles
from mlops_cli.records import ComparedBy, Histogram, Kind

if TYPE_CHECKING:
    import numpy.typing as npt

    from mlops_cli.records import ColumnReference, Steps, Words

    Numbers = npt.NDArray[np.float64]

PARTS = 24
CATEGORIES = 12
"""Bars; further categories are one bar together."""
REST = "(all others)"

_MIDDLE = np.array([0.005, 0.995])


def histogram(before: ColumnReference, after: ColumnReference) -> Histogram | None:
    """Return the share of values in each part; of those that are not missing.

    Parameters
    ----------
    before, after : ColumnReference
        Compared by the same. Between knots values are taken to be spread evenly.
    """
    if before.words is not None and after.words is not None:
        return _of_words(before.words, after.words)
    a, b = before.steps, after.steps
    if a is None or b is None or not a.total or not b.total:
        return None
    if before.kind is not Kind.DATETIME and before.by is ComparedBy.NUMBERS and a.is_exact and b.is_exact:
        x, y = on_same_knots(a, b)
        if len(x.knots) <= CATEGORIES:
            labels = tuple(word(value) for value in x.knots.tolist())
            return Histogram(labels, (), _tuple(x.equal / x.total), _tuple(y.equal / y.total))
    edges = _edges(a, b)
    return Histogram((), _tuple(edges), _shares(a, edges), _shares(b, edges), before.kind is Kind.DATETIME)


def _edges(a: Steps, b: Steps) -> Numbers:
    """Return edges around nearly all values of both; what lies beyond is counted with the outermost parts."""
    ends = np.concatenate([quantiles(s, _MIDDLE) for s in (a, b)])
    low, high = float(ends.min()), float(ends.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, PARTS + 1)


def _shares(steps: Steps, edges: Numbers) -> tuple[float, ...]:
    inner = counted_below(steps, edges[1:-1])
    return _tuple(np.diff(np.concatenate([[0.0], inner, [float(steps.total)]])) / steps.total)


def _of_words(a: Words, b: Words) -> Histogram | None:
    totals = a.total, b.total
    if not all(totals):
        return None
    share = {
        n: (a.counts.get(n, 0) / totals[0], b.counts.get(n, 0) / totals[1]) for n in sorted({*a.counts, *b.counts})
    }
    names = sorted(share, key=lambda n: (-max(share[n]), n))[:CATEGORIES]
    names.sort(key=lambda n: (-share[n][0], -share[n][1], n))
    before, after = (tuple(share[n][side] for n in names) for side in (0, 1))
    if len(share) > len(names) or b.others:
        rest = [max(0.0, 1 - sum(part)) for part in (before, after)]
        return Histogram((*names, REST), (), (*before, rest[0]), (*after, rest[1]))
    return Histogram(tuple(names), (), before, after)


def _tuple(values: Numbers) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
