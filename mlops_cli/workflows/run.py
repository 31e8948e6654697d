"""``mlops run``: prepare, execute, journal as trials end, refit the winner, record."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mlops_cli.analysis.aggregate import best, count
from mlops_cli.config import to_yaml
from mlops_cli.execution.engine import Engine, Finished
from mlops_cli.execution.pool import kill_workers
from mlops_cli.records import (
    BestTrial,
    Notice,
    RunRecord,
    RunStarted,
    RunStatus,
    TrialFinished,
)
from mlops_cli.store.find import find_finished, read_trials
from mlops_cli.store.layout import RunPaths, WorkspacePaths
from mlops_cli.store.log import RunLog
from mlops_cli.store.provenance import SourceState, environment, source_state
from mlops_cli.store.runs import RunSources, RunWriter, amend
from mlops_cli.workflows.finish import finish
from mlops_cli.workflows.prepare import RunOptions, prepare

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlops_cli.contracts import Observer
    from mlops_cli.records import ArtifactsSpec, Event, TrialResult
    from mlops_cli.workflows.prepare import Prepared

RECORDED = (
    "hydra-core",
    "joblib",
    "mlops-cli",
    "numpy",
    "omegaconf",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "scipy",
    "skops",
)
"""Distributions whose versions every run records."""


SHOWN_TRIALS = 8


@dataclass(frozen=True)
class Outcome:
    """A run that has ended, and its trials in order."""

    record: RunRecord
    trials: tuple[TrialResult, ...]
    found: bool = False  # an identical run was there already
    said: tuple[Notice, ...] = ()  # warnings that the observer was told of before the first fit


@dataclass
class Progress:
    """The trials so far; the one thing here that changes while a run goes."""

    results: list[TrialResult] = field(default_factory=list)
    best: TrialResult | None = None
    predictions: tuple[Mapping[str, Any], ...] = ()  # of the best trial alone: memory does not grow with trials

    def take(self, finished: Finished, prepared: Prepared) -> None:
        """Note a finished trial."""
        plan = prepared.plan
        leader = best([*([self.best] if self.best else []), finished.result], plan.primary, plan.direction)
        if leader is finished.result:
            self.best, self.predictions = finished.result, finished.predictions
        self.results.append(finished.result)  # last: Ctrl-C may come in between

    def catch_up(self, journaled: Sequence[TrialResult], prepared: Prepared) -> None:
        """Note what the journal has: Ctrl-C may come between a trial's line and the note of it."""
        known = {result.trial for result in self.results}
        for result in journaled:
            if result.trial not in known:
                self.take(Finished(result), prepared)


def ignore(_event: Event) -> None:
    """Watch a run without doing anything."""


def dry(name: str, overrides: Sequence[str], options: RunOptions) -> Prepared:
    """Return the plan that `execute` would run, and write nothing."""
    return prepare(name, overrides, options, ignore)


def execute(
    name: str, overrides: Sequence[str], options: RunOptions | None = None, *, observer: Observer = ignore
) -> Outcome:
    """Run an experiment to a finished run directory.

    Parameters
    ----------
    name : str
        An experiment of the workspace, or a path to a YAML file.
    overrides : sequence of str
        In Hydra's grammar.
    options : RunOptions, optional
        Workers, tags, note, force.
    observer : callable
        Told of each event while the run goes.

    Returns
    -------
    Outcome
        The record and the trials; of an identical finished run, if there is one and ``force`` is not set.

    Raises
    ------
    MlopsError
        The config is wrong or the data unusable. A failing trial raises nothing: it is recorded.
    """
    asked = options or RunOptions()
    started = datetime.now().astimezone()
    prepared = prepare(name, overrides, asked, observer)
    workspace = WorkspacePaths(prepared.workspace.root)
    identical = None if asked.force else find_finished(workspace, prepared.spec.name, prepared.plan.fingerprint)
    if identical is not None and _serves(identical, prepared.spec.artifacts):
        labelled = amend(identical, tags=asked.tags or {}, note=asked.note)
        return Outcome(labelled, tuple(read_trials(identical.path)), found=True)
    return _recorded(prepared, asked, observer, started)


def _serves(record: RunRecord, wanted: ArtifactsSpec) -> bool:
    """Whether a finished run has all that is asked for now, and lost nothing on the way."""
    paths = RunPaths(record.path)
    model = paths.model.joblib if wanted.model_format == "joblib" else paths.model.skops
    has_model = wanted.keep == "none" or model.is_file() or any(w.code == "model-not-saved" for w in record.warnings)
    has_predictions = not wanted.predictions or paths.predictions.is_file()
    return has_model and has_predictions and not record.counts.lost


