"""What is put around a model: a transformed target, calibrated probabilities, another threshold.

Each returns scikit-learn's own meta-estimator, so what it does is what scikit-learn documents.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_cli.components.construct import build
from mlops_cli.components.targets import Role, resolve
from mlops_cli.errors import ConfigError
from mlops_cli.records import Task

if TYPE_CHECKING:
    from collections.abc import Collection

    from mlops_cli.records import ComponentSpec


def wrap_target(
    model: Any,
    spec: ComponentSpec | None,
    *,
    task: Task | None = None,
    seed: int | None = None,
    trust: Collection[str] = (),
) -> Any:
    """Let a regressor learn a transformed target and predict on the original scale.

    Parameters
    ----------
    model : estimator
        The regressor.
    spec : ComponentSpec or None
        A transformer; or scikit-learn's TransformedTargetRegressor with ``func`` and ``inverse_func`` as names.
        None leaves the model as it is.
    task : Task, optional
        What is learned.
    seed : int, optional
        For a transformer that draws numbers.
    trust : collection of str
        The modules that the workspace's owner trusts.

    Returns
    -------
    estimator
        A `sklearn.compose.TransformedTargetRegressor`, or the model.

    Raises
    ------
    ConfigError
        The target is not a number, or the spec does not fit.
    """
    if spec is None:
        return model
    key = "target_transform"
    _need(task, Task.REGRESSION, key)
    from sklearn.compose import TransformedTargetRegressor

    if str(spec.target_for(task)).endswith(".TransformedTargetRegressor"):
        functions = {k: _function(v, f"{key}.{k}", trust) for k, v in spec.params.items()}
        made = build(replace(spec, params=functions), role=Role.ESTIMATOR, task=task, seed=seed, trust=trust, key=key)
        return made.set_params(regressor=model)
    transformer = build(spec, role=Role.TRANSFORMER, task=task, seed=seed, trust=trust, key=key)
    return TransformedTargetRegressor(regressor=model, transformer=transformer)


def _function(value: Any, key: str, trust: Collection[str]) -> Any:
    """Import a function given by its name, such as ``numpy.log1p``."""
    return resolve(value, Role.PARAM, trust, key=key) if isinstance(value, str) else value


def wrap_calibration(
    model: Any,
    spec: ComponentSpec | None,
    *,
    task: Task | None = None,
    seed: int | None = None,
    trust: Collection[str] = (),
) -> Any:
    """Calibrate a classifier's probabilities on folds of its training rows.

    Parameters
    ----------
    model : estimator
        The classifier.
    spec : ComponentSpec or None
        `sklearn.calibration.CalibratedClassifierCV` with its parameters but the estimator. None: no calibration.
    task, seed, trust
        As in `wrap_target`.

    Raises
    ------
    ConfigError
        There are no classes, or the spec does not fit.
    """
    if spec is None:
        return model
    key = "calibration"
    _need(task, Task.CLASSIFICATION, key)
    made = build(spec, role=Role.ESTIMATOR, task=task, seed=seed, trust=trust, key=key)
    if "estimator" not in made.get_params(deep=False):
        raise ConfigError(f"{type(made).__name__} takes no estimator to calibrate", key=key)
    return made.set_params(estimator=model)


def wrap_threshold(model: Any, threshold: float | str | None, positive: Any = None, *, task: Task | None = None) -> Any:
    """Let a binary classifier say ``positive`` from another probability than one half.

    Parameters
    ----------
    model : estimator
        The classifier.
    threshold : float, str or None
        The probability; or the metric that chooses it by cross-validation on the training rows; None leaves the
        model as it is.
    positive : object, optional
        The class that the probability is of. None is 1 of the classes 0 and 1.
    task : Task, optional
        What is learned.

    Raises
    ------
    ConfigError
        The threshold is no probability or metric, or the model gives no probabilities.
    """
    if threshold is None:
        return model
    _need(task, Task.CLASSIFICATION, "threshold")
    if isinstance(threshold, str):
        return _tuned(model, threshold, positive)
    if isinstance(threshold, bool) or not 0 < threshold < 1:
        message = f"{threshold} is neither a probability between 0 and 1 nor the name of a metric"
        raise ConfigError(message, key="threshold")
    if not hasattr(model, "predict_proba"):
        message = f"{type(model).__name__} gives no probabilities"
        raise ConfigError(message, key="threshold", hint="add calibration=sigmoid, or name a metric")
    from sklearn.model_selection import FixedThresholdClassifier

    return FixedThresholdClassifier(
        model, threshold=float(threshold), pos_label=positive, response_method="predict_proba"
    )


def _tuned(model: Any, metric: str, positive: Any) -> Any:
    from sklearn.model_selection import TunedThresholdClassifierCV

    from mlops_cli.components.metrics import threshold_scorer

    return TunedThresholdClassifierCV(model, scoring=threshold_scorer(metric, positive, key="threshold"))


def _need(task: Task | None, wanted: Task, key: str) -> None:
    if task not in {wanted, None}:
        nothing = "null" if key == "threshold" else "none"
        raise ConfigError(f"this is for {wanted}; the task is {task}", key=key, hint=f"choose {key}={nothing}")
