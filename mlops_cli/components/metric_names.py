"""The names of metrics: scikit-learn's, readable ones for errors, and what each is for.

Tables and look-ups; `metrics` makes scorers of them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mlops_cli.components import cluster_metrics
from mlops_cli.errors import ConfigError, did_you_mean
from mlops_cli.records import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KEY = "evaluation.metrics"

ALIASES: Mapping[str, str] = {
    "rmse": "neg_root_mean_squared_error",
    "mse": "neg_mean_squared_error",
    "mae": "neg_mean_absolute_error",
    "mape": "neg_mean_absolute_percentage_error",
    "medae": "neg_median_absolute_error",
    "rmsle": "neg_root_mean_squared_log_error",
    "msle": "neg_mean_squared_log_error",
    "brier": "neg_brier_score",
    "poisson_deviance": "neg_mean_poisson_deviance",
    "gamma_deviance": "neg_mean_gamma_deviance",
    "mcc": "matthews_corrcoef",
}
"""Short names; besides, every ``neg_x`` of scikit-learn is there as ``x``."""

USUAL = {
    "binary": ("roc_auc", "accuracy", "f1"),
    "multiclass": ("accuracy", "f1_macro", "roc_auc_ovr"),
    "regression": ("r2", "rmse", "mae"),
    "clustering": ("silhouette", "calinski_harabasz", "davies_bouldin"),
}
BINARY_ONLY = {
    "f1": ("f1_macro", "f1_weighted", "f1_micro"),
    "precision": ("precision_macro", "precision_weighted", "precision_micro"),
    "recall": ("recall_macro", "recall_weighted", "recall_micro"),
    "jaccard": ("jaccard_macro", "jaccard_weighted", "jaccard_micro"),
    "roc_auc": ("roc_auc_ovr", "roc_auc_ovo"),
    "positive_likelihood_ratio": ("recall_macro",),
    "neg_negative_likelihood_ratio": ("recall_macro",),
}
_MULTILABEL = "_samples"


_SHARES = frozenset(
    {
        "accuracy",
        "average_precision",
        "balanced_accuracy",
        "completeness_score",
        "fowlkes_mallows_score",
        "homogeneity_score",
        "normalized_mutual_info_score",
        "rand_score",
        "top_k_accuracy",
        "v_measure_score",
    }
)
_SHARE_FAMILIES = ("f1", "precision", "recall", "jaccard", "roc_auc")  # f1, f1_macro, …
_AT_LEAST_0 = frozenset({"calinski_harabasz", "davies_bouldin", "mutual_info_score", "positive_likelihood_ratio"})
_OTHER_BOUNDS: Mapping[str, tuple[float, float]] = {
    "adjusted_mutual_info_score": (-math.inf, 1.0),
    "adjusted_rand_score": (-0.5, 1.0),
    "explained_variance": (-math.inf, 1.0),
    "matthews_corrcoef": (-1.0, 1.0),
    "r2": (-math.inf, 1.0),
    "silhouette": (-1.0, 1.0),
}


_NEED_EVERY_CLASS = frozenset(
    {
        "d2_brier_score",
        "d2_log_loss_score",
        "neg_brier_score",
        "neg_log_loss",
        "roc_auc",
        "roc_auc_ovo",
        "roc_auc_ovo_weighted",
        "roc_auc_ovr",
        "roc_auc_ovr_weighted",
        "top_k_accuracy",
    }
)
_FINE_WITH_ONE_OF_TWO = frozenset({"neg_brier_score"})
_NEED_TWO_ROWS = frozenset({"d2_absolute_error_score", "r2"})


def why_undefined(name: str, classes: int, tested: int, rows: int) -> str | None:
    """Return why one of scikit-learn's metrics has no value on some test rows; None where it has one.

    Parameters
    ----------
    name : str
        As a config has it.
    classes : int
        How many classes are trained on; 0 where the target is none of classes.
    tested : int
        How many of them the test rows are of.
    rows : int
        How many test rows there are.

    Examples
    --------
    >>> why_undefined("roc_auc", classes=2, tested=1, rows=1)
    'a test part has rows of 1 of 2 classes alone'
    >>> why_undefined("accuracy", classes=2, tested=1, rows=1)
    """
    scikit = scikit_name(name)[0] if name not in cluster_metrics.SCORES else name
    is_fine = classes == 2 and scikit in _FINE_WITH_ONE_OF_TWO
    if classes and tested < classes and scikit in _NEED_EVERY_CLASS and not is_fine:
        return f"a test part has rows of {tested} of {classes} classes alone"
    return "a test part has a single row" if rows < 2 and scikit in _NEED_TWO_ROWS else None


def metric_names() -> list[str]:
    """Return every name that a config may use, sorted."""
    from sklearn.metrics import get_scorer_names

    own = [n for n in get_scorer_names() if not n.endswith(_MULTILABEL)]
    readable = [n.removeprefix("neg_") for n in own if n.startswith("neg_")]
    return sorted({*own, *readable, *ALIASES, *cluster_metrics.SCORES})


def scikit_name(name: str, *, key: str = KEY) -> tuple[str, int]:
    """Return scikit-learn's name of a metric, and -1 where the number reported is its negative.

    Raises
    ------
    ConfigError
        There is no such metric.

    Examples
    --------
    >>> scikit_name("rmse")
    ('neg_root_mean_squared_error', -1)
    """
    from sklearn.metrics import get_scorer_names

    known = set(get_scorer_names())
    for candidate in (name, ALIASES.get(name, ""), f"neg_{name}"):
        if candidate in known and not candidate.endswith(_MULTILABEL):
            negated = candidate.startswith("neg_") and name != candidate
            return candidate, -1 if negated else 1
    raise ConfigError(f"there is no metric {name!r}", key=key, hint=did_you_mean(name, metric_names()))


def metric_bounds(name: str) -> tuple[float, float]:
    """Return the least and the greatest value that a metric can have, as it is reported; infinite where unknown.

    Examples
    --------
    >>> metric_bounds("roc_auc"), metric_bounds("rmse"), metric_bounds("neg_log_loss")
    ((0.0, 1.0), (0.0, inf), (-inf, 0.0))
    >>> metric_bounds("profit")
    (-inf, inf)
    """
    if name in cluster_metrics.SCORES:
        return _bounds_of(name)
    try:
        scikit, sign = scikit_name(name)
    except ConfigError:  # a metric of the user's own
        return -math.inf, math.inf
    low, high = _bounds_of(scikit)
    return (low, high) if sign > 0 else (0.0 - high, 0.0 - low)


def _bounds_of(name: str) -> tuple[float, float]:
    if name in _OTHER_BOUNDS:
        return _OTHER_BOUNDS[name]
    if name in _SHARES or any(name == family or name.startswith(f"{family}_") for family in _SHARE_FAMILIES):
        return 0.0, 1.0
    if name.startswith("neg_"):  # scikit-learn negates what is to be small: errors, losses and deviances
        return -math.inf, 0.0
    if name.startswith("d2_"):
        return -math.inf, 1.0
    return (0.0 if name in _AT_LEAST_0 else -math.inf), math.inf


def tasks_of(name: str) -> tuple[Task, ...]:
    """Return the tasks that one of scikit-learn's metrics is for."""
    module = score_function(name).__module__
    if module.startswith("sklearn.metrics.cluster"):
        return (Task.CLUSTERING, Task.CLASSIFICATION)
    return (Task.REGRESSION,) if module == "sklearn.metrics._regression" else (Task.CLASSIFICATION,)


def score_function(name: str) -> Callable[..., float]:
    """Return the function behind one of scikit-learn's scorers."""
    from sklearn.metrics import get_scorer

    function: Callable[..., float] = get_scorer(name)._score_func  # no public name gives it
    return function