def _recorded(prepared: Prepared, options: RunOptions, observer: Observer, started: datetime) -> Outcome:
    state = source_state(prepared.workspace.root)
    draft = replace(_draft(prepared, options, state), started=_stamp(started))
    sources = RunSources(to_yaml(prepared.composition.config), prepared.composition.overrides, state.diff)
    progress = Progress()
    with RunWriter.create(WorkspacePaths(prepared.workspace.root), draft, sources) as writer:
        log = RunLog(writer.paths.log)
        told = _both(log, observer)
        told(RunStarted(writer.record, prepared.plan, prepared.dataset, prepared.splits, prepared.workers))
        status = _run_trials(prepared, writer, progress, told)
        record = replace(writer.record, status=status, counts=count(progress.results, len(prepared.plan.trials)))
        record = _with_best(record, progress)
        record = _finished(record, prepared, progress, writer.paths, told)
        ended = datetime.now().astimezone()
        record = replace(
            record,
            ended=_stamp(ended),
            duration_s=round((ended - started).total_seconds(), 3),
            warnings=_warnings(record.warnings, progress.results, exact=prepared.spec.launcher.backend != "threading"),
        )
        final = writer.finish(record)
        log.end(final)
    return Outcome(final, tuple(sorted(progress.results, key=lambda r: r.trial)), said=prepared.notices)


def _finished(record: RunRecord, prepared: Prepared, progress: Progress, paths: RunPaths, told: Observer) -> RunRecord:
    """Complete the record; Ctrl-C while the winner is refitted leaves an interrupted run with its scores."""
    try:
        return finish(record, prepared, progress, paths, told)
    except KeyboardInterrupt:
        return finish(replace(record, status=RunStatus.INTERRUPTED), prepared, progress, paths, told)


def _both(first: Observer, second: Observer) -> Observer:
    def observe(event: Event) -> None:
        first(event)
        second(event)

    return observe


def _stamp(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds")


def _draft(prepared: Prepared, options: RunOptions, state: SourceState) -> RunRecord:
    """Return what is known of a run before its first trial."""
    spec, plan = prepared.spec, prepared.plan
    return RunRecord(
        id="",
        path=prepared.workspace.root,
        experiment=spec.name,
        status=RunStatus.RUNNING,
        started="",
        task=plan.task,
        primary=plan.primary,
        direction=plan.direction,
        counts=count([], len(plan.trials)),
        dataset=prepared.dataset.version,
        git=state.git,
        environment=environment({*RECORDED, *prepared.packages}),
        seed=spec.trial.seed,
        warnings=prepared.notices,
        tags=dict(spec.tags),
        note=options.note,
        description=spec.description,
        fingerprint=plan.fingerprint,
    )


def _run_trials(prepared: Prepared, writer: RunWriter, progress: Progress, told: Observer) -> RunStatus:
    """Run and journal the trials; Ctrl-C keeps those that have ended."""
    try:
        for finished in _trials(prepared, writer, told):
            writer.append(finished.result)
            progress.take(finished, prepared)
            told(TrialFinished(finished.result, len(progress.results), len(prepared.plan.trials), progress.best))
    except KeyboardInterrupt:
        kill_workers()
        progress.catch_up(read_trials(writer.paths.root), prepared)
        return RunStatus.INTERRUPTED
    except BaseException:
        kill_workers()
        raise
    return RunStatus.COMPLETED if progress.best is not None else RunStatus.FAILED


def _trials(prepared: Prepared, writer: RunWriter, told: Observer) -> Iterator[Finished]:
    scratch = writer.paths.scratch
    scratch.mkdir(parents=True, exist_ok=True)
    yield from map(Finished, prepared.candidates.unfit)
    yield from Engine(prepared.job, prepared.spec.launcher, scratch).execute(prepared.candidates.ready, told)


def _with_best(record: RunRecord, progress: Progress) -> RunRecord:
    if progress.best is None:
        return record
    return replace(record, best=BestTrial(progress.best.trial, dict(progress.best.params)))


def _warnings(noticed: Sequence[Notice], results: Sequence[TrialResult], *, exact: bool) -> tuple[Notice, ...]:
    """Add what libraries warned of during trials: each thing once, with the trials that it concerns.

    Of threads it is not known which trial a warning comes from: then it is not ``exact``.
    """
    concerned: dict[Notice, list[int]] = {}
    for result in sorted(results, key=lambda r: r.trial):
        for notice in result.notices:
            concerned.setdefault(notice, []).append(result.trial)
    return tuple(
        dict.fromkeys([*noticed, *(_of_trials(n, t, len(results) if exact else 1) for n, t in concerned.items())])
    )


def _of_trials(notice: Notice, trials: Sequence[int], of: int) -> Notice:
    text = re.sub(r" *\(status=\d+\)", "", notice.message).rstrip(" :.")
    if of > 1:
        shown = ", ".join(map(str, trials[:SHOWN_TRIALS])) + (" …" if len(trials) > SHOWN_TRIALS else "")
        text += f" (in {len(trials)} of {of} trials: {shown})"
    if notice.code == "not-converged":
        text += "; give it more iterations, as by model.max_iter=5000, or scale the features"
    return replace(notice, message=text)
