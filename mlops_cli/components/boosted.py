"""What the models of `boosters` share: classes, categories, the rows that early stopping looks at, parameters.

Knows of no package more than its name.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
from dataclasses import dataclass
from functools import cache
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import joblib
import numpy as np
import pandas as pd
from pandas.api import types as pdt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data

from mlops_cli.components.fit_rows import stopping_rows
from mlops_cli.components.transforms.categories import marked
from mlops_cli.errors import MissingExtraError, nearest

if TYPE_CHECKING:
    from typing import Self

    from mlops_cli.contracts import BeforeFit

    Array = np.ndarray[Any, Any]

_PLAIN_NAME = re.compile(r"[\w.\-]+")
"""Feature names that all packages take as they are; the others are numbered."""

_OF_SHARES = re.compile("logistic|logitraw|logloss|hinge|entropy|xent|binary|rank", re.IGNORECASE)
"""Objectives whose target is 0, 1 or between, though a regressor learns it."""


@dataclass(frozen=True)
class Rows:
    """Some rows of a fit."""

    X: Any
    y: Array
    weight: Array | None

    def at(self, places: Array) -> Rows:
        """Return those at some places."""
        X = self.X.iloc[places] if hasattr(self.X, "iloc") else self.X[places]
        return Rows(X, self.y[places], None if self.weight is None else self.weight[places])


class Boosted(BaseEstimator):  # type: ignore[misc]
    """What all boosters share.

    Parameters
    ----------
    n_estimators : int, optional
        Rounds of boosting; the package's own default when None.
    early_stopping_rounds : int, optional
        End the fit when so many rounds bring nothing on the rows that are set apart. None sets none apart.
    validation_fraction : float
        The share of the training rows that are set apart for it, see `stopping_rows`.
    warm_start : bool
        Fit again by adding rounds to those that there are, up to ``n_estimators``.
    n_jobs : int, optional
        Threads; None is one, or what a `joblib.parallel_config` around it says, as of scikit-learn's models.
    random_state : int, optional
        The seed.
    **params
        Handed to the package's own estimator where not None.

    Attributes
    ----------
    estimator_ : estimator
        The package's own, fitted.
    levels_ : dict of str to array
        The categories of each column that has some; others are taken as missing.
    """

    _PACKAGE: ClassVar[str]
    _ESTIMATOR: ClassVar[str]
    _BY_FIT: ClassVar[frozenset[str]] = frozenset()
    """What the package takes in ``fit``, and the others when they are made."""
    _METRICS_OF_CLASSES: ClassVar[frozenset[str]]
    _METRIC_OF_NUMBERS: ClassVar[str] = "rmse"
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_estimators": [Interval(Integral, 1, None, closed="left"), None],
        "early_stopping_rounds": [Interval(Integral, 1, None, closed="left"), None],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "warm_start": ["boolean"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        *,
        n_estimators: int | None = None,
        early_stopping_rounds: int | None = None,
        validation_fraction: float = 0.1,
        warm_start: bool = False,
        n_jobs: int | None = None,
        random_state: int | None = None,
        **params: Any,
    ) -> None:
        _check_names(type(self), params)
        self.n_estimators = n_estimators
        self.early_stopping_rounds = early_stopping_rounds
        self.validation_fraction = validation_fraction
        self.warm_start = warm_start
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.params = params

    @classmethod
    def known_parameters(cls) -> frozenset[str]:
        """Return all that may be given: what is ours, and what the package's estimator takes."""
        _check_names(cls, {})
        return cls._names() | cls._more_names() - cls._other_names().keys()

    def check_before_fit(self, known: BeforeFit) -> None:  # noqa: ARG002 - of columns and classes nothing is asked
        """Refuse names of metrics that the package does not have, and metrics of classes where numbers are learned.

        Of the first it may stop by another one, or look at none; the others it takes, and ends after a round.

        Raises
        ------
        ValueError
            There is such a name.
        """
        for name in self._named_metrics():
            if not self._has_metric(name):
                mend = "its documentation lists those that there are"
                raise ValueError(f"'eval_metric': {self._PACKAGE} has no metric {name!r}; {mend}")
            if not self._learns_classes and re.split("[@:]", name)[0] in self._METRICS_OF_CLASSES:
                mend = f"the target is a number: say one of numbers, such as {self._METRIC_OF_NUMBERS}"
                raise ValueError(f"'eval_metric': {name} measures classes; {mend}")

    @property
    def _learns_classes(self) -> bool:
        """Whether the target is classes, or by the objective the share of one."""
        objective = str(self.params.get("objective") or self.params.get("loss_function"))
        return isinstance(self, ClassifierMixin) or _OF_SHARES.search(objective) is not None

    def _named_metrics(self) -> list[str]:
        given = self.params.get("eval_metric")
        return [one for one in (given if isinstance(given, list | tuple) else [given]) if isinstance(one, str)]

    def _has_metric(self, name: str) -> bool:
        """Ask the package whether it knows a metric; what else is wrong with it is left to a fit."""
        raise NotImplementedError

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return all parameters by name, those of the package among them."""
        return {**super().get_params(deep=deep), **self.params}

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name."""
        own = super().get_params(deep=False)
        more = {name: value for name, value in params.items() if name not in own}
        _check_names(type(self), more)
        self.params = {**self.params, **more}
        super().set_params(**{name: value for name, value in params.items() if name in own})
        return self

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the package's estimator.

        Parameters
        ----------
        X : DataFrame, array or sparse matrix of shape (rows, features)
            Numbers, booleans and categories, with missing values or without.
        y : array of shape (rows,)
            The target.
        sample_weight : array of shape (rows,), optional
            Counts in the rows that are learned from and in those that are set apart.

        Raises
        ------
        ValueError
            A column holds text or dates, or there is one class only.
        """
        self._validate_params()
        start = getattr(self, "estimator_", None) if self.warm_start else None
        validate_data(self, X, skip_check_array=True)
        if start is None:
            self.levels_ = _categories(X)
        target = self._target(np.asarray(y), is_start=start is None)
        weight = None if sample_weight is None else np.asarray(sample_weight)
        learned, apart = self._parted(Rows(self._table(X), target, weight))
        self.estimator_ = self._fitted(self._made(start), learned, apart, start)
        return self

    def predict(self, X: Any) -> Array:
        """Return what is predicted of each row, shape (rows,)."""
        predicted: Array = np.asarray(self.estimator_.predict(self._checked(X))).ravel()
        return predicted

    @property
    def feature_importances_(self) -> Array:
        """How much each feature counts, as the package reckons it, shape (features,)."""
        check_is_fitted(self)
        return np.asarray(self.estimator_.feature_importances_)

    @property
    def n_estimators_(self) -> int:
        """Rounds that count: up to the best one where the fit was stopped early."""
        check_is_fitted(self)
        return self._rounds(self.estimator_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.categorical = tags.input_tags.sparse = True
        return tags

    @classmethod
    def _more_names(cls) -> set[str]:
        """Return parameters that the package knows and its estimator's signature does not tell."""
        return set()

    @classmethod
    def _other_names(cls) -> dict[str, str]:
        """Return other names that the package has for parameters: each with the one that it is given by here."""
        return {}

    @classmethod
    def _names(cls) -> frozenset[str]:
        """Return what signatures tell, each parameter by the one name that it has here."""
        return cls._names_of_signatures() - cls._other_names().keys()

    @classmethod
    def _names_of_signatures(cls) -> frozenset[str]:
        own = frozenset(inspect.signature(cls).parameters) - {"params"}
        return own | _signature(cls._PACKAGE, cls._ESTIMATOR) | cls._BY_FIT

    # --- a fit ---------------------------------------------------------------------------------------------------

    def _checked(self, X: Any) -> Any:
        check_is_fitted(self)
        validate_data(self, X, skip_check_array=True, reset=False)
        return self._table(X)

    def _table(self, X: Any) -> Any:
        """Return rows with the categories of training, and names that the package takes."""
        if not isinstance(X, pd.DataFrame):
            return X
        _refuse_text(X)
        known = self.levels_
        same = {name: marked(X[name], values) for name, values in known.items()}
        table = X.assign(**{name: self._words(column) for name, column in same.items()}) if same else X
        return table if all(map(_PLAIN_NAME.fullmatch, X.columns)) else table.set_axis(_numbered(X.shape[1]), axis=1)

    def _words(self, column: pd.Series) -> pd.Series:
        """Return a column of categories as the package takes it."""
        return column

    def _target(self, y: Array, *, is_start: bool) -> Array:  # noqa: ARG002 - of classes it matters
        return y

    def _parted(self, rows: Rows) -> tuple[Rows, Rows | None]:
        if self.early_stopping_rounds is None:
            return rows, None
        is_class = isinstance(self, ClassifierMixin)
        apart = stopping_rows(rows.y, self.validation_fraction, self.random_state, has_classes=is_class)
        return rows.at(np.flatnonzero(~apart)), rows.at(np.flatnonzero(apart))

    def _made(self, start: Any) -> Any:
        """Return the package's unfitted estimator; of one to start from, for the rounds that are still to come."""
        rounds = self.n_estimators
        if start is not None and rounds is not None:
            rounds -= self._rounds(start)
            if rounds < 1:
                raise ValueError(f"n_estimators must be more than the {self._rounds(start)} rounds that there are")
        given = {**self._given(), "n_estimators": rounds, "random_state": self.random_state}
        kind = getattr(importlib.import_module(self._PACKAGE), self._ESTIMATOR)
        return kind(**{name: value for name, value in given.items() if value is not None})

    @property
    def _threads(self) -> int:
        return int(joblib.effective_n_jobs(self.n_jobs))

    def _given(self) -> dict[str, Any]:
        raise NotImplementedError

    def _fitted(self, made: Any, learned: Rows, apart: Rows | None, start: Any) -> Any:
        raise NotImplementedError

    def _rounds(self, estimator: Any) -> int:
        raise NotImplementedError


