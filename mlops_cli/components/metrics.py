"""Metrics by name → scorers, and the scores of a fitted estimator with each prediction made once.

Every scikit-learn scorer has its name here, and errors also have a readable one (``rmse``), reported as the positive
number that people quote and minimised. A scorer is scikit-learn's own object wherever that is possible, so that scores
are those of `sklearn.model_selection.cross_validate`. Nothing here knows of splits or trials.
"""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_cli.components import cluster_metrics
from mlops_cli.components.construct import build
from mlops_cli.components.metric_names import (
    BINARY_ONLY,
    KEY,
    USUAL,
    scikit_name,
    score_function,
    tasks_of,
)
from mlops_cli.components.responses import Responses
from mlops_cli.components.targets import Role
from mlops_cli.errors import ConfigError, did_you_mean
from mlops_cli.records import Direction, MetricSpec, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    import numpy as np

_RESPONSES = ("predict", "predict_proba", "decision_function")


@dataclass(frozen=True)
class ResolvedMetric:
    """A metric that is ready to score.

    ``scorer`` is called as ``scorer(estimator, X, y)`` and greater is better, as everywhere in scikit-learn;
    ``sign`` turns what it returns into the number that is reported.
    """

    name: str
    direction: Direction
    scorer: Callable[..., float]
    sign: int = 1
    whole: bool = False  # a user's own scorer, which is given the estimator itself


@dataclass(frozen=True)
class _Setting:
    """What metrics must suit."""

    task: Task
    classes: tuple[Any, ...]
    positive: Any  # None but for two classes
    has_target: bool

    @property
    def kind(self) -> str:
        """The task, told apart by the number of classes."""
        if self.task is not Task.CLASSIFICATION:
            return str(self.task)
        return "binary" if len(self.classes) <= 2 else "multiclass"

    @property
    def is_standard(self) -> bool:
        """Whether scikit-learn's own default for the positive class is the one that is meant."""
        standard = set(self.classes) <= {0, 1} or set(self.classes) <= {-1, 1}
        return self.positive is None or (standard and self.positive == 1)


# --- what is asked for ---------------------------------------------------------------------------------------------


def resolve_metrics(
    specs: Sequence[MetricSpec],
    task: Task,
    classes: Sequence[Any] | np.ndarray[Any, Any] | None = None,
    positive: Any = None,
    trust: Collection[str] = (),
    has_target: bool = True,
) -> list[ResolvedMetric]:
    """Return the scorers of the metrics asked for, in order; the task's usual ones if none are.

    Parameters
    ----------
    specs : sequence of MetricSpec
        What the config asks for.
    task : Task
        What is learned.
    classes : array-like, optional
        The distinct labels, for classification.
    positive : object, optional
        The class that binary metrics look for. None is 1 where it is a class, else the greater class.
    trust : collection of str
        The modules that the workspace's owner trusts.
    has_target : bool
        Whether there is a target to compare with.

    Raises
    ------
    ConfigError
        A metric does not exist, does not suit the task, or is asked for twice; ``positive`` is no class.
    """
    known = _plain(classes)
    binary = task is Task.CLASSIFICATION and len(known) == 2
    if positive is not None and len(known) > 2:
        raise ConfigError(f"this is for two classes; the target has {len(known)}", key="data.positive", hint="null")
    setting = _Setting(task, known, positive_class(known, positive) if binary else None, has_target)
    wanted = specs or [MetricSpec(name) for name in USUAL[setting.kind]]
    _check_distinct(wanted)
    return [_resolve(spec, setting, trust) for spec in wanted]


