"""``mlops runs``: find runs and read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import StoreError, did_you_mean
from mlops_cli.store.find import experiments, find_run, list_runs, read_trials
from mlops_cli.store.layout import WorkspacePaths

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_cli.records import RunRecord, TrialResult


@dataclass(frozen=True)
class Recorded:
    """The runs of a workspace, newest first, and what is wrong with those that cannot be read."""

    records: tuple[RunRecord, ...]
    damaged: tuple[str, ...] = ()


def recorded(experiment: str | None = None, workspace: Path | None = None) -> Recorded:
    """Return the runs of a workspace, or of one experiment.

    Raises
    ------
    StoreError
        The experiment has no runs, and others have.
    """
    paths = WorkspacePaths(find_workspace(workspace).root)
    found = list_runs(paths, experiment)
    if experiment is not None and not found.runs:
        known = experiments(paths)
        if known:
            raise StoreError(f"there is no run of '{experiment}'", hint=did_you_mean(experiment, known))
    return Recorded(found.runs, tuple(n.message for n in found.damaged))


def look_up(
    ref: str, *, with_trials: bool = True, workspace: Path | None = None
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
