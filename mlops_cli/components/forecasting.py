"""A table of series → rows to learn from: what each row may see of the past, as columns (the classic reduction).

What a row is told of the target, and of columns that are not known in advance, is at least as old as the horizon. It
is computed of each row's own past alone, so it does not matter that this comes before any split. Rows are counted, not
days: a series has one row for each of its times. Knows nothing of splits or models.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlops_cli.components import tables
from mlops_cli.components.dataset import column_named
from mlops_cli.components.seasons import LATEST, SEASON, Season, naive_values, season_of
from mlops_cli.components.transforms.dates import numbers_of, part_names
from mlops_cli.errors import ConfigError, DataError, did_you_mean
from mlops_cli.records import Column, Notice, Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlops_cli.records import Dataset, ForecastSpec

    Positions = np.ndarray[Any, Any]

HORIZON = "horizon"
"""The column that says how many steps ahead a row is forecast, where there are several horizons."""

ORIGIN = "forecast_origin"
"""The time at which a row is forecast: the last one whose values it may see."""

KEY = "data.forecast"


@dataclass(frozen=True)
class Supervised:
    """Rows to learn from."""

    X: pd.DataFrame
    features: tuple[Column, ...]
    rows: Positions  # of each, its place in the dataset that it was made of; in the order of time
    extra: Mapping[str, pd.Series[Any]]
    season: Season
    made: tuple[str, ...]  # the columns, of X and extra, that the data did not have
    notices: tuple[Notice, ...] = ()


def supervised(dataset: Dataset, spec: ForecastSpec, task: Task) -> Supervised:
    """Return the rows of a dataset with their past as columns.

    Parameters
    ----------
    dataset : Dataset
        In the order of its times, with a number as target.
    spec : ForecastSpec
        What of the past each row sees, and how many steps ahead.
    task : Task
        What is learned.

    Returns
    -------
    Supervised
        A row for each row and horizon that has its whole past in the data.

    Raises
    ------
    ConfigError
        A column is not there, or the data has no time or no number as target.
    DataError
        A series has two rows of one time, or none has enough past.
    """
    series = _Series.of(dataset, spec, task)
    parts = [(h, series.kept(h)) for h in spec.horizons]
    rows = np.concatenate([kept for _, kept in parts])
    if not len(rows):
        text = f"{KEY}: no row has a past of {max(map(series.reach, spec.horizons))} rows"
        raise DataError(text, hint="shorter lags and windows, or more rows")
    order = np.argsort(rows, kind="stable")

    def joined(tables_: Sequence[pd.DataFrame]) -> pd.DataFrame:
        return pd.concat(tables_, ignore_index=True).iloc[order].reset_index(drop=True)

    X = joined([series.table(h).iloc[kept] for h, kept in parts])
    season = season_of(series.times, spec)
    beside = joined([series.beside(h, season).iloc[kept] for h, kept in parts])
    left = [c.name for c in dataset.features if c.name not in X.columns]
    extra = {name: dataset.X[name].iloc[rows[order]].reset_index(drop=True) for name in left}
    extra |= {str(name): column for name, column in beside.items()}
    described = {c.name: c for c in (*tables.describe(X), *(c for c in dataset.features if c.name in X.columns))}
    features = tuple(described[name] for name in X.columns)
    notices = (*series.notices(), *_empty_lags(spec), *_left_out([n for n in left if n not in spec.past], spec))
    made = (*(n for n in X.columns if n not in dataset.X.columns), *map(str, beside.columns))
    return Supervised(X, features, rows[order], extra, season, made, notices)


def origins_of(dataset: Dataset) -> pd.Series[Any] | None:
    """Return when each row is forecast; None where there is no forecast, whatever the data calls its columns."""
    return dataset.extra[ORIGIN] if ORIGIN in dataset.made else None


def _left_out(names: Sequence[str], spec: ForecastSpec) -> list[Notice]:
    if not names:
        return []
    ahead = f"{max(spec.horizons)} step{'s' if max(spec.horizons) > 1 else ''} ahead"
    mend = f"name what is known in advance in {KEY}.known, and what is to be seen of the past in {KEY}.past"
    text = f"{', '.join(names[:5])}{', …' if len(names) > 5 else ''}: left out, since nothing says it is known {ahead}"
    return [Notice("columns-left-out", f"{text}; {mend}")]


def _empty_lags(spec: ForecastSpec) -> list[Notice]:
    """Say which lags are not known yet at some of several horizons."""
    empty = {k: [h for h in spec.horizons if h > k] for k in spec.lags}
    if not any(empty.values()):
        return []
    told = ", ".join(f"lag {k} for horizon{'s' * (len(hs) > 1)} {_listed(hs)}" for k, hs in empty.items() if hs)
    mend = "a step that imputes puts one number for all rows there; PerValue learns a model for each horizon"
    return [Notice("empty-lags", f"not known yet, and so missing: {told}; {mend}")]


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:5])) + (", …" if len(numbers) > 5 else "")


@dataclass(frozen=True)
class _Series:
    """The series of a dataset, and what can be seen of their past."""

    spec: ForecastSpec
    target: str
    values: Mapping[str, pd.Series[Any]]  # the target, and the other columns of which the past is seen
    ahead: pd.DataFrame  # what is known in advance, by which series are told apart too
    times: pd.Series[Any]
    codes: Positions  # of each row, which series it is of
    position: Positions  # of each row, its place in its series

    @classmethod
    def of(cls, dataset: Dataset, spec: ForecastSpec, task: Task) -> _Series:
        times, target = _times_of(dataset), str(dataset.version.target)
        if task is not Task.REGRESSION or dataset.y is None:
            raise ConfigError(f"a forecast is of a number; the task is {task}", key=KEY, hint="task=regression")
        _refuse_unknown(dataset, spec)
        _refuse_taken(dataset)
        codes: Positions = np.zeros(dataset.rows, dtype=np.intp)
        if spec.by:
            apart = pd.DataFrame({name: column_named(dataset, name) for name in spec.by})
            codes = apart.groupby(list(spec.by), sort=False, dropna=False).ngroup().to_numpy()
        position = pd.Series(codes).groupby(codes).cumcount().to_numpy()
        _refuse_same_time(times, codes, spec)
        known = [c.name for c in dataset.features if c.name in {*spec.known, *spec.by}]
        values = {target: pd.Series(dataset.y), **{n: _numbers(dataset.X[n], n) for n in spec.past}}
        return cls(spec, target, values, dataset.X[known], times, codes, position)

    def reach(self, horizon: int) -> int:
        """Return how many rows of the past a row needs."""
        spec = self.spec
        steps = [horizon + d for d in spec.differences] + [horizon + w - 1 for w in spec.windows]
        return max([horizon, *(k for k in spec.lags if k >= horizon), *steps])

    def kept(self, horizon: int) -> Positions:
        return np.flatnonzero(self.position >= self.reach(horizon))

    def beside(self, horizon: int, season: Season) -> pd.DataFrame:
        """Return what no model sees: when each row is forecast, and its naive forecasts."""
        target = next(iter(self.values.values()))
        naive = naive_values(target, self.codes, horizon, season)
        return naive.assign(**{ORIGIN: self._past(self.times, horizon)})

    def table(self, horizon: int) -> pd.DataFrame:
        """Return the columns of all rows, seen so many rows ahead."""
        seen = {f"{name}_{k}": v for name, column in self.values.items() for k, v in self._seen(column, horizon)}
        several = {HORIZON: horizon} if len(self.spec.horizons) > 1 else {}
        made = pd.DataFrame({**seen, **self._calendar()}, index=self.ahead.index)
        twice = [name for name in [*made.columns, *several] if name in self.ahead.columns]
        if twice:
            raise ConfigError(f"the data has a column {twice[0]!r} already", key=KEY, hint=f"data.drop: [{twice[0]}]")
        return pd.concat([made, self.ahead], axis=1).assign(**several)  # the horizon last: see PerValue

    def _past(self, column: pd.Series[Any], rows: int) -> pd.Series[Any]:
        return column.groupby(self.codes).shift(rows)

    def _seen(self, column: pd.Series[Any], horizon: int) -> Iterator[tuple[str, pd.Series[Any]]]:
        last = self._past(column, horizon)
        for k in self.spec.lags:  # one that is not known yet is missing: with another horizon it is known
            yield f"lag_{k}", self._past(column, k) if k >= horizon else last * np.nan
        for d in self.spec.differences:
            yield f"difference_{d}", last - self._past(column, horizon + d)
        for stat in self.spec.stats if self.spec.windows else ():
            for w in self.spec.windows:
                yield f"{stat}_{w}", self._window(last, w, stat)

    def _window(self, last: pd.Series[Any], width: int, stat: str) -> pd.Series[Any]:
        """Return a statistic of the latest values that are known; ``ewm`` weighs all of them, by a span."""
        by_series = last.groupby(self.codes)
        rolled: Any = (
            by_series.ewm(span=width).mean()
            if stat == "ewm"
            else getattr(by_series.rolling(width, min_periods=width), stat)()
        )
        plain: pd.Series[Any] = rolled.reset_index(level=0, drop=True).sort_index()
        return plain

    def _calendar(self) -> dict[str, Any]:
        parts, cycles = self.spec.calendar, self.spec.cycles
        if not parts and not cycles:
            return {}
        if not pd.api.types.is_datetime64_any_dtype(self.times.dtype):
            raise ConfigError(f"the times of {self.times.name!r} are no dates", key=f"{KEY}.calendar", hint="null")
        made = numbers_of(self.times, parts, cycles, self.times.min())
        return {f"{self.times.name}_{name}": made[name] for name in part_names(parts, cycles)}

    def notices(self) -> list[Notice]:
        """Say so where the steps between rows differ: a lag counts rows."""
        moments = pd.Index(self.times.unique())
        places = pd.Series(moments.get_indexer(pd.Index(self.times)))
        gaps = places.groupby(self.codes).diff().dropna()
        if _is_regular(moments) and bool((gaps == 1).all()):
            return []
        text = f"the steps between the times of {self.times.name!r} differ, and lags and windows count rows"
        return [
            Notice("irregular-times", f"{text}: add the rows that are missing, with their target where it is known")
        ]


def _is_regular(moments: pd.Index[Any]) -> bool:
    if len(moments) < 3:
        return True
    if isinstance(moments, pd.DatetimeIndex):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pandas announces that it will return an object, not text
            return pd.infer_freq(moments) is not None
    return bool(np.ptp(np.diff(moments.to_numpy(dtype=float))) == 0)


def _times_of(dataset: Dataset) -> pd.Series[Any]:
    if dataset.times is None:
        raise ConfigError("a forecast needs the time of each row", key="data.time", hint="data.time=COLUMN")
    return dataset.times


def _numbers(column: pd.Series[Any], name: str) -> pd.Series[Any]:
    if not pd.api.types.is_numeric_dtype(column.dtype):
        raise ConfigError(f"'{name}' holds no numbers, so it has no lags", key=f"{KEY}.past", hint=f"{KEY}.known")
    return column.astype("float64")


def _refuse_unknown(dataset: Dataset, spec: ForecastSpec) -> None:
    features = [c.name for c in dataset.features]
    for key, names in (("known", spec.known), ("past", spec.past)):
        for name in names:
            if name not in features:
                hint = did_you_mean(name, features)
                raise ConfigError(f"'{name}' is no feature of the data", key=f"{KEY}.{key}", hint=hint)
    for name in spec.by:
        if column_named(dataset, name) is None:
            hint = did_you_mean(name, [*features, *dataset.extra])
            raise ConfigError(f"the data has no column '{name}' to tell series apart", key=f"{KEY}.by", hint=hint)
    both = sorted({*spec.known} & {*spec.past})
    if both:
        raise ConfigError(f"'{both[0]}' is known in advance, and so not of the past alone", key=f"{KEY}.past")


def _refuse_taken(dataset: Dataset) -> None:
    for name in (ORIGIN, SEASON, LATEST):
        if column_named(dataset, name) is not None:
            raise ConfigError(f"the data has a column '{name}', a name that is needed", key=KEY, hint="rename it")


def _refuse_same_time(times: pd.Series[Any], codes: Positions, spec: ForecastSpec) -> None:
    keys = pd.DataFrame({"series": codes, "time": times.to_numpy()})
    again = keys.duplicated().to_numpy()
    if again.any():
        what = f"one series of {', '.join(spec.by)}" if spec.by else "the series"
        raise DataError(
            f"{KEY}: {what} has several rows at {times[again].iloc[0]} ({int(again.sum())} such rows in all)",
            hint=f"name the columns that tell series apart in {KEY}.by",
        )
