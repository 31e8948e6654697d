"""Runs on disk, read and found again: by id, prefix, path, ``latest`` and ``best``.

Reads ``run.json`` files, so that 5,000 runs are listed in well under a second, and the journal of a run that was
killed, which did not live to count its trials; writes nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_cli.errors import StoreError, nearest
from mlops_cli.records import BestTrial, Counts, Direction, MetricSummary, Notice, RunStatus, TrialState
from mlops_cli.store.files import check_schema, damaged, parse_json, read_bytes
from mlops_cli.store.journal import is_locked, latest_trials
from mlops_cli.store.layout import RunPaths, WorkspacePaths
from mlops_cli.store.names import is_run_name
from mlops_cli.store.serialize import run_from_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mlops_cli.records import RunRecord, TrialResult

_SHOWN = 5
# Stamps are local times: two of them are surely in order only when they are further apart than any two zones are.
_ZONES = timedelta(hours=26)
_STAMP_FORMAT = "%Y%m%d-%H%M%S"
_STAMP = len("20260131-235959")


@dataclass(frozen=True)
class RunListing:
    """The runs of a workspace, newest first, and what could not be read."""

    runs: tuple[RunRecord, ...]
    damaged: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class DamagedRun:
    """A run whose record cannot be read."""

    id: str  # as its place says it
    path: Path
    reason: str


# --- reading -----------------------------------------------------------------------------------------------------


def read_run(path: Path) -> RunRecord:
    """Read the record of the run in the directory ``path``.

    A run that says it is running while no process holds its journal's lock is one that was killed, and reads as
    interrupted, with the counts and the best trial that its journal tells. The record's ``path`` is where it was
    read, wherever the workspace stood when it was written.

    Raises
    ------
    StoreError
        There is no run, or its record is damaged.
    """
    root = Path(os.path.abspath(path))  # noqa: PTH100  resolve() would follow links
    file = RunPaths(root).run_json
    return _parse_run(read_bytes(file), file)


def _parse_run(data: bytes, file: Path) -> RunRecord:
    value = parse_json(data, file)
    check_schema(value, file)
    try:
        record = run_from_json(value, file.parent)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise damaged(file, f"not a run's record: {error!r}") from error
    if record.status is RunStatus.RUNNING and not is_alive(record.path):
        # The run may have ended between the two looks: then its last word is on disk by now.
        return _reread(record, data, file)
    return record


def _reread(record: RunRecord, data: bytes, file: Path) -> RunRecord:
    again = read_bytes(file)
    if again != data:
        return _parse_run(again, file)
    return _recounted(replace(record, status=RunStatus.INTERRUPTED))


def _recounted(record: RunRecord) -> RunRecord:
    """Return the record of a killed run with what its journal tells."""
    try:
        return so_far(record, read_trials(record.path))
    except StoreError:  # said where the trials themselves are asked for
        return record


def so_far(record: RunRecord, trials: Sequence[TrialResult]) -> RunRecord:
    """Return the record of a run without an end with what its trials tell: how they ended, and the best of them."""
    record = replace(record, counts=Counts.of_results(trials, record.counts.trials))
    completed = [t for t in trials if t.state is TrialState.COMPLETED and t.scores.get(record.primary or "")]
    if not completed:
        return record
    sign = 1 if record.direction is Direction.MINIMIZE else -1
    best = min(completed, key=lambda t: (sign * t.mean(record.primary or ""), t.trial))
    metrics = {name: _summary(values) for name, values in best.scores.items() if values}
    return replace(record, best=BestTrial(best.trial, dict(best.params)), metrics=metrics)


def _summary(values: tuple[float, ...]) -> MetricSummary:
    """Return the mean and spread; an interval takes the sizes of the splits, which only the run itself knew."""
    import statistics  # takes as long to load as a hundred records, and few lists need it

    std = statistics.stdev(values) if len(values) > 1 else None
    return MetricSummary(sum(values) / len(values), std, None, values)


def is_alive(path: Path) -> bool:
    """Whether a living process is writing the run in the directory ``path``."""
    return is_locked(RunPaths(path).journal)


def read_trials(path: Path) -> list[TrialResult]:
    """Return the trials of the run in the directory ``path`` by number; of one that was tried again, the last try.

    Raises
    ------
    StoreError
        A line of its journal is damaged; a torn last one, as a kill leaves it, is left out.
    """
    return latest_trials(RunPaths(path).journal)


def list_runs(workspace: WorkspacePaths, experiment: str | None = None) -> RunListing:
    """Read all runs of a workspace, or of one experiment, newest first.

    A damaged run is reported and fails nothing; links are not followed.
    """
    runs, broken = [], []
    for path in run_folders(workspace, experiment):
        try:
            runs.append(read_run(path))
        except StoreError as error:
            if path.exists():  # else it was removed meanwhile
                broken.append(Notice("damaged-run", str(error)))
    return RunListing(tuple(sorted(runs, key=_age, reverse=True)), tuple(broken))


def _age(record: RunRecord) -> tuple[float, str]:
    return datetime.fromisoformat(record.started).timestamp(), record.id


def run_folders(workspace: WorkspacePaths, experiment: str | None = None) -> Iterator[Path]:
    """Yield the directories of all runs, or of one experiment's."""
    for name in experiments(workspace):
        if experiment is not None and name != experiment:
            continue
        for run in folder_names(workspace.runs / name):
            path = workspace.runs / name / run
            if is_run_name(run) or (path / "run.json").exists():
                yield path


