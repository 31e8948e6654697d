"""Models for forecasts: one for each horizon, and the naive one that any other has to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin, clone
from sklearn.utils._param_validation import HasMethods, Integral
from sklearn.utils.validation import check_is_fitted, validate_data

if TYPE_CHECKING:
    from typing import Self


class PerValue(MetaEstimatorMixin, RegressorMixin, BaseEstimator):
    """Learn one regressor for each value of a column, such as one for each horizon of a forecast.

    Parameters
    ----------
    estimator : estimator
        The regressor; it does not see the column.
    column : int or str, default=-1
        By place, or by name where the features come as a DataFrame. No step should change it:
        ``transforms=time_series`` leaves the horizon as it is, and last.

    Attributes
    ----------
    estimators_ : dict
        Value → the fitted regressor.

    Examples
    --------
    >>> from sklearn.dummy import DummyRegressor
    >>> PerValue(DummyRegressor()).fit([[0, 1], [0, 1], [0, 2]], [1, 3, 9]).predict([[0, 2], [0, 1]]).tolist()
    [9.0, 2.0]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "estimator": [HasMethods(["fit", "predict"])],
        "column": [Integral, str],
    }

    def __init__(self, estimator: Any, column: int | str = -1) -> None:
        self.estimator = estimator
        self.column = column

    def fit(self, X: Any, y: Any) -> Self:
        """Fit a clone of the regressor to the rows of each value.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers.
        y : array-like of shape (n_samples,)
            The target.
        """
        self._validate_params()
        validate_data(self, X, skip_check_array=True)
        values, rest = self._parted(X)
        target = np.asarray(y)
        rows = {value: np.flatnonzero(values == value) for value in np.unique(values)}
        self.estimators_ = {float(v): clone(self.estimator).fit(_taken(rest, r), target[r]) for v, r in rows.items()}
        return self

    def predict(self, X: Any) -> np.ndarray[Any, Any]:
        """Return what the regressor of each row's value predicts.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers.

        Raises
        ------
        ValueError
            A value was not in training.
        """
        check_is_fitted(self)
        validate_data(self, X, reset=False, skip_check_array=True)
        values, rest = self._parted(X)
        predicted = np.empty(len(values))
        for value in np.unique(values):
            if float(value) not in self.estimators_:
                known = ", ".join(f"{v:g}" for v in self.estimators_)
                raise ValueError(f"PerValue: column {self.column!r} holds {value:g}, and in training held {known}")
            rows = np.flatnonzero(values == value)
            predicted[rows] = self.estimators_[float(value)].predict(_taken(rest, rows))
        return predicted

    def _parted(self, X: Any) -> tuple[np.ndarray[Any, Any], Any]:
        """Return the values of the column, and the other columns."""
        if hasattr(X, "columns"):
            name = X.columns[self.column] if isinstance(self.column, int) else self.column
            return X[name].to_numpy(dtype=float), X.drop(columns=name)
        array, place = np.asarray(X), _place(self, self.column)
        return array[:, place].astype(float), np.delete(array, place, axis=1)


def _place(model: Any, column: int | str) -> int:
    """Return the place of a column of an array, which has no names."""
    if isinstance(column, str):
        text = f"{type(model).__name__}: the columns come without names here, so {column!r} is not known"
        if isinstance(model, Naive):  # a place would be of no use: steps that take names away scale and impute too
            hint = "it needs transforms=none; in a sweep: sweep.space=[{model: naive, transforms: none}, …]"
        else:
            hint = "transforms=none keeps names; or give its place, -1 for the last"
        raise ValueError(f"{text} ({hint})")  # noqa: TRY004 - the value is at fault, not its type
    return column


def _taken(X: Any, rows: Any) -> Any:
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def _at(X: Any, rows: Any) -> str:
    """Return at which horizons some rows are, where a column tells."""
    if "horizon" not in getattr(X, "columns", ()):
        return ""
    steps = np.unique(X["horizon"].to_numpy()[rows])
    return f", at horizon {', '.join(f'{h:g}' for h in steps[:5])}{', …' if len(steps) > 5 else ''}"


class Naive(RegressorMixin, BaseEstimator):
    """Predict what a column holds, such as the value of a year ago: the forecast that any other has to beat.

    Parameters
    ----------
    column : str or int
        By name where the features come as a DataFrame, as they do with ``transforms=none``, or by place.

    Examples
    --------
    >>> Naive(1).fit([[5.0, 7.0]], [6.0]).predict([[1.0, 2.0]]).tolist()
    [2.0]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {"column": [Integral, str]}

    def __init__(self, column: int | str) -> None:
        self.column = column

    def fit(self, X: Any, y: Any) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Check that there is such a column.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers.
        y : array-like of shape (n_samples,)
            Ignored.
        """
        self._validate_params()
        validate_data(self, X, skip_check_array=True)  # the other columns may hold anything
        self._held(X)
        return self

    def predict(self, X: Any) -> np.ndarray[Any, Any]:
        """Return the column.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers.

        Raises
        ------
        ValueError
            There is no such column, or it is missing in a row.
        """
        check_is_fitted(self)
        validate_data(self, X, reset=False, skip_check_array=True)
        held = self._held(X)
        missing = np.isnan(held)
        if missing.any():
            which = f"{int(missing.sum()):,} of {len(held):,} rows{_at(X, missing)}"
            hint = "choose a lag that is no fewer rows than the greatest horizon"
            raise ValueError(f"Naive: column {self.column!r} is missing in {which} ({hint})")
        return held

    def _held(self, X: Any) -> np.ndarray[Any, Any]:
        if not hasattr(X, "columns"):
            return np.asarray(np.asarray(X)[:, _place(self, self.column)], dtype=float)
        name = self.column if isinstance(self.column, str) else X.columns[self.column]
        if name not in X.columns:
            raise ValueError(f"Naive: {name!r} is none of the columns {', '.join(map(str, X.columns))}")
        return np.asarray(X[name], dtype=float)
