"""How many rows a season of a series has, and the naive forecasts: the value of a season before, and the latest one.

Knows nothing of models or splits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from mlops_cli.records import ForecastSpec

SEASON = "forecast_season"
"""The column of what a row's target was whole seasons before; missing where the series had not begun."""

LATEST = "forecast_latest"
"""The column of the latest value that is known when a row is forecast."""

_DAY = pd.Timedelta(days=1)
_LONG_STEPS = ((7, 7, 52, "weeks", "year"), (28, 31, 12, "months", "year"), (90, 92, 4, "quarters", "year"))
"""Steps from so many to so many days, how many of them are a season, and what the two are called."""


@dataclass(frozen=True)
class Season:
    """After how many rows a series is expected to repeat itself."""

    rows: int
    why: str = ""

    def back(self, horizon: int) -> int:
        """Return how many rows before a row its naive forecast is: whole seasons, and known by then.

        Examples
        --------
        >>> Season(12).back(1), Season(12).back(13)
        (12, 24)
        """
        return self.rows * -(-horizon // self.rows)


def season_of(times: pd.Series[Any], spec: ForecastSpec) -> Season:
    """Return the season of a series: a day of hours, a week of days, a year of months; else the greatest lag.

    Parameters
    ----------
    times : Series
        In order; several series may share a time.
    spec : ForecastSpec
        What is forecast.

    Returns
    -------
    Season
        A single row where nothing tells: the latest value is then the naive forecast.

    Examples
    --------
    >>> from mlops_cli.records import ForecastSpec
    >>> season_of(pd.Series(pd.date_range("2020-01-01", periods=36, freq="MS")), ForecastSpec())
    Season(rows=12, why='12 months are a year')
    """
    moments = pd.Series(times.unique())
    found = _of_calendar(moments)
    if found is not None and len(moments) > 2 * found.rows:  # of two seasons there is something to be repeated
        return found
    return Season(max(spec.lags), f"{max(spec.lags)} is the greatest lag") if spec.lags else Season(1)


def _of_calendar(moments: pd.Series[Any]) -> Season | None:
    """Return the season that the usual step between times belongs to; None of numbers, years and odd steps."""
    if not pd.api.types.is_datetime64_any_dtype(moments.dtype) or len(moments) < 2:
        return None
    step = moments.diff().mode().iloc[0]
    if step == _DAY:
        return Season(7, "7 days are a week") if (moments.dt.day_of_week > 4).any() else Season(5, "5 days are a week")
    if step < _DAY:
        rows = round(_DAY / step)
        exact = rows * step == _DAY
        return Season(rows, "24 hours are a day" if rows == 24 else f"{rows:,} rows are a day") if exact else None
    days = step / _DAY
    found = next((s for s in _LONG_STEPS if s[0] <= days <= s[1]), None)
    return None if found is None else Season(found[2], f"{found[2]} {found[3]} are a {found[4]}")


def naive_values(target: pd.Series[Any], codes: np.ndarray[Any, Any], horizon: int, season: Season) -> pd.DataFrame:
    """Return both naive forecasts of each row, so many rows ahead.

    Parameters
    ----------
    target : Series
        In the order of time.
    codes : ndarray of int
        Of each row, which series it is of.
    horizon : int
        Rows ahead.
    season : Season
        The season.

    Returns
    -------
    DataFrame
        With columns `SEASON` and `LATEST`.
    """
    known = target.groupby(codes)
    latest = known.ffill().groupby(codes).shift(horizon)
    return pd.DataFrame({SEASON: known.shift(season.back(horizon)), LATEST: latest})


def named(season: Season, horizons: Sequence[int]) -> dict[str, str]:
    """Return the naive forecasts by column with their names in words; one where both are the same.

    Examples
    --------
    >>> named(Season(12), [1, 13])
    {'forecast_season': 'the value of 12 or 24 rows before', 'forecast_latest': 'the latest known value'}
    """
    latest = {LATEST: "the latest known value"}
    if season.rows == 1:
        return latest
    back = sorted({season.back(h) for h in horizons})
    seasonal = {SEASON: f"the value of {' or '.join(map(str, back))} rows before"}
    return seasonal if all(season.back(h) == h for h in horizons) else seasonal | latest
