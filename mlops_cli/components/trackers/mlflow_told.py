"""A run and its trials in MLflow's words: which params, metrics and tags are said of each. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from mlops_cli.components.trackers.mlflow_names import Told, own_tags, tag_key, told
from mlops_cli.records import RunStatus, TrialState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_cli.records import RunRecord, TrialResult

RUN_ID = "mlops.run_id"
"""The tag by which a run of ours is found."""

TRIAL_OF = "mlops.trial_of"
"""The tag by which its trials are found."""

TRIAL = "mlops.trial"
BEST = "mlops.best"
PARENT = "mlflow.parentRunId"
USER_TAGS = "mlops.tags"
SPLITS = ".splits"
"""After a metric's name: its score on each split, which is the step."""

OF_RUN = {
    RunStatus.COMPLETED: "FINISHED",
    RunStatus.FAILED: "FAILED",
    RunStatus.INTERRUPTED: "KILLED",
    RunStatus.RUNNING: "RUNNING",
}
OF_TRIAL = {
    TrialState.COMPLETED: "FINISHED",
    TrialState.FAILED: "FAILED",
    TrialState.LOST: "FAILED",
    TrialState.PRUNED: "KILLED",
}


def milliseconds(moment: str) -> int:
    """Return a time of a record as MLflow has it: milliseconds since 1970."""
    return round(datetime.fromisoformat(moment).timestamp() * 1000)


def is_sweep(record: RunRecord) -> bool:
    """Whether trials are runs of their own; the one trial of a run is the run itself."""
    return record.counts.trials != 1


# --- a run -------------------------------------------------------------------------------------------------------


def of_run(record: RunRecord, only: TrialResult | None = None) -> Told:
    """Return what is said of a run.

    Parameters
    ----------
    record : RunRecord
        The run.
    only : TrialResult, optional
        Its trial, where that is no run of its own.
    """
    metrics = [*_metrics(record), *(() if only is None else _curves_and_times(only))]
    return told(record.params, metrics, {**own_tags(record.tags), **_tags(record)})


def _metrics(record: RunRecord) -> Iterator[tuple[str, float, int]]:
    for name, summary in record.metrics.items():
        low, high = summary.ci95 or (None, None)
        ends = {"": summary.mean, ".std": summary.std, ".ci95_low": low, ".ci95_high": high, ".test": summary.test}
        yield from ((f"{name}{end}", value, 0) for end, value in ends.items() if value is not None)
        yield from ((f"{name}{SPLITS}", score, split) for split, score in enumerate(summary.splits))


def _tags(record: RunRecord) -> dict[str, object]:
    data, splits = record.dataset, record.splits
    return {
        RUN_ID: record.id,
        USER_TAGS: [tag_key(name) for name in record.tags] or None,
        "mlops.status": record.status,
        "mlops.task": record.task,
        "mlops.primary": record.primary,
        "mlops.direction": record.direction,
        "mlops.directions": {name: str(direction) for name, direction in record.directions.items()} or None,
        "mlops.best_trial": None if record.best is None else record.best.trial,
        "mlops.best_params": None if record.best is None or not record.best.params else dict(record.best.params),
        "mlops.fingerprint": record.fingerprint or None,
        "mlops.seed": record.seed,
        "mlops.counts": vars(record.counts),
        "mlops.splits": None if splits is None else vars(splits),
        "mlops.dataset.version": None if data is None else data.version,
        "mlops.dataset.source": None if data is None else data.source,
        "mlops.dataset.target": None if data is None else data.target,
        "mlops.dataset.rows": None if data is None else data.rows,
        "mlops.git.dirty": record.git.dirty,
        "mlops.environment": dict(record.environment) or None,
        "mlops.error": None if record.error is None else record.error.headline,
        "mlops.warnings": "\n".join(f"{notice.code}: {notice.message}" for notice in record.warnings) or None,
        "mlops.description": record.description or None,
        "mlops.note": record.note or None,
        "mlflow.note.content": "\n\n".join(filter(None, (record.description, record.note))) or None,
        "mlflow.source.name": "mlops",
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": record.git.commit,
    }


# --- a trial -----------------------------------------------------------------------------------------------------


def of_trial(record: RunRecord, result: TrialResult, parent: str) -> Told:
    """Return what is said of a trial that is a run of its own, below the run ``parent`` of MLflow's."""
    tags = {
        TRIAL_OF: record.id,
        TRIAL: result.trial,
        PARENT: parent,
        "mlops.state": result.state,
        "mlops.fingerprint": result.fingerprint or None,
        "mlops.reused": result.reused,
        "mlops.error": None if result.error is None else result.error.headline,
        "mlops.warnings": "\n".join(f"{notice.code}: {notice.message}" for notice in result.notices) or None,
        "mlflow.source.name": "mlops",
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": record.git.commit,
    }
    return told(result.params, [*_scores(record, result), *_curves_and_times(result)], tags)


def _scores(record: RunRecord, result: TrialResult) -> Iterator[tuple[str, float, int]]:
    for name, scores in result.scores.items():
        if not scores:
            continue
        yield name, result.mean(name), 0
        if (std := result.std(name)) is not None:
            yield f"{name}.std", std, 0
        yield from ((f"{name}{SPLITS}", score, split) for split, score in enumerate(scores))
    yield from ((f"{record.primary or 'score'}.steps", score, step) for step, score in enumerate(result.steps))


def _curves_and_times(result: TrialResult) -> Iterator[tuple[str, float, int]]:
    yield "fit_s", result.fit_s, 0
    yield "score_s", result.score_s, 0
    for split, curve in result.curves.items():
        for quantity, values in curve.values.items():
            for step, value in zip(curve.steps, values, strict=True):
                if value is not None:
                    yield f"{quantity}.split{split}", value, step


def times_of_trial(record: RunRecord, result: TrialResult) -> tuple[int, int]:
    """Return when a trial began and ended for MLflow, in milliseconds since 1970.

    A result says how long it took, not when: so trials stand in their order, a millisecond apart, each as long as its
    fits, and are the same whenever they are told.
    """
    begun = milliseconds(record.started) + result.trial
    return begun, begun + round((result.fit_s + result.score_s) * 1000)