class CodedClasses(ClassifierMixin):  # type: ignore[misc]
    """Classes of any kind as the numbers that all packages take."""

    def _target(self, y: Array, *, is_start: bool) -> Array:
        if is_start:
            self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(f"the rows that are learned from have one class only: {self.classes_[0]}")
        if not np.isin(y, self.classes_).all():
            raise ValueError("the rows have classes that the model does not know")
        return np.searchsorted(self.classes_, y)

    def predict(self, X: Any) -> Array:
        """Return the class of each row, shape (rows,)."""
        codes = super().predict(X).astype(int)
        predicted: Array = self.classes_[codes]
        return predicted

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, shape (rows, classes), in the order of ``classes_``."""
        return np.asarray(self.estimator_.predict_proba(self._checked(X)))

    def _by_code(self, weights: Any) -> Any:
        """Return weights by class as weights by its number; 1 of classes that the rows lack."""
        if not isinstance(weights, dict):
            return weights
        return {code: weights.get(label, 1) for code, label in enumerate(self.classes_.tolist())}


# --- columns and names -------------------------------------------------------------------------------------------


def _categories(X: Any) -> dict[str, Array]:
    """Return the categories of each column that has some."""
    if not isinstance(X, pd.DataFrame):
        return {}
    columns = {name: X[name].cat.categories for name in X.columns if isinstance(X[name].dtype, pd.CategoricalDtype)}
    return {str(name): values.to_numpy(dtype=object) for name, values in columns.items()}


def _numbered(count: int) -> list[str]:
    return [f"f{place}" for place in range(count)]


def _refuse_text(X: pd.DataFrame) -> None:
    """Refuse columns that no booster takes: text must be marked as categories, dates made numbers."""
    is_taken = {name: pdt.is_numeric_dtype(d) or isinstance(d, pd.CategoricalDtype) for name, d in X.dtypes.items()}
    others = [str(name) for name, taken in is_taken.items() if not taken]
    if others:
        shown = ", ".join(others[:5]) + (" …" if len(others) > 5 else "")
        raise ValueError(f"boosters take numbers and categories, and no step makes such of {shown}: transforms=native")


def _check_names(kind: type[Boosted], params: dict[str, Any]) -> None:
    """Refuse parameters that the package does not know, and other names of those it has: both it may pass over."""
    if importlib.util.find_spec(kind._PACKAGE) is None:
        raise MissingExtraError(kind._PACKAGE, kind._PACKAGE, f"model={kind._PACKAGE}")
    if not params:
        return
    names, others = kind._names(), kind._other_names()
    for name in params:
        if name in others:
            raise TypeError(f"{kind._ESTIMATOR} has no parameter {name!r}: {name} is {others[name]} here")
        if name not in names and name not in kind._more_names():
            close = nearest(name, names) or others.get(nearest(name, others) or "")
            meant = f": did you mean {close!r}?" if close else ""
            raise TypeError(f"{kind._ESTIMATOR} has no parameter {name!r}{meant}")


@cache
def _signature(package: str, name: str) -> frozenset[str]:
    """Return the parameters of a package's estimator."""
    estimator = getattr(importlib.import_module(package), name)
    names = {name for base in estimator.__mro__[:-1] for name in inspect.signature(base.__init__).parameters}
    return frozenset(names - {"self", "kwargs", "args"})
