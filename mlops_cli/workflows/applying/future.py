"""The rows of a series that are to be forecast: their past is in the same data, and so all of it is read at once.

A row is to be forecast where its target is missing. How far it lies ahead of the last value that is known says by which
horizon; one that lies further ahead than any horizon reaches is refused, for its model has never seen such a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlops_cli.components import casting
from mlops_cli.components.forecasting import HORIZON, supervised
from mlops_cli.components.tables import conform
from mlops_cli.errors import ConfigError, DataError
from mlops_cli.records import Dataset, DatasetVersion, ForecastSpec, Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.records import DataSpec
    from mlops_cli.workflows.applying.incoming import Opened

    Places = np.ndarray[Any, Any]

HOW = "the past with its target, and then the rows to be forecast with theirs left empty"
_ELAPSED = "elapsed"


def future_rows(table: pd.DataFrame, model: Opened) -> tuple[pd.DataFrame, Places]:
    """Return the rows to be forecast as a model takes them, and where they stand in the table.

    Parameters
    ----------
    table : DataFrame
        The past and the rows to be forecast, in any order; has the columns of `Opened.inputs`.
    model : Opened
        A forecast.

    Raises
    ------
    DataError
        No row is to be forecast, or one lies too far ahead, or has too short a past.
    """
    dataset, order, spec = _series(table, model)
    ahead = _steps_ahead(dataset, spec)
    wanted = np.flatnonzero(ahead > 0)
    if not len(wanted):
        raise DataError(f"no row is to be forecast: '{model.spec.data.target}' is there in every one", hint=HOW)
    X, rows, steps = _with_past(dataset, spec)
    found = {(int(row), int(step)): at for at, (row, step) in enumerate(zip(rows, steps, strict=True))}
    places = [_place(int(row), int(ahead[row]), found, dataset, spec) for row in wanted]
    by_input = np.argsort(order[wanted], kind="stable")
    chosen = X.iloc[np.array(places)[by_input]]
    return conform(chosen, model.model.signature.inputs), order[wanted][by_input]


def known_rows(table: pd.DataFrame, model: Opened) -> tuple[pd.DataFrame, Places]:
    """Return the rows whose target is known and whose past is in the table, likewise; each once for each horizon.

    Raises
    ------
    DataError
        There is none.
    """
    dataset, order, spec = _series(table, model)
    X, rows, _ = _with_past(dataset, spec)
    known = ~np.isnan(np.asarray(dataset.y)[rows])
    if not known.any():
        raise DataError("no row with a target has its past in the data", hint=HOW)
    return conform(X[known], model.model.signature.inputs), order[rows[known]]


def _with_past(dataset: Dataset, spec: ForecastSpec) -> tuple[pd.DataFrame, Places, Places]:
    """Return all rows that have their past, where they stand, and by which horizon each is."""
    try:
        made = supervised(dataset, spec, Task.REGRESSION)
    except ConfigError as error:
        raise DataError(f"the rows cannot be forecast: {error.message}", hint=error.hint) from error
    several = len(spec.horizons) > 1
    steps = made.X[HORIZON].to_numpy() if several else np.full(len(made.X), spec.horizons[0])
    return made.X, made.rows, steps


def _series(table: pd.DataFrame, model: Opened) -> tuple[Dataset, Places, ForecastSpec]:
    """Return the table in the order of time, and where each of its rows stood."""
    data, record = model.spec.data, model.saved.record
    spec = data.forecast or ForecastSpec()
    plain = conform(table, model.inputs, data.dtypes)
    known = int(plain[data.target].notna().sum())
    if _ELAPSED in spec.calendar and record.dataset is not None and known < record.dataset.rows:
        raise DataError(
            f"the model counts from the first of its {record.dataset.rows:,} training rows, and here are {known:,}",
            hint="INPUT begins with the training data",
        )
    order = _times(plain, data).to_numpy().argsort(kind="stable")
    ordered = plain.iloc[order].reset_index(drop=True)
    features = tuple(c for c in model.inputs if c.name not in {data.target, data.time, data.id})
    seen = [c.name for c in features]
    dataset = Dataset(
        X=ordered[seen],
        y=casting.to_numbers(ordered[data.target]).to_numpy(dtype="float64"),
        features=features,
        version=DatasetVersion("", len(ordered), model.inputs, data.target),
        times=_times(ordered, data),
        extra={name: ordered[name] for name in spec.by if name not in seen and name in ordered},
    )
    return dataset, order, spec


def _times(table: pd.DataFrame, data: DataSpec) -> pd.Series[Any]:
    column = table[str(data.time)]
    if column.isna().any():
        raise DataError(f"'{data.time}', the time, is missing in {int(column.isna().sum())} rows")
    return column if pd.api.types.is_numeric_dtype(column.dtype) else casting.to_dates(column)


def _steps_ahead(dataset: Dataset, spec: ForecastSpec) -> Places:
    """Return how many rows of its series each row lies after the last one with a target; 0 where it has one itself."""
    known = ~np.isnan(np.asarray(dataset.y))
    codes: Any = np.zeros(dataset.rows, dtype=int)
    if spec.by:
        apart = pd.DataFrame({n: dataset.X[n] if n in dataset.X else dataset.extra[n] for n in spec.by})
        codes = apart.groupby(list(spec.by), sort=False, dropna=False).ngroup().to_numpy()
    position = pd.Series(np.arange(dataset.rows)).groupby(codes).cumcount()
    last = position.where(known).groupby(codes).ffill().fillna(-1)
    return (position - last).to_numpy(dtype=int)


def _place(row: int, steps: int, found: Mapping[tuple[int, int], int], dataset: Dataset, spec: ForecastSpec) -> int:
    """Return where a row stands among those that were made, by the least horizon that reaches it."""
    reach = max(spec.horizons)
    if steps > reach:
        raise DataError(
            f"{_called(dataset, row)} lies {steps} rows after the last known '{dataset.version.target}', "
            f"and the model forecasts {reach} ahead",
            hint=f"forecast {reach} at a time, or train with data.forecast.horizon={steps}",
        )
    place = found.get((row, min(h for h in spec.horizons if h >= steps)))
    if place is None:
        raise DataError(f"{_called(dataset, row)} has too short a past in the data", hint=HOW)
    return place


def _called(dataset: Dataset, row: int) -> str:
    time = None if dataset.times is None else dataset.times.iloc[row]
    return f"the row of {time}".removesuffix(" 00:00:00")
