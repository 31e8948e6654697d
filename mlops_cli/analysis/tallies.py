"""Distributions of columns in little memory: how many values lie at and between knots, how often each category occurs.

Values come in parts, and what is kept does not depend on how they were parted. While there are few different numbers
all are kept with their counts, and everything that is computed of them is exact. Pure.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
from pandas.api import types as pdt

from mlops_cli.analysis.forms import floats, unwrapped, word
from mlops_cli.records import ColumnReference, ComparedBy, Kind, Steps, Words

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    Numbers = npt.NDArray[np.float64]

MOST_DISTINCT = 20_000
"""Different numbers of a column of new data that are all kept; past them its values are counted by the knots."""

MOST_NEW = 10_000
"""Different categories beyond those of training that are counted one by one."""


# --- numbers -----------------------------------------------------------------------------------------------------


def steps_of(values: Numbers, knots: int | None = None) -> Steps:
    """Return the distribution of some numbers, none of which is missing or infinite.

    Parameters
    ----------
    values : ndarray of float, shape (rows,)
        In any order.
    knots : int, optional
        With more different values than this, so many quantiles of equal weight are kept in place of them; a multiple of
        10, so that the deciles are among them. None keeps every value.
    """
    ordered = np.sort(values + 0.0)  # -0.0 is 0.0
    distinct, counts = _distinct(ordered)
    if knots is not None and len(distinct) > knots:
        chosen = np.unique(ordered[order_statistics(len(ordered), knots)])
        return _described(_onto(distinct, counts, chosen), _Moments.of(ordered))
    return _described((distinct, counts, *_nothing_between(len(distinct))), _Moments.of(ordered))


def order_statistics(count: int, parts: int) -> npt.NDArray[np.int64]:
    """Return which of so many ordered values bound parts of equal weight, shape (parts + 1,).

    Examples
    --------
    >>> order_statistics(12, 5)
    array([ 0,  3,  5,  7,  9, 11])
    """
    return -(-(count - 1) * np.arange(parts + 1) // parts)  # rounded up, in whole numbers


def on_same_knots(a: Steps, b: Steps) -> tuple[Steps, Steps]:
    """Return two distributions counted by the same knots: all values of both, or those of the first."""
    knots = np.union1d(a.knots, b.knots) if a.is_exact and b.is_exact else a.knots
    return recounted(a, knots), recounted(b, knots)


def recounted(steps: Steps, knots: Numbers) -> Steps:
    """Return a distribution of which every value is a knot by other knots; any other by its own alone."""
    if steps.knots is knots or np.array_equal(steps.knots, knots):
        return steps
    return Steps(knots, *_onto(steps.knots, steps.equal, knots)[1:], steps.mean, steps.std, steps.low, steps.high)


def cumulated(steps: Steps) -> tuple[Numbers, Numbers]:
    """Return how many values lie below each knot, and how many at it or below. Shapes (knots,)."""
    below = np.cumsum(steps.between[:-1]) + np.concatenate([[0.0], np.cumsum(steps.equal[:-1])])
    return below, below + steps.equal


def quantiles(steps: Steps, shares: Numbers) -> Numbers:
    """Return quantiles; between knots as if values were spread evenly there."""
    if not steps.total:
        return np.full(len(shares), math.nan)
    below, upto = cumulated(steps)
    where = np.concatenate([[steps.low], np.repeat(steps.knots, 2), [steps.high]])
    count = np.concatenate([[0.0], np.column_stack([below, upto]).ravel(), [steps.total]])
    found: Numbers = np.interp(shares * steps.total, count, np.clip(where, steps.low, steps.high))
    return found


def counted_below(steps: Steps, edges: Numbers) -> Numbers:
    """Return how many values lie below each edge; between knots as if they were spread evenly there."""
    upto = cumulated(steps)[1]
    ends = [min(steps.low, steps.knots[0]), max(steps.high, steps.knots[-1])]
    place = np.searchsorted(steps.knots, edges)  # of the first knot at or above
    inside = np.concatenate([[ends[0]], steps.knots, [ends[1]]])
    left, right = inside[place], inside[place + 1]
    before = np.concatenate([[0.0], upto])[place]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(right > left, np.clip((edges - left) / (right - left), 0, 1), 1.0)
    found: Numbers = before + steps.between[place] * share
    return found


def _distinct(ordered: Numbers) -> tuple[Numbers, Numbers]:
    """Return the different values of an ordered array, and how often each is there."""
    if not len(ordered):
        return ordered, np.empty(0)
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    return ordered[first], np.diff(np.append(first, len(ordered))).astype("float64")


def _nothing_between(knots: int) -> tuple[Numbers, Numbers]:
    return np.zeros(knots + 1), np.zeros(knots + 1)


def _onto(values: Numbers, counts: Numbers, knots: Numbers) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Return knots, and how many of some different values are at and between them, with the sums of the latter."""
    left, right = np.searchsorted(values, knots), np.searchsorted(values, knots, side="right")
    upto = np.concatenate([[0.0], np.cumsum(counts)])
    begin, end = np.concatenate([[0], right]), np.concatenate([left, [len(values)]])
    return knots, upto[right] - upto[left], upto[end] - upto[begin], _sums(values * counts, begin, end)


