"""A fitted estimator whose predictions are known: asked for some rows, by their places, it gives theirs again.

So a score is computed of rows that are drawn again and again, without predicting them each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np


class Recalled:
    """Stands for a fitted estimator in a scorer that is given places in place of rows.

    Parameters
    ----------
    estimator : estimator
        Fitted; asked what it is, and never to predict.
    made : mapping of str to array
        ``predict``, ``predict_proba`` … → what it gave for all rows.
    """

    def __init__(self, estimator: Any, made: Mapping[str, np.ndarray[Any, Any]]) -> None:
        self._inner = estimator
        self._made = made

    def __getattr__(self, name: str) -> Any:
        if name in {"_inner", "_made"}:  # while being copied there is nothing to ask
            raise AttributeError(name)
        if name in self._made:
            return _named(name, lambda places: self._made[name][places])
        if name.startswith("predict") or name == "decision_function":
            raise AttributeError(f"{name} was not asked for")
        return getattr(self._inner, name)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import get_tags

        return get_tags(self._inner)


def _named(name: str, method: Callable[[Any], Any]) -> Callable[[Any], Any]:
    method.__name__ = name  # scikit-learn reads which method it was given from its name
    return method
