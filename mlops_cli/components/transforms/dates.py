"""Dates as numbers that a model can use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import _check_feature_names, _check_feature_names_in, check_is_fitted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self

PARTS: Mapping[str, Callable[[Any], Any]] = {
    "year": lambda d: d.year,
    "quarter": lambda d: d.quarter,
    "month": lambda d: d.month,
    "week": lambda d: d.isocalendar().week,
    "day": lambda d: d.day,
    "day_of_week": lambda d: d.day_of_week,
    "day_of_year": lambda d: d.day_of_year,
    "hour": lambda d: d.hour,
    "minute": lambda d: d.minute,
    "second": lambda d: d.second,
    "is_weekend": lambda d: d.day_of_week >= 5,
    "is_month_start": lambda d: d.is_month_start,
    "is_month_end": lambda d: d.is_month_end,
}
"""What of a date can be a number of its own; Monday is day 0 of the week."""

ELAPSED = "elapsed"
"""The part that counts days from a first date."""

CYCLES: Mapping[str, tuple[int, float]] = {
    "quarter": (1, 4.0),
    "month": (1, 12.0),
    "week": (1, 365.25 / 7),
    "day": (1, 31.0),
    "day_of_week": (0, 7.0),
    "day_of_year": (1, 365.25),
    "hour": (0, 24.0),
    "minute": (0, 60.0),
    "second": (0, 60.0),
}
"""Parts that begin again: the first value and how many there are before it comes back."""

_DAY = pd.Timedelta(days=1)


class DateParts(TransformerMixin, BaseEstimator):
    """Turn columns of dates into columns of numbers.

    Parameters
    ----------
    parts : list of str, default=("year", "month", "day", "day_of_week", "is_weekend", "elapsed")
        Of each date: year, quarter, month, week, day, day_of_week (Monday is 0), day_of_year, hour, minute, second,
        is_weekend, is_month_start, is_month_end; elapsed is in days since the earliest date of training.
    cycles : list of str, default=()
        Parts as a point on a circle, its sine and cosine, so that December is next to January.
    since : str or None, default=None
        A date to count ``elapsed`` from instead.

    Attributes
    ----------
    since_ : ndarray of datetime64, shape (n_features,)
        What ``elapsed`` is counted from in each column.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.DataFrame({"day": pd.to_datetime(["2024-02-29", "2024-03-02"])})
    >>> made = DateParts(["month", "is_weekend", "elapsed"]).set_output(transform="pandas").fit_transform(days)
    >>> made.to_dict("list")
    {'day_month': [2.0, 3.0], 'day_is_weekend': [0.0, 1.0], 'day_elapsed': [0.0, 2.0]}
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "parts": ["array-like"],
        "cycles": ["array-like"],
        "since": [str, None],
    }

    def __init__(
        self,
        parts: Sequence[str] = ("year", "month", "day", "day_of_week", "is_weekend", "elapsed"),
        *,
        cycles: Sequence[str] = (),
        since: str | None = None,
    ) -> None:
        self.parts = parts
        self.cycles = cycles
        self.since = since

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Find the earliest date of each column.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            Dates; those with a zone count in UTC.
        y : None
            Ignored.

        Raises
        ------
        ValueError
            A part is not known, or a column holds no dates.
        """
        self._validate_params()
        check_parts(self.parts, self.cycles, "DateParts")
        _check_feature_names(self, X, reset=True)
        columns = _dates(X)
        self.n_features_in_ = len(columns)
        given = None if self.since is None else pd.to_datetime([self.since], utc=True).tz_localize(None)[0]
        self.since_ = np.array([column.min() if given is None else given for column in columns], "datetime64[us]")
        return self

    def transform(self, X: Any) -> np.ndarray[Any, Any]:
        """Return the parts of each column's dates.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            Dates; what is made of a missing one is missing.

        Returns
        -------
        ndarray of shape (n_samples, n_features * (n_parts + 2 * n_cycles))
        """
        check_is_fitted(self)
        _check_feature_names(self, X, reset=False)
        columns = _dates(X)
        if len(columns) != self.n_features_in_:
            raise ValueError(
                f"X has {len(columns)} features, but DateParts is expecting {self.n_features_in_} features"
            )
        made = [
            numbers_of(column, self.parts, self.cycles, since)
            for column, since in zip(columns, self.since_, strict=True)
        ]
        return np.column_stack([values for numbers in made for values in numbers.values()])

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, Any]:
        """Return the names of the columns, such as ``bought_month``.

        Parameters
        ----------
        input_features : array-like of str, optional
            The columns where fit saw no names.
        """
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        return np.asarray([f"{n}_{part}" for n in names for part in part_names(self.parts, self.cycles)], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []
        tags.no_validation = True  # numbers and texts, which scikit-learn's checks feed, are no dates
        return tags


def check_parts(parts: Sequence[str], cycles: Sequence[str], who: str) -> None:
    """Refuse names that are no part of a date, or none that comes back.

    Raises
    ------
    ValueError
        With the names that there are.
    """
    for names, known, word in ((parts, (*PARTS, ELAPSED), "parts"), (cycles, tuple(CYCLES), "cycles")):
        for name in names:
            if name not in known:
                raise ValueError(f"{who}: {name!r} is none of the {word} of a date: {', '.join(known)}")
    if not len(parts) and not len(cycles):
        raise ValueError(f"{who}: at least one of parts and cycles must name something")


def part_names(parts: Sequence[str], cycles: Sequence[str]) -> list[str]:
    """Return the names of what `numbers_of` makes, in order."""
    return [*map(str, parts), *(f"{cycle}_{wave}" for cycle in cycles for wave in ("sin", "cos"))]


def numbers_of(
    dates: pd.Series[Any], parts: Sequence[str], cycles: Sequence[str], since: Any
) -> dict[str, np.ndarray[Any, Any]]:
    """Return the parts of some dates as floats, by name; NaN where the date is missing.

    Parameters
    ----------
    dates : Series of datetime64
        The dates.
    parts, cycles : sequence of str
        As `DateParts` takes them.
    since : datetime64
        What ``elapsed`` is counted from.
    """
    missing = dates.isna().to_numpy()
    made = {p: (dates - since) / _DAY if p == ELAPSED else PARTS[p](dates.dt) for p in parts}
    for cycle in cycles:
        first, length = CYCLES[cycle]
        angle = 2 * np.pi * (PARTS[cycle](dates.dt).astype("float64") - first) / length
        made |= {f"{cycle}_sin": np.sin(angle), f"{cycle}_cos": np.cos(angle)}
    return {name: np.where(missing, np.nan, np.asarray(v, dtype="float64")) for name, v in made.items()}


def _dates(X: Any) -> list[pd.Series[Any]]:
    table = X if isinstance(X, pd.DataFrame) else pd.DataFrame(np.asarray(X))
    for name, column in table.items():
        if not pd.api.types.is_datetime64_any_dtype(column.dtype):
            found = "text" if pd.api.types.is_string_dtype(column.dtype) else column.dtype
            raise ValueError(f"DateParts: column {name!r} holds {found}, not dates (data.dtypes: {{{name}: datetime}})")
    return [_naive(column) for _, column in table.items()]


def _naive(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return dates without a zone: in UTC where they had one, as the tables of this package have them."""
    if not isinstance(column.dtype, np.dtype):
        column = pd.to_datetime(column.astype(object), utc=True).dt.tz_localize(None)
    return column
