"""What of two sides of the same columns is drift: more than chance, and enough to matter. Pure.

All tests of one check are adjusted together, so that of a check without any drift no more than a share `alpha` finds
some. With many rows everything is more than chance, and so the size of a change has its own bound.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.analysis import drift_words as say
from mlops_cli.analysis.histograms import histogram
from mlops_cli.analysis.shifts import shift_between, tested_table
from mlops_cli.analysis.tallies import quantiles
from mlops_cli.records import ColumnDrift, Drifted, DriftKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mlops_cli.records import ColumnReference, DriftBounds, DriftSpec, Shift

    Array = np.ndarray[Any, Any]

_SUMMARY = {"p5": 0.05, "p50": 0.5, "p95": 0.95}


@dataclass(frozen=True)
class Pair:
    """One column, or one output, before and after."""

    before: ColumnReference
    after: ColumnReference
    bounds: DriftBounds
    kind: DriftKind = DriftKind.DISTRIBUTION  # or PREDICTIONS
    gaps: bool = True  # whether missing values count


@dataclass(frozen=True)
class Judged:
    """A pair, and what is wrong with it."""

    drift: ColumnDrift
    findings: tuple[Drifted, ...]


@dataclass(frozen=True)
class _Tested:
    pair: Pair
    shift: Shift
    missing: float | None  # p that the share of missing values is the same
    new: float | None  # p that no more new categories are there than chance brings
    new_share: float
    expected: float  # that share, by chance

    @property
    def ps(self) -> tuple[float | None, ...]:
        return (self.shift.p, self.missing, self.new)

    def with_ps(self, ps: Sequence[float | None]) -> _Tested:
        shift, missing, new = ps
        return replace(self, shift=replace(self.shift, p=shift), missing=missing, new=new)


def bounds_of(spec: DriftSpec, name: str) -> DriftBounds:
    """Return the bounds of a column."""
    return spec.columns.get(name, spec.bounds)


def judge(pairs: Iterable[Pair], least: int) -> list[Judged]:
    """Return what has drifted, in the order of the pairs.

    Parameters
    ----------
    pairs : iterable of Pair
        All that is judged together.
    least : int
        Rows of the new data below which nothing is found.

    References
    ----------
    Y. Benjamini, Y. Hochberg. Controlling the False Discovery Rate. J. R. Stat. Soc. B 57, 1995.
    """
    tested = _adjusted([_tested(pair) for pair in pairs])
    return [_judged(one, is_enough=one.pair.after.rows >= least) for one in tested]


def most_moved(columns: Iterable[ColumnDrift]) -> tuple[ColumnDrift, ...]:
    """Return columns, those that have drifted first, then those that moved farthest."""
    return tuple(sorted(columns, key=lambda c: (not c.drifted, -(c.shift.distance or 0.0), c.shift.column)))


# --- tests -------------------------------------------------------------------------------------------------------


def _tested(pair: Pair) -> _Tested:
    share, expected, p = _new_categories(pair.before, pair.after)
    return _Tested(pair, shift_between(pair.before, pair.after), _missing_p(pair), p, share, expected)


def _missing_p(pair: Pair) -> float | None:
    if not pair.gaps:
        return None
    table = np.array([[c.missing, c.rows - c.missing] for c in (pair.before, pair.after)], dtype="float64")
    return tested_table(table[:, table.any(axis=0)])[2] if table.any(axis=1).all() else None


def _new_categories(before: ColumnReference, after: ColumnReference) -> tuple[float, float, float | None]:
    """Return the share of rows with categories that training did not have, what chance brings, and the p of more.

    Of rows that are shuffled between both sides, a category that occurs c times in all lands with all of them on the
    new one by a known chance. Of rows with such categories Chernoff's bound tells how rarely chance brings as many; it
    holds, as these chances hinder each other.
    """
    from scipy.special import gammaln

    known, found = before.words, after.words
    if known is None or found is None or not known.total or not found.total:
        return 0.0, 0.0, None
    rows = found.others + sum(count for name, count in found.counts.items() if name not in known.counts)
    if not rows:
        return 0.0, 0.0, None
    every = [count + found.counts.get(name, 0) for name, count in known.counts.items()]
    every += [count for name, count in found.counts.items() if name not in known.counts] + [1] * found.others
    sizes, often = np.unique([size for size in every if size <= found.total], return_counts=True)
    new, both = found.total, known.total + found.total
    chance = gammaln(new + 1) - gammaln(new - sizes + 1) - gammaln(both + 1) + gammaln(both - sizes + 1)  # its log
    expected = float((often * sizes * np.exp(chance)).sum())
    return rows / after.rows, expected / after.rows, _chernoff(rows, sizes, often, chance, expected)


def _chernoff(rows: int, sizes: Array, often: Array, chance: Array, expected: float) -> float:
    from scipy.optimize import minimize_scalar

    if rows <= expected:
        return 1.0
    other = np.log1p(-np.exp(np.minimum(chance, -1e-12)))

    def bound(tilt: float) -> float:
        return float((often * np.logaddexp(other, chance + tilt * sizes)).sum() - tilt * rows)

    least = minimize_scalar(bound, bounds=(0.0, 50.0), method="bounded").fun
    return float(np.exp(min(0.0, least)))


def _adjusted(found: Sequence[_Tested]) -> list[_Tested]:
    from scipy.stats import false_discovery_control

    ps = [p for one in found for p in one.ps if p is not None]
    if not ps:
        return list(found)
    values = iter(false_discovery_control(ps).tolist())
    return [one.with_ps([None if p is None else next(values) for p in one.ps]) for one in found]


# --- verdicts ----------------------------------------------------------------------------------------------------


def _judged(one: _Tested, *, is_enough: bool) -> Judged:
    findings = tuple(_findings(one)) if is_enough else ()
    pair = one.pair
    drift = ColumnDrift(
        one.shift,
        bool(findings),
        one.new_share,
        histogram(pair.before, pair.after),
        summary(pair.before),
        summary(pair.after),
    )
    return Judged(drift, findings)


def _findings(one: _Tested) -> Iterable[Drifted]:
    pair, shift, bounds = one.pair, one.shift, one.pair.bounds
    name = shift.column
    if _is_less(one.missing, bounds.alpha) and abs(shift.missing[1] - shift.missing[0]) >= bounds.missing:
        yield Drifted(_kind(pair, DriftKind.MISSING), name, f"{name}: {say.missing(shift)}")
    if _is_less(one.new, bounds.alpha) and one.new_share - one.expected >= bounds.new:
        yield Drifted(_kind(pair, DriftKind.CATEGORIES), name, f"{name}: {say.new_categories(shift, one.new_share)}")
    is_far = (shift.psi or 0.0) >= bounds.psi or (shift.distance or 0.0) >= bounds.distance
    if _is_less(shift.p, bounds.alpha) and is_far:
        yield Drifted(pair.kind, name, f"{name}: {say.distribution(shift, pair.before, pair.after)}")


def _kind(pair: Pair, kind: DriftKind) -> DriftKind:
    return pair.kind if pair.kind is DriftKind.PREDICTIONS else kind


def _is_less(p: float | None, alpha: float) -> bool:
    return p is not None and p < alpha


def summary(column: ColumnReference) -> Mapping[str, float]:
    """Return mean, spread, ends and quantiles of numbers; of others nothing."""
    steps = column.steps
    if steps is None or not steps.total:
        return {}
    known = {"mean": steps.mean, "std": steps.std, "min": steps.low, "max": steps.high}
    known |= dict(zip(_SUMMARY, quantiles(steps, np.array(list(_SUMMARY.values()))).tolist(), strict=True))
    return {name: float(value) for name, value in known.items() if np.isfinite(value)}
