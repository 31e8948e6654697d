"""Finds features that give the target away: a copy of it, a coarser or finer name of it, who or what a row is of.

A feature counts as a leak where it alone, without any fitting, tells the target (nearly) without error: by the order
of its values, or by rows that share a value, of which one half is told by the other. What luck could do is left out.
Each is first asked of few rows, and of more only where those agree; so honest features cost next to nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api import types as pdt

from mlops_cli.records import Kind, Notice, Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from mlops_cli.records import Column, Dataset

    Codes = npt.NDArray[np.intp]
    Floats = npt.NDArray[np.float64]

_GLANCE, _SAMPLE = 1_000, 20_000
_FEWEST_ROWS = 20
_FEWEST_OF_CLASS, _FEWEST_OF_MANY = 3, 10
"""So many rows a class must have to be told: of two classes, and of several."""
_MOST_LEFT_OUT = 0.1
"""A greater share of rows in smaller classes leaves too little to judge by."""
_AUC = 0.99
_EXPLAINED = 0.99
"""Share of the variance that the groups of a category must explain."""
_RANK_CORRELATION = 0.995
_MOST_MISSING = 0.95
_LUCK = math.log(1e-4)
"""The chance of a false alarm in data that hold nothing at all, as a logarithm."""
_ROWS_PER_GROUP = 10
"""Where a value has fewer of the sampled rows, whole groups of rows are taken instead."""
_FEW_VALUES = 20
"""A feature with more values than this, and than twice the classes, rather says who or what a row is of."""
_FEW_LATER, _LATER = 2, 0.001
"""So many rows in which a date is later than the row's own time, and such a share of all, are slips."""


def leaks(dataset: Dataset, task: Task) -> list[Notice]:
    """Return notices (``target-leak``) with the features that tell the target by themselves."""
    if dataset.y is None or task is Task.CLUSTERING or dataset.rows < _FEWEST_ROWS:
        return []
    columns = [c for c in dataset.features if c.kind is not Kind.TEXT]
    codes = np.zeros(dataset.rows, np.intp) if task is Task.REGRESSION else pd.factorize(dataset.y)[0]
    y = np.asarray(dataset.y, dtype="float64") if task is Task.REGRESSION else codes
    for size in (_GLANCE, _SAMPLE):
        look = _Look(dataset.X, y, _sampled_rows(codes, size), size, _Judge(task, math.log(max(1, len(columns)))))
        columns = [c for c in columns if look.is_told_by(c)]
        if dataset.rows <= size or not columns:
            break
    many = max(_FEW_VALUES, 0 if task is Task.REGRESSION else 2 * (int(codes.max()) + 1))
    whose = [c.name for c in columns if (c.unique or 0) > many and _has_groups(dataset.X[c.name], c)]
    copies = [c.name for c in columns if c.name not in whose]
    target = dataset.version.target or "the target"
    return [*_copies(copies, target), *_of_one(whose, target)]


def _copies(names: Sequence[str], target: str) -> list[Notice]:
    if not names:
        return []
    text = f"{_told(names, target)} (nearly) without error, as a copy of it would"
    return [Notice("target-leak", f"{text}; unless known before the outcome: `data.drop: [{', '.join(names[:5])}]`")]


def _of_one(names: Sequence[str], target: str) -> list[Notice]:
    if not names:
        return []
    text = f"{_told(names, target)} (nearly) without error in rows that share a value"
    mend = f"where those are rows of one person or thing, keep them together: `data.group: {names[0]}`"
    return [Notice("target-leak", f"{text}; {mend}; else `data.drop: [{', '.join(names[:5])}]`")]


def _told(names: Sequence[str], target: str) -> str:
    shown = ", ".join(f"'{n}'" for n in names[:5]) + (", …" if len(names) > 5 else "")
    return f"{shown} {'tells' if len(names) == 1 else 'each tell'} '{target}'"


