"""What the training data looks like, column by column: counts, spread, a histogram, the strength of each feature.

Pure: data in memory → a `DataProfile`. Counts, means and extremes are exact; what takes sorting or counting of values
comes from a sample of large data.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api import types as pdt

from mlops_cli.analysis.association import Classes, Quantity, association
from mlops_cli.analysis.forms import floats, is_time
from mlops_cli.records import Column, ColumnProfile, DataProfile, Kind, Task

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from mlops_cli.records import Dataset

    Floats = npt.NDArray[np.float64]
    Rows = npt.NDArray[np.intp] | slice

MOST_ROWS = 50_000
MOST_BARS = 20
TOP = 10
LONGEST = 100
"""Characters of a frequent value that are kept."""

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
_FEW_CLASSES = 20
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_ODD = (ArithmeticError, LookupError, TypeError, ValueError)
"""What values that nobody foresaw raise: then one column tells less, and all others what they have to tell."""


@dataclass(frozen=True)
class _Part:
    """One column with what it is for."""

    column: Column
    role: str
    values: pd.Series[Any]


def profile(dataset: Dataset, task: Task | None = None, *, most_columns: int = 200, seed: int = 0) -> DataProfile:
    """Return what data looks like.

    Parameters
    ----------
    dataset : Dataset
        As a run trains on it.
    task : Task, optional
        Whether the target is of classes or amounts; found from its values where not given.
    most_columns : int
        So many features are described, the first ones, besides the columns in other roles.
    seed : int
        Of the sample that is taken of more than 50,000 rows.

    Returns
    -------
    DataProfile
        The target first, then the features in the order of the data, then id, group, weight and time.
        A text feature's empty values count as missing. ``association`` is that of a feature with the target: see
        `association.association`. Values that are all different, and those of the id, are not listed in ``top``.
    """
    rows = _sample(dataset.rows, seed)
    target = _target(dataset, task, rows)
    parts = [*_features(dataset, most_columns), *_others(dataset)]
    described = [_described(part, rows, target) for part in parts]
    if dataset.y is not None:
        described.insert(0, _target_profile(dataset, target, rows))
    sampled = None if isinstance(rows, slice) else len(rows)
    return DataProfile(dataset.rows, tuple(described), max(0, len(dataset.features) - most_columns), sampled)


def _sample(count: int, seed: int) -> Rows:
    if count <= MOST_ROWS:
        return slice(None)
    return np.sort(np.random.default_rng(seed).choice(count, MOST_ROWS, replace=False))


# --- columns in their roles --------------------------------------------------------------------------------------


def _features(dataset: Dataset, most: int) -> Iterator[_Part]:
    for column in dataset.features[:most]:
        yield _Part(column, "feature", dataset.X[column.name])


def _others(dataset: Dataset) -> Iterator[_Part]:
    """Yield the columns that are no features; one that is both id and group comes once."""
    known = {column.name: column for column in dataset.version.columns}
    arrays = {"id": dataset.ids, "group": dataset.groups, "weight": dataset.weights, "time": dataset.times}
    seen: set[str] = set()
    for role, values in arrays.items():
        name = dataset.roles.get(role, role)
        if values is None or name in seen:
            continue
        seen.add(name)
        series = values if isinstance(values, pd.Series) else pd.Series(values)
        yield _Part(known.get(name) or Column(name, str(series.dtype), Kind.NUMERIC), role, series)


def _target(dataset: Dataset, task: Task | None, rows: Rows) -> Quantity | Classes | None:
    """Return the target's sampled values as what they are."""
    if dataset.y is None:
        return None
    y = dataset.y[rows]
    try:
        if task is Task.REGRESSION or (task is None and _is_amount(y)):
            return Quantity(y.astype("float64"))
        return Classes(pd.factorize(y)[0])
    except _ODD:
        return None


def _is_amount(y: npt.NDArray[Any]) -> bool:
    if y.dtype.kind != "f":
        return False
    return bool((y % 1 != 0).any()) or len(np.unique(y)) > _FEW_CLASSES


def _target_profile(dataset: Dataset, target: Quantity | Classes | None, rows: Rows) -> ColumnProfile:
    name = dataset.version.target or "target"
    known = {column.name: column for column in dataset.version.columns}
    series = pd.Series(dataset.y)
    column = known.get(name) or Column(name, str(series.dtype), Kind.NUMERIC)
    part = _Part(column, "target", series)
    try:
        return _amounts(part, rows)[0] if isinstance(target, Quantity) else _labels(part, rows)[0]
    except _ODD:
        return _counted(part)


def _described(part: _Part, rows: Rows, target: Quantity | Classes | None) -> ColumnProfile:
    is_amount = pdt.is_numeric_dtype(part.values.dtype) and not pdt.is_bool_dtype(part.values.dtype)
    try:
        found, sampled = _amounts(part, rows) if is_amount or is_time(part.values) else _labels(part, rows)
    except _ODD:
        return _counted(part)
    if part.role == "id":  # what names a row has no distribution worth a look
        return replace(found, mean=None, std=None, quantiles=(), edges=(), counts=(), top=())
    if part.role != "feature" or target is None or part.column.kind is Kind.TEXT:
        return found
    try:
        return replace(found, association=association(sampled, target))
    except _ODD:
        return found


# --- numbers and times -------------------------------------------------------------------------------------------


