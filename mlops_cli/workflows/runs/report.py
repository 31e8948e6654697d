"""``mlops report``: everything that runs left is read, and one page of it written where the user says."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_cli.errors import MlopsError, StoreError, UsageError
from mlops_cli.records import Report, RunContents
from mlops_cli.store.contents import read_overrides, read_text, run_files
from mlops_cli.store.files import disk_errors, write_file
from mlops_cli.store.layout import RunPaths
from mlops_cli.store.profiles import read_profile
from mlops_cli.views.report import MARK, page
from mlops_cli.workflows.runs.asked import work_of
from mlops_cli.workflows.runs.finding import look_up
from mlops_cli.workflows.runs.plots import drawn, saved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.records import Comparison, DataProfile, RunRecord, TrialResult

_BEGINNING = 2000  # bytes that hold the mark of a report


def write_report(
    refs: Sequence[str], place: Path | None = None, *, force: bool = False, workspace: str | Path | None = None
) -> Path:
    """Write one page about runs, and return where it is.

    Parameters
    ----------
    refs : sequence of str
        One run, or several to be compared.
    place : Path, optional
        The file; one in the current folder that is named after the runs where not given.
    force : bool
        Overwrite a file that is no report.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    UsageError
        A page cannot or should not be written there.
    StoreError
        A reference means no run or several, a run is damaged, or the disk refuses.
    """
    if place is not None:
        check_place(place, force=force)  # before anything is computed
    found = gather(refs, workspace)
    chosen = place if place is not None else Path(default_name([run.record for run in found.runs]))
    check_place(chosen, force=force)
    write_file(chosen, page(found).encode("utf-8", "backslashreplace"))
    return chosen


def gather(refs: Sequence[str], workspace: str | Path | None = None, *, with_plots: bool = True) -> Report:
    """Return all that there is of the runs that ``refs`` mean; one that is meant twice stands there once.

    Parameters
    ----------
    refs : sequence of str
        The runs.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    with_plots : bool
        With the plots of each run, which are drawn where none are saved.

    Raises
    ------
    StoreError
        A reference means no run or several, or a run is damaged.
    """
    found = {record.id: (record, trials) for record, trials in (look_up(ref, workspace=workspace) for ref in refs)}
    runs = tuple(contents(record, trials, with_plots=with_plots) for record, trials in found.values())
    comparison, refused = _compared([run.record for run in runs], workspace) if len(runs) > 1 else (None, "")
    return Report(runs, datetime.now().astimezone().isoformat(timespec="seconds"), comparison, refused)


def contents(record: RunRecord, trials: Sequence[TrialResult], *, with_plots: bool = True) -> RunContents:
    """Return a run with its texts, its plots where they are wanted, and the names of its files."""
    paths = RunPaths(record.path)
    profile, problem = _profile(paths.profile)
    plots, undrawn = drawn(record, tuple(saved(record))) if with_plots else ({}, {})  # none saved: those that suit it
    return RunContents(
        record=record,
        trials=tuple(trials),
        config=read_text(paths.config),
        overrides=read_overrides(record.path),
        diff=read_text(paths.source_diff),
        log=read_text(paths.log),
        profile=profile,
        profile_problem=problem,
        plots=plots,
        undrawn=undrawn,
        files=run_files(record),
        work=work_of(record),
    )


def _profile(path: Path) -> tuple[DataProfile | None, str]:
    """Return the profile, or why it cannot be read: the rest of the page does not need it."""
    if not path.is_file():  # runs that ended early have none
        return None, ""
    try:
        return read_profile(path), ""
    except StoreError as error:
        return None, str(error)


def _compared(records: Sequence[RunRecord], workspace: str | Path | None) -> tuple[Comparison | None, str]:
    """Return the runs compared, or why they cannot be: a page of runs is of use without that."""
    from mlops_cli.workflows.runs.compare import compare_runs

    try:
        return compare_runs([str(record.path) for record in records], workspace=workspace), ""
    except MlopsError as error:
        return None, str(error)


# --- where it goes -----------------------------------------------------------------------------------------------


def default_name(records: Sequence[RunRecord]) -> str:
    """Return what a page is called where the user does not say: after its run, or after the two that it compares."""
    first, *others = (record.id.replace("/", "-") for record in records)
    if not others:
        return f"{first}.html"
    return f"{first}-vs-{others[0]}.html" if len(others) == 1 else f"{first}-vs-{len(others)}-others.html"


def check_place(path: Path, *, force: bool = False, mark: str = MARK, option: str = "-o") -> None:
    """Refuse a place that a page cannot or should not be written to.

    Parameters
    ----------
    path : Path
        The file.
    force : bool
        Overwrite any file.
    mark : str
        What a page that may be overwritten says of itself.
    option : str
        By which the file is named.

    Raises
    ------
    UsageError
        It is a folder, lies in none, or is a file that is no report.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder", hint=f"{option} {path / 'report.html'}")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}", hint=f"mkdir -p {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"you may not write in {path.parent.resolve()}", hint=f"{option} FILE.html somewhere else")
    if path.exists() and not force and not _is_marked(path, mark):
        hint = f"another {option}, or --force to overwrite it"
        raise UsageError(f"{path} is there, and is no {mark.removeprefix('mlops ')}", hint=hint)


def _is_marked(path: Path, mark: str) -> bool:
    with disk_errors("read", path), path.open("rb") as file:
        return f'content="{mark}"'.encode() in file.read(_BEGINNING)
