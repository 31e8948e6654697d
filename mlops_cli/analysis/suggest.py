"""A first version of ``data.expect`` from a table that is there: rules that it satisfies, with room for the next one.

Pure. What is suggested is what a person would write who knows this table alone: types, ranges made wider, more missing
values than there are, the values where they are few. As many more rows of the same kind break a rule about once in 400
times.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pandas.api import types as pdt

from mlops_cli.analysis.forms import floats, is_time, looks_like_dates
from mlops_cli.analysis.rules import is_amount
from mlops_cli.records import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    import pandas as pd

    from mlops_cli.records import Column

ROOM = 0.1
"""So much of its own width is added to a range at both ends, at the least."""
TAIL = 6.0
"""So many times the mean excess of the greatest values, where they are far from each other. Of tails that fall off like
an exponential the greatest of as many more values is so much greater once in 1 + e**6 times."""
GAPS = 2.0
"""So many times 1 / √rows the angle of the share of missing values may be greater: 2.8 standard deviations of what two
tables of one kind differ by."""
FEW = 20
"""Columns with more different values than this are not described by them."""
_FEW_CODES = 5
_OFTEN = 20
_ROWS_PER_VALUE = 5
_ENOUGH_ROWS = 20
"""From fewer rows nothing is concluded about which values there are, or whether they repeat."""
_LONGEST = 100
_FEWEST = 0.5
_MORE_MISSING = 1.5
_SMALLEST_POWER = -300
_LEAST_TAIL = 10
_TAIL_SHARE = 10
_FIRST_YEAR = 1678
"""Before it are no dates in nanoseconds."""


@dataclass(frozen=True)
class Suggested:
    """The rules of one column, and in words what they were made from."""

    name: str
    rules: Mapping[str, Any]
    seen: str


@dataclass(frozen=True)
class Suggestion:
    """A first version of ``data.expect``."""

    rows: Mapping[str, int]
    columns: tuple[Suggested, ...]
    only: bool
    found: int  # rows of the table


def suggest(table: pd.DataFrame, columns: Sequence[Column], *, strict: bool = False) -> Suggestion:
    """Return rules that a table satisfies.

    Parameters
    ----------
    table : DataFrame
        Normalised.
    columns : sequence of Column
        What its columns are.
    strict : bool
        Without any room: what is there now is all that may come.
    """
    count = len(table)
    rows = {"min": count, "max": count} if strict else {"min": max(1, math.floor(count * _FEWEST))}
    made = tuple(_column(table[c.name], c, strict=strict) for c in columns)
    return Suggestion(rows, made, strict, count)


def _column(column: pd.Series, described: Column, *, strict: bool) -> Suggested:
    rules: dict[str, Any] = {}
    present = column.dropna()
    if len(present):
        rules["type"] = str(described.kind)
    if is_amount(column) and described.kind is Kind.NUMERIC:
        rules |= _codes(present, strict=strict) or _amounts(present, strict=strict)
    elif is_time(column):
        rules |= _times(present, strict=strict)
    elif described.kind is Kind.CATEGORICAL:
        rules |= _values(present, strict=strict)
    is_key = _is_key(column, described)
    rules["missing"] = _share(int(column.isna().sum()), len(column), strict=strict or is_key)
    if is_key:
        rules["unique"] = True
    return Suggested(described.name, rules, _seen(column, present))


def _codes(present: pd.Series, *, strict: bool) -> dict[str, Any]:
    """Return the values of whole numbers that are few and often, as those of classes and ranks are; counts thin out."""
    if not pdt.is_integer_dtype(present.dtype):
        return {}
    counts = present.value_counts()
    is_code = len(counts) == 2 or (len(counts) <= _FEW_CODES and counts.min() * _OFTEN >= len(present))
    return _values(present, strict=strict) if is_code else {}


def _amounts(present: pd.Series, *, strict: bool) -> dict[str, Any]:
    """Return the range with some room, rounded outwards; what was never negative stays so."""
    if not len(present):
        return {}
    low, high = present.min(), present.max()
    if not (math.isfinite(low) and math.isfinite(high)):
        return {}
    is_whole = pdt.is_integer_dtype(present.dtype)
    if strict:
        return {"min": int(low), "max": int(high)} if is_whole else {"min": float(low), "max": float(high)}
    values = np.sort(floats(present))
    down, up = _room(-values[::-1]), _room(values)
    if is_whole:
        least, fewer = int(low), max(1, math.ceil(down))
        return {"min": 0 if 0 <= least < fewer else least - fewer, "max": int(high) + max(1, math.ceil(up))}
    below, above = _outward(float(low), -down), _outward(float(high), up)
    return {"min": 0.0 if low >= 0 and below < 0 else min(below, float(low)), "max": max(above, float(high))}


def _room(ordered: npt.NDArray[np.float64]) -> float:
    """Return how much greater than the greatest of some values the next ones may be.

    Parameters
    ----------
    ordered : ndarray of shape (n_values,)
        From the least to the greatest.

    References
    ----------
    J. Pickands. Statistical Inference Using Extreme Order Statistics. Annals of Statistics 3, 1975: what exceeds a high
    bound is distributed alike whatever the distribution; here by an exponential, the wider of two at different bounds.
    """
    most = len(ordered) - 1
    with np.errstate(over="ignore", invalid="ignore"):
        width = float(ordered[-1] - ordered[0])
        counts = {min(most, _LEAST_TAIL), min(most, max(_LEAST_TAIL, most // _TAIL_SHARE))} - {0}
        excess = max((float((ordered[-k:] - ordered[-k - 1]).mean()) for k in counts), default=0.0)
    return max(ROOM * width, TAIL * excess)


def _outward(value: float, room: float) -> float:
    """Return a rounder number at least so much further out; the value itself where floats end before that."""
    moved = value + room
    if room == 0 or not math.isfinite(moved):
        return value
    power = math.floor(math.log10(abs(room)))
    if power < _SMALLEST_POWER:  # a step so small is no number any more
        return moved
    step = 10.0**power
    if not math.isfinite(moved / step):
        return moved
    rounded = (math.ceil if room > 0 else math.floor)(moved / step) * step
    return round(rounded, max(0, -power)) if math.isfinite(rounded) else moved


def _times(present: pd.Series, *, strict: bool) -> dict[str, Any]:
    """Return the earliest time, with room; later ones than the latest are what is to be expected."""
    if not len(present):
        return {}
    low, high = present.min(), present.max()
    if strict:
        return {"min": str(low), "max": str(high)}
    start, end = low.floor("s").as_unit("s"), high.floor("s").as_unit("s")
    earlier = (start - (end - start) * ROOM).floor("s")
    return {"min": str(earlier if earlier.year >= _FIRST_YEAR else low)}


def _values(present: pd.Series, *, strict: bool) -> dict[str, Any]:
    """Return the values where they are few, and each is seen often enough that they are likely to be all.

    References
    ----------
    I. J. Good. The Population Frequencies of Species and the Estimation of Population Parameters. Biometrika 40, 1953:
    the next value is a new one about as often as a value has been seen once.
    """
    if len(present) < _ENOUGH_ROWS:
        return {}
    try:
        counts = present.value_counts()
        values = sorted(counts.index[counts > 0].tolist(), key=lambda value: (str(type(value)), value))
    except TypeError:  # lists and mappings
        return {}
    is_plain = all(isinstance(v, bool | int) or (isinstance(v, str) and len(v) <= _LONGEST) for v in values)
    if not is_plain or len(values) > min(FEW, len(present) // _ROWS_PER_VALUE):
        return {}
    return {} if (counts == 1).any() and not strict else {"allowed": values}


def _share(missing: int, rows: int, *, strict: bool) -> float:
    """Return the share of missing values that is allowed.

    More than there are by half, or by what chance gives as many more rows, whichever is more.

    References
    ----------
    M. F. Freeman, J. W. Tukey. Transformations Related to the Angular and the Square Root. Annals of Mathematical
    Statistics 21, 1950: the angle of a share has a standard deviation of 1 / (2 √n), whatever the share.
    """
    share = missing / rows if rows else 0.0
    if strict or not rows:
        return _upward(share)
    angle = math.asin(math.sqrt(share)) + GAPS / math.sqrt(rows)
    chance = math.sin(min(angle, math.pi / 2)) ** 2
    return min(1.0, _upward(max(chance, min(share * _MORE_MISSING, (share + 1) / 2))))


def _upward(share: float) -> float:
    """Return a share rounded up: to a whole percent, or to one digit where it is less."""
    if not share:
        return 0
    digits = max(2, -math.floor(math.log10(share)))
    return math.ceil(share * 10.0**digits) / 10.0**digits


def _is_key(column: pd.Series, described: Column) -> bool:
    """Whether every row has a value of its own, as names and numbers of rows have; measures only happen to."""
    if described.unique is None or described.unique < len(column) or len(column) < _ENOUGH_ROWS:
        return False
    if described.kind is Kind.CATEGORICAL:
        return not looks_like_dates(column)
    return bool(pdt.is_integer_dtype(column.dtype)) and int(column.max()) - int(column.min()) + 1 == len(column)


def _seen(column: pd.Series, present: pd.Series) -> str:
    missing = len(column) - len(present)
    parts = [f"{missing:,} missing"] if missing else []
    if len(present) and (is_amount(column) or is_time(column)):
        ends = [f"{v:g}" if isinstance(v, float) else str(v) for v in (present.min(), present.max())]
        parts.insert(0, f"{ends[0]} to {ends[1]}")
    return ", ".join(parts)
