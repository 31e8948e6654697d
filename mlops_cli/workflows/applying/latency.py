"""How long a model takes to predict, measured here and now: its loading apart, and after it has warmed up."""

from __future__ import annotations

import os
import platform
import time
from typing import TYPE_CHECKING

from mlops_cli.analysis.gates import Timed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from mlops_cli.workflows.applying.model import Model, SavedModel

WARM_UP = 10
FEWEST, MOST = 100, 2000
ENOUGH_S = 2.0
"""Seconds after which calls end once there are enough of them for a percentile of 99."""
LONGEST_S = 30.0
"""Seconds after which they end however few there are; a model so slow passes no bound by chance."""
DISTINCT = 100
"""Tables that are predicted in turn: one alone would stay in every cache."""


def timed(saved: SavedModel, X: pd.DataFrame, rows: int, *, allow_pickle: bool = False) -> Timed:
    """Return how long a model takes to load, and to predict so many rows at once, with columns matched by name.

    Parameters
    ----------
    saved : SavedModel
        The model, on disk.
    X : DataFrame
        Rows in the form that it takes, shape (some, features); repeated where they are fewer than asked for.
    rows : int
        How many are predicted at once.
    allow_pickle : bool
        Open a model that is a pickle.
    """
    began = time.perf_counter()
    model = saved.open(allow_pickle=allow_pickle)
    load_s = time.perf_counter() - began
    calls = _calls(model, _tables(X, rows))
    return Timed(calls, load_s, rows, f"{platform.node()}, {os.cpu_count()} cores")


def _tables(X: pd.DataFrame, rows: int) -> list[pd.DataFrame]:
    """Return tables of so many rows each, that together go through all rows as far as they may."""
    starts = range(0, min(DISTINCT * rows, max(len(X), 1)), rows)
    return [X.iloc[[(start + i) % len(X) for i in range(rows)]].reset_index(drop=True) for start in starts]


def _calls(model: Model, tables: Sequence[pd.DataFrame]) -> list[float]:
    calls: list[float] = []
    for i in range(WARM_UP):
        model.predict(tables[i % len(tables)])
    began = time.perf_counter()
    while len(calls) < MOST:
        start = time.perf_counter()
        model.predict(tables[len(calls) % len(tables)])
        end = time.perf_counter()
        calls.append(end - start)
        if end - began > (ENOUGH_S if len(calls) >= FEWEST else LONGEST_S):
            break
    return calls
