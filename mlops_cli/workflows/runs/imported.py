"""A run of MLflow's as a run of ours: what its params, metrics and tags mean. Pure.

Of runs that we wrote, all of it is there in tags of ours. Of others it is read as well as may be: which metric ranks
them, and which end of it is good, is guessed from its name where nobody says it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlops_cli.components.trackers.mlflow_names import NON_FINITE
from mlops_cli.components.trackers.mlflow_told import RUN_ID, SPLITS, TRIAL
from mlops_cli.errors import StoreError
from mlops_cli.records import (
    BestTrial,
    Counts,
    Curve,
    Direction,
    ErrorInfo,
    GitState,
    MetricSummary,
    RunRecord,
    RunStatus,
    SplitsInfo,
    Task,
    TrialResult,
    TrialState,
)
from mlops_cli.store.imported import MLFLOW_ID
from mlops_cli.store.names import MAX_NAME, check_name
from mlops_cli.workflows.runs.imported_words import (
    dataset_of,
    joined,
    mapping_of,
    measured,
    name_of,
    params_of,
    plain,
    points_of,
    stamp_of,
    state_of,
    status_of,
    user_tags,
    values_of,
    word_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from mlops_cli.components.trackers.mlflow_runs import FoundRun

_SMALL = re.compile(r"loss|err|mse|mae|mape|rmse|brier|deviance|perplexity|distance")
_LARGE = re.compile(r"(^|_)neg_|acc|auc|f1|r2|score|precision|recall|kappa|corr|mcc|reward|return")
_SEEN = re.compile(r"train")
_NO_SCORE = re.compile(r"(^|_)(time|std|rank|epoch|step|lr)(_|$)|_s$|^system/")
_OF_SPLIT = re.compile(r"(.+)\.split(\d+)")


_ENDS = frozenset(map(str, Direction))


@dataclass(frozen=True)
class Ranked:
    """By which metric runs are ranked, and which end of it is good."""

    primary: str | None = None
    minimize: bool = False


def record_of(run: FoundRun, place: str, ranked: Ranked, root: Path) -> tuple[RunRecord, tuple[TrialResult, ...]]:
    """Return a run of MLflow's as a record without an id, and its trials.

    Parameters
    ----------
    run : FoundRun
        With its histories.
    place : str
        Where MLflow keeps it, without a password.
    ranked : Ranked
        What is said of other runs than ours.
    root : Path
        The workspace's folder.
    """
    draft = RunRecord(
        id="",
        path=root,
        experiment=folder_name(run.experiment),
        status=status_of(run),
        started=stamp_of(run.started),
        ended=None if run.ended is None else stamp_of(run.ended),
        duration_s=None if run.ended is None else max(0.0, (run.ended - run.started) / 1000),
        params=params_of(run),
        dataset=dataset_of(run),
        git=GitState(run.tags.get("mlflow.source.git.commit"), plain(run.tags.get("mlops.git.dirty"), bool)),
        tags={**user_tags(run), MLFLOW_ID: run.id, "mlflow.uri": place, "mlflow.run_name": run.name},
    )
    return _ours(run, draft) if RUN_ID in run.tags else _others(run, draft, ranked)


def folder_name(name: str) -> str:
    """Return an experiment's name as that of a folder, which what stands outside of it cannot leave.

    Examples
    --------
    >>> folder_name("churn"), folder_name("/Users/me/churn model"), folder_name("../..")
    ('churn', 'Users-me-churn-model', 'mlflow')
    """
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.")[:MAX_NAME].rstrip("-.") or "mlflow"
    try:
        return check_name(plain)
    except StoreError:  # a word that means something else here
        return f"mlflow-{plain}"[:MAX_NAME]


# --- runs that we wrote ------------------------------------------------------------------------------------------


def _ours(run: FoundRun, draft: RunRecord) -> tuple[RunRecord, tuple[TrialResult, ...]]:
    tags = run.tags
    trials = tuple(map(_our_trial, run.children)) or (_only_trial(run),)
    trials = tuple(sorted({trial.trial: trial for trial in trials}.values(), key=lambda trial: trial.trial))
    ends = mapping_of(tags.get("mlops.directions"))
    best = plain(tags.get("mlops.best_trial"), int)
    said = mapping_of(tags.get("mlops.counts"))
    counts = {key: said[key] for key in Counts.__annotations__ if isinstance(said.get(key), int)}
    record = replace(
        draft,
        status=word_of(RunStatus, tags.get("mlops.status")) or draft.status,
        task=word_of(Task, tags.get("mlops.task")),
        primary=tags.get("mlops.primary"),
        direction=word_of(Direction, tags.get("mlops.direction")),
        directions={name: Direction(word) for name, word in ends.items() if word in _ENDS},
        best=None if best is None else BestTrial(best, mapping_of(tags.get("mlops.best_params"))),
        metrics=_summaries(run),
        splits=_splits(run),
        counts=Counts(**counts),
        environment=mapping_of(tags.get("mlops.environment")),
        seed=plain(tags.get("mlops.seed"), int),
        note=tags.get("mlops.note", ""),
        description=tags.get("mlops.description", ""),
        error=_error(run),
    )
    return _settled(record), trials


def _summaries(run: FoundRun) -> dict[str, MetricSummary]:
    values, splits = values_of(run), _split_scores(run)
    return {
        name: MetricSummary(
            mean=values.get(name, math.nan),
            std=values.get(f"{name}.std"),
            ci95=_pair(values.get(f"{name}.ci95_low"), values.get(f"{name}.ci95_high")),
            splits=scores,
            test=values.get(f"{name}.test"),
        )
        for name, scores in splits.items()
    }


def _pair(low: float | None, high: float | None) -> tuple[float, float] | None:
    return None if low is None or high is None else (low, high)


def _split_scores(run: FoundRun) -> dict[str, tuple[float, ...]]:
    """Return a metric's score on each split; what was not finite is not among them, and becomes NaN."""
    found = {}
    for key in run.metrics:
        name = name_of(run, key)
        if name.endswith(SPLITS):
            points = dict(points_of(run, key))
            count = _splits_count(run, name, max(points, default=-1) + 1)
            found[name.removesuffix(SPLITS)] = tuple(points.get(split, math.nan) for split in range(count))
    return found


