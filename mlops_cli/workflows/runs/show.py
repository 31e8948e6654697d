"""``mlops runs show``: one run with all that is known of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlops_cli.analysis.compare import lead
from mlops_cli.errors import StoreError
from mlops_cli.store.layout import RunPaths
from mlops_cli.store.profiles import read_profile
from mlops_cli.store.tracked import read_tracked, warning_of
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
    tracked = read_tracked(record)
    untold = [warning_of(record, one) for one in tracked if one.problem is not None]
    said = replace(record, warnings=(*record.warnings, *untold))
    return Shown(said, trials, lead(record, trials), _files(RunPaths(record.path)), tracked)


def _files(paths: RunPaths) -> tuple[str, ...]:
    """Return what a person may look for and what is there."""
    wanted = (
        paths.model_dir,
        paths.predictions,
        paths.test_predictions,
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
        raise StoreError(
            f"{record.id} has no profile of its data", hint=f"mlops run config={record.experiment} --force"
        )
    return read_profile(file)
