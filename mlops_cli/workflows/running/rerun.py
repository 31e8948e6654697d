"""``mlops rerun``: run a recorded run again from its own record, and hold what comes out against it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mlops_cli.analysis.sameness import TOLERANCE, WINNER, tables_alike, trials_alike, winner_alike
from mlops_cli.analysis.since import machine, repository, since
from mlops_cli.errors import DataError, ExpectationError, MlopsError, StoreError, UsageError
from mlops_cli.records import Agreement, Notice, Rerun, RunStatus, TrialResult, TrialState, terms_of
from mlops_cli.store.find import is_alive, read_trials
from mlops_cli.store.imported import refuse_without_config
from mlops_cli.store.layout import RunPaths
from mlops_cli.store.tables import read_predictions
from mlops_cli.workflows.applying.model import find_model, saved_by
from mlops_cli.workflows.data.as_seen import as_seen
from mlops_cli.workflows.running.changes import as_of_now, edited
from mlops_cli.workflows.running.prepare import RunOptions, compose, prepare
from mlops_cli.workflows.running.recording import Outcome, ignore, launcher_for
from mlops_cli.workflows.running.run import record_new
from mlops_cli.workflows.silence import silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pandas as pd

    from mlops_cli.contracts import Observer
    from mlops_cli.records import Agreeing, RunRecord
    from mlops_cli.workflows.applying.model import SavedModel
    from mlops_cli.workflows.running.prepare import Composed, Prepared

RERUN_OF = "rerun_of"
"""The tag that names the run that was made again."""

CHEAP_MODEL = 50_000_000
"""Bytes of a model up to which it is opened to see whether it predicts the same."""

CHEAP_ROWS = 10_000
"""Training rows on which two models are compared."""

MODEL = "the model's predictions of training rows"
TABLES = {"predictions": "out-of-fold predictions", "test_predictions": "held-out predictions"}

UNEXPLAINED = (
    "nothing that is recorded has changed, so the seed does not settle what the trials compute: {draws}, threads that "
    "race, a clock or the network in own code"
)
BY_THE_CLOCK = "{keys} ends by the clock, which never runs twice alike"


@dataclass(frozen=True)
class First:
    """What is made again: a run, or a registered version, which keeps no trial but the best."""

    saved: SavedModel
    trials: tuple[TrialResult, ...]

    @property
    def record(self) -> RunRecord:
        """How it was made."""
        return self.saved.record

    @property
    def is_run(self) -> bool:
        """Whether all that a run writes is there."""
        return self.saved.version is None


@dataclass(frozen=True)
class Again:
    """A run that was made again, not compared yet."""

    first: First
    prepared: Prepared
    outcome: Outcome
    edited: tuple[str, ...]  # what its config says otherwise than it did


def rerun(
    ref: str, options: RunOptions | None = None, *, tolerance: float = TOLERANCE, observer: Observer = ignore
) -> Rerun:
    """Run a run again and compare: `run_again`, then `compared`.

    Raises
    ------
    KeyboardInterrupt
        It was interrupted.
    """
    check_tolerance(tolerance)
    again = run_again(ref, options, observer=observer)
    if again.outcome.record.status is RunStatus.INTERRUPTED:
        raise KeyboardInterrupt
    return compared(again, tolerance)


def check_tolerance(tolerance: float) -> None:
    """Refuse a tolerance that says nothing."""
    if not 0 <= tolerance < 1:
        raise UsageError(f"the tolerance is a share from 0 to 1. Got {tolerance} instead.", hint="1e-9")


# --- again -------------------------------------------------------------------------------------------------------


def run_again(ref: str, options: RunOptions | None = None, *, observer: Observer = ignore) -> Again:
    """Run the config of a run again as a new run, on the data that it saw.

    Parameters
    ----------
    ref : str
        A run, or a registered version: ``titanic/3``, ``titanic@champion``.
    options : RunOptions, optional
        ``n_jobs``, ``workspace``, and ``tags`` to be added.
    observer : callable
        Told of each event while the run goes.

    Raises
    ------
    StoreError
        There is no such run, or it has not ended.
    DataError, ConfigError
        Its data cannot be had any more, or its config does not compose.
    """
    asked, started = options or RunOptions(), datetime.now().astimezone()
    first = find_first(ref, workspace=asked.workspace)
    asked = replace(
        asked, force=True, tags={**(asked.tags or {}), RERUN_OF: first.saved.label}, note=_note(asked, first)
    )
    composed = compose(str(RunPaths(first.record.path).config), [], asked, observer)
    launcher = launcher_for(composed)
    try:
        prepared = _prepared(first, composed, observer)
        other = tuple(edited(first.record, prepared))
        told = _told(first, [*since(first.record, as_of_now(first.record, prepared)), *other])
        prepared = replace(prepared, notices=(*told, *prepared.notices))
        outcome = record_new(prepared, launcher, asked, observer=observer, since=started)
    finally:
        launcher.close(kill=True)
    return Again(first, prepared, outcome, other)


def find_first(ref: str, *, workspace: str | Path | None = None) -> First:
    """Return what is to be made again.

    Raises
    ------
    StoreError
        It is not there, has not ended, or was imported without a config.
    """
    saved = find_model(ref, workspace=workspace)
    record = saved.record
    if saved.version is not None:
        return First(saved, _best_alone(record))
    refuse_without_config(record)
    if not record.status.is_finished:
        hint = f"mlops resume {record.id}"
        if is_alive(record.path):
            hint = "wait for it to end"
        raise StoreError(f"the run {record.id} is {record.status}: there is nothing whole to compare with", hint=hint)
    return First(saved, tuple(read_trials(record.path)))


def _best_alone(record: RunRecord) -> tuple[TrialResult, ...]:
    if record.best is None:
        return ()
    scores = {name: summary.splits for name, summary in record.metrics.items()}
    return (TrialResult(record.best.trial, TrialState.COMPLETED, record.best.params, scores),)


def _note(asked: RunOptions, first: First) -> str:
    return asked.note or f"{first.saved.label} run again"


def _prepared(first: First, composed: Composed, observer: Observer) -> Prepared:
    spec = as_seen(composed.spec, first.record, composed.workspace)
    try:
        return prepare(replace(composed, spec=spec), observer)
    except ExpectationError:
        raise
    except (DataError, StoreError) as error:
        error.message = f"{first.saved.label} cannot be run again: {error.message}"
        error.args = (error.message,)
        raise


def _told(first: First, changed: Sequence[str]) -> list[Notice]:
    """Return what is to be said before anything is fitted."""
    return [Notice("changed-since", f"since {first.saved.label}, {'; '.join(changed)}")] if changed else []


# --- compared ----------------------------------------------------------------------------------------------------


def compared(again: Again, tolerance: float = TOLERANCE, notes: Sequence[str] = ()) -> Rerun:
    """Return how far a run that was made again agrees with the first, and what is another since.

    Parameters
    ----------
    again : Again
        What `run_again` returned.
    tolerance : float
        The share of the largest value beside them up to which two numbers are equal.
    notes : sequence of str
        What else is to be said.
    """
    first, record = again.first, again.outcome.record
    numbers = {result.trial for result in first.trials}
    trials = [t for t in again.outcome.trials if first.is_run or t.trial in numbers]
    alike = trials_alike(first.trials, trials, tolerance, part=terms_of(record.task).part)
    parts = list(winner_alike(first.record, record, tolerance))
    said = list(notes) if first.is_run else [*notes, f"{first.saved.label} keeps the scores of its best trial alone"]
    # Of another winner everything is another.
    if record.best is not None and not any(part.what == WINNER for part in parts):
        for part in (*_predictions(first, record, tolerance), *_models(again, tolerance)):
            said.append(part) if isinstance(part, str) else parts.append(part)
    found = Rerun(first.saved.label, record.id, tolerance, alike, tuple(parts), notes=tuple(said))
    return replace(found, changed=tuple(_reasons(again, found)))


def _predictions(first: First, record: RunRecord, tolerance: float) -> Iterator[Agreeing | str]:
    """Yield how far the winner's predictions agree, or why they cannot be compared."""
    if not first.is_run:
        return
    for name, what in TABLES.items():
        files = [getattr(RunPaths(each.path), name) for each in (first.record, record)]
        there = [file.is_file() for file in files]
        if all(there):
            before, now = map(read_predictions, files)
            yield tables_alike(what, before, now, tolerance)
        elif any(there):
            yield f"{(first.record.id, record.id)[there.index(False)]} has no {what}"