# --- which rows are looked at ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Look:
    """Some rows of the data, of which each feature is asked."""

    X: pd.DataFrame
    y: npt.NDArray[Any]
    rows: Codes
    size: int
    judge: _Judge

    def is_told_by(self, column: Column) -> bool:
        """Whether a feature tells the target, by the order of its values or by rows that share one."""
        feature = self.X[column.name]
        if column.kind not in {Kind.CATEGORICAL, Kind.BOOLEAN} and self._by_order(feature):
            return True
        return _has_groups(feature, column) and self._by_groups(feature, column)

    def _by_order(self, feature: pd.Series) -> bool:
        x, y = _as_floats(feature.iloc[self.rows]), self.y[self.rows]
        there = ~np.isnan(x)
        if not there.all() and self.judge.by_groups(there.astype(np.intp), y):
            return True
        return self._is_enough(there) and self.judge.by_order(x[there], y[there])

    def _by_groups(self, feature: pd.Series, column: Column) -> bool:
        rows = self._whole_groups(feature, column)
        groups, y = pd.factorize(feature.iloc[rows])[0], self.y[rows]
        there = groups >= 0
        if self._is_enough(there) and self.judge.by_groups(groups[there], y[there]):
            return True
        return not there.all() and self.judge.by_groups(np.where(there, groups, groups.max() + 1), y)

    def _is_enough(self, there: npt.NDArray[np.bool_]) -> bool:
        return int(there.sum()) >= max(_FEWEST_ROWS, (1 - _MOST_MISSING) * len(there))

    def _whole_groups(self, feature: pd.Series, column: Column) -> Codes:
        """Return the rows; those of some values each, all of them, where a value would else have hardly any."""
        values = column.unique or 0
        if len(self.rows) == len(feature) or values * _ROWS_PER_GROUP <= self.size:
            return self.rows
        places = _evenly(self.rows, max(_FEWEST_ROWS, 2 * self.size * values // len(feature)))
        chosen = feature.iloc[places].dropna().unique()
        return _evenly(np.flatnonzero(feature.isin(chosen)), 4 * self.size)


def _has_groups(feature: pd.Series, column: Column) -> bool:
    """Whether rows share values that need not have an order: categories, booleans, and whole numbers."""
    if column.unique is None or not 1 <= column.unique <= max(2, len(feature) // 2):
        return False
    if column.kind is Kind.NUMERIC and not pdt.is_integer_dtype(feature.dtype):
        return bool((feature.head(_GLANCE).dropna() % 1 == 0).all())
    return column.kind in {Kind.NUMERIC, Kind.CATEGORICAL, Kind.BOOLEAN}


def _as_floats(feature: pd.Series) -> Floats:
    """Return numbers, or moments as numbers, with NaN where missing."""
    if pdt.is_datetime64_any_dtype(feature.dtype):
        return np.where(feature.isna(), np.nan, feature.to_numpy().astype("int64").astype("float64"))
    return np.asarray(feature, dtype="float64")


def _sampled_rows(codes: Codes, size: int) -> Codes:
    """Return places of rows: so many of the largest class, and so many of all others, however rare they are."""
    if len(codes) <= size:
        return np.arange(len(codes))
    is_largest = codes == np.bincount(codes).argmax()
    parts = [_evenly(np.flatnonzero(mask), size) for mask in (is_largest, ~is_largest)]
    return np.sort(np.concatenate(parts))


def _evenly(places: Codes, size: int) -> Codes:
    return places if len(places) <= size else places[np.linspace(0, len(places) - 1, size).astype(np.intp)]


# --- whether they tell the target --------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Judge:
    """Says whether some rows of a feature tell the target."""

    task: Task
    tests: float  # the logarithm of how many features are asked

    def by_order(self, x: Floats, y: npt.NDArray[Any]) -> bool:
        """Whether the order of numbers is that of the classes, or of the quantity."""
        return self._quantity_by_order(x, y) if self.task is Task.REGRESSION else self._classes_by_order(x, y)

    def by_groups(self, groups: Codes, y: npt.NDArray[Any]) -> bool:
        """Whether of rows that share a value, and are coded alike, one half tells the other."""
        halves = _Halves(groups)
        if halves.count < 2:
            return False
        return self._quantity_by_groups(halves, y) if self.task is Task.REGRESSION else self._classes_by(halves, y)

    def _is_luck(self, missed: float, a: int, b: int, *, ways: float = 0.0) -> bool:
        """Whether rows that know nothing of each other could come out so, in one of e^ways orders of the groups.

        Mann and Whitney's U is ``missed``: each is taken with equal chance by any a of a + b rows, and the number of
        ways to have a U up to u is less than that of partitions up to u, which exp(pi sqrt(2u/3)) bounds.
        """
        chance = math.pi * math.sqrt(2 * max(missed, 0.0) / 3) - _log_choices(a, b) + ways
        return chance + self.tests > _LUCK

    def _quantity_by_order(self, x: Floats, y: Floats) -> bool:
        ranks, of_y = _ranks(x), _ranks(y)
        if ranks.std() == 0 or of_y.std() == 0 or math.log(2) - _log_orders(y) + self.tests > _LUCK:
            return False
        return abs(float(np.corrcoef(ranks, of_y)[0, 1])) >= _RANK_CORRELATION

    def _quantity_by_groups(self, halves: _Halves, y: Floats) -> bool:
        total = float(((y - y.mean()) ** 2).sum())
        orders = _log_orders(y)
        ways = min(halves.count * math.log(2), orders / 2)  # what one half shows leaves luck the other half
        if total == 0 or ways - orders + self.tests > _LUCK:
            return False
        left = ((y - halves.means(y)) ** 2).sum()
        return bool(left <= (1 - _EXPLAINED) * total)

    def _classes_by_order(self, x: Floats, codes: Codes) -> bool:
        kept = _classes_to_tell(codes)
        if len(kept) < 2:
            return False
        ranks = _ranks(x)
        in_order = sorted(kept, key=lambda k: float(ranks[codes == k].mean()))
        lucky = []
        for low, high in pairwise(in_order):
            a, b = codes == low, codes == high
            auc = _auc(ranks, b.astype(float), a.astype(float))
            if auc < _AUC:
                return False
            lucky.append(self._is_luck((1 - auc) * a.sum() * b.sum(), int(a.sum()), int(b.sum()), ways=math.log(2)))
        return not all(lucky)

    def _classes_by(self, halves: _Halves, codes: Codes) -> bool:
        kept = _classes_to_tell(codes)
        if len(kept) < 2:
            return False
        lucky = []
        for k in kept:
            of_class = codes == k
            auc, a, b = halves.auc(of_class)
            if not auc >= _AUC:  # NaN too
                return False
            every, others = int(of_class.sum()), int((~of_class).sum())
            known_order = self._is_luck((1 - auc) * a * b, a, b)
            any_order = self._is_luck((1 - auc) * every * others, every, others, ways=halves.count * math.log(2))
            lucky.append(known_order and any_order)
        return not all(lucky)


@dataclass(frozen=True)
class _Halves:
    """Rows that share a value, parted in two: each half is told by what the other has seen of that value."""

    groups: Codes

    @cached_property
    def count(self) -> int:
        """How many values there are."""
        return int(self.groups.max(initial=-1)) + 1

    @cached_property
    def half(self) -> Codes:
        """Which half a row is in: every other one of each group."""
        places = np.empty(len(self.groups), dtype=np.intp)
        places[np.argsort(self.groups, kind="stable")] = np.arange(len(self.groups)) % 2
        return places

    def means(self, y: Floats) -> Floats:
        """Return for each row the mean of its group in the other half, or of that half where it has none there."""
        counts, sums = self._cells(), self._cells(y)
        overall = sums.sum(axis=0) / np.maximum(counts.sum(axis=0), 1)
        means = np.where(counts > 0, sums / np.maximum(counts, 1), overall)
        found: Floats = means[self.groups, 1 - self.half]
        return found

    def auc(self, of_class: npt.NDArray[np.bool_]) -> tuple[float, int, int]:
        """Return how well each half tells a class in the other; and how many rows of it, and not, the first has."""
        counts, inside = self._cells(), self._cells(of_class.astype(float))
        seen = inside.sum(axis=0) / np.maximum(counts.sum(axis=0), 1)
        shares = np.where(counts > 0, inside / np.maximum(counts, 1), seen)
        found = [_auc(shares[:, 1 - h], inside[:, h], counts[:, h] - inside[:, h]) for h in (0, 1)]
        first = int(inside[:, 0].sum())
        return float(np.mean(found)), first, int(counts[:, 0].sum()) - first

    def _cells(self, weights: Floats | None = None) -> Floats:
        """Return sums over each group and half, of shape (groups, 2)."""
        places = self.groups * 2 + self.half
        return np.bincount(places, weights, minlength=2 * self.count).astype(float).reshape(self.count, 2)


def _classes_to_tell(codes: Codes) -> list[int]:
    """Return the classes with rows enough; none where too many rows are of others."""
    counts = np.bincount(codes)
    classes = int((counts > 0).sum())
    fewest = _FEWEST_OF_CLASS if classes == 2 else _FEWEST_OF_MANY
    kept = [int(k) for k in np.flatnonzero(counts >= fewest)]
    return kept if counts[kept].sum() >= (1 - _MOST_LEFT_OUT) * len(codes) else []


def _auc(scores: Floats, inside: Floats, outside: Floats) -> float:
    """Return the chance that a row inside scores above one outside, equal ones counting half; NaN where none is."""
    levels = np.unique(scores, return_inverse=True)[1]
    a, b = np.bincount(levels, inside), np.bincount(levels, outside)
    pairs = a.sum() * b.sum()
    return float((a * (np.cumsum(b) - b / 2)).sum() / pairs) if pairs else math.nan


def _ranks(values: Floats) -> Floats:
    """Return ranks from 1; equal values share theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return ranks


def _log_choices(a: int, b: int) -> float:
    """Return the logarithm of the number of ways to choose a of a + b rows."""
    return math.lgamma(a + b + 1) - math.lgamma(a + 1) - math.lgamma(b + 1)


def _log_orders(y: Floats) -> float:
    """Return the logarithm of the number of orders that values can come in; equal ones are not told apart."""
    counts = np.unique(y, return_counts=True)[1]
    return math.lgamma(len(y) + 1) - sum(math.lgamma(int(k) + 1) for k in counts)


# --- what is later than its row ----------------------------------------------------------------------------------


def later_features(dataset: Dataset) -> list[Notice]:
    """Return the notice (``later-features``) with the dates among the features that are later than ``data.time``."""
    times = dataset.times
    if times is None or not pdt.is_datetime64_any_dtype(times.dtype):
        return []
    dates = [c.name for c in dataset.features if pdt.is_datetime64_any_dtype(dataset.X[c.name].dtype)]
    later = {name: count for name in dates if (count := _later(dataset.X[name], times))}
    if not later:
        return []
    shown = ", ".join(f"'{n}' (in {k:,} of {dataset.rows:,} rows)" for n, k in list(later.items())[:5])
    text = f"time travel: {shown} {'is' if len(later) == 1 else 'are'} later than the row's own '{times.name}'"
    mend = f"`data.drop: [{', '.join(list(later)[:5])}]`"
    return [Notice("later-features", f"{text}; unless known by then, as a plan is: {mend}")]


def _later(dates: pd.Series, times: pd.Series) -> int:
    """Return in how many rows a date is later, where it is in more than a few; by the day where times are days."""
    if (times == times.dt.normalize()).all():
        dates = dates.dt.normalize()
    count = int((dates > times).sum())
    return count if count > max(_FEW_LATER, _LATER * len(times)) else 0