def positive_class(classes: Sequence[Any] | np.ndarray[Any, Any], positive: Any = None) -> Any:
    """Return the class that binary metrics look for.

    Raises
    ------
    ConfigError
        ``positive`` is none of the classes.

    Examples
    --------
    >>> positive_class(["no", "yes"])
    'yes'
    >>> positive_class([1, 2])
    1
    """
    known = _plain(classes)
    if positive is None:
        return next((label for label in known if label == 1), max(known))
    for label in known:
        if label == positive and isinstance(label, str) == isinstance(positive, str):
            return label
    hint = did_you_mean(str(positive), map(str, known))
    if isinstance(positive, bool) and any(isinstance(label, str) for label in known):
        hint += "; put it in quotes: a bare yes, no, on or off is read as true or false"
    raise ConfigError(f"{positive!r} is not a class of the target", key="data.positive", hint=hint)


def _plain(classes: Sequence[Any] | np.ndarray[Any, Any] | None) -> tuple[Any, ...]:
    """Return labels as Python's own objects: numpy's print badly and do not compare with YAML's."""
    return tuple(getattr(c, "item", lambda c=c: c)() for c in (classes if classes is not None else ()))


def _check_distinct(specs: Sequence[MetricSpec]) -> None:
    names = [spec.name for spec in specs]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{name!r} is asked for twice", key=KEY)


def _resolve(spec: MetricSpec, setting: _Setting, trust: Collection[str]) -> ResolvedMetric:
    if spec.component is not None:
        return _users_own(spec, setting, trust)
    if spec.name in cluster_metrics.SCORES:
        return _of_clustering(spec, setting)
    name, sign = scikit_name(spec.name)
    _check_suits(spec.name, name, setting)
    direction = Direction.MINIMIZE if sign < 0 else Direction.MAXIMIZE
    if spec.direction not in {None, direction}:
        raise ConfigError(f"{spec.name} is to {direction}, not to {spec.direction}", key=KEY)
    return ResolvedMetric(spec.name, direction, _scorer(name, setting), sign)


# --- what suits the task -------------------------------------------------------------------------------------------


def _check_suits(asked: str, name: str, setting: _Setting) -> None:
    tasks = tasks_of(name)
    if setting.task not in tasks:
        usual = ", ".join(USUAL[setting.kind])
        told = " or ".join(str(t) for t in tasks)
        raise ConfigError(
            f"{asked} is for {told}; the task is {setting.task}", key=KEY, hint=f"choose for example {usual}"
        )
    if setting.kind == "multiclass" and name in BINARY_ONLY:
        instead = ", ".join(BINARY_ONLY[name])
        raise ConfigError(
            f"{asked} is for two classes; the target has {len(setting.classes)}", key=KEY, hint=f"choose {instead}"
        )
    if not setting.has_target:
        raise ConfigError(f"{asked} compares with a target, and there is none", key=KEY, hint="set data.target")


# --- scorers -------------------------------------------------------------------------------------------------------


def _scorer(name: str, setting: _Setting) -> Callable[..., float]:
    """Return scikit-learn's scorer, told of the positive class where its own default is not what is meant."""
    from sklearn.metrics import get_scorer

    if name.startswith("roc_auc_ovr") and setting.kind == "multiclass":
        return functools.partial(_roc_auc_ovr, name=name)
    if setting.is_standard:
        scorer: Callable[..., float] = get_scorer(name)
        return scorer
    return _told_positive(name, setting.classes, setting.positive)


def _told_positive(name: str, classes: Sequence[Any], positive: Any) -> Callable[..., float]:
    from sklearn.metrics import get_scorer, make_scorer

    scorer, function = get_scorer(name), score_function(name)
    kwargs = dict(scorer._kwargs)
    if name.endswith("_likelihood_ratio"):
        ordered = [c for c in classes if c != positive] + [positive]
        function = functools.partial(_likelihood_ratio, labels=ordered, which=int("negative" in name))
    elif "pos_label" in inspect.signature(function).parameters and kwargs.get("average", "binary") == "binary":
        kwargs["pos_label"] = positive
    else:
        return scorer  # type: ignore[no-any-return]
    return make_scorer(  # type: ignore[no-any-return]
        function, response_method=scorer._response_method, greater_is_better=scorer._sign > 0, **kwargs
    )


