"""Reads an `ExperimentSpec` from a resolved config: plain mappings in, frozen records out.

Every wrong key, type or word is one error that names the key, what was found and what is allowed. Whether a parameter
suits its estimator is not known here: nothing is imported.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlops_cli.components.codes import CODES
from mlops_cli.config import readers as read
from mlops_cli.config.artifacts import read_plots
from mlops_cli.config.component import read_component
from mlops_cli.config.declared import SECTIONS
from mlops_cli.config.drift import read_drift
from mlops_cli.config.forecast import read_forecast
from mlops_cli.config.launcher import read_launcher
from mlops_cli.config.names import check_experiment_name
from mlops_cli.config.promotion import read_gates
from mlops_cli.config.repeated import NO_DATA, REPEATED_KEYS, read_measures, read_repeated, refuse_table
from mlops_cli.config.retrain import check_triggers, read_retrain
from mlops_cli.errors import ConfigError, did_you_mean
from mlops_cli.records import (
    NAMED_DATASET,
    ArtifactsSpec,
    ComponentSpec,
    DataSpec,
    Direction,
    EvaluationSpec,
    ExperimentSpec,
    MetricSpec,
    SampleSpec,
    SweepSpec,
    Task,
    TransformSpec,
    TrialSpec,
    is_named_dataset,
)

TRIAL_KEYS = ("model", "transforms", "target_transform", "calibration", "threshold", "split", "seed")
"""The sections that make a `TrialSpec` of a task that learns from a table."""

TOP_KEYS = (
    "name",
    "description",
    "task",
    "tags",
    "data",
    *TRIAL_KEYS,
    *REPEATED_KEYS,
    "evaluation",
    "sweep",
    "launcher",
    "artifacts",
    "tracker",
    *SECTIONS,
)
"""All sections of an experiment."""

ROLE_KEYS = (
    "target",
    "missing_target",
    "positive",
    "id",
    "drop",
    "features",
    "columns",
    "sample",
    "group",
    "weight",
    "time",
    "dtypes",
    "expect",
    "accept",
    "forecast",
)
"""The keys under ``data`` that say what rows and columns are for; all others are parameters of the source."""

MISSING_TARGET = ("error", "drop")
"""What can be done with rows whose target is missing."""

_NO_SLIPS = ("n_columns",)
"""Parameters of sources that only look like a key of ours."""

_METRIC = "{profit: {_target_: features.profit, greater_is_better: true}}"
_RESPONSES = ("predict", "predict_proba", "decision_function")


def read_experiment(
    config: Mapping[str, Any], sweep: SweepSpec, public: Mapping[str, Any], *, is_saved: bool = False
) -> ExperimentSpec:
    """Return the experiment that a config describes.

    Parameters
    ----------
    config : mapping
        Resolved, with real values.
    sweep : SweepSpec
        Read before, since the config depends on it.
    public : mapping
        The same config as it may be saved.
    is_saved : bool
        Whether a run has saved it, maybe of an older version, which took what is refused now.

    Raises
    ------
    ConfigError
        With the key at fault.
    """
    read.only(config, "", TOP_KEYS)
    said = read.choice(config.get("task", "auto"), "task", ["auto", *Task])
    task = None if said == "auto" else Task(said)
    has_table = task is None or task.has_table
    if task is not None and not has_table:
        refuse_table(config, task, sweep)
    scored = config.get("evaluation")
    scored = read_evaluation(scored, "evaluation") if has_table else read_measures(scored, "evaluation", task)
    evaluation, seed = ranked_by(scored, sweep.objectives), read.seed(config.get("seed", 0), "seed")
    retrain = read_retrain(config.get("retrain"), "retrain")
    if not is_saved:
        check_triggers(retrain, [metric.name for metric in evaluation.metrics], "retrain.when")
    return ExperimentSpec(
        name=check_experiment_name(read.text(config.get("name"), "name"), key="name"),
        data=read_data(config.get("data"), "data", seed) if has_table else NO_DATA,
        trial=read_trial(config),
        description=read.text(config.get("description") or "", "description"),
        task=task,
        evaluation=evaluation,
        sweep=sweep,
        launcher=read_launcher(config.get("launcher"), "launcher"),
        artifacts=read_artifacts(config.get("artifacts"), "artifacts"),
        tracker=_optional(config.get("tracker"), "tracker"),
        tags=read_tags(config.get("tags"), "tags"),
        promotion=read_gates(config.get("promotion"), "promotion"),
        drift=read_drift(config.get("drift"), "drift"),
        retrain=retrain,
        config=public,
    )


def read_trial(config: Mapping[str, Any]) -> TrialSpec:
    """Return what may differ between trials."""
    if "model" not in config:
        return TrialSpec(read_repeated(config), seed=read.seed(config.get("seed", 0), "seed"))
    return TrialSpec(
        model=_needed(config.get("model"), "model", "logistic_regression, random_forest or ridge"),
        transforms=read_transforms(config.get("transforms"), "transforms"),
        target_transform=_optional(config.get("target_transform"), "target_transform"),
        calibration=_optional(config.get("calibration"), "calibration"),
        threshold=read.share(config.get("threshold"), "threshold", otherwise="the name of a metric"),
        split=_needed(config.get("split"), "split", "auto, kfold or hold_out"),
        seed=read.seed(config.get("seed", 0), "seed"),
    )


# --- components --------------------------------------------------------------------------------------------------


def _optional(value: object, key: str) -> ComponentSpec | None:
    """Return a component; None for nothing, and for an option such as ``calibration: none`` that says so."""
    node = read.mapping(value, key)
    if node.get("_target_") is not None:
        return read_component(node, key)
    for name in node:
        if name != "_target_":
            raise ConfigError(f"no {key} is chosen that could take this", key=f"{key}.{name}", hint=f"{key}=NAME")
    return None


def _needed(value: object, key: str, examples: str) -> ComponentSpec:
    node = read.mapping(value, key)
    if node.get("_target_") is None:
        hint = f'add "- {key}: NAME" to the defaults, NAME being {examples}, or give it a _target_'
        raise ConfigError(f"no {key} is chosen", key=key, hint=hint)
    return read_component(node, key)


def read_transforms(value: object, key: str) -> tuple[TransformSpec, ...]:
    """Return the steps in order; one that is null is left out."""
    steps = read.mapping(value, key)
    return tuple(_transform(name, step, f"{key}.{name}") for name, step in steps.items() if step is not None)


def _transform(name: str, value: object, key: str) -> TransformSpec:
    if not name or "__" in name or "." in name:
        raise ConfigError(f"{name!r} cannot be a step's name", key=key, hint="leave out '__' and '.'")
    node = dict(read.mapping(value, key))
    if "_target_" not in node:
        hint = f"to change a step of a transforms option, check its name; {name}: null removes a step"
        raise ConfigError("the step has no _target_", key=key, hint=hint)
    columns = read.names(node.pop("columns", "all"), f"{key}.columns")
    if not columns:
        raise read.wrong([], f"{key}.columns", "a kind, a name, a glob, or a list of these")
    return TransformSpec(name, read_component(node, key), columns)


# --- data and scoring ----------------------------------------------------------------------------------------------


def read_data(value: object, key: str, seed: int = 0) -> DataSpec:
    """Return where the data is and what its columns are for; ``seed`` is that of a sample of the rows."""
    node = read.mapping(value, key)
    source = {name: v for name, v in node.items() if name not in ROLE_KEYS}
    if source.get("read") == {}:
        del source["read"]  # its default here; a source of the user's own need not have it
    features = node.get("features")
    return DataSpec(
        source=_source(source, key),
        target=read.column(node.get("target"), f"{key}.target"),
        missing_target=read.choice(node.get("missing_target", "error"), f"{key}.missing_target", MISSING_TARGET),
        positive=_scalar(node.get("positive"), f"{key}.positive"),
        id=read.column(node.get("id"), f"{key}.id"),
        drop=read.names(node.get("drop"), f"{key}.drop"),
        features=None if features is None else read.names(features, f"{key}.features"),
        columns=_columns(node.get("columns"), f"{key}.columns"),
        sample=_sample(node.get("sample"), f"{key}.sample", seed),
        group=read.column(node.get("group"), f"{key}.group"),
        weight=read.column(node.get("weight"), f"{key}.weight"),
        time=read.column(node.get("time"), f"{key}.time"),
        dtypes=_texts(node.get("dtypes"), f"{key}.dtypes"),
        expect=read.mapping(node.get("expect"), f"{key}.expect"),
        accept=_accepted(node.get("accept"), f"{key}.accept"),
        forecast=read_forecast(node.get("forecast"), f"{key}.forecast"),
    )


def _columns(value: object, key: str) -> tuple[str, ...] | None:
    names = None if value is None else read.names(value, key)
    if names == ():
        raise read.wrong([], key, "names or globs of the columns to read, or null for all")
    return names


def _sample(value: object, key: str, seed: int) -> SampleSpec | None:
    """Return how many rows are read: a whole number counts them, one of up to 1 with a point is a share."""
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    size: Any = value
    if not is_number or not 0 < size < math.inf or (size > 1 and size % 1):
        raise read.wrong(value, key, "a number of rows such as 10000, a share of them such as 0.1, or null for all")
    return SampleSpec(size if size <= 1 else int(size), seed)


def _source(node: Mapping[str, Any], key: str) -> ComponentSpec:
    is_named = is_named_dataset(node)
    spec = ComponentSpec(NAMED_DATASET, dict(node)) if is_named else _needed(node, key, "csv, parquet or excel")
    known = (*ROLE_KEYS, "version") if is_named else ROLE_KEYS
    if is_named or (isinstance(spec.target, str) and spec.target.startswith("mlops_cli.")):
        # The source knows its parameters; a slip in a role is seen here.
        for name in set(spec.params) - {*known, *_NO_SLIPS}:
            if difflib.get_close_matches(name, known, n=1, cutoff=0.75):
                raise ConfigError("unknown key", key=f"{key}.{name}", hint=did_you_mean(name, known))
    return spec


def _accepted(value: object, key: str) -> tuple[str, ...]:
    """Return the codes of notices that are not to be said."""
    codes = read.names(value, key)
    for code in codes:
        read.choice(code, key, sorted(CODES))
    return codes


def _scalar(value: object, key: str) -> object:
    if isinstance(value, Mapping | list):
        raise read.wrong(value, key, "one value")
    return value


def _texts(value: object, key: str) -> Mapping[str, str]:
    if value is not None and not isinstance(value, Mapping):
        raise read.wrong(value, key, "a mapping")
    return {str(name): read.text(v, f"{key}.{name}") for name, v in (value or {}).items()}


def read_evaluation(value: object, key: str) -> EvaluationSpec:
    """Return how trials are scored."""
    node = read.mapping(value, key)
    read.only(node, key, ("test", "metrics", "primary", "repetitions"))
    if node.get("repetitions") is not None:
        hint = "split=repeated_kfold repeats splits of a table"
        raise ConfigError("a task that learns from a table has splits", key=f"{key}.repetitions", hint=hint)
    metrics = _metrics(node.get("metrics"), f"{key}.metrics")
    primary = node.get("primary")
    if primary is not None and metrics:
        read.choice(primary, f"{key}.primary", [m.name for m in metrics])
    return EvaluationSpec(
        metrics=metrics,
        primary=None if primary is None else read.text(primary, f"{key}.primary"),
        test=read.share(node.get("test"), f"{key}.test", otherwise="the path of a file"),
    )


def ranked_by(evaluation: EvaluationSpec, objectives: Sequence[str]) -> EvaluationSpec:
    """Return the evaluation with the first objective as its primary metric; as it is where there are none.

    Raises
    ------
    ConfigError
        An objective is none of the metrics, or another metric is said to be the primary one.
    """
    listed = [m.name for m in evaluation.metrics]
    for i, name in enumerate(objectives if listed else ()):
        read.choice(name, f"sweep.objectives[{i}]", listed)
    if not objectives or evaluation.primary == objectives[0]:
        return evaluation
    if evaluation.primary is not None:
        hint = f"put {evaluation.primary} first, or evaluation.primary={objectives[0]}"
        message = f"the first one ranks, found {objectives[0]!r}, and evaluation.primary is {evaluation.primary!r}"
        raise ConfigError(message, key="sweep.objectives", hint=hint)
    return replace(evaluation, primary=objectives[0])


def _metrics(value: object, key: str) -> tuple[MetricSpec, ...]:
    items = [] if value is None else value if isinstance(value, list) else [value]
    metrics = tuple(_metric(item, f"{key}[{i}]") for i, item in enumerate(items))
    for i, metric in enumerate(metrics):
        if metric.name in {m.name for m in metrics[:i]}:
            raise ConfigError(f"the metric {metric.name!r} is listed twice", key=f"{key}[{i}]", hint="keep one")
    return metrics


def _metric(value: object, key: str) -> MetricSpec:
    if isinstance(value, str) and value:
        name = value.rpartition(".")[2]
        return MetricSpec(name, None if name == value else ComponentSpec(value))
    if not isinstance(value, Mapping):
        raise read.wrong(value, key, f"the name of a metric, or a mapping such as {_METRIC}")
    node, key = _named_metric(read.mapping(value, key), key)
    name = read.text(node.pop("name"), f"{key}.name")
    greater = node.pop("greater_is_better", None)  # where it is not said, the function's own name says it
    response = read.choice(node.pop("response", "predict"), f"{key}.response", _RESPONSES)
    direction = None
    if greater is not None:
        direction = Direction.MAXIMIZE if read.flag(greater, f"{key}.greater_is_better") else Direction.MINIMIZE
    return MetricSpec(name, read_component(node, key), direction, response)


def _named_metric(node: Mapping[str, Any], key: str) -> tuple[dict[str, Any], str]:
    """Return a metric's mapping with its name in it: ``{name: profit, …}`` or ``{profit: {…}}``."""
    (first, inner), *rest = node.items() or [("", None)]
    if isinstance(inner, Mapping) and not rest and "name" not in inner:
        node, key = {"name": first, **inner}, f"{key}.{first}"
    hint = f"write {_METRIC}, or features.profit alone; a metric of scikit-learn is listed by its name"
    for needed in ("_target_", "name"):
        if needed not in node:
            raise ConfigError(f"the metric has no {needed}", key=key, hint=hint)
    return dict(node), key


# --- the rest ------------------------------------------------------------------------------------------------------


def read_artifacts(value: object, key: str) -> ArtifactsSpec:
    """Return what is kept beside the scores."""
    node = read.mapping(value, key)
    read.only(node, key, ("keep", "model_format", "predictions", "plots"))
    return ArtifactsSpec(
        keep=read.choice(node.get("keep", "best"), f"{key}.keep", ("best", "none")),
        model_format=read.choice(node.get("model_format", "skops"), f"{key}.model_format", ("skops", "joblib")),
        predictions=read.flag(node.get("predictions", True), f"{key}.predictions"),
        plots=read_plots(node.get("plots", "auto"), f"{key}.plots"),
    )


def read_tags(value: object, key: str) -> Mapping[str, str]:
    """Return the tags, as text."""
    tags = read.mapping(value, key)
    for name, tag in tags.items():
        if isinstance(tag, Mapping | list) or tag is None:
            raise read.wrong(tag, f"{key}.{name}", "text")
    return {name: str(tag).lower() if isinstance(tag, bool) else str(tag) for name, tag in tags.items()}