def _splits_count(run: FoundRun, name: str, least: int) -> int:
    """Return how many splits there are, where the last ones may have no finite score."""
    lost = [re.fullmatch(rf"{re.escape(name)}\[(\d{{1,6}})\]", text) for text in mapping_of(run.tags.get(NON_FINITE))]
    return max([least, *(int(match[1]) + 1 for match in lost if match)])


def _our_trial(run: FoundRun) -> TrialResult:
    number = plain(run.tags.get(TRIAL), int)
    return replace(
        _only_trial(run),
        trial=0 if number is None else number,
        state=word_of(TrialState, run.tags.get("mlops.state")) or state_of(run),
        params=params_of(run),
    )


def _only_trial(run: FoundRun) -> TrialResult:
    values = values_of(run)
    curves = {split: _curve(run, split) for split in _curve_splits(run)}
    return TrialResult(
        trial=0,
        state=state_of(run),
        scores=_split_scores(run),
        fit_s=values.get("fit_s", 0.0),
        score_s=values.get("score_s", 0.0),
        error=_error(run),
        curves=curves,
    )


def _curve_splits(run: FoundRun) -> list[int]:
    return sorted({int(match[2]) for key in run.metrics if (match := _OF_SPLIT.fullmatch(name_of(run, key)))})


def _curve(run: FoundRun, split: int) -> Curve:
    series = {}
    for key in run.metrics:
        match = _OF_SPLIT.fullmatch(name_of(run, key))
        if match is not None and int(match[2]) == split:
            series[match[1]] = dict(points_of(run, key))
    return joined(series)


def _splits(run: FoundRun) -> SplitsInfo | None:
    said = mapping_of(run.tags.get("mlops.splits"))
    with suppress(KeyError, TypeError, ValueError):
        rows = said.get("rows")
        share = float(said["test_share"])
        return SplitsInfo(str(said["digest"]), int(said["count"]), share, None if rows is None else int(rows))
    return None


def _error(run: FoundRun) -> ErrorInfo | None:
    said = run.tags.get("mlops.error")
    if said is None:
        return None
    kind, _, message = said.partition(": ")
    return ErrorInfo(kind, message)


# --- runs that others wrote --------------------------------------------------------------------------------------


