"""A fitted estimator that remembers what it predicted on one set of rows.

Scorers each ask for their own predictions; through this they share them, and the caller keeps them. scikit-learn has
such a cache inside its multi-metric scorer, but does not give out what is in it.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

REMEMBERED = ("predict", "predict_proba", "predict_log_proba", "decision_function")


class Responses:
    """Stands for a fitted estimator in a scorer.

    Parameters
    ----------
    estimator : estimator
        Fitted. Whatever is not remembered is asked of it.
    X : array-like
        The rows whose predictions are remembered; those of any other object are computed as usual.
    """

    def __init__(self, estimator: Any, X: Any) -> None:
        self._inner = estimator
        self._rows = X
        self.made: dict[str, np.ndarray[Any, Any]] = {}

    def __getattr__(self, name: str) -> Any:
        if name in {"_inner", "_rows", "made"}:  # while being unpickled there is nothing to delegate to
            raise AttributeError(name)
        found = getattr(self._inner, name)
        return self._remembering(name, found) if name in REMEMBERED else found

    def __getitem__(self, index: Any) -> Any:
        return self._inner[index]

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import Tags, TargetTags, get_tags

        if hasattr(self._inner, "__sklearn_tags__"):
            return get_tags(self._inner)
        return Tags(estimator_type=None, target_tags=TargetTags(required=False))

    def _remembering(self, name: str, method: Callable[[Any], Any]) -> Callable[[Any], Any]:
        @functools.wraps(method)
        def respond(X: Any) -> Any:
            if X is not self._rows:
                return method(X)
            if name not in self.made:
                self.made[name] = method(X)
            return self.made[name]

        respond.__name__ = name  # scikit-learn reads which method it was given from its name
        return respond
