"""``mlops run``: compose, prepare, find what is there already, execute, record."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from mlops_cli.components.samplers.listing import count
from mlops_cli.config import to_yaml
from mlops_cli.config.saved import read_saved
from mlops_cli.errors import ConfigError
from mlops_cli.records import Counts, RunRecord, RunStatus
from mlops_cli.store.find import find_finished, read_trials
from mlops_cli.store.layout import RunPaths, WorkspacePaths
from mlops_cli.store.provenance import SourceState, environment, source_state
from mlops_cli.store.runs import RunSources, RunWriter, amend
from mlops_cli.store.values import stamp
from mlops_cli.workflows.models.promote import other_gates
from mlops_cli.workflows.running.known import known_results
from mlops_cli.workflows.running.prepare import RunOptions, compose, prepare
from mlops_cli.workflows.running.recording import Outcome, ignore, launcher_for, record_run
from mlops_cli.workflows.running.tracking import tracked, tracker_of, tracking_of
from mlops_cli.workflows.runs.plots import plot_missing
from mlops_cli.workflows.runs.telling import warnings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.contracts import Launcher, Observer
    from mlops_cli.records import DatasetVersion
    from mlops_cli.workflows.running.prepare import Composed, Prepared

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

SURELY_MANY = 200
"""Trials of a sweep from which on workers are started while the data is read."""


def dry(name: str, overrides: Sequence[str], options: RunOptions) -> Prepared:
    """Return the plan that `execute` would run, and write nothing."""
    composed = compose(name, overrides, options, ignore)
    tracker_of(composed)  # what is wrong with it is said, and nobody is told
    return prepare(composed, ignore)


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
    composed = compose(name, overrides, asked, observer)
    tracker_of(composed)  # what is wrong with it is said before the data is read
    launcher = launcher_for(composed)
    try:
        if _is_surely_long(composed, asked):
            launcher.warm()
        prepared = prepare(composed, observer)
        workspace = WorkspacePaths(prepared.workspace.root)
        identical = _identical(workspace, prepared, asked)
        if identical is not None:
            labelled = amend(identical, tags=asked.tags or {}, note=asked.note or None)
            for notice in plot_missing(labelled, prepared):
                observer(notice)
            gates = other_gates(labelled, prepared.spec.promotion)
            untold = warnings_of(labelled, prepared.spec.tracker, prepared.workspace)
            labelled = replace(labelled, warnings=(*labelled.warnings, *gates, *untold))  # said, and not written down
            return Outcome(labelled, tuple(read_trials(identical.path)), found=True)
        return record_new(prepared, launcher, asked, observer=observer, since=started)
    finally:
        launcher.close(kill=True)


def record_new(
    prepared: Prepared, launcher: Launcher, options: RunOptions, *, observer: Observer, since: datetime
) -> Outcome:
    """Run what is prepared as a new run, whatever other runs there are."""
    tracking = tracking_of(prepared)
    known = known_results(prepared, forced=options.force)
    state = source_state(prepared.workspace.root)
    sources = RunSources(to_yaml(prepared.config), prepared.composition.overrides, state.diff)
    draft = _draft(prepared, options, state, since)
    with RunWriter.create(WorkspacePaths(prepared.workspace.root), draft, sources) as writer:
        return tracked(
            tracking,
            observer,
            lambda told: record_run(prepared, writer, launcher, known=known, observer=told, since=since),
        )


def _is_surely_long(composed: Composed, options: RunOptions) -> bool:
    """Whether a sweep is so long that its workers can be started before anything is measured.

    Not where the experiment has run before: then this run may be there already.
    """
    sweep = composed.spec.sweep
    if not sweep.is_sweep or (sweep.trials or count(sweep.subspaces)) < SURELY_MANY:
        return False
    return options.force or not any(WorkspacePaths(composed.workspace.root).experiment(composed.spec.name).glob("*"))


def _identical(workspace: WorkspacePaths, prepared: Prepared, options: RunOptions) -> RunRecord | None:
    """Return a finished run with the same fingerprint that has all that is asked for, from the same place."""
    if options.force:
        return None
    sources = _sources(prepared.data, prepared.loaded.test_version)
    for found in find_finished(workspace, prepared.spec.name, prepared.plan.fingerprint):
        is_whole = _serves(found, prepared) and not (options.retry_failed and found.counts.failed)
        # The same content from elsewhere gives the same scores; but the record says where it was read.
        if is_whole and _sources(found.dataset, found.test_dataset) == sources:
            return found
    return None


def _sources(*data: DatasetVersion | None) -> list[str | None]:
    return [None if version is None else version.source for version in data]


def _serves(record: RunRecord, prepared: Prepared) -> bool:
    """Whether a finished run has all that is asked for now, and lost nothing on the way."""
    paths, wanted = RunPaths(record.path), prepared.spec.artifacts
    if not prepared.spec.has_table:
        return not record.counts.lost and (wanted.keep == "none" or _has_kept(record, prepared.workspace))
    model = paths.model.joblib if wanted.model_format == "joblib" else paths.model.skops
    has_model = wanted.keep == "none" or model.is_file() or any(w.code == "model-not-saved" for w in record.warnings)
    has_predictions = not wanted.predictions or paths.predictions.is_file()
    return has_model and has_predictions and not record.counts.lost


def _has_kept(record: RunRecord, workspace: Workspace) -> bool:
    """Whether a run was to keep what its best trial wrote, and has it still; there may have been nothing."""
    try:
        keeps = read_saved(RunPaths(record.path).config, workspace).artifacts.keep != "none"
    except ConfigError:
        return False
    return keeps and all((record.path / name).is_file() for name in record.files)


def _draft(prepared: Prepared, options: RunOptions, state: SourceState, started: datetime) -> RunRecord:
    """Return what is known of a run before its first trial."""
    spec, plan = prepared.spec, prepared.plan
    return RunRecord(
        id="",
        path=prepared.workspace.root,
        experiment=spec.name,
        status=RunStatus.RUNNING,
        started=stamp(started),
        task=plan.task,
        primary=plan.primary,
        direction=plan.direction,
        directions={m.name: m.direction for m in plan.metrics if m.direction is not None},
        objectives=plan.objectives,
        params=prepared.composition.options,
        counts=_planned(plan.total),
        dataset=prepared.data,
        test_dataset=prepared.loaded.test_version,
        git=state.git,
        code=prepared.maker.basis.facts["code"],
        environment=environment({*RECORDED, *prepared.packages}),
        seed=spec.trial.seed,
        warnings=prepared.notices,
        tags=dict(spec.tags),
        note=options.note,
        description=spec.description,
        fingerprint=plan.fingerprint,
        forced=options.force,
    )


def _planned(total: int | None) -> Counts:
    return Counts(trials=total or 0)
