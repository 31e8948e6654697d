"""``mlops evaluate``: a model's metrics on labelled data, each with an interval, and what it said of every row."""

from __future__ import annotations

import warnings
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.analysis.bootstrap import RESAMPLES, resampled
from mlops_cli.analysis.statistics import statistic_of
from mlops_cli.components.metric_names import scikit_name
from mlops_cli.components.metrics import ResolvedMetric, evaluate, positive_class, resolve_metrics
from mlops_cli.components.recalled import Recalled
from mlops_cli.components.responses import Responses
from mlops_cli.errors import ConfigError, DataError, MlopsError, UsageError
from mlops_cli.execution.fitting import prediction_columns
from mlops_cli.records import Evaluated, MetricSpec, Notice, ScoredMetric, Task
from mlops_cli.store.evaluations import check_folder, write_evaluation
from mlops_cli.workflows.applying.incoming import Opened, opened
from mlops_cli.workflows.applying.labelled import TRAINED_ON, Labelled, labelled, scored_rows
from mlops_cli.workflows.data.seen_rows import is_at_hand, rows_of_run, seen_in_training
from mlops_cli.workflows.data.tables import HowRead
from mlops_cli.workflows.silence import silent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure

    Array = np.ndarray[Any, Any]
    Statistic = Callable[[Array], Array]
    Said = Mapping[str, Array]  # predict, predict_proba … → what the model gave for all rows

SAME = 1e-9
"""Of a statistic that stands for a metric, how far its value of all rows may be from the metric's."""

LEAST_UNITS = 10
"""Rows or groups from which on an interval is worth something."""


@dataclass(frozen=True)
class EvaluateOptions:
    """What is computed.

    Parameters
    ----------
    metrics : sequence of str
        Beside those of the run.
    group : str, optional
        The column whose rows belong together: groups are drawn again, not rows. That of the training where not given.
    resamples : int
        How many times rows are drawn again; 0 computes no intervals.
    seed : int
        The same seed gives the same intervals.
    force : bool
        Overwrite an earlier evaluation.
    allow_pickle : bool
        Open a model that is a pickle, which can run any code.
    how : HowRead
        How the input is read, where it is not read as the training data was.
    """

    metrics: Sequence[str] = ()
    group: str | None = None
    resamples: int = RESAMPLES
    seed: int = 0
    force: bool = False
    allow_pickle: bool = False
    how: HowRead = field(default_factory=HowRead)


@dataclass(frozen=True)
class Answered:
    """Targets, and what a model said of their rows."""

    y: Array  # shape (rows,)
    said: Said
    weights: Array | None = None


@dataclass(frozen=True)
class Evaluation:
    """An evaluation, and what was predicted on the way."""

    found: Evaluated
    model: Opened
    predictions: Mapping[str, Any]  # column → values, the target just before the prediction

    @property
    def metrics(self) -> Mapping[str, ScoredMetric]:
        """Metric → its value, its 95 % interval, its standard error."""
        return self.found.metrics

    def table(self) -> pd.DataFrame:
        """Return the predictions as a table, shape (rows, …)."""
        import pandas as pd

        return pd.DataFrame(self.predictions)


def evaluate_model(
    ref: str,
    data: str | pd.DataFrame,
    options: EvaluateOptions | None = None,
    *,
    workspace: str | Path | None = None,
    output: Path | None = None,
) -> Evaluation:
    """Score a model on labelled rows.

    Parameters
    ----------
    ref : str
        A model: ``titanic/3``, ``titanic@champion``, a run.
    data : str or DataFrame
        A file, an address, a glob, a version of a data set; or a table.
    options : EvaluateOptions, optional
        What is computed.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    output : Path, optional
        A folder for the metrics, the predictions and the plots.

    Raises
    ------
    DataError
        The rows cannot be read, have no target, or cannot be scored.
    UsageError
        There is no such metric, or an earlier evaluation is in the folder.
    """
    asked = options or EvaluateOptions()
    if output is not None:
        check_folder(output, force=asked.force)
    model = opened(ref, workspace=workspace, allow_pickle=asked.allow_pickle)
    metrics = metrics_of(model, asked.metrics)
    if isinstance(data, str):
        rows = labelled(data, model, asked.how, asked.group)
    else:
        rows = scored_rows(data, model, asked.group, "the table")
    rows = replace(rows, notices=(*rows.notices, *_trained_on(model, rows)))
    made = scored(model, rows, metrics, asked)
    if output is not None:
        write_evaluation(output, made.found, made.predictions, plots_of(made))
    return made


def _trained_on(model: Opened, rows: Labelled) -> list[Notice]:
    """Say how many of some rows a model has learned from, where its training data is still at hand."""
    record = model.saved.record
    if any(notice.code == TRAINED_ON for notice in rows.notices):
        return []
    with suppress(MlopsError, ValueError):  # the rows are elsewhere, or gone: nobody knows
        if is_at_hand(model.spec, record, model.workspace):
            known = seen_in_training(rows_of_run(model.spec, record, model.workspace), rows)
            seen, every = f"{known.count:,}", f"the {len(rows.X):,} rows"
            text = f"the model was trained on {seen} of {every}: the scores flatter it"
            if not known.by:
                text = f"{seen} of {every} have a twin, equal in all features and the target, in what the model was"
                text += " trained on: if they are the same cases, the scores flatter it"
            return [Notice(TRAINED_ON, text)] if known.count else []
    return []