def experiments(workspace: WorkspacePaths) -> list[str]:
    """Return the names of the experiments that have runs."""
    return sorted(folder_names(workspace.runs))


def folder_names(path: Path) -> list[str]:
    """Return the names of the folders in a folder, in no order; hidden ones and links are left out."""
    try:
        with os.scandir(path) as entries:
            return [e.name for e in entries if e.is_dir(follow_symlinks=False) and not e.name.startswith(".")]
    except OSError:
        return []


# --- finding -----------------------------------------------------------------------------------------------------


def find_any(workspace: WorkspacePaths, ref: str) -> RunRecord | DamagedRun:
    """Return the run that ``ref`` means as `find_run` does, but also one that is damaged."""
    place = _find_place(workspace, ref)
    try:
        return read_run(place)
    except StoreError as error:
        place = Path(os.path.abspath(place))  # noqa: PTH100  resolve() would follow links
        return DamagedRun(RunPaths(place).id, place, error.message)


def find_run(workspace: WorkspacePaths, ref: str) -> RunRecord:
    """Return the run that ``ref`` means.

    Parameters
    ----------
    workspace : WorkspacePaths
        Where to look.
    ref : str
        An id; a unique beginning of one, of its stamp or of its six hex digits; a path; ``latest``;
        ``EXPERIMENT:latest``; ``EXPERIMENT:best``, which is the completed run whose primary metric is best.

    Raises
    ------
    StoreError
        None or several are meant; the message lists what comes near.
    """
    return read_run(_find_place(workspace, ref))


def _find_place(workspace: WorkspacePaths, ref: str) -> Path:
    experiment, colon, which = ref.rpartition(":")
    if ref == "latest" or (colon and which == "latest"):
        return _latest(workspace, experiment or None).path
    if colon and which == "best":
        return _best(workspace, experiment).path
    return _by_place(workspace, ref) or _by_prefix(workspace, ref)


def _by_place(workspace: WorkspacePaths, ref: str) -> Path | None:
    for path in (workspace.runs / ref, Path(ref), workspace.root / ref):
        folder = path.parent if path.name == "run.json" else path
        if ref and os.path.isfile(folder / "run.json"):  # noqa: PTH113  Path.is_file raises for a name too long
            return folder
    return None


def _by_prefix(workspace: WorkspacePaths, ref: str) -> Path:
    ids = {f"{path.parent.name}/{path.name}": path for path in run_folders(workspace)}
    found = sorted(run_id for run_id in ids if _begins(run_id, ref))
    if len(found) == 1:
        return ids[found[0]]
    raise _ambiguous(ref, found) if found else _unknown(workspace, ref, ids)


