"""How a model's metrics have changed between the rows that training was judged by and new ones with a target.

Both sides are predicted by models that had not seen the rows. The interval is of the difference: rows of both sides are
drawn again, each side by itself.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.analysis.bootstrap import Resampled, resampled
from mlops_cli.components.metrics import evaluate
from mlops_cli.components.recalled import Recalled
from mlops_cli.errors import ConfigError, UsageError
from mlops_cli.records import Direction, MetricDrift, Notice, PredictedSample
from mlops_cli.workflows.applying.evaluate import LEAST_UNITS, Answered, metrics_of, statistic_in
from mlops_cli.workflows.silence import silent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mlops_cli.components.metrics import ResolvedMetric
    from mlops_cli.records import DriftSpec
    from mlops_cli.workflows.applying.incoming import Opened

    Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Draws:
    """How often rows are drawn again, and the seed of it."""

    resamples: int = 1000
    seed: int = 0


@dataclass(frozen=True)
class Compared:
    """The metrics, and what is to be said of them."""

    metrics: tuple[MetricDrift, ...] = ()
    notices: tuple[Notice, ...] = ()


def metric_drift(
    model: Opened, before: PredictedSample, after: PredictedSample, spec: DriftSpec, draws: Draws
) -> Compared:
    """Return how each metric has changed.

    Parameters
    ----------
    model : Opened
        The model.
    before, after : PredictedSample
        Rows with their targets and what was predicted of them.
    spec : DriftSpec
        From how much worse on a metric has drifted; the primary one where it names none.
    draws : Draws
        Of the intervals.

    Raises
    ------
    ConfigError
        There is no such metric.
    """
    metrics, notices = [m for m in _metrics(model, spec) if not m.whole], list[Notice]()
    sides = []
    for sample, called in ((before, "of training"), (after, "here")):
        answered, unknown = _answered(model, sample)
        if unknown:
            text = f"{unknown:,} rows {called} have a class that the model does not know: no metric counts them"
            notices.append(Notice("new-classes", text))
        sides.append(_Side(model, answered, sample.groups))
    found = []
    for metric in metrics:
        try:
            found.append(_changed(metric, sides, spec, _judged(model, spec), draws))
        except Exception as error:  # noqa: BLE001 - whatever a metric raises of these rows
            why = " ".join(str(error).split())[:200]
            notices.append(Notice("metric-failed", f"{metric.name}: {why}"))
    return Compared(tuple(found), tuple(notices))


def _metrics(model: Opened, spec: DriftSpec) -> list[ResolvedMetric]:
    try:
        return metrics_of(model, tuple(spec.metrics))
    except UsageError as error:
        raise ConfigError(error.message.removeprefix("--metric: "), key="drift.metrics", hint=error.hint) from error


def _judged(model: Opened, spec: DriftSpec) -> Mapping[str, float]:
    return spec.metrics or {str(model.saved.record.primary): 0.0}


# --- one side ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Side:
    model: Opened
    answered: Answered
    groups: Array | None

    @property
    def units(self) -> int:
        return len(self.answered.y) if self.groups is None else len(np.unique(self.groups))

    def score(self, metric: ResolvedMetric) -> float:
        rows = self.answered
        recalled = Recalled(self.model.model.pipeline, rows.said)
        with warnings.catch_warnings(), silent():
            warnings.simplefilter("ignore")
            found = evaluate([metric], recalled, np.arange(len(rows.y)), rows.y, rows.weights)[0][metric.name]
        if not np.isfinite(found):
            raise ValueError("it is not defined on these rows")
        return float(found)

    def resampled(self, metric: ResolvedMetric, score: float, draws: Draws) -> Resampled:
        statistic: Callable[[Array], Array] = statistic_in(self.answered, self.model, metric, score)
        return resampled(
            {metric.name: statistic},
            len(self.answered.y),
            groups=self.groups,
            resamples=draws.resamples,
            seed=draws.seed,
        )[metric.name]


def _answered(model: Opened, sample: PredictedSample) -> tuple[Answered, int]:
    """Return rows as metrics take them, and how many are left out since the model does not know their class."""
    classes = model.model.signature.classes
    if classes is None:
        return Answered(sample.truth, {"predict": sample.prediction}, sample.weights), 0
    known = (sample.truth >= 0) & (sample.prediction >= 0)
    labels = np.array(list(classes))
    truth, predicted = (labels[part[known].astype(int)] for part in (sample.truth, sample.prediction))
    said = {"predict": predicted}
    if sample.proba is not None:
        place = {label: number for number, label in enumerate(classes)}
        own = [place[label] for label in np.asarray(model.model.pipeline.classes_).tolist()]
        said["predict_proba"] = sample.proba[known][:, own]
    weights = None if sample.weights is None else sample.weights[known]
    return Answered(truth, said, weights), int((~known).sum())


# --- both --------------------------------------------------------------------------------------------------------


def _changed(
    metric: ResolvedMetric, sides: Sequence[_Side], spec: DriftSpec, judged: Mapping[str, float], draws: Draws
) -> MetricDrift:
    before, after = (side.score(metric) for side in sides)
    made = MetricDrift(metric.name, metric.direction, before, after, after - before, None, drifted=False)
    if not draws.resamples or min(side.units for side in sides) < LEAST_UNITS:
        return made
    a, b = (
        side.resampled(metric, score, replace(draws, seed=draws.seed + number))
        for number, (side, score) in enumerate(zip(sides, (before, after), strict=True))
    )
    difference = Resampled(b.values - a.values)
    made = replace(made, ci95=difference.interval)
    is_enough = len(sides[1].answered.y) >= spec.min_rows
    if metric.name not in judged or not is_enough:
        return made
    return replace(made, drifted=_is_worse(made, difference.std, judged[metric.name], spec.bounds.alpha))


def _is_worse(found: MetricDrift, error: float | None, bound: float, alpha: float) -> bool:
    """Whether a metric is worse by its bound and by more than chance: a one-sided test by the bootstrap's error."""
    from scipy.stats import norm

    worse = -found.change if found.direction is Direction.MAXIMIZE else found.change
    if error is None or worse <= 0 or worse < bound:
        return False
    return bool(error == 0 or norm.sf(worse / error) < alpha)
