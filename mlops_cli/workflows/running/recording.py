"""A prepared run and its open directory → trials journaled as they end, the winner refitted, the record finished."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from mlops_cli.components.launchers import make_launcher
from mlops_cli.execution.engine import Engine, Rules
from mlops_cli.execution.fitting import Places
from mlops_cli.execution.underway import Finished
from mlops_cli.records import BestTrial, Notice, RunRecord, RunStarted, RunStatus, Stage, SweepSpec, TrialFinished
from mlops_cli.store.artifacts import copy_artifacts, forget_work, work_folders
from mlops_cli.store.auditing import run_ended
from mlops_cli.store.find import read_run, read_trials
from mlops_cli.store.log import RunLog
from mlops_cli.store.values import stamp
from mlops_cli.workflows.running.feed import Only
from mlops_cli.workflows.running.finish import finish
from mlops_cli.workflows.running.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_cli.contracts import Launcher, Observer
    from mlops_cli.records import Event, TrialResult
    from mlops_cli.store.known import Known
    from mlops_cli.store.layout import RunPaths
    from mlops_cli.store.runs import RunWriter
    from mlops_cli.workflows.running.prepare import Composed, Prepared

PRELOAD = ("mlops_cli.execution.fitting", "sklearn.linear_model", "sklearn.model_selection", "pandas")
"""What workers import while they start: what nearly every trial needs."""

STOPPED = {
    "patience": "{done} trials were run: {patience} in a row were no better, and those under way then were finished "
    "(sweep.patience)",
    "timeout": "{done} trials were run in {timeout:g} s (sweep.timeout)",
}


@dataclass(frozen=True)
class Outcome:
    """A run that has ended, and its trials in order."""

    record: RunRecord
    trials: tuple[TrialResult, ...]
    found: bool = False  # an identical run was there already
    said: tuple[Notice, ...] = ()  # warnings that the observer was told of before the first fit


def launcher_for(composed: Composed) -> Launcher:
    """Return where an experiment's trials run; nothing is started yet.

    The user's own code may end its process, and a limit is held by ending one: then no trial runs in this process.
    """
    spec = composed.spec.launcher
    limited = spec.trial_timeout is not None or spec.trial_memory is not None
    inline = not limited and not composed.uses_own_code
    return make_launcher(spec, inline=inline, preload=PRELOAD, trust=composed.workspace.trust)


def record_run(
    prepared: Prepared, writer: RunWriter, launcher: Launcher, *, known: Known, observer: Observer, since: datetime
) -> Outcome:
    """Run the trials and finish the record.

    Parameters
    ----------
    prepared : Prepared
        What is to be run.
    writer : RunWriter
        The run's directory, open.
    launcher : Launcher
        Where trials run; closed here.
    known : Known
        Results that are there already.
    observer : Observer
        Told of each event.
    since : datetime
        When this was asked for.
    """
    progress = Progress(prepared.plan)
    log = RunLog(writer.paths.log)
    told = both(log, observer)
    run = _Run(prepared, writer, launcher, told, _spent(writer, known, prepared.workers))
    told(run.started())
    status, stopped = run.trials(progress, known)
    final = writer.finish(run_ended(_completed(run, progress, status, stopped, since)))
    log.end(final)
    return Outcome(final, tuple(read_trials(final.path)), said=prepared.notices)


def _spent(writer: RunWriter, known: Known, workers: int) -> float:
    """Return about how many seconds a run that goes on has taken; one that was killed did not write that down."""
    if not known.numbers:
        return 0.0
    worked = sum(result.fit_s + result.score_s for result in read_trials(writer.paths.root) if result.reused is None)
    return max(writer.record.duration_s or 0.0, worked / workers)


def _completed(
    run: _Run, progress: Progress, status: RunStatus, stopped: tuple[Notice, ...], since: datetime
) -> RunRecord:
    record = run.writer.record
    planned = run.prepared.plan.total if status is RunStatus.INTERRUPTED else None
    record = replace(record, status=status, counts=progress.counts(planned), warnings=(*record.warnings, *stopped))
    if progress.best is not None:
        record = replace(record, best=BestTrial(progress.best.trial, dict(progress.best.params)))
    record = replace(record, front=tuple(result.trial for result in progress.front))
    record = _finished(record, run, progress)
    ended = datetime.now().astimezone()
    before = record.duration_s or 0.0  # of a run that is resumed: what it had taken by then
    return replace(
        record,
        ended=stamp(ended),
        duration_s=round(before + (ended - since).total_seconds(), 3),
        warnings=tuple(dict.fromkeys([*record.warnings, *progress.warnings()])),
    )


def _finished(record: RunRecord, run: _Run, progress: Progress) -> RunRecord:
    """Complete the record; Ctrl-C while the winner is refitted leaves an interrupted run with its scores."""
    try:
        run.predict(record, progress)
        run.launcher.close()
        return finish(record, run.prepared, progress, run.writer.paths, run.told)
    except KeyboardInterrupt:
        run.launcher.close(kill=True)
        record = replace(record, status=RunStatus.INTERRUPTED)
        return finish(record, run.prepared, progress, run.writer.paths, run.told)


@dataclass(frozen=True)
class _Run:
    """A run under way."""

    prepared: Prepared
    writer: RunWriter
    launcher: Launcher
    told: Observer
    spent_s: float = 0.0  # by the run before this

    def started(self) -> RunStarted:
        """Return what is known before the first trial."""
        prepared, timeout = self.prepared, self.prepared.spec.sweep.timeout
        return RunStarted(
            self.writer.record,
            prepared.plan,
            prepared.dataset,
            prepared.plan.splits,
            prepared.workers,
            None if timeout is None else max(0.0, timeout - self.spent_s),
        )

    def trials(self, progress: Progress, known: Known) -> tuple[RunStatus, tuple[Notice, ...]]:
        """Run and journal the trials; Ctrl-C keeps those that have ended."""
        engine = self._engine(self.prepared.spec.sweep, self._scratch())
        total = self.prepared.plan.total
        try:
            for finished in engine.execute(self.prepared.feed(known), self.told, total):
                if not known.is_written(finished.result):
                    self.writer.append(finished.result)
                before = progress.best
                progress.take(finished)
                self._forget(before, finished.result, progress.best)
                told = TrialFinished(finished.result, progress.done, total, progress.best, len(progress.front))
                self.told(told)
        except KeyboardInterrupt:
            self.launcher.close(kill=True)
            self._catch_up(progress)
            return RunStatus.INTERRUPTED, ()
        except BaseException:
            self.launcher.close(kill=True)
            raise
        finally:
            for notice in engine.unplaced:
                progress.note(notice)
        status = RunStatus.COMPLETED if progress.best is not None else RunStatus.FAILED
        return status, _early_end(engine.stopped, progress, self.prepared.spec.sweep)

    def _forget(self, before: TrialResult | None, ended: TrialResult, best: TrialResult | None) -> None:
        """Remove what trials without a table wrote as soon as they are not the best."""
        if self.prepared.spec.has_table:
            return
        for result in filter(None, (before, ended)):
            if best is None or result.fingerprint != best.fingerprint:
                forget_work(self.writer.paths, result.fingerprint)

    def _catch_up(self, progress: Progress) -> None:
        """Note what the journal has: Ctrl-C may come between a trial's line and the note of it."""
        fresh = Progress(self.prepared.plan)
        for result in read_trials(self.writer.paths.root):
            mine = progress.best is not None and progress.best.trial == result.trial
            fresh.take(Finished(result, progress.predictions if mine else ()))
        progress.__dict__.update(fresh.__dict__)

    def _scratch(self) -> Path:
        scratch = self.writer.paths.scratch
        scratch.mkdir(parents=True, exist_ok=True)
        return scratch

    def _engine(self, sweep: SweepSpec, scratch: Path) -> Engine:
        prepared = self.prepared
        plan, spent = prepared.plan, self.spent_s
        places = Places(str(self.writer.paths.checkpoints), str(self.writer.paths.work))
        rules = Rules(sweep, prepared.spec.launcher, plan.primary, plan.direction, plan.splits, spent, places)
        return Engine(prepared.job, prepared.maker.splits, rules, self.launcher, scratch)

    @property
    def _keeps_what_is_made(self) -> bool:
        artifacts = self.prepared.spec.artifacts
        return artifacts.predictions if self.prepared.spec.has_table else artifacts.keep != "none"

    def _has_work(self, best: TrialResult) -> bool:
        """Whether what the best trial wrote is here, or in the run that it was computed in."""
        paths = self.writer.paths
        if best.reused is not None and not work_folders(paths, best.fingerprint):
            source = paths.workspace.run(best.reused)
            if _is_best_of(source, best):
                copy_artifacts(source, paths, best.fingerprint)
        return bool(work_folders(paths, best.fingerprint))

    def predict(self, record: RunRecord, progress: Progress) -> None:
        """Compute the winner's predictions again, where they were made in another process than this one."""
        wanted = record.status is RunStatus.COMPLETED and self._keeps_what_is_made
        if progress.best is None or not wanted:
            return
        if progress.predictions if self.prepared.spec.has_table else self._has_work(progress.best):
            return
        self.told(Stage("predict"))
        trial = self.prepared.trial(progress.best.trial, progress.best.params)
        engine = self._engine(SweepSpec(), self._scratch())
        for finished in engine.execute(Only(self.prepared.maker.candidate(trial)), ignore, 1):
            progress.predictions = finished.predictions
        if not progress.predictions:
            self.writer.paths.predictions.unlink(missing_ok=True)  # of another trial, before an interruption


def _is_best_of(source: RunPaths, result: TrialResult) -> bool:
    """Whether a trial is the best of the run that it was computed in, so that what it wrote was kept."""
    best = read_run(source.root).best if source.run_json.is_file() else None
    if best is None:
        return False
    return any(t.trial == best.trial and t.fingerprint == result.fingerprint for t in read_trials(source.root))


def ignore(_event: Event) -> None:
    """Watch a run without doing anything."""


def both(first: Observer, second: Observer) -> Observer:
    """Return an observer that passes each event on to two."""

    def observe(event: Event) -> None:
        first(event)
        second(event)

    return observe


def _early_end(stopped: str | None, progress: Progress, sweep: SweepSpec) -> tuple[Notice, ...]:
    if stopped is None and sweep.trials is not None and progress.done < sweep.trials:
        text = f"{sweep.trials} trials were asked for, and the space has {progress.done} points"
        return (Notice("fewer-points", text + (" that the constraint allows" if sweep.constraint else "")),)
    if stopped is None:
        return ()
    text = STOPPED[stopped].format(done=progress.done, patience=sweep.patience, timeout=sweep.timeout)
    return (Notice("stopped-early", text),)
