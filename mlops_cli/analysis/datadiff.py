"""What differs between two tables: columns, rows, and how the values of each column are distributed. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from mlops_cli.analysis.shifts import shifts
from mlops_cli.errors import DataError, did_you_mean
from mlops_cli.records import Change, DataDiff, RowDiff

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from mlops_cli.records import Column

_MISSING = "\0"

SHOWN = 10
"""Keys of rows that are named as examples."""


def data_diff(
    names: tuple[str, str],
    a: pd.DataFrame,
    b: pd.DataFrame,
    columns: tuple[Sequence[Column], Sequence[Column]],
    key: str | None = None,
) -> DataDiff:
    """Return what differs between two tables.

    Parameters
    ----------
    names : tuple of str
        What they are called.
    a, b : DataFrame
        As they are read.
    columns : tuple of sequence of Column
        What their columns are.
    key : str, optional
        The column that tells rows apart.

    Raises
    ------
    DataError
        The key is no column of both, is missing in a row, or repeats.
    """
    before, after = ({c.name: c for c in found} for found in columns)
    both = {name: before[name].kind for name in before if name in after}
    by_row = _rows_by_key(a, b, key) if key is not None else _rows_by_content(a, b)
    compared = {name: kind for name, kind in both.items() if name != key}
    return DataDiff(*names, (len(a), len(b)), _columns(before, after), by_row, shifts(a, b, compared))


def _columns(before: dict[str, Column], after: dict[str, Column]) -> tuple[Change, ...]:
    names = dict.fromkeys([*before, *after])
    types = {n: (before[n].dtype if n in before else None, after[n].dtype if n in after else None) for n in names}
    return tuple(Change(n, x, y, (n in before, n in after)) for n, (x, y) in types.items() if x != y)


# --- rows --------------------------------------------------------------------------------------------------------


def _rows_by_content(a: pd.DataFrame, b: pd.DataFrame) -> RowDiff:
    """Count rows that only one table has, each as often as it has it more."""
    shared = [name for name in a.columns if name in b.columns]
    if not shared:
        return RowDiff(None, added=len(b), removed=len(a))
    before, after = (_hashes(table[shared]).value_counts() for table in (a, b))
    more = after.sub(before, fill_value=0)
    return RowDiff(None, added=int(more[more > 0].sum()), removed=int(-more[more < 0].sum()))


def _hashes(table: pd.DataFrame) -> pd.Series[Any]:
    """Return a number for each row that rows of equal values share, whatever types hold them."""
    return pd.util.hash_pandas_object(table.apply(_plain), index=False)


def _plain(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return values in a form in which equal ones are equal: whole numbers that a gap has made real, and dates."""
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.astype(str).where(column.notna(), _MISSING)
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.astype("float64") + 0.0  # -0.0 is 0.0
    return column.astype(str).where(column.notna(), _MISSING)


def _rows_by_key(a: pd.DataFrame, b: pd.DataFrame, key: str) -> RowDiff:
    before, after = _indexed(a, key, "first"), _indexed(b, key, "second")
    added, removed = after.index.difference(before.index, sort=False), before.index.difference(after.index, sort=False)
    common = before.index.intersection(after.index, sort=False)
    differs = _differing(before.loc[common], after.loc[common])
    changed = common[differs.any(axis=1).to_numpy(dtype=bool)] if len(common) else common
    cells = {str(name): int(count) for name, count in differs.sum().items() if count}
    examples = {"added": _first(added), "removed": _first(removed), "changed": _first(changed)}
    return RowDiff(key, len(added), len(removed), len(changed), cells, {k: v for k, v in examples.items() if v})


def _indexed(table: pd.DataFrame, key: str, which: str) -> pd.DataFrame:
    if key not in table.columns:
        raise DataError(f"the {which} table has no column '{key}'", hint=did_you_mean(key, map(str, table.columns)))
    keys = table[key]
    if keys.isna().any():
        raise DataError(f"the key '{key}' is missing in {int(keys.isna().sum())} rows of the {which} table")
    if keys.duplicated().any():
        repeated = str(keys[keys.duplicated()].iloc[0])
        count = int(keys.duplicated().sum())
        raise DataError(
            f"the key '{key}' repeats in {count} rows of the {which} table, '{repeated}' first",
            hint="a key tells rows apart: choose another column, or none",
        )
    return table.set_index(_as_text(keys)).drop(columns=key)


def _as_text(keys: pd.Series[Any]) -> pd.Series[Any]:
    """Return keys as text: 7 is 7, also where a gap elsewhere once made it 7.0."""
    if pd.api.types.is_float_dtype(keys.dtype) and (keys % 1 == 0).all() and keys.abs().max() < 2**53:
        return keys.astype("int64").astype(str)
    return keys.astype(str)


def _differing(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return where the values of the columns that both have differ; what is missing equals what is missing."""
    shared = [name for name in before.columns if name in after.columns]
    return pd.DataFrame({name: _unequal(before[name], after[name]) for name in shared}, index=before.index)


def _unequal(a: pd.Series[Any], b: pd.Series[Any]) -> np.ndarray[Any, Any]:
    x, y = _plain(a), _plain(b)
    if x.dtype != y.dtype:
        x, y = x.astype(str), y.astype(str)
    both_missing = a.isna().to_numpy() & b.isna().to_numpy()
    unequal: np.ndarray[Any, Any] = (x.to_numpy() != y.to_numpy()) & ~both_missing
    return unequal


def _first(keys: pd.Index[Any]) -> tuple[str, ...]:
    return tuple(map(str, keys[:SHOWN]))
