"""``mlops runs``: find runs and read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import StoreError, did_you_mean
from mlops_cli.records import Query
from mlops_cli.store.find import find_run, read_run, read_trials, run_folders
from mlops_cli.store.index import find, find_best
from mlops_cli.store.layout import WorkspacePaths

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_cli.records import RunRecord, TrialResult
    from mlops_cli.store.index import Ranking


__all__ = ["Best", "Query", "Recorded", "best_run", "look_up", "search"]


@dataclass(frozen=True)
class Recorded:
    """The runs that were asked for, in order, and what is wrong with those that cannot be read."""

    records: tuple[RunRecord, ...]
    total: int = 0  # runs that match, shown or not
    columns: tuple[str, ...] = ()  # the keys that were asked for, in full
    damaged: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()  # why nothing may match


@dataclass(frozen=True)
class Best:
    """The best run, and what it was ranked by and against."""

    run: RunRecord
    ranking: Ranking


def search(query: Query, workspace: str | Path | None = None) -> Recorded:
    """Return the runs that a query asks for.

    Parameters
    ----------
    query : Query
        A filter, an order and a page of what matches; see ``mlops runs ls --help`` for the language.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    UsageError
        The filter or the order cannot be understood, or names a field that no run has.
    StoreError
        The experiment has no runs, and others have.
    """
    paths = WorkspacePaths(find_workspace(workspace).root)
    found = find(paths, query)
    if query.experiment is not None and not (found.total or found.damaged):
        _require_runs(paths, query.experiment)
    records = tuple(record for place in found.places if (record := _still_there(place)))
    return Recorded(records, found.total, found.columns, found.damaged, found.hints)


def _require_runs(paths: WorkspacePaths, experiment: str) -> None:
    known = sorted({path.parent.name for path in run_folders(paths)})
    if known and experiment not in known:
        raise StoreError(f"there is no run of '{experiment}'", hint=did_you_mean(experiment, known))


def _still_there(place: Path) -> RunRecord | None:
    try:
        return read_run(place)
    except StoreError:  # removed or damaged since the index was brought up to date, a moment ago
        return None


def look_up(
    ref: str, *, with_trials: bool = True, workspace: str | Path | None = None
) -> tuple[RunRecord, tuple[TrialResult, ...]]:
    """Return the run that ``ref`` means, and its trials in order.

    Raises
    ------
    StoreError
        No run or several are meant.
    """
    record = find_run(WorkspacePaths(find_workspace(workspace).root), ref)
    trials = read_trials(record.path) if with_trials else []
    return record, tuple(sorted(trials, key=lambda t: t.trial))


def best_run(experiment: str | None = None, metric: str | None = None, workspace: str | Path | None = None) -> Best:
    """Return the best completed run of an experiment, or of all.

    Parameters
    ----------
    experiment : str, optional
        Whose runs.
    metric : str, optional
        What they are ranked by; the primary metric of the newest completed run where not given.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    StoreError
        No run has completed.
    UsageError
        No run has the metric, or which of its ends is good is not recorded.
    """
    paths = WorkspacePaths(find_workspace(workspace).root)
    found = find_best(paths, experiment, metric)
    if found is not None:
        return Best(read_run(found.place), found)
    if experiment is not None:
        _require_runs(paths, experiment)
    what = "has completed" if metric is None else f"with {metric} has completed"
    raise StoreError(f"no run{f' of {experiment}' if experiment else ''} {what}", hint="mlops runs ls shows them all")