def _others(run: FoundRun, draft: RunRecord, ranked: Ranked) -> tuple[RunRecord, tuple[TrialResult, ...]]:
    trials = tuple(_trial(child, number) for number, child in enumerate(run.children)) or (_trial(run, 0),)
    names = {name for trial in trials for name in trial.scores} if run.children else set(run.metrics)
    primary = ranked.primary or _likely(names)
    directions = {name: _direction(name) for name in {*run.metrics, *names}}
    if ranked.primary is not None:
        directions[ranked.primary] = Direction.MINIMIZE if ranked.minimize else Direction.MAXIMIZE
    best, measured_itself = _best(trials, primary, directions), dict(run.metrics)
    if best is not None and _is_apart(run, best, trials):
        own = {key: value for key, value in draft.params.items() if key in best.params}
        trials = (*trials, replace(_trial(run, len(trials)), params=own))
        best, measured_itself = _best(trials, primary, directions), {}
    swept = {} if best is None or not run.children else dict(best.params)
    # What the best one measured is its own: of what it did not measure the run itself may know more.
    scores = {**measured_itself, **({} if best is None else {name: best.mean(name) for name in best.scores})}
    record = replace(
        draft,
        seed=None,
        primary=primary,
        direction=directions.get(primary or ""),
        directions=directions,
        best=None if best is None else BestTrial(best.trial, swept),
        params={**draft.params, **swept},
        metrics={name: _single(value) for name, value in scores.items()},
        counts=Counts.of(Counter(trial.state for trial in trials)),
        note=run.tags.get("mlflow.note.content", ""),
    )
    return _settled(record), trials


def _is_apart(run: FoundRun, best: TrialResult, nested: tuple[TrialResult, ...]) -> bool:
    """Whether what a run measured itself is not of its best nested run, but of params of its own, as another trial's.

    A search logs beside its best score what its nested runs do not have, and may call a param of its own as they call
    one of theirs that stays the same: ``n_jobs``.
    """
    own = params_of(run)
    other = {key for key, value in best.params.items() if key in own and own[key] != value}
    swept = {key for key in other if len({repr(trial.params.get(key)) for trial in nested}) > 1}
    return bool(run.metrics and other and (swept or run.metrics.keys() & best.scores.keys()))


def _trial(run: FoundRun, number: int) -> TrialResult:
    series = {key: dict(points) for key, points in run.histories.items() if len(points) > 1}
    return TrialResult(
        trial=number,
        state=state_of(run),
        params=params_of(run) if run.parent is not None else {},
        scores={name: (measured(value),) for name, value in run.metrics.items()},
        fit_s=max(0.0, ((run.ended or run.started) - run.started) / 1000),
        curves={0: joined(series)} if series else {},
    )


def _likely(names: Iterable[str]) -> str | None:
    """Return the metric that most likely ranks runs: one that is a score by its name, rather not of training rows."""

    def rank(name: str) -> tuple[bool, bool, str]:
        plain = name.lower()
        return bool(_SEEN.search(plain)), not (_LARGE.search(plain) or _SMALL.search(plain)), name

    scores = [name for name in names if not _NO_SCORE.search(name.lower())]
    return min(scores, key=rank, default=None)


def _direction(name: str) -> Direction:
    plain = name.lower()
    small = _SMALL.search(plain) and not re.search(r"(^|_)neg_|score", plain)
    return Direction.MINIMIZE if small else Direction.MAXIMIZE


def _best(
    trials: tuple[TrialResult, ...], primary: str | None, directions: Mapping[str, Direction]
) -> TrialResult | None:
    scored = [
        trial for trial in trials if trial.state is TrialState.COMPLETED and math.isfinite(trial.mean(primary or ""))
    ]
    if not scored or primary is None:
        return None
    sign = 1 if directions.get(primary) is Direction.MINIMIZE else -1
    return min(scored, key=lambda trial: (sign * trial.mean(primary), trial.trial))


def _single(value: float) -> MetricSummary:
    return MetricSummary(measured(value), None, None, (measured(value),))


def _settled(record: RunRecord) -> RunRecord:
    """Return a record that does not say of a run that is over that it goes on: nobody here writes it."""
    return replace(record, status=RunStatus.INTERRUPTED) if record.status is RunStatus.RUNNING else record