def _amounts(part: _Part, rows: Rows) -> tuple[ColumnProfile, Quantity]:
    values = floats(part.values)
    present = values[np.isfinite(values)]
    sampled = Quantity(values[rows])
    ordered = sampled.values[sampled.order]
    ordered = ordered[np.isfinite(ordered)]
    found = _base(part, len(present), _distinct(ordered) if isinstance(rows, slice) else part.column.unique)
    if not len(ordered):
        return found, sampled
    edges = _edges(ordered)
    mean, std = _moments(present)
    found = replace(
        found,
        mean=mean,
        std=std,
        quantiles=_quantiles(ordered, float(present.min()), float(present.max())),
        edges=tuple(edges),
        counts=_counts(ordered, edges),
    )
    return found, sampled


def _moments(present: Floats) -> tuple[float | None, float | None]:
    """Return mean and standard deviation; None where they have none, or are too large for a float."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean, std = float(present.mean()), float(present.std(ddof=1)) if len(present) > 1 else math.nan
    return (mean if math.isfinite(mean) else None), (std if math.isfinite(std) else None)


def _distinct(ordered: npt.NDArray[Any]) -> int:
    return int((ordered[1:] != ordered[:-1]).sum()) + 1 if len(ordered) else 0


def _quantiles(ordered: Floats, least: float, greatest: float) -> tuple[float, ...]:
    """Return the quantiles of sorted values by linear interpolation; the extremes are those of all rows."""
    places = np.array(QUANTILES[1:-1]) * (len(ordered) - 1)
    below = np.floor(places).astype(int)
    low, high = ordered[below], ordered[np.minimum(below + 1, len(ordered) - 1)]
    inner = low + (places - below) * (high - low)
    return (least, *map(float, inner), greatest)


def _edges(ordered: Floats) -> list[float]:
    """Return the edges of a histogram: round numbers, or a bar for each of a few whole numbers."""
    low, high = float(ordered[0]), float(ordered[-1])  # Python's floats overflow without a warning
    if not math.isfinite(high - low):
        return []
    if low == high:
        half = max(0.5, abs(low) * 1e-6)
        return [low - half, high + half]
    if high - low < 2**50 and bool((ordered % 1 == 0).all()):
        return _whole_edges(ordered, low, high)
    return _round_edges(low, high)


def _whole_edges(ordered: Floats, low: float, high: float) -> list[float]:
    if high - low < MOST_BARS:
        return [low - 0.5 + step for step in range(int(high - low) + 2)]
    if _distinct(ordered) <= MOST_BARS:
        values = np.unique(ordered)
        return [float(values[0]) - 0.5, *map(float, (values[1:] + values[:-1]) / 2), float(values[-1]) + 0.5]
    return _round_edges(low, high + 1, whole=True)  # up to where the last of them ends


def _round_edges(low: float, high: float, *, whole: bool = False) -> list[float]:
    """Return at most so many bars whose edges are round numbers around ``low`` and ``high``."""
    width = (high - low) / MOST_BARS
    if width < sys.float_info.min:  # too near to each other for round numbers in between
        return [low, high]
    power = 10.0 ** math.floor(math.log10(width))
    for step in (factor * power for factor in (*_STEPS, 20.0, 25.0)):
        first, last = math.floor(low / step), math.ceil(high / step)
        if last - first <= MOST_BARS and (not whole or step % 1 == 0):
            digits = max(0, 2 - math.floor(math.log10(step)))
            return [round(place * step, digits) for place in range(first, last + 1)]
    return [low, high]


def _counts(ordered: Floats, edges: list[float]) -> tuple[int, ...]:
    if not edges:
        return ()
    places = np.searchsorted(ordered, edges)
    places[0], places[-1] = 0, len(ordered)  # whatever rounding did, every value is in some bar
    return tuple(map(int, np.diff(places)))


# --- everything else ---------------------------------------------------------------------------------------------


def _labels(part: _Part, rows: Rows) -> tuple[ColumnProfile, Classes]:
    is_missing = _is_missing(part)
    codes, names = _factorized(part.values.iloc[rows])
    codes = np.where(is_missing[rows], -1, codes)
    sizes = np.bincount(codes[codes >= 0], minlength=len(names))
    distinct = int((sizes > 0).sum())
    found = _base(part, len(is_missing) - int(is_missing.sum()), distinct)
    if not isinstance(rows, slice):
        found = replace(found, unique=part.column.unique)
    return replace(found, top=_top(sizes, names)), Classes(codes)


def _is_missing(part: _Part) -> npt.NDArray[np.bool_]:
    """Return where a value is missing; of a text, which vectorisers take without gaps, where it is empty."""
    missing = part.values.isna().to_numpy()
    if part.role == "feature" and part.column.kind is Kind.TEXT:
        missing = missing | (part.values == "").to_numpy(dtype=bool, na_value=False)
    return np.asarray(missing)


def _factorized(values: pd.Series[Any]) -> tuple[npt.NDArray[np.intp], Any]:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.cat.codes.to_numpy().astype(np.intp), values.cat.categories
    return pd.factorize(values)


def _top(sizes: npt.NDArray[np.intp], names: Any) -> tuple[tuple[str, int], ...]:
    """Return the most frequent values, each as text; none where all differ, as names and free texts do."""
    if not len(sizes) or sizes.max() < 2:
        return ()
    order = np.argsort(-sizes, kind="stable")[:TOP]
    return tuple((str(names[place])[:LONGEST], int(sizes[place])) for place in order if sizes[place])


def _counted(part: _Part) -> ColumnProfile:
    """Return what can be told of any values at all: how many there are, and how many are missing."""
    return _base(part, int(part.values.notna().sum()), part.column.unique)


def _base(part: _Part, count: int, unique: int | None) -> ColumnProfile:
    column = part.column
    missing = len(part.values) - count
    return ColumnProfile(column.name, column.dtype, column.kind, part.role, count, missing, unique)
