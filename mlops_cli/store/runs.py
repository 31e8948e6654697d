"""A run directory while it is written: made in one rename, journaled, finished with ``run.json`` last.

One process writes a run, and holds its journal's lock while it does. Does not compute anything that it writes.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from mlops_cli.components.checkpoints import folder_of
from mlops_cli.errors import StoreError
from mlops_cli.records import SCHEMA_VERSION, Action, ProcessInfo, RunStatus
from mlops_cli.store.audit import AuditLog
from mlops_cli.store.auditing import run_resumed
from mlops_cli.store.curves import append_curves
from mlops_cli.store.files import (
    disk_errors,
    json_bytes,
    locked,
    read_bytes,
    sha256,
    sync_paths,
    write_files,
    write_json,
)
from mlops_cli.store.find import is_alive, read_run
from mlops_cli.store.journal import Journal
from mlops_cli.store.layout import RunPaths, WorkspacePaths
from mlops_cli.store.names import new_run_id
from mlops_cli.store.provenance import boot_id
from mlops_cli.store.scores import metrics_to_json
from mlops_cli.store.serialize import run_to_json
from mlops_cli.store.tables import write_trials_csv

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from mlops_cli.records import RunRecord, TrialResult

_ID_TRIES = 20
_STALE_SECONDS = 3600.0


@dataclass(frozen=True)
class RunSources:
    """What a run was made from, as it is kept beside the record."""

    config: str  # YAML, resolved
    overrides: Sequence[str] = ()
    diff: bytes | None = None  # None: nothing uncommitted


class RunWriter:
    """A run that this process is writing; a context manager that gives its lock back.

    Left without `finish`, the run reads as interrupted, as it does when the process is killed.
    Make one by `create` or `reopen`.
    """

    def __init__(self, paths: RunPaths, record: RunRecord, journal: Journal) -> None:
        self.paths = paths
        self.record = record
        self._journal = journal

    @classmethod
    def create(cls, workspace: WorkspacePaths, draft: RunRecord, sources: RunSources) -> RunWriter:
        """Make the directory of a new run, which appears complete, or not at all.

        Parameters
        ----------
        workspace : WorkspacePaths
            Where the run goes.
        draft : RunRecord
            What is known at the start. ``id``, ``path``, ``status`` and ``process`` are filled in here; ``started``
            gives the id its stamp.
        sources : RunSources
            The config and what else is kept as it was asked.

        Raises
        ------
        StoreError
            The experiment's name cannot be a folder, or the disk refuses.
        """
        sweep_leftovers(workspace)
        run_id = new_run_id(draft.experiment, datetime.fromisoformat(draft.started), random.SystemRandom())
        for _ in range(_ID_TRIES):
            paths = workspace.run(run_id)
            record = replace(draft, id=run_id, path=paths.root, status=RunStatus.RUNNING, process=this_process())
            record = replace(record, files={**record.files, **_hashes(paths, sources)})
            journal = _make(paths, record, sources)
            if journal is not None:
                return cls(paths, record, journal)
            run_id = new_run_id(draft.experiment, datetime.fromisoformat(draft.started), random.SystemRandom())
        raise StoreError(f"no free run id under {workspace.experiment(draft.experiment)}")

    @classmethod
    def reopen(cls, path: Path, *, finished: bool = False) -> RunWriter:
        """Go on writing an interrupted run; its finished trials stay.

        Parameters
        ----------
        path : Path
            The run's directory.
        finished : bool
            Reopen a run that is finished too.

        Raises
        ------
        StoreError
            The run is finished, or another process is writing it.
        """
        paths = RunPaths(path)
        record = read_run(path)
        if record.status.is_finished and not finished:
            raise StoreError(
                f"the run {record.id} is {record.status}: there is nothing to resume", hint="mlops run --force"
            )
        journal = Journal(paths.journal)
        try:
            shutil.rmtree(paths.scratch, ignore_errors=True)  # what a power cut left there may be half-written
            return cls(paths, _take_over(paths, finished=finished), journal)
        except BaseException:
            journal.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, result: TrialResult) -> None:
        """Journal a finished trial, and its curves before it."""
        append_curves(self.paths.curves, result)
        self._journal.append(result)
        self._forget_checkpoints(result)

    def _forget_checkpoints(self, result: TrialResult) -> None:
        """Remove how far the fits of a trial were, now that it has ended."""
        if result.fingerprint and self.paths.checkpoints.is_dir():
            for folder in self.paths.checkpoints.glob(folder_of(result.fingerprint, "*")):
                shutil.rmtree(folder, ignore_errors=True)

    def sync(self) -> None:
        """Make every trial so far safe from a power cut."""
        self._journal.sync()

    def finish(self, record: RunRecord, files: Mapping[Path, bytes] | None = None) -> RunRecord:
        """Write what follows from the trials, then the record, and give the lock back.

        Parameters
        ----------
        record : RunRecord
            The final record; its id, path and process are kept as they were at the start.
        files : Mapping[Path, bytes], optional
            Further files of the run, to be written in the same batch.

        Returns
        -------
        RunRecord
            The record as it was written.
        """
        final = replace(record, id=self.record.id, path=self.paths.root, process=self.record.process)
        self._journal.sync()
        if final.status.is_finished:
            shutil.rmtree(self.paths.checkpoints, ignore_errors=True)
        write_trials_csv(self.paths.trials_csv, self.paths.journal)
        write_files({self.paths.metrics: _metrics_bytes(final), **(files or {})})
        # The record comes last: a run that says it is completed has all its files.
        _write_record(self.paths, final)
        self.record = final
        self.close()
        return final

    def close(self) -> None:
        """Give the lock back and remove the scratch folder; to close twice does nothing."""
        shutil.rmtree(self.paths.scratch, ignore_errors=True)
        self._journal.close()


def has_its_config(record: RunRecord) -> bool:
    """Whether a run's ``config.yaml`` is as the run wrote it, as far as that was recorded."""
    config = RunPaths(record.path).config
    return record.files.get(config.name) in {None, sha256(read_bytes(config))}