def _models(again: Again, tolerance: float) -> Iterator[Agreeing | str]:
    """Yield whether the models predict the same, where both are there and quickly opened: their files never agree."""
    saved = again.first.saved, saved_by(again.outcome.record)
    if not all(each.paths.skops.is_file() for each in saved):
        if all(each.paths.joblib.is_file() for each in saved):
            yield "the models are pickles, which are not opened to be compared"
        return
    if sum(each.paths.skops.stat().st_size for each in saved) > 2 * CHEAP_MODEL:
        yield "the models are too large to be opened and compared quickly"
        return
    try:
        before, now = (_predicted(each, again.prepared) for each in saved)
        yield tables_alike(MODEL, before, now, tolerance)
    except Exception as error:  # noqa: BLE001 - whatever a model raises that was made by other code
        reason = error.message if isinstance(error, MlopsError) else f"{type(error).__name__}: {error}"
        yield f"the models cannot be compared: {' '.join(reason.split())}"


def _predicted(saved: SavedModel, prepared: Prepared) -> pd.DataFrame:
    import pandas as pd

    features = prepared.loaded.train.X.iloc[:CHEAP_ROWS]
    with warnings.catch_warnings(), silent():
        warnings.simplefilter("ignore")
        pipeline: Any = saved.open().pipeline
        if not hasattr(pipeline, "predict"):
            return pd.DataFrame(index=features.index)
        columns = {"prediction": pipeline.predict(features)}
        if hasattr(pipeline, "predict_proba"):
            columns |= {f"proba_{i}": part for i, part in enumerate(pipeline.predict_proba(features).T)}
    return pd.DataFrame(columns)


def _reasons(again: Again, found: Rerun) -> Iterator[str]:
    """Yield what is another since the first run; where results differ and nothing is, what else it may be."""
    before, now = again.first.record, again.outcome.record
    told = [*since(before, now), *again.edited]
    told += machine(before.environment, now.environment) + repository(before, now)
    yield from told
    if found.agreement is not Agreement.DIFFERENT:
        return
    clock = _clocks(again.prepared) if any(trial.agreement is Agreement.DIFFERENT for trial in found.trials) else ""
    if clock:
        yield BY_THE_CLOCK.format(keys=clock)
    elif not told:
        yield UNEXPLAINED.format(draws=terms_of(now.task).draws)


def _clocks(prepared: Prepared) -> str:
    spec = prepared.spec
    limits = {"sweep.timeout": spec.sweep.timeout, "launcher.trial_timeout": spec.launcher.trial_timeout}
    return " and ".join(key for key, limit in limits.items() if limit is not None)
