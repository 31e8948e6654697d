"""A first version of ``data.expect`` from a table that is there: rules that it satisfies, with room for the next one.

Pure. What is suggested is what a person would write who knows this table alone: types, ranges made wider, the share of
missing values rounded up, the values where they are few.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pandas.api import types as pdt

from mlops_cli.analysis.rules import is_amount, is_time
from mlops_cli.records import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from mlops_cli.records import Column

ROOM = 0.1
"""So much of its own width is added to a range at both ends."""
FEW = 20
"""Columns with more different values than this are not described by them."""
_FEW_CODES = 5
_ROWS_PER_VALUE = 5
_ENOUGH_ROWS = 20
"""From fewer rows nothing is concluded about which values there are, or whether they repeat."""
_LONGEST = 100
_FEWEST = 0.5
_MORE_MISSING = 1.5
_SMALLEST_POWER = -300


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
        rules["type"] = str(described.kind) if described.kind is not Kind.TEXT else "text"
    if is_amount(column) and described.kind is Kind.NUMERIC:
        rules |= _codes(present, len(column)) or _amounts(present, strict=strict)
    elif is_time(column):
        rules |= _times(present, strict=strict)
    elif described.kind is Kind.CATEGORICAL:
        rules |= _values(present, len(column))
    rules["missing"] = _share(int(column.isna().sum()), len(column), strict=strict)
    if _is_key(column, described):
        rules["unique"] = True
    return Suggested(described.name, rules, _seen(column, present))


def _codes(present: pd.Series, rows: int) -> dict[str, Any]:
    """Return the values of whole numbers that are few, as those of classes and ranks are."""
    is_few = pdt.is_integer_dtype(present.dtype) and present.nunique() <= _FEW_CODES
    return _values(present, rows) if is_few else {}


def _amounts(present: pd.Series, *, strict: bool) -> dict[str, Any]:
    """Return the range with some room, rounded outwards; what was never negative stays so."""
    if not len(present):
        return {}
    low, high = present.min(), present.max()
    if not (math.isfinite(low) and math.isfinite(high)):
        return {}
    if pdt.is_integer_dtype(present.dtype):
        least, most = int(low), int(high)
        more = 0 if strict else max(1, math.ceil((most - least) * ROOM))
        return {"min": 0 if 0 <= least < more else least - more, "max": most + more}
    if strict:
        return {"min": float(low), "max": float(high)}
    room = (float(high) - float(low)) * ROOM
    below, above = _outward(float(low), -room), _outward(float(high), room)
    return {"min": 0.0 if low >= 0 and below < 0 else min(below, float(low)), "max": max(above, float(high))}


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
    """Return the earliest time; later ones than the latest are what is to be expected."""
    if not len(present):
        return {}
    return {"min": str(present.min()), **({"max": str(present.max())} if strict else {})}


def _values(present: pd.Series, rows: int) -> dict[str, Any]:
    """Return the values where they are few, and each of them is seen often enough to be believed."""
    if rows < _ENOUGH_ROWS or not len(present):
        return {}
    try:
        values = sorted(present.unique().tolist(), key=lambda value: (str(type(value)), value))
    except TypeError:  # lists and mappings
        return {}
    is_plain = all(isinstance(v, bool | int) or (isinstance(v, str) and len(v) <= _LONGEST) for v in values)
    if not is_plain or len(values) > min(FEW, rows // _ROWS_PER_VALUE):
        return {}
    return {"allowed": values}


def _share(missing: int, rows: int, *, strict: bool) -> float:
    """Return the share of missing values that is allowed; none where there was none."""
    if not missing:
        return 0
    share = missing / rows if strict else min(missing / rows * _MORE_MISSING, (missing / rows + 1) / 2)
    return min(1.0, math.ceil(share * 100) / 100)


def _is_key(column: pd.Series, described: Column) -> bool:
    """Whether every row has a value of its own, as names and numbers of rows have; measures only happen to."""
    if described.unique is None or described.unique < len(column) or len(column) < _ENOUGH_ROWS:
        return False
    return described.kind is Kind.CATEGORICAL or (
        bool(pdt.is_integer_dtype(column.dtype)) and int(column.max()) - int(column.min()) + 1 == len(column)
    )


def _seen(column: pd.Series, present: pd.Series) -> str:
    missing = len(column) - len(present)
    parts = [f"{missing:,} missing"] if missing else []
    if len(present) and (is_amount(column) or is_time(column)):
        ends = [f"{v:g}" if isinstance(v, float) else str(v) for v in (present.min(), present.max())]
        parts.insert(0, f"{ends[0]} to {ends[1]}")
    return ", ".join(parts)
