"""The names of metrics: scikit-learn's, readable ones for errors, and what each is for.

Tables and look-ups; `metrics` makes scorers of them.
"""

from __future__ import annotations

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
