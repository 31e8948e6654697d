"""Rows as JSON has them, as the table that the model takes: exactly what `conform` makes of them, mostly without it.

`conform` looks at each column in many ways, which for one row takes as long as the model itself. Columns of plain
numbers, truths, texts and dates are put into their form directly; all others, and values out of the ordinary, go
through `conform`. A test holds the two against each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlops_cli.components.casting import as_text_dtype
from mlops_cli.components.tables import conform
from mlops_cli.records import Kind
from mlops_cli.web.serving.rows import form_of, is_naive

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_cli.records import Column

    Values = list[Any]

_INT64 = np.iinfo(np.int64)


def frame(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], dtypes: Mapping[str, str]) -> pd.DataFrame:
    """Return rows in the form of the training columns, shape (rows, columns).

    Parameters
    ----------
    rows : sequence of mapping
        Checked by `RowForm`.
    columns : sequence of Column
        Of training.
    dtypes : mapping of str to str
        The config's ``data.dtypes``.

    Raises
    ------
    DataError
        As `conform`.
    """
    values = {c.name: [row[c.name] for row in rows] for c in columns}
    quick = {c.name: None if c.name in dtypes else _quick(values[c.name], c) for c in columns}
    left = [c for c in columns if quick[c.name] is None]
    if left:
        own = {name: word for name, word in dtypes.items() if name in {c.name for c in left}}
        slow = conform(plain(values, left), left, own)
        quick |= {c.name: slow[c.name] for c in left}
    return pd.DataFrame(quick, copy=False)


def plain(values: Mapping[str, Values], columns: Sequence[Column]) -> pd.DataFrame:
    """Return values as a table that nobody has looked at: what `conform` is given."""
    return pd.DataFrame({c.name: pd.Series(values[c.name], dtype=_given(c)) for c in columns}, copy=False)


def _given(column: Column) -> Any:
    return object if form_of(column) in {"text", "date", "value"} else None


def _quick(values: Values, column: Column) -> Any:
    """Return a column in its form, or None where that takes a closer look."""
    form = form_of(column)
    if form == "text" and column.dtype == "str":
        return _texts(values, column)
    if form == "number" and column.dtype != "category":
        return _numbers(values, np.dtype(column.dtype))
    if form == "boolean" and column.dtype == "bool":
        return np.array(values, dtype=bool) if None not in values else None
    return _dates(values, column) if form == "date" else None


def _numbers(values: Values, dtype: np.dtype[Any]) -> Any:
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            numbers = np.array(values, dtype="float64").astype(dtype, copy=False)
        return numbers if not np.isinf(numbers).any() else None
    if dtype.kind not in "iu" or not all(value is None or type(value) is int for value in values):
        return None
    if None in values:
        return np.array(values, dtype="float64")
    limits = np.iinfo(dtype)
    fits = limits.min <= min(values) and max(values) <= min(limits.max, _INT64.max)
    return np.array(values, dtype=dtype) if fits else None


def _texts(values: Values, column: Column) -> Any:
    if column.kind is Kind.TEXT:  # vectorisers take no missing values
        values = ["" if value is None else value for value in values]
    elif all(value is None for value in values):
        return None
    return as_text_dtype(pd.Series(values, dtype=_TEXT))


def _dates(values: Values, column: Column) -> Any:
    if column.dates is None or not all(value is not None and is_naive(value) for value in values):
        return None
    return pd.Series(np.array(values, dtype="datetime64[us]")).astype(column.dtype)  # type: ignore[call-overload]


_TEXT: Any = "str" if int(pd.__version__.split(".", 1)[0]) >= 3 else object
