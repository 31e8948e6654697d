"""What a built estimator is: its task, whether it takes weights, whether it would be fitted with its parameters.

Looks at estimators and never makes or fits one.
"""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_cli.components.launchers.verdicts import raised
from mlops_cli.contracts import ChecksBeforeFit
from mlops_cli.errors import ConfigError
from mlops_cli.records import Task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_cli.contracts import BeforeFit

# scikit-learn's meta-estimators whose fit(X, y, **params) passes weights on; the others refuse them unless its
# metadata routing is enabled
_HAND_WEIGHTS_ON = frozenset(
    {
        "GridSearchCV",
        "HalvingGridSearchCV",
        "HalvingRandomSearchCV",
        "RFE",
        "RandomizedSearchCV",
        "StackingClassifier",
        "StackingRegressor",
        "TransformedTargetRegressor",
        "VotingClassifier",
        "VotingRegressor",
    }
)
_USUAL_MODELS = {
    Task.CLASSIFICATION: "logistic_regression, random_forest",
    Task.REGRESSION: "ridge, random_forest",
    Task.CLUSTERING: "kmeans, gaussian_mixture",
}


def check_values(estimator: Any) -> str | None:
    """Return scikit-learn's own sentence about the first bad parameter value, at any depth; None if all are well.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> check_values(Ridge(alpha=-1.0))
    "The 'alpha' parameter of Ridge must be a float in the range [0.0, inf) or an array-like. Got -1.0 instead."
    """
    from sklearn.utils._param_validation import InvalidParameterError

    for part in _parts(estimator):
        if not (hasattr(part, "_validate_params") and hasattr(part, "_parameter_constraints")):
            continue
        try:
            part._validate_params()  # what fit calls first; there is no public way to ask
        except InvalidParameterError as error:
            return " ".join(str(error).split())
    return None


def check_before_fit(estimator: Any, known: BeforeFit) -> str | None:
    """Return what an estimator itself, or one inside it, says will fail whatever the rows are; None if nothing will.

    Parameters
    ----------
    estimator : estimator
        Unfitted; asked where it is a `ChecksBeforeFit`.
    known : BeforeFit
        What is known; those inside it may be given other columns and classes.
    """
    for part in _parts(estimator):
        if isinstance(part, ChecksBeforeFit):
            try:
                part.check_before_fit(known if part is estimator else replace(known, columns=None, classes=None))
            except Exception as error:  # noqa: BLE001 - a user's own may raise anything
                found = raised(error)
                return " ".join((found.message if isinstance(error, ValueError) else found.headline).split())
    return None


def _parts(estimator: Any) -> Iterator[Any]:
    """Yield the estimator and those inside it."""
    inner = estimator.get_params(deep=True).values() if hasattr(estimator, "get_params") else ()
    yield from (part for part in (estimator, *inner) if not inspect.isclass(part))


def check_task(model: Any, task: Task, *, key: str = "model") -> None:
    """Refuse a model that is for another task, by scikit-learn's tags; one that has none is taken at its word.

    Raises
    ------
    ConfigError
        Such as a regressor where classes are to be told apart.
    """
    kind = _estimator_type(model)
    fits = {
        Task.CLASSIFICATION: {"classifier", None},
        Task.REGRESSION: {"regressor", None},
        Task.CLUSTERING: {"clusterer", "density_estimator", "outlier_detector", None},
    }[task]
    if kind not in fits:
        name = type(model).__name__
        raise ConfigError(
            f"{name} is a {kind.replace('_', ' ')}; the task is {task}", key=key, hint=suggestion(key, task)
        )


def suggestion(key: str, task: Task) -> str | None:
    """Name options that suit the task, where the key asks for a model."""
    return f"choose for example {_USUAL_MODELS[task]}" if key == "model" else None


def _estimator_type(model: Any) -> Any:
    from sklearn.utils import get_tags

    try:
        return get_tags(model).estimator_type
    except (AttributeError, TypeError, ValueError):  # a user's class without scikit-learn's bases
        return None


def takes_sample_weight(estimator: Any) -> bool:
    """Whether ``fit`` can be given ``sample_weight``, here and in every estimator that it would hand it on to.

    Of a Pipeline it is its last step that takes them, as ``model__sample_weight``.
    """
    from sklearn.pipeline import Pipeline
    from sklearn.utils.validation import has_fit_parameter

    if isinstance(estimator, Pipeline):
        return takes_sample_weight(estimator.steps[-1][1])
    members = _members(estimator)
    takes = has_fit_parameter(estimator, "sample_weight") or type(estimator).__name__ in _HAND_WEIGHTS_ON
    # a Pipeline inside an ensemble would be given plain sample_weight, which it refuses
    return bool(takes) and all(takes_sample_weight(m) and not isinstance(m, Pipeline) for m in members)


def _members(estimator: Any) -> list[Any]:
    """Return the estimators that a meta-estimator fits."""
    single = [getattr(estimator, name, None) for name in ("estimator", "regressor")]
    many = getattr(estimator, "estimators", None)
    listed = [item[1] for item in many if isinstance(item, tuple)] if isinstance(many, list) else []
    return [m for m in [*single, *listed] if hasattr(m, "fit") and not inspect.isclass(m)]
