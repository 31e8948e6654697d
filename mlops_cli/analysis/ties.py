"""How strongly the features of a table go with each other, pair by pair: what says the same thing twice stands out.

Pure. Asked of a sample of the rows, for the number of pairs grows with the square of the columns.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api import types as pdt

from mlops_cli.analysis.association import Classes, Quantity, association
from mlops_cli.analysis.forms import floats, is_time
from mlops_cli.records import Kind, Ties

if TYPE_CHECKING:
    from mlops_cli.records import Column, Dataset

MOST_ROWS = 5_000
MOST_COLUMNS = 60


def ties(dataset: Dataset, *, most_columns: int = MOST_COLUMNS) -> Ties:
    """Return how strongly features go with each other.

    Parameters
    ----------
    dataset : Dataset
        Its features are compared, but for texts and for categories that most rows have one of their own of.
    most_columns : int
        So many of them, the first ones.
    """
    names = [column.name for column in dataset.features if not _is_name(column, dataset.rows)]
    kept = names[:most_columns]
    rows = np.arange(dataset.rows)
    if dataset.rows > MOST_ROWS:
        rows = np.linspace(0, dataset.rows - 1, MOST_ROWS).astype(np.intp)
    columns = [_values(dataset.X[name].iloc[rows]) for name in kept]
    found = {}
    for a, b in combinations(range(len(kept)), 2):
        strength = association(columns[a], columns[b])
        if strength is not None:
            found[a, b] = strength
    sampled = len(rows) if len(rows) < dataset.rows else None
    return Ties(tuple(kept), found, len(dataset.features) - len(kept), sampled)


def _is_name(column: Column, rows: int) -> bool:
    """Whether values tell rows apart and little else: each would go with everything."""
    is_apart = column.unique is not None and 2 * column.unique > rows
    return column.kind is Kind.TEXT or (column.kind is Kind.CATEGORICAL and is_apart)


def _values(column: pd.Series[Any]) -> Quantity | Classes:
    is_amount = pdt.is_numeric_dtype(column.dtype) and not pdt.is_bool_dtype(column.dtype)
    if is_amount or is_time(column):
        return Quantity(floats(column))
    return Classes(pd.factorize(column.astype(object))[0])
