"""Rows that somebody has in memory, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from mlops_cli.components.frames import from_polars, is_polars
from mlops_cli.errors import UsageError

ALLOWED = "a DataFrame of pandas or polars, or a list of mappings with a row each: [{'age': 22, …}, …]"


def as_table(rows: Any) -> pd.DataFrame:
    """Return rows as a table, shape (rows, columns).

    Parameters
    ----------
    rows : DataFrame, or sequence of mapping
        A table, which is returned as it is, or as one of pandas where it is of polars; or a mapping from column to
        value for each row.

    Raises
    ------
    UsageError
        It is neither.

    Examples
    --------
    >>> as_table([{"age": 22, "sex": "male"}, {"age": 38}])
       age   sex
    0   22  male
    1   38   NaN
    """
    if isinstance(rows, pd.DataFrame):
        return rows
    if is_polars(rows):
        return from_polars(rows)
    if isinstance(rows, list | tuple) and all(isinstance(row, Mapping) for row in rows):
        return pd.DataFrame([dict(row) for row in rows])
    raise UsageError(f"rows in memory are {ALLOWED}. Got {type(rows).__name__} instead.")