def scored(model: Opened, rows: Labelled, metrics: Sequence[ResolvedMetric], options: EvaluateOptions) -> Evaluation:
    """Return the scores of a model on labelled rows, with intervals.

    Raises
    ------
    DataError
        No metric can be computed.
    """
    scores, said, faults = _scores(model, rows, metrics)
    has_enough = options.resamples and _units(rows) >= LEAST_UNITS
    found = resampled(
        _statistics(model, rows, metrics, scores, said) if has_enough else {},
        len(rows.X),
        groups=rows.groups,
        resamples=options.resamples,
        seed=options.seed,
    )
    intervals = {name: (sample.interval, sample.std) for name, sample in found.items()}
    summaries = {
        m.name: ScoredMetric(scores[m.name], m.direction, *intervals.get(m.name, (None, None)))
        for m in metrics
        if m.name in scores
    }
    primary = str(model.saved.record.primary)
    evaluated = Evaluated(
        model=model.saved.label,
        data=rows.version,
        task=model.model.signature.task,
        metrics=summaries,
        primary=primary if primary in summaries else next(iter(summaries)),
        resamples=options.resamples,
        by=rows.by,
        warnings=(*model.notices, *rows.notices, *faults, *_notices(rows, model, options, summaries)),
    )
    return Evaluation(evaluated, model, _columns(model, rows, said))


# --- metrics -----------------------------------------------------------------------------------------------------


def metrics_of(model: Opened, more: Sequence[str] = ()) -> list[ResolvedMetric]:
    """Return the metrics of a model's run, and those that are asked for beside them."""
    spec, record, signature = model.spec, model.saved.record, model.model.signature
    wanted = [*(spec.evaluation.metrics or [MetricSpec(name) for name in record.metrics])]
    wanted += [MetricSpec(name) for name in dict.fromkeys(more) if name not in {m.name for m in wanted}]
    has_target = spec.data.target is not None
    try:
        return resolve_metrics(
            wanted, signature.task, signature.classes, spec.data.positive, model.trust, has_target=has_target
        )
    except ConfigError as error:
        if not more:
            raise
        raise UsageError(f"--metric: {error.message}", hint=error.hint) from error


def _scores(
    model: Opened, rows: Labelled, metrics: Sequence[ResolvedMetric]
) -> tuple[dict[str, float], dict[str, Array], list[Notice]]:
    """Return what can be computed of the metrics, what the model said, and why the others cannot."""
    asked = Responses(model.model.pipeline, rows.X)
    scores: dict[str, float] = {}
    faults: dict[str, str] = {}
    with warnings.catch_warnings(), silent():
        warnings.simplefilter("ignore")
        for metric in metrics:
            try:
                scores |= evaluate([metric], asked, rows.X, rows.y, rows.weights)[0]
            except Exception as error:  # noqa: BLE001 - whatever a model or a metric raises of these rows
                faults[metric.name] = " ".join(str(error).split())[:200]
    faults |= {name: "it is not defined on these rows" for name, score in scores.items() if not np.isfinite(score)}
    if len(faults) == len(metrics):
        name, why = next(iter(faults.items()))
        raise DataError(f"no metric can be computed; {name}: {why}")
    notices = [Notice("metric-failed", f"{name}: {why}") for name, why in faults.items()]
    return {name: score for name, score in scores.items() if name not in faults}, dict(asked.made), notices


# --- intervals ---------------------------------------------------------------------------------------------------


def _units(rows: Labelled) -> int:
    return len(rows.X) if rows.groups is None else len(np.unique(rows.groups))


def _statistics(
    model: Opened, rows: Labelled, metrics: Sequence[ResolvedMetric], scores: Mapping[str, float], said: Said
) -> dict[str, Statistic]:
    """Return each metric as a function of how often each row is there; none of those that want the rows themselves."""
    if rows.y is None:
        return {}
    computed = [m for m in metrics if m.name in scores and not m.whole]
    answered = Answered(np.asarray(rows.y), said, rows.weights)
    return {m.name: statistic_in(answered, model, m, scores[m.name]) for m in computed}


def statistic_in(answered: Answered, model: Opened, metric: ResolvedMetric, score: float) -> Statistic:
    """Return a metric of what a model said, ``score`` on all rows, as a function of how often each row is there."""
    return _quick(metric, model, answered, score) or _slow(metric, model, answered)


def statistic_for(model: Opened, rows: Labelled, metric: ResolvedMetric) -> Statistic:
    """Return a model's score on labelled rows as a function of how often each of them is there.

    Raises
    ------
    DataError
        The metric is not defined on these rows, or wants more than what was predicted of each.
    """
    scores, said, _ = _scores(model, rows, [metric])
    found = _statistics(model, rows, [metric], scores, said)
    if metric.name not in found:
        raise DataError(f"{metric.name} is not to be had from what was predicted of rows alone")
    return found[metric.name]