def _sums(values: Numbers, begin: npt.NDArray[Any], end: npt.NDArray[Any]) -> Numbers:
    """Return the sum of each part; where one is empty 0, of which `reduceat` knows nothing."""
    found = np.zeros(len(begin))
    filled = end > begin
    if filled.any():
        places = np.column_stack([begin[filled], end[filled]]).ravel()
        found[filled] = np.add.reduceat(np.append(values, 0.0), places)[::2]
    return found


class _Moments:
    """Count, mean, spread and ends of numbers that come in parts (Chan, Golub & LeVeque 1979)."""

    def __init__(self) -> None:
        self.count, self.mean, self.squares = 0, 0.0, 0.0
        self.low, self.high = math.inf, -math.inf

    @classmethod
    def of(cls, ordered: Numbers) -> _Moments:
        made = cls()
        made.add(ordered)
        return made

    def add(self, ordered: Numbers) -> None:
        if not len(ordered):
            return
        count, mean = len(ordered), float(ordered.mean())
        total, away = self.count + count, mean - self.mean
        self.squares += float(((ordered - mean) ** 2).sum()) + away**2 * self.count * count / total
        self.mean += away * count / total
        self.count = total
        self.low, self.high = min(self.low, float(ordered[0])), max(self.high, float(ordered[-1]))


def _described(parts: tuple[Numbers, Numbers, Numbers, Numbers], moments: _Moments) -> Steps:
    if not moments.count:
        return Steps(*parts)
    std = math.sqrt(moments.squares / (moments.count - 1)) if moments.count > 1 else math.nan
    return Steps(*parts, moments.mean, std, moments.low, moments.high)


class NumberTally:
    """Numbers that come in parts.

    Parameters
    ----------
    knots : ndarray
        By which they are counted once there are too many different ones to keep them all.
    most : int, optional
        How many that is; None keeps all.
    """

    def __init__(self, knots: Numbers, most: int | None = MOST_DISTINCT) -> None:
        self._knots, self._most = knots, most
        self._moments = _Moments()
        self._values, self._counts = np.empty(0), np.empty(0)
        self._coarse: tuple[Numbers, Numbers, Numbers] | None = None

    def add(self, values: Numbers) -> None:
        """Count some numbers, none of which is missing or infinite."""
        ordered = np.sort(values + 0.0)
        self._moments.add(ordered)
        distinct, counts = _distinct(ordered)
        if self._coarse is None:
            self._keep(distinct, counts)
        else:
            self._count(distinct, counts)

    def steps(self) -> Steps:
        """Return their distribution."""
        if self._coarse is not None:
            return _described((self._knots, *self._coarse), self._moments)
        return _described((self._values, self._counts, *_nothing_between(len(self._values))), self._moments)

    def _keep(self, distinct: Numbers, counts: Numbers) -> None:
        every = np.concatenate([self._values, distinct])
        self._values, place = np.unique(every, return_inverse=True)
        self._counts = np.bincount(place, np.concatenate([self._counts, counts]), len(self._values)).astype("float64")
        if self._most is not None and len(self._values) > self._most and len(self._knots):
            self._coarse = _onto(self._values, self._counts, self._knots)[1:]

    def _count(self, distinct: Numbers, counts: Numbers) -> None:
        found = _onto(distinct, counts, self._knots)[1:]
        equal, between, sums = self._coarse or found
        self._coarse = (equal + found[0], between + found[1], sums + found[2])


# --- categories --------------------------------------------------------------------------------------------------


def words_of(column: pd.Series[Any], kind: Kind) -> Counter[str]:
    """Return how often each category of a column occurs, spelled alike whatever holds it."""
    plain = unwrapped(column).dropna()
    try:
        counts = plain.value_counts(sort=False)
    except TypeError:  # lists and mappings
        counts = plain.map(str).value_counts(sort=False)
    is_truth = kind is Kind.BOOLEAN and pdt.is_numeric_dtype(plain.dtype)
    found: Counter[str] = Counter()
    for value, count in zip(counts.index.tolist(), counts.tolist(), strict=True):
        found[word(bool(value) if is_truth else value)] += int(count)
    return found


def sorted_words(counts: Counter[str]) -> Words:
    """Return categories, the most frequent one first."""
    return Words(dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))))


