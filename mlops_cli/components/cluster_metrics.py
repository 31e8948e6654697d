"""How well a clustering separates the rows, without a target.

Each is a scorer ``(estimator, X, y=None)`` over the labels that ``predict`` gives. The distances are those of the
space that the model itself works in: of a Pipeline, what its transforms make of X.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def silhouette(estimator: Any, X: Any, _y: Any = None) -> float:
    """Return the mean silhouette coefficient, in [-1, 1]; greater is better."""
    from sklearn.metrics import silhouette_score

    return float(silhouette_score(_space(estimator, X), estimator.predict(X)))


def calinski_harabasz(estimator: Any, X: Any, _y: Any = None) -> float:
    """Return the ratio of dispersion between and within clusters; greater is better."""
    from sklearn.metrics import calinski_harabasz_score

    return float(calinski_harabasz_score(_dense(_space(estimator, X)), estimator.predict(X)))


def davies_bouldin(estimator: Any, X: Any, _y: Any = None) -> float:
    """Return the mean likeness of each cluster to its nearest; smaller is better."""
    from sklearn.metrics import davies_bouldin_score

    return float(davies_bouldin_score(_dense(_space(estimator, X)), estimator.predict(X)))


SCORES: Mapping[str, Callable[..., float]] = {
    "silhouette": silhouette,
    "calinski_harabasz": calinski_harabasz,
    "davies_bouldin": davies_bouldin,
}
"""By the name that a config uses."""


def _space(estimator: Any, X: Any) -> Any:
    """Return X as the model at the end of the estimator sees it."""
    steps = getattr(estimator, "steps", None)
    return estimator[:-1].transform(X) if steps and len(steps) > 1 else X


def _dense(X: Any) -> Any:
    return X.toarray() if hasattr(X, "toarray") else X