def _likelihood_ratio(y_true: Any, y_pred: Any, sample_weight: Any = None, *, labels: list[Any], which: int) -> float:
    """Return the positive (0) or negative (1) likelihood ratio with the last label as the positive class."""
    from sklearn.metrics import class_likelihood_ratios

    ratios = class_likelihood_ratios(y_true, y_pred, labels=labels, sample_weight=sample_weight)
    return float(ratios[which])


def _roc_auc_ovr(estimator: Any, X: Any, y: Any, sample_weight: Any = None, *, name: str) -> float:
    """Return one-versus-rest AUC, from decision values where there are no probabilities.

    scikit-learn's scorer takes probabilities alone; one class against the rest needs no more than a ranking, and
    many good models (`LinearSVC`, `RidgeClassifier`, `SVC`) give just that.
    """
    from sklearn.metrics import get_scorer, roc_auc_score
    from sklearn.preprocessing import label_binarize

    weights = {} if sample_weight is None else {"sample_weight": sample_weight}
    if hasattr(estimator, "predict_proba") or not hasattr(estimator, "decision_function"):
        return float(get_scorer(name)(estimator, X, y, **weights))
    average = "weighted" if name.endswith("weighted") else "macro"
    truth = label_binarize(y, classes=estimator.classes_)
    return float(roc_auc_score(truth, estimator.decision_function(X), average=average, **weights))


def threshold_scorer(name: str, positive: Any, *, key: str) -> Callable[..., float]:
    """Return the scorer by which a binary threshold is chosen.

    Raises
    ------
    ConfigError
        There is no such metric, or it does not judge predicted classes.
    """
    from sklearn.metrics import get_scorer

    scikit, _ = scikit_name(name, key=key)
    scorer = get_scorer(scikit)
    if Task.CLASSIFICATION not in tasks_of(scikit) or scorer._response_method != "predict" or "likelihood" in name:
        raise ConfigError(f"{name} does not judge predicted classes", key=key, hint="choose f1, balanced_accuracy")
    return scorer if positive is None else _told_positive(scikit, (), positive)


def _of_clustering(spec: MetricSpec, setting: _Setting) -> ResolvedMetric:
    if setting.task is not Task.CLUSTERING:
        usual = ", ".join(USUAL[setting.kind])
        raise ConfigError(
            f"{spec.name} is for clustering; the task is {setting.task}", key=KEY, hint=f"choose for example {usual}"
        )
    direction = Direction.MINIMIZE if spec.name == "davies_bouldin" else Direction.MAXIMIZE
    return ResolvedMetric(spec.name, direction, cluster_metrics.SCORES[spec.name])


# --- a user's own --------------------------------------------------------------------------------------------------


def _users_own(spec: MetricSpec, setting: _Setting, trust: Collection[str]) -> ResolvedMetric:
    """Make a scorer of a function ``(y_true, y_pred)``; one whose first parameter is ``estimator`` is a scorer."""
    from sklearn.metrics import make_scorer

    if spec.component is None or spec.response not in _RESPONSES:
        raise ConfigError(
            f"{spec.response!r} is no response", key=f"{KEY}.{spec.name}", hint=did_you_mean(spec.response, _RESPONSES)
        )
    function = build(spec.component, role=Role.METRIC, task=setting.task, trust=trust, key=f"{KEY}.{spec.name}")
    if not callable(function):
        raise ConfigError(
            f"{spec.component.target} is a class whose objects cannot be called, so it gives no score",
            key=f"{KEY}.{spec.name}",
            hint="write a function (y_true, y_pred), or give the class a __call__",
        )
    parameters = inspect.signature(function).parameters
    direction = spec.direction or _usual_direction(function)
    if next(iter(parameters), None) == "estimator":
        return ResolvedMetric(spec.name, direction, function, whole=True)
    given = _positive_params(spec, parameters, setting)
    greater = direction is Direction.MAXIMIZE
    checked = _giving_numbers(function, spec.name)
    scorer = make_scorer(checked, response_method=spec.response, greater_is_better=greater, **given)
    return ResolvedMetric(spec.name, direction, scorer, 1 if greater else -1)


