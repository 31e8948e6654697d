"""``mlops runs show``: one run with all that is known of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlops_cli.analysis.compare import lead
from mlops_cli.errors import StoreError
from mlops_cli.store.imported import refuse_imported
from mlops_cli.store.layout import RunPaths
from mlops_cli.store.profiles import read_profile
from mlops_cli.store.tracked import read_tracked, untold
from mlops_cli.workflows.runs.asked import work_of
from mlops_cli.workflows.runs.finding import look_up

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_cli.records import DataProfile, PairedDifference, RunRecord, Tracked, TrialResult


@dataclass(frozen=True)
class Shown:
    """A run, its trials in order, how far the winner leads, and which of its files are there."""

    record: RunRecord
    trials: tuple[TrialResult, ...]
    lead: tuple[int, PairedDifference] | None = None  # the second best trial, and how much better the best one is
    files: tuple[str, ...] = ()  # paths inside the run
    tracked: tuple[Tracked, ...] = ()  # where else it is to be seen


def show_run(ref: str, *, workspace: str | Path | None = None) -> Shown:
    """Return a run as a person would look at it.

    Raises
    ------
    StoreError
        No run or several are meant.
    """
    record, trials = look_up(ref, workspace=workspace)
    shown = replace(_with_all_warnings(record), params=work_of(record) or record.params)
    return Shown(shown, trials, lead(record, trials), _files(RunPaths(record.path)), read_tracked(record))


def record_of(ref: str, *, workspace: str | Path | None = None) -> RunRecord:
    """Return a run's record, with a warning for each tracker that was not told of it.

    Raises
    ------
    StoreError
        No run or several are meant.
    """
    return _with_all_warnings(look_up(ref, with_trials=False, workspace=workspace)[0])


def _with_all_warnings(record: RunRecord) -> RunRecord:
    return replace(record, warnings=(*record.warnings, *untold(record)))


def _files(paths: RunPaths) -> tuple[str, ...]:
    """Return what a person may look for and what is there."""
    wanted = (
        paths.model_dir,
        paths.artifacts,
        paths.predictions,
        paths.test_predictions,
        paths.curves,
        paths.plots,
        paths.profile,
        paths.trials_csv,
        paths.config,
        paths.source_diff,
        paths.log,
    )
    return tuple(f"{path.name}/" if path.is_dir() else path.name for path in wanted if path.exists())


def profile_of(ref: str, *, workspace: str | Path | None = None) -> DataProfile:
    """Return what the training data of a run looked like.

    Raises
    ------
    StoreError
        No run or several are meant, or the run has no profile.
    """
    record, _ = look_up(ref, with_trials=False, workspace=workspace)
    file = RunPaths(record.path).profile
    if not file.exists():
        refuse_imported(record, "it has no profile of its data")
        again = record.task is None or record.task.has_table
        hint = f"mlops run config={record.experiment} --force" if again else f"task: {record.task} reads no table"
        raise StoreError(f"{record.id} has no profile of its data", hint=hint)
    return read_profile(file)
