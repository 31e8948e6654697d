"""What differs between two tables: columns, rows, and how the values of each column are distributed. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlops_cli.analysis.forms import alike, unwrapped
from mlops_cli.analysis.shifts import shifts
from mlops_cli.components.casting import to_texts
from mlops_cli.errors import DataError, did_you_mean
from mlops_cli.records import Change, DataDiff, RowDiff

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from mlops_cli.analysis.forms import Values
    from mlops_cli.records import Column

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
    pairs = {name: alike(a[name], b[name]) for name in a.columns if name in b.columns}
    if not pairs:
        return RowDiff(None, added=len(b), removed=len(a))
    before, after = (_hashes({name: pair[side] for name, pair in pairs.items()}).value_counts() for side in (0, 1))
    more = after.sub(before, fill_value=0)
    return RowDiff(None, added=int(more[more > 0].sum()), removed=int(-more[more < 0].sum()))


def _hashes(columns: Mapping[str, Values]) -> pd.Series[Any]:
    """Return a number for each row that rows of equal values share."""
    return pd.util.hash_pandas_object(pd.DataFrame(columns), index=False)


def _rows_by_key(a: pd.DataFrame, b: pd.DataFrame, key: str) -> RowDiff:
    before, after = _keys(a, b, key)
    common = before.index.intersection(after.index, sort=False)
    added, removed = after[~after.index.isin(common)], before[~before.index.isin(common)]
    shared = [name for name in a.columns if name in b.columns and name != key]
    rows = before.index.get_indexer(common), after.index.get_indexer(common)
    differs = {name: _unequal(a[name].iloc[rows[0]], b[name].iloc[rows[1]]) for name in shared}
    changed = after.iloc[rows[1]][np.logical_or.reduce(list(differs.values()))] if shared else after[:0]
    cells = {str(name): int(found.sum()) for name, found in differs.items() if found.any()}
    examples = {"added": added, "removed": removed, "changed": changed}
    shown = {word: tuple(keys[:SHOWN]) for word, keys in examples.items() if len(keys)}
    return RowDiff(key, len(added), len(removed), len(changed), cells, shown)


def _keys(a: pd.DataFrame, b: pd.DataFrame, key: str) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Return the keys as they are shown, by the form in which those of both tables are equal."""
    for table, which in ((a, "first"), (b, "second")):
        if key not in table.columns:
            raise DataError(f"the {which} table has no column '{key}'", hint=did_you_mean(key, map(str, table.columns)))
        if table[key].isna().any():
            missing = int(table[key].isna().sum())
            raise DataError(f"the key '{key}' is missing in {missing} rows of the {which} table")
    x, y = alike(a[key], b[key])
    before, after = (to_texts(unwrapped(t[key])).astype(object).set_axis(k) for t, k in ((a, x), (b, y)))
    for keys, which in ((before, "first"), (after, "second")):
        _refuse_repeated(keys, key, which)
    return before, after


def _refuse_repeated(keys: pd.Series[Any], key: str, which: str) -> None:
    repeated = keys.index.duplicated()
    if repeated.any():
        count, example = int(repeated.sum()), keys[repeated].iloc[0]
        raise DataError(
            f"the key '{key}' repeats in {count} rows of the {which} table, '{example}' first",
            hint="a key tells rows apart: choose another column, or none",
        )


def _unequal(a: pd.Series[Any], b: pd.Series[Any]) -> npt.NDArray[np.bool_]:
    """Return where values differ; what is missing equals what is missing, and nothing else."""
    x, y = alike(a, b)
    missing, also = a.isna().to_numpy(), b.isna().to_numpy()
    return np.asarray(np.where(missing | also, missing != also, x != y), dtype=bool)
