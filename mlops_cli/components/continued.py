"""A model that goes on learning from where a fitted one stands, on rows that are new to it.

The steps before the model stay as they were fitted: what it has learned is about their output. What is kept in the end
is the plain Pipeline, so that a saved model needs nothing of this.
"""

from __future__ import annotations

import copy
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import has_fit_parameter

if TYPE_CHECKING:
    from collections.abc import Callable

_NO_USE = {"LogisticRegression": ("solver", "liblinear")}
"""Whose ``warm_start`` does nothing under some setting."""


class Way(StrEnum):
    """How a fitted model goes on learning."""

    PARTIAL_FIT = "partial_fit"
    ESTIMATORS = "more estimators"  # warm_start with a larger n_estimators
    ITERATIONS = "more iterations"  # warm_start with a larger max_iter
    FROM_COEFFICIENTS = "fit from its coefficients"  # warm_start alone


def way_of(model: Any) -> Way | None:
    """Return how a fitted model can go on learning; None where it cannot.

    ``partial_fit`` comes first: it learns from the new rows alone and changes what is there. A model that stops early
    has none that works. With ``warm_start`` a forest or boosting keeps its trees and adds some that are grown on the
    new rows; another one is fitted to the new rows beginning from its coefficients.
    """
    stops_early = getattr(model, "early_stopping", False) is True
    if hasattr(model, "partial_fit") and not stops_early:
        return Way.PARTIAL_FIT
    params = model.get_params(deep=False) if hasattr(model, "get_params") else {}
    name, value = _NO_USE.get(type(model).__name__, ("", ""))
    if "warm_start" not in params or (name and params[name] == value):
        return None
    if "n_estimators" in params:
        return Way.ESTIMATORS
    return Way.ITERATIONS if type(model).__name__.startswith("HistGradientBoosting") else Way.FROM_COEFFICIENTS


def size_of(model: Any) -> int | None:
    """Return how many trees, or rounds of boosting, a model has; None where it has none to add to."""
    way = way_of(model)
    if way is Way.ESTIMATORS:
        return int(getattr(model, "n_estimators_", model.n_estimators))  # fewer, where it stopped early
    return int(model.n_iter_) if way is Way.ITERATIONS else None


def _has(name: str) -> Callable[[Any], bool]:
    """Return whether the model that is gone on from, or the fitted one, has a method."""
    return lambda self: hasattr(getattr(self, "pipeline_", self.start), name)


class Continued(BaseEstimator):  # type: ignore[misc]
    """Goes on from a fitted Pipeline.

    Parameters
    ----------
    version : str
        The registered version that it goes on from: ``titanic/3``.
    sha256 : str
        Of that version's model file, so that it can be no other later.
    passes : int
        How often ``partial_fit`` sees the new rows.
    more : int, optional
        How many trees or rounds of boosting are added, of a model that has some.
    start : FrozenEstimator, optional
        The fitted Pipeline; whoever makes this from a config fills it in.

    Attributes
    ----------
    pipeline_ : Pipeline
        The steps as they were fitted before, and the model with what it has learned since.
    """

    def __init__(
        self, version: str = "", sha256: str = "", passes: int = 1, more: int | None = None, start: Any = None
    ) -> None:
        self.version = version
        self.sha256 = sha256
        self.passes = passes
        self.more = more
        self.start = start

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Continued:
        """Learn from new rows.

        Parameters
        ----------
        X : DataFrame of shape (rows, features)
            As the Pipeline takes it.
        y : array of shape (rows,), optional
            The target.
        sample_weight : array of shape (rows,), optional
            Left out where the model takes none.

        Raises
        ------
        ValueError
            The model cannot go on learning, or from other classes than those it knows.
        """
        *steps, (name, fitted) = self.start.estimator.steps
        model = copy.deepcopy(fitted)
        rows = self.start.estimator[:-1].transform(X) if steps else X
        _go_on(model, rows, y, sample_weight, passes=self.passes, more=self.more)
        self.pipeline_ = type(self.start.estimator)([*steps, (name, model)])
        return self

    @property
    def classes_(self) -> Any:
        """The classes that the model knows."""
        return self.pipeline_.classes_

    @available_if(_has("predict"))  # type: ignore[untyped-decorator]
    def predict(self, X: Any) -> Any:
        """Return what the Pipeline predicts."""
        return self.pipeline_.predict(X)

    @available_if(_has("predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Any:
        """Return the Pipeline's probabilities, shape (rows, classes)."""
        return self.pipeline_.predict_proba(X)

    @available_if(_has("decision_function"))  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> Any:
        """Return the Pipeline's decision function."""
        return self.pipeline_.decision_function(X)

    def __sklearn_tags__(self) -> Any:
        """Return the tags of the Pipeline: whether it is a classifier, and what it takes."""
        from sklearn.utils import get_tags

        return super().__sklearn_tags__() if self.start is None else get_tags(self.start)


def _go_on(model: Any, X: Any, y: Any, weights: Any, *, passes: int, more: int | None) -> None:
    way = way_of(model)
    if way is None:
        raise ValueError(f"{type(model).__name__} cannot go on learning: it has neither partial_fit nor warm_start")
    _check_classes(model, y, way)
    given = {} if weights is None or not has_fit_parameter(model, "sample_weight") else {"sample_weight": weights}
    if way is Way.PARTIAL_FIT:
        for _ in range(passes):
            model.partial_fit(X, y, **given)
        return
    before = model.get_params(deep=False)
    size = size_of(model)
    key = "n_estimators" if way is Way.ESTIMATORS else "max_iter"
    model.set_params(warm_start=True, **({} if size is None else {key: size + (more or 1)}))
    model.fit(X, y, **given)
    model.set_params(warm_start=before["warm_start"])


def _check_classes(model: Any, y: Any, way: Way) -> None:
    """Refuse classes that the model cannot know, and where all are fitted at once, such as lack some."""
    known = getattr(model, "classes_", None)
    if known is None or y is None:
        return
    new = set(np.unique(y).tolist()) - set(np.asarray(known).tolist())
    if new:
        shown = ", ".join(map(str, sorted(new, key=str)[:5]))
        raise ValueError(f"the new rows have classes that the model does not know: {shown}")
    lacking = set(np.asarray(known).tolist()) - set(np.unique(y).tolist())
    if lacking and way is not Way.PARTIAL_FIT:
        shown = ", ".join(map(str, sorted(lacking, key=str)[:5]))
        raise ValueError(f"{type(model).__name__} goes on with all its classes or none, and the new rows lack {shown}")