def _begins(run_id: str, ref: str) -> bool:
    name = run_id.partition("/")[2]
    return bool(ref) and (run_id.startswith(ref) or name.startswith(ref) or name.rpartition("-")[2].startswith(ref))


def _ambiguous(ref: str, found: list[str]) -> StoreError:
    newest = found[: -_SHOWN - 1 : -1]
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return StoreError(f"{ref!r} means {len(found)} runs: {', '.join(newest)}{more}", hint="give more of the id")


def _unknown(workspace: WorkspacePaths, ref: str, ids: Iterable[str]) -> StoreError:
    known = sorted(ids)
    if not known:
        return StoreError(f"no run {ref!r}: there are no runs in {workspace.runs}", hint="mlops run config=NAME")
    names = {name.partition("/")[2]: name for name in known}
    close = nearest(ref, [*known, *names])
    hint = f"did you mean {names.get(close, close)!r}?" if close else "mlops runs ls shows them all"
    return StoreError(f"no run {ref!r} in {workspace.runs}", hint=hint)


def _latest(workspace: WorkspacePaths, experiment: str | None) -> RunRecord:
    for folders in _by_day(_known(workspace, experiment)):
        found = [record for path in folders if (record := _readable(path))]
        if found:
            return max(found, key=_age)
    raise _no_runs(workspace, experiment)


def _by_day(folders: list[Path]) -> Iterator[list[Path]]:
    """Yield the newest folders and renamed ones, whose names do not settle their order; then the older ones."""
    stamps = [path.name[:_STAMP] for path in folders if is_run_name(path.name)]
    edge = next((edge for stamp in sorted(stamps, reverse=True) if (edge := _day_before(stamp))), "")
    older = [path for path in folders if path.name[:_STAMP] < edge and is_run_name(path.name)]
    yield list(set(folders) - set(older))
    yield older


def _day_before(stamp: str) -> str | None:
    """Return the stamp before which all runs are surely older; stamps are in order as text."""
    try:
        return f"{datetime.strptime(stamp, _STAMP_FORMAT) - _ZONES:{_STAMP_FORMAT}}"
    except (ValueError, OverflowError):  # as of a 13th month
        return None


def _readable(path: Path) -> RunRecord | None:
    try:
        return read_run(path)
    except StoreError:
        return None


def _best(workspace: WorkspacePaths, experiment: str) -> RunRecord:
    from mlops_cli.store.index import find_best  # not above: the index reads runs by this module

    _known(workspace, experiment)
    found = find_best(workspace, experiment or None)
    if found is None:
        raise StoreError(f"no run of {experiment} has completed", hint=f"mlops run config={experiment}")
    return read_run(found.place)


def _known(workspace: WorkspacePaths, experiment: str | None) -> list[Path]:
    folders = list(run_folders(workspace, experiment))
    if not folders:
        raise _no_runs(workspace, experiment)
    return folders


def _no_runs(workspace: WorkspacePaths, experiment: str | None) -> StoreError:
    if experiment is None:
        return StoreError(f"there are no runs in {workspace.runs}", hint="mlops run config=NAME")
    close = nearest(experiment, experiments(workspace))
    return StoreError(
        f"the experiment {experiment!r} has no runs in {workspace.runs}",
        hint=f"did you mean '{close}'?" if close else f"mlops run config={experiment}",
    )


def find_finished(workspace: WorkspacePaths, experiment: str, fingerprint: str) -> Iterator[RunRecord]:
    """Yield the completed runs with the same fingerprint, the newest first."""
    from mlops_cli.store.index import find_completed

    if not fingerprint or not folder_names(workspace.runs / experiment):
        return
    found = (_readable(path) for path in find_completed(workspace, experiment, fingerprint))
    yield from (record for record in found if record and record.fingerprint == fingerprint)
