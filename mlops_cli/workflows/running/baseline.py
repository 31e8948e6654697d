"""The naive forecasts that any other has to beat, scored on the very rows that a run's best trial was scored on."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.analysis.aggregate import UNBOUNDED, summarize
from mlops_cli.analysis.compare import paired
from mlops_cli.components.metrics import evaluate
from mlops_cli.components.seasons import LATEST, SEASON, named
from mlops_cli.records import Baseline, Notice
from mlops_cli.workflows.silence import silent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from mlops_cli.components.seasons import Season
    from mlops_cli.execution.job import Split
    from mlops_cli.records import Dataset, MetricSummary, RunRecord
    from mlops_cli.workflows.running.prepare import Prepared

    Bounds = Mapping[str, tuple[float, float]]


def with_baselines(record: RunRecord, prepared: Prepared, splits: Sequence[Split], bounds: Bounds) -> RunRecord:
    """Return a record with the naive forecasts of what it forecasts, the stronger one first.

    Parameters
    ----------
    record : RunRecord
        With the scores of its best trial.
    prepared : Prepared
        The run.
    splits : sequence of (array, array)
        Those of the best trial.
    bounds : mapping
        Where each metric ends.

    Returns
    -------
    RunRecord
        As it is where nothing is forecast; with a notice (``baseline-failed``) where a metric cannot take them.
    """
    season, forecast = prepared.loaded.season, prepared.spec.data.forecast
    if season is None or forecast is None:
        return record
    try:
        with warnings.catch_warnings(), silent():
            warnings.simplefilter("ignore")
            found = [
                _baseline(_Naive(column, name, season), record, prepared, splits, bounds)
                for column, name in named(season, forecast.horizons).items()
            ]
    except Exception as error:  # noqa: BLE001 - whatever a metric raises; the scores of the run stand all the same
        reason = f"the naive forecast could not be scored: {type(error).__name__}: {' '.join(str(error).split())}"
        return replace(record, warnings=(*record.warnings, Notice("baseline-failed", reason)))
    return replace(record, baselines=tuple(sorted(found, key=lambda b: _loss(b, record))))


@dataclass(frozen=True)
class _Naive:
    """One of the naive forecasts."""

    column: str
    name: str
    season: Season

    def values(self, dataset: Dataset) -> pd.DataFrame:
        """Return the forecast of each row; where a series had not begun a season before, its latest known value."""
        return dataset.extra[self.column].fillna(dataset.extra[LATEST]).to_frame(self.column)

    def about(self, dataset: Dataset, tested: Any) -> str:
        """Return why this one, and how many of the rows that are scored it is not known of."""
        if self.column != SEASON:
            return ""
        unknown = int(dataset.extra[SEASON].iloc[tested].isna().sum())
        if not unknown:
            return self.season.why
        return f"{self.season.why}; not known of {unknown:,} of {len(tested):,} test rows, which take the latest value"


def _baseline(
    naive: _Naive, record: RunRecord, prepared: Prepared, splits: Sequence[Split], bounds: Bounds
) -> Baseline:
    metrics = _metrics(naive, record, prepared, splits, bounds)
    tested = np.unique(np.concatenate([test for _, test in splits]))
    about = naive.about(prepared.loaded.train, tested)
    return Baseline(naive.name, about, metrics, _difference(record, metrics))


def _metrics(
    naive: _Naive, record: RunRecord, prepared: Prepared, splits: Sequence[Split], bounds: Bounds
) -> dict[str, MetricSummary]:
    train, test = prepared.loaded.train, prepared.loaded.test
    each = [_scores(naive, train, prepared, rows) for _, rows in splits]
    held_out = {} if test is None else _scores(naive, test, prepared, np.arange(test.rows))
    share = record.splits.test_share if record.splits is not None else float("nan")
    return {
        name: summarize([s[name] for s in each], share, held_out.get(name), bounds.get(name, UNBOUNDED))
        for name in each[0]
    }


def _scores(naive: _Naive, dataset: Dataset, prepared: Prepared, rows: Any) -> dict[str, float]:
    """Score a naive forecast as any model is scored."""
    from mlops_cli.components.forecasters import Naive

    values, y = naive.values(dataset).iloc[rows], None if dataset.y is None else dataset.y[rows]
    weights = None if dataset.weights is None else dataset.weights[rows]
    return evaluate(prepared.job.resolved_metrics, Naive(naive.column).fit(values, y), values, y, weights)[0]


def _difference(record: RunRecord, metrics: Mapping[str, MetricSummary]) -> Any:
    """Return how much more the best trial scores; two naive forecasts are two questions, so p is not adjusted."""
    primary = record.primary or ""
    if record.direction is None or record.splits is None or primary not in record.metrics:
        return None
    scores = metrics[primary].splits, record.metrics[primary].splits
    return paired(primary, record.direction, *scores, record.splits.test_share)


def _loss(baseline: Baseline, record: RunRecord) -> float:
    """Return the mean of the primary metric, the better the smaller; what is not a number comes last."""
    summary = baseline.metrics.get(record.primary or "")
    if summary is None or not np.isfinite(summary.mean):
        return float("inf")
    return -summary.mean if record.direction is not None and record.direction.better(1, 0) else summary.mean
