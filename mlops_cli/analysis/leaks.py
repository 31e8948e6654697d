"""Finds features that give the target away: a copy of it, a coarser or finer name of it, a rank-preserving change.

A feature counts as a leak where it alone, without any fitting, tells the target (nearly) without error. Each is first
asked of few rows, and of more only where those agree; so honest features cost next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlops_cli.records import Kind, Notice, Task

if TYPE_CHECKING:
    import numpy.typing as npt

    from mlops_cli.records import Column, Dataset

_GLANCE, _SAMPLE = 1_000, 20_000
_FEWEST_ROWS = 20
_FEWEST_OUTSIDE = 3
"""So many rows must lie outside the largest class, else any feature tells the classes apart by luck."""
_ERRORS = 0.01
"""Share of the rows outside the largest class that may be told wrongly."""
_RANK_CORRELATION = 0.999
_MOST_CELLS = 5_000_000


def leaks(dataset: Dataset, task: Task) -> list[Notice]:
    """Return one notice (``target-leak``) with the features that tell the target by themselves."""
    if dataset.y is None or task is Task.CLUSTERING or dataset.rows < _FEWEST_ROWS:
        return []
    names = [c.name for c in dataset.features if c.kind is not Kind.TEXT]
    codes = np.zeros(dataset.rows, np.intp) if task is Task.REGRESSION else pd.factorize(dataset.y)[0]
    for size in (_GLANCE, _SAMPLE):
        names = _suspects(dataset, names, _sampled_rows(codes, size), task)
        if dataset.rows <= size:
            break
    if not names:
        return []
    target = dataset.version.target or "the target"
    shown = ", ".join(f"'{n}'" for n in names[:5]) + (", …" if len(names) > 5 else "")
    tells = "tells" if len(names) == 1 else "each tell"
    text = f"{shown} {tells} '{target}' (nearly) without error, as a copy of it would"
    return [Notice("target-leak", f"{text}; unless known before the outcome: `data.drop: [{', '.join(names[:5])}]`")]


def _sampled_rows(codes: npt.NDArray[np.intp], size: int) -> npt.NDArray[np.intp]:
    """Return places of rows: so many of the largest class, and so many of all others, however rare they are."""
    if len(codes) <= size:
        return np.arange(len(codes))
    is_largest = codes == np.bincount(codes).argmax()
    parts = [_evenly(np.flatnonzero(mask), size) for mask in (is_largest, ~is_largest)]
    return np.sort(np.concatenate(parts))


def _evenly(places: npt.NDArray[np.intp], size: int) -> npt.NDArray[np.intp]:
    return places if len(places) <= size else places[np.linspace(0, len(places) - 1, size).astype(np.intp)]


def _suspects(dataset: Dataset, names: list[str], rows: npt.NDArray[np.intp], task: Task) -> list[str]:
    if not names or dataset.y is None:
        return []
    columns = {c.name: c for c in dataset.features}
    y = dataset.y[rows]
    told = _tells_classes(y) if task is Task.CLASSIFICATION else _tells_quantity(y)
    return [n for n in names if told(dataset.X[n].iloc[rows], columns[n])]


class _tells_classes:  # noqa: N801 - a function that remembers what is the same for all features
    """Whether a feature tells the classes: pure groups, few of them, and in order where the feature has one."""

    def __init__(self, y: npt.NDArray[Any]) -> None:
        _, self.codes = np.unique(y, return_inverse=True)
        counts = np.bincount(self.codes)
        self.classes = len(counts)
        self.outside = len(y) - int(counts.max())

    def __call__(self, feature: pd.Series, column: Column) -> bool:
        if self.outside < _FEWEST_OUTSIDE:
            return False
        groups, distinct = _grouped(feature)
        if distinct < 2 or distinct * self.classes > _MOST_CELLS:
            return False
        cells = np.bincount(groups * self.classes + self.codes, minlength=distinct * self.classes)
        table = cells.reshape(distinct, self.classes)
        allowed = _ERRORS * self.outside
        if len(groups) - int(table.max(axis=1).sum()) > allowed:
            return False
        if column.kind in {Kind.CATEGORICAL, Kind.BOOLEAN}:
            return distinct <= max(2 * self.classes, len(groups) // 20)
        largest = table.argmax(axis=1)
        return int((largest[1:] != largest[:-1]).sum()) <= self.classes - 1 + 2 * allowed


class _tells_quantity:  # noqa: N801 - likewise
    """Whether a feature has the target's order, or its groups hardly vary in it."""

    def __init__(self, y: npt.NDArray[Any]) -> None:
        self.y = np.asarray(y, dtype="float64")
        self.ranks = pd.Series(self.y).rank().to_numpy()
        self.total = float(((self.y - self.y.mean()) ** 2).sum())

    def __call__(self, feature: pd.Series, column: Column) -> bool:
        if self.total == 0:
            return False
        if column.kind in {Kind.CATEGORICAL, Kind.BOOLEAN}:
            return self._varies_little_within(feature)
        present = feature.notna().to_numpy()
        if present.sum() < max(_FEWEST_ROWS, len(present) // 2):
            return False
        x = feature[present].rank().to_numpy()
        y = self.ranks[present]
        if x.std() == 0 or y.std() == 0:
            return False
        return abs(float(np.corrcoef(x, y)[0, 1])) > _RANK_CORRELATION

    def _varies_little_within(self, feature: pd.Series) -> bool:
        groups, distinct = _grouped(feature)
        if not 2 <= distinct <= max(2, len(groups) // 20):
            return False
        means = np.bincount(groups, self.y) / np.maximum(np.bincount(groups), 1)
        within = float(((self.y - means[groups]) ** 2).sum())
        return within < (1 - _RANK_CORRELATION) * self.total


def _grouped(feature: pd.Series) -> tuple[npt.NDArray[np.intp], int]:
    """Return each row's group, in the order of the values, missing last; and how many there are."""
    codes, values = pd.factorize(feature, sort=feature.dtype.kind in "biufM", use_na_sentinel=True)
    has_missing = bool((codes < 0).any())
    return np.where(codes < 0, len(values), codes), len(values) + has_missing