def _quick(metric: ResolvedMetric, model: Opened, rows: Answered, score: float) -> Statistic | None:
    """Return a metric over many resamples at once, where that gives the metric's own value on all rows."""
    if any(spec.name == metric.name and spec.component is not None for spec in model.spec.evaluation.metrics):
        return None
    known = model.model.signature.classes
    classes = None if known is None else np.asarray(model.model.pipeline.classes_).tolist()
    positive = positive_class(classes, model.spec.data.positive) if classes and len(classes) == 2 else None
    name, sign = scikit_name(metric.name)
    with np.errstate(all="ignore"):
        found = statistic_of(name, rows.y, rows.said, classes, positive)
        if found is None:
            return None
        statistic = partial(_weighted, statistic=found, sign=sign, weights=rows.weights)
        whole = statistic(np.ones((1, len(rows.y))))[0]
    return statistic if np.isclose(whole, score, rtol=SAME, atol=SAME) else None


def _weighted(counts: Array, statistic: Statistic, sign: int, weights: Array | None) -> Array:
    return sign * statistic(counts if weights is None else counts * weights)


def _slow(metric: ResolvedMetric, model: Opened, rows: Answered) -> Statistic:
    """Return a metric that is computed of one resample after the other."""
    recalled, y, weights = Recalled(model.model.pipeline, rows.said), rows.y, rows.weights

    def one(counts: Array) -> float:
        places = np.repeat(np.arange(len(y)), counts.astype(int))
        taken = None if weights is None else weights[places]
        try:
            return evaluate([metric], recalled, places, y[places], taken)[0][metric.name]
        except Exception:  # noqa: BLE001 - as of a resample without a class; too many of these leave no interval
            return float("nan")

    def statistic(counts: Array) -> Array:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.array([one(row) for row in counts])

    return statistic


def _notices(
    rows: Labelled, model: Opened, options: EvaluateOptions, metrics: Mapping[str, ScoredMetric]
) -> list[Notice]:
    """Return what is to be said of the intervals and the target."""
    found = []
    if options.resamples and _units(rows) < LEAST_UNITS:
        what = "rows" if rows.groups is None else f"groups of {rows.by}"
        found.append(Notice("too-few", f"{_units(rows)} {what} are too few for intervals; {LEAST_UNITS} are the least"))
    elif options.resamples and (without := [name for name, metric in metrics.items() if metric.ci95 is None]):
        found.append(
            Notice("no-interval", f"{', '.join(without)}: not to be had from what was predicted of rows alone")
        )
    classes = model.model.signature.classes
    if classes is not None and rows.y is not None:
        unknown = sorted({str(label) for label in np.unique(rows.y).tolist() if label not in classes})
        if unknown:
            found.append(Notice("new-classes", f"the model knows no {', '.join(unknown[:5])}"))
    return found


# --- predictions and plots ---------------------------------------------------------------------------------------


def _columns(model: Opened, rows: Labelled, said: Said) -> dict[str, Any]:
    """Return what was predicted: the id, the target, the prediction, the probability of each class."""
    pipeline, signature = model.model.pipeline, model.model.signature
    with warnings.catch_warnings(), silent():
        warnings.simplefilter("ignore")
        made = prediction_columns(said, pipeline, rows.X, np.arange(len(rows.X)), signature.classes)
    named: dict[str, Any] = {} if rows.ids is None else {str(rows.ids.name): rows.ids}
    target = {} if rows.y is None else {"target": rows.y}
    return {**named, **target, **{name: values for name, values in made.items() if name != "row"}}


def plots_of(made: Evaluation) -> dict[str, Mapping[str, bytes]]:
    """Return the plots that suit an evaluation: name → format → file."""
    from mlops_cli.views.plots.style import UnsuitableError, render

    found: dict[str, Mapping[str, bytes]] = {}
    for name, draw in _drawn(made).items():
        with suppress(UnsuitableError):
            found[name] = render(draw())
    return found


def _drawn(made: Evaluation) -> dict[str, Callable[[], Figure]]:
    from mlops_cli.views.plots import classification, regression
    from mlops_cli.views.plots.predictions import classified

    table, task = made.table(), made.found.task
    if task is Task.REGRESSION:
        target = made.found.data.target or "target"
        return {
            "prediction_error": lambda: regression.prediction_error(table, target),
            "residuals": lambda: regression.residuals(table, target),
        }
    if task is not Task.CLASSIFICATION:
        return {}
    rows = classified(table)
    positive = None
    if rows.is_binary:
        positive = str(positive_class(made.model.model.signature.classes or (), made.model.spec.data.positive))
    return {
        "confusion_matrix": lambda: classification.confusion_matrix(rows),
        "roc": lambda: classification.roc(rows, positive),
        "precision_recall": lambda: classification.precision_recall(rows, positive),
        "calibration": lambda: classification.calibration(rows, positive),
    }