def _giving_numbers(function: Callable[..., Any], name: str) -> Callable[..., float]:
    """Return the function with its value checked before scikit-learn reckons with it."""

    @functools.wraps(function)
    def score(*args: Any, **kwargs: Any) -> float:
        return _number(function(*args, **kwargs), name)

    return score


def _positive_params(
    spec: MetricSpec, parameters: Mapping[str, inspect.Parameter], setting: _Setting
) -> dict[str, Any]:
    """Tell a function of the positive class if it wants to know, and refuse one that needs two classes."""
    average = parameters["average"].default if "average" in parameters else None
    if setting.kind == "multiclass" and average == "binary":
        hint = "add average: macro, weighted or micro"
        raise ConfigError(f"{spec.name} is for two classes unless averaged", key=f"{KEY}.{spec.name}", hint=hint)
    label = parameters.get("pos_label")
    asked = spec.component is not None and "pos_label" in spec.component.params
    wants = label is not None and not asked and average in {None, "binary"}
    return {"pos_label": setting.positive} if wants and not setting.is_standard else {}


def _usual_direction(function: Any) -> Direction:
    """Read the direction from the name by scikit-learn's convention: an error or a loss is to be small."""
    while isinstance(function, functools.partial):
        function = function.func
    name = str(getattr(function, "__name__", type(function).__name__)).lower()
    small = name.endswith(("_error", "_loss", "_deviance", "error", "loss"))
    return Direction.MINIMIZE if small else Direction.MAXIMIZE


# --- scoring -------------------------------------------------------------------------------------------------------


def evaluate(
    metrics: Sequence[ResolvedMetric], estimator: Any, X: Any, y: Any, sample_weight: Any = None
) -> tuple[dict[str, float], dict[str, np.ndarray[Any, Any]]]:
    """Score a fitted estimator, asking it for each kind of prediction once.

    Parameters
    ----------
    metrics : sequence of ResolvedMetric
        What to compute.
    estimator : estimator
        Fitted.
    X : array-like or DataFrame
        The rows to score on.
    y : array-like or None
        Their target.
    sample_weight : array-like, optional
        Given to the metrics that take weights.

    Returns
    -------
    scores : dict of str to float
        As reported: errors are positive.
    responses : dict of str to ndarray
        The predictions that were made on the way: ``predict``, ``predict_proba``, ``decision_function``.

    Raises
    ------
    ValueError
        A metric returned something that is not a number; and whatever the estimator or a metric raises.
    """
    recorded = Responses(estimator, X)
    scores = {}
    for metric in metrics:
        weights = {"sample_weight": sample_weight} if sample_weight is not None and _takes_weight(metric.scorer) else {}
        try:
            value = metric.scorer(estimator if metric.whole else recorded, X, y, **weights)
        except AttributeError as error:
            if Responses.__name__ not in str(error):
                raise
            # scikit-learn names the class of what it was given
            named = str(error).replace(Responses.__name__, type(estimator).__name__)
            raise AttributeError(f"{metric.name}: {named}") from error
        scores[metric.name] = metric.sign * _number(value, metric.name)
    return scores, dict(recorded.made)


def _takes_weight(scorer: Any) -> bool:
    """Whether a metric's function takes weights; scikit-learn's scorers themselves always seem to."""
    function = getattr(scorer, "_score_func", scorer)
    return "sample_weight" in inspect.signature(function).parameters


def _number(value: Any, name: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        missing = "nothing: does its function return the score?"
        found = missing if value is None else f"a {type(value).__name__}, not a number"
        raise ValueError(f"the metric {name} returned {found}") from None