class WordTally:
    """Categories that come in parts.

    Parameters
    ----------
    known : collection of str
        Those of training.
    most : int, optional
        How many others are counted one by one; None counts all so.
    """

    def __init__(self, known: Any, most: int | None = MOST_NEW) -> None:
        self._known, self._most = frozenset(known), most
        self._counts: Counter[str] = Counter()
        self._new = 0
        self._others = 0

    def add(self, column: pd.Series[Any], kind: Kind) -> None:
        """Count the categories of some rows."""
        for name, count in words_of(column, kind).items():
            if name not in self._counts and name not in self._known:
                if self._most is not None and self._new >= self._most:
                    self._others += count
                    continue
                self._new += 1
            self._counts[name] += count

    def words(self) -> Words:
        """Return how often each occurs."""
        return Words(dict(self._counts), self._others)


# --- columns -----------------------------------------------------------------------------------------------------


def column_reference(
    column: pd.Series[Any], name: str, kind: Kind, *, knots: int | None = None, words: int | None = None
) -> ColumnReference:
    """Return what is kept of a column.

    Parameters
    ----------
    column : Series
        In the form of the training data.
    name : str
        What it is called.
    kind : Kind
        What it holds.
    knots : int, optional
        As of `steps_of`; None keeps every value.
    words : int, optional
        How many categories there may be; of more the lengths are kept. To keep the most frequent of them would bias
        the comparison: by chance these are rarer in other rows.
    """
    counts = words_of(column, kind) if kind in {Kind.CATEGORICAL, Kind.BOOLEAN} else Counter[str]()
    by = _compared_by(kind, counts, words)
    missing = int(_gaps(column, kind).sum())
    made = ColumnReference(name, kind, str(column.dtype), by, len(column), missing)
    if by is ComparedBy.CATEGORIES:
        return _with(made, words=sorted_words(counts))
    return _with(made, steps=steps_of(_numbers(column, kind, by), knots))


def _with(made: ColumnReference, steps: Steps | None = None, words: Words | None = None) -> ColumnReference:
    return ColumnReference(made.name, made.kind, made.dtype, made.by, made.rows, made.missing, steps, words)


NAMES, NAMES_SHARE = 100, 0.5
"""Categories of which more than so many are different, and more than this share of the values, are names of rows."""


def _compared_by(kind: Kind, counts: Counter[str], most: int | None) -> ComparedBy:
    if kind in {Kind.NUMERIC, Kind.DATETIME}:
        return ComparedBy.NUMBERS
    share = NAMES_SHARE * counts.total()
    if kind is Kind.TEXT or len(counts) > max(NAMES, share if most is None else min(most, share)):
        return ComparedBy.LENGTH
    return ComparedBy.CATEGORIES


def _gaps(column: pd.Series[Any], kind: Kind) -> npt.NDArray[np.bool_]:
    missing = column.isna().to_numpy()
    # Vectorisers take no missing text, and so it is empty in the form of the training data.
    return missing | (column == "").fillna(False).to_numpy(dtype=bool) if kind is Kind.TEXT else missing


def _numbers(column: pd.Series[Any], kind: Kind, by: ComparedBy) -> Numbers:
    if by is ComparedBy.LENGTH:
        present = unwrapped(column[~_gaps(column, kind)])
        texts = present if pdt.is_string_dtype(present.dtype) else present.map(str)
        return np.asarray(texts.astype("str").str.len(), dtype="float64")
    values = floats(column)
    return values[np.isfinite(values)]


class ColumnTally:
    """A column of new data that comes in parts.

    Parameters
    ----------
    before : ColumnReference
        The same column of the training data.
    exact : bool
        Keep every value.
    """

    def __init__(self, before: ColumnReference, *, exact: bool = False) -> None:
        self._before = before
        self._rows = self._missing = 0
        knots = np.empty(0) if before.steps is None else before.steps.knots
        self._numbers = NumberTally(knots, None if exact else MOST_DISTINCT)
        known = () if before.words is None else before.words.counts
        self._words = WordTally(known, None if exact else MOST_NEW)

    def add(self, column: pd.Series[Any]) -> None:
        """Count the values of some rows, in the form of the training data."""
        kind, by = self._before.kind, self._before.by
        self._rows += len(column)
        self._missing += int(_gaps(column, kind).sum())
        if by is ComparedBy.CATEGORIES:
            self._words.add(column, kind)
        else:
            self._numbers.add(_numbers(column, kind, by))

    def found(self) -> ColumnReference:
        """Return what came."""
        before = self._before
        made = ColumnReference(before.name, before.kind, before.dtype, before.by, self._rows, self._missing)
        if before.by is ComparedBy.CATEGORIES:
            return _with(made, words=self._words.words())
        return _with(made, steps=self._numbers.steps())
