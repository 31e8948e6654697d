"""``mlops resume``: finish an interrupted run in its own directory, running only what is missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import StoreError
from mlops_cli.records import RunStatus
from mlops_cli.store.find import find_run, is_alive, read_trials
from mlops_cli.store.imported import refuse_imported
from mlops_cli.store.layout import RunPaths, WorkspacePaths
from mlops_cli.store.runs import RunWriter
from mlops_cli.store.tracked import untold
from mlops_cli.workflows.running.changes import changes
from mlops_cli.workflows.running.known import known_results
from mlops_cli.workflows.running.prepare import RunOptions, compose, prepare
from mlops_cli.workflows.running.recording import Outcome, ignore, launcher_for, record_run
from mlops_cli.workflows.running.tracking import tracked, tracker_of, tracking_of

if TYPE_CHECKING:
    from mlops_cli.contracts import Observer
    from mlops_cli.records import RunRecord
    from mlops_cli.workflows.running.prepare import Prepared


def resume(ref: str, options: RunOptions | None = None, *, observer: Observer = ignore) -> Outcome:
    """Finish a run: the trials that it has are kept, and the others run as they would have.

    Parameters
    ----------
    ref : str
        An id, a unique beginning of one, a path, ``latest`` …
    options : RunOptions, optional
        ``n_jobs``, ``workspace``; with ``retry_failed`` trials that failed or were lost run again too, also of a run
        that is finished.
    observer : callable
        Told of each event while the run goes.

    Raises
    ------
    StoreError
        There is no such run, it was imported, another process is writing it, or the data, the code or the libraries are
        no longer those that it began with: scores of different things must not stand in one table.
    """
    asked, since = options or RunOptions(), datetime.now().astimezone()
    record = find_run(WorkspacePaths(find_workspace(asked.workspace).root), ref)
    refuse_imported(record, "no trial of it was run here, and there is nothing to resume")
    again = asked.retry_failed and record.status.is_finished and record.counts.failed > 0
    if record.status.is_finished and not again:
        return _finished(record, retry=asked.retry_failed)
    _check_free(record)
    composed = compose(str(RunPaths(record.path).config), [], asked, observer)
    tracker_of(composed)
    launcher = launcher_for(composed)
    try:
        prepared = prepare(composed, observer)
        _check_same(record, prepared)
        tracking = tracking_of(prepared)
        with RunWriter.reopen(record.path, finished=again) as writer:
            # What was said of trials is said again when the run ends.
            writer.record = replace(writer.record, warnings=prepared.notices, counts=record.counts)
            known = known_results(prepared, forced=record.forced, run=record, retry_failed=asked.retry_failed)
            return tracked(
                tracking,
                observer,
                lambda told: record_run(prepared, writer, launcher, known=known, observer=told, since=since),
            )
    finally:
        launcher.close(kill=True)


def _finished(record: RunRecord, *, retry: bool) -> Outcome:
    """Return a finished run as it is; of one that failed as a whole there is something to say."""
    if record.status is RunStatus.FAILED and not retry:
        hint = f"mlops resume {record.id} --retry-failed runs its trials again"
        raise StoreError(f"the run {record.id} is finished: all its trials failed", hint=hint)
    said = replace(record, warnings=(*record.warnings, *untold(record)))
    return Outcome(said, tuple(read_trials(record.path)), found=True)


def _check_free(record: RunRecord) -> None:
    if not is_alive(record.path):
        return
    who = f" (process {record.process.pid} on {record.process.host})" if record.process is not None else ""
    raise StoreError(f"the run {record.id} is running{who}", hint="wait for it to end, or stop it")


def _check_same(record: RunRecord, prepared: Prepared) -> None:
    """Refuse to go on where results would depend on something else than those that are there."""
    if record.fingerprint == prepared.plan.fingerprint:
        return
    raise StoreError(
        f"the run {record.id} cannot be resumed: since it began, {'; '.join(changes(record, prepared))}",
        hint=f"mlops run config={RunPaths(record.path).config} starts a new run, and reuses what is still the same",
    )