def amend(
    record: RunRecord, *, tags: Mapping[str, str], note: str | None = None, without: Collection[str] = ()
) -> RunRecord:
    """Change what people say about a run; nothing else ever changes in a finished one.

    Parameters
    ----------
    record : RunRecord
        The run. It is read again under a lock, so that of several changes at once none is lost.
    tags : mapping of str to str
        Tags to add or to replace.
    note : str, optional
        The note in place of the one it has.
    without : collection of str
        Tags to take away.

    Raises
    ------
    StoreError
        The run is being written, or the disk refuses.
    """
    if not tags and not without and note is None:
        return record
    paths = RunPaths(record.path)
    with locked(paths.workspace.amend_lock):
        with Journal(paths.journal):
            # Of a run that was killed, the record still says that it is running, and so it stays.
            found = read_run(record.path)
            kept = {key: value for key, value in found.tags.items() if key not in without}
            changed = replace(found, tags={**kept, **tags}, note=found.note if note is None else note)
            if changed != found:
                said = {"tags": dict(tags), "without": list(without), "note": note}
                AuditLog(paths.workspace).append(Action.RUN_AMENDED, found.id, said)
                _write_record(paths, changed)
        return read_run(record.path)


def this_process() -> ProcessInfo:
    """Return who writes: for people, since the journal's lock alone says whether a run is alive."""
    return ProcessInfo(pid=os.getpid(), host=os.uname().nodename, boot=boot_id())


def _take_over(paths: RunPaths, *, finished: bool) -> RunRecord:
    # Read again under the lock: another process may have finished the run since it was looked at.
    record = read_run(paths.root)
    if record.status.is_finished and not finished:
        raise StoreError(f"the run {record.id} is {record.status}: another process has finished it")
    running = replace(record, path=paths.root, status=RunStatus.RUNNING, process=this_process(), ended=None, error=None)
    running = replace(running, audit=run_resumed(record))
    _write_record(paths, running)
    return running


def _write_record(paths: RunPaths, record: RunRecord) -> None:
    write_json(paths.run_json, run_to_json(record, paths.workspace.root))


def _metrics_bytes(record: RunRecord) -> bytes:
    return json_bytes({"schema_version": SCHEMA_VERSION, **metrics_to_json(record.metrics)})


def _make(paths: RunPaths, record: RunRecord, sources: RunSources) -> Journal | None:
    """Return the new run's journal, locked; None where another run has the id."""
    folder = paths.workspace.new_runs / f"{record.experiment}.{paths.root.name}.{os.getpid()}"
    with disk_errors("write", paths.root):
        paths.root.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(parents=True)
        try:
            return _fill_and_rename(folder, paths, record, sources)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise


def _fill_and_rename(folder: Path, paths: RunPaths, record: RunRecord, sources: RunSources) -> Journal | None:
    journal = Journal(RunPaths(folder).journal)
    try:
        write_files(_first_files(RunPaths(folder), record, sources, paths.workspace.root))
        if not _rename_new(folder, paths.root):
            journal.close()
            shutil.rmtree(folder, ignore_errors=True)
            return None
        sync_paths([paths.root.parent])
    except BaseException:
        journal.close()
        raise
    journal.path = paths.journal
    return journal


def _hashes(paths: RunPaths, sources: RunSources) -> dict[str, str]:
    found = {paths.config.name: sha256(sources.config.encode())}
    return found if sources.diff is None else {**found, paths.source_diff.name: sha256(sources.diff)}


def _first_files(paths: RunPaths, record: RunRecord, sources: RunSources, workspace: Path) -> dict[Path, bytes]:
    overrides = "".join(f"- {json.dumps(text)}\n" for text in sources.overrides) or "[]\n"
    files = {
        paths.config: sources.config.encode(),
        paths.overrides: overrides.encode(),
        paths.run_json: json_bytes(run_to_json(record, workspace)),
    }
    return files if sources.diff is None else {**files, paths.source_diff: sources.diff}


def _rename_new(folder: Path, target: Path) -> bool:
    """Move a folder to where nothing is; False where something is."""
    try:
        folder.rename(target)  # it would replace an empty folder, and no run is one
    except OSError:
        if target.exists():
            return False
        raise
    return True


def sweep_leftovers(workspace: WorkspacePaths) -> None:
    """Remove what killed processes left: half-made runs, and scratch folders of runs that are no longer alive."""
    for folder in _folders(workspace.new_runs):
        if not is_alive(folder) and _is_old(folder):
            shutil.rmtree(folder, ignore_errors=True)
    for experiment in _folders(workspace.scratch):
        for scratch in _folders(experiment):
            if not is_alive(workspace.runs / experiment.name / scratch.name):
                shutil.rmtree(scratch, ignore_errors=True)


def _folders(path: Path) -> list[Path]:
    try:
        with os.scandir(path) as entries:
            return [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _is_old(folder: Path) -> bool:
    # A folder that is being made has no lock for its first instant.
    try:
        return time.time() - folder.stat().st_mtime > _STALE_SECONDS
    except OSError:
        return False
