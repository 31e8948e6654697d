"""``mlops runs tag``, ``note``, ``rm``, ``export`` and ``reindex``: label runs, remove them, take them elsewhere."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import StoreError, UsageError, did_you_mean
from mlops_cli.store.export import check_format, run_columns, run_rows, trial_rows, write_rows
from mlops_cli.store.find import DamagedRun, find_any, find_run, read_trials, run_folders
from mlops_cli.store.index import reindex as build_again
from mlops_cli.store.index.fields import columns_of
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.removal import remove_runs
from mlops_cli.store.runs import amend
from mlops_cli.store.serialize import as_written
from mlops_cli.workflows.runs.finding import Query, Recorded, search

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mlops_cli.records import RunRecord

_TRIAL = ("run", "experiment", "trial", "state")
_OF_RUN = re.compile(r"[:/]")  # what no experiment's name has
_TRIAL_END = ("fit_s", "score_s", "reused", "error")


def _paths(workspace: str | Path | None) -> WorkspacePaths:
    return WorkspacePaths(find_workspace(workspace).root)


def label(
    ref: str,
    *,
    tags: Mapping[str, str] | None = None,
    without: Sequence[str] = (),
    note: str | None = None,
    workspace: str | Path | None = None,
) -> RunRecord:
    """Add tags to a run, take some away, replace its note; return it as it is then.

    Raises
    ------
    UsageError
        A tag that is to be taken away is not there.
    StoreError
        There is no such run, or it is being written.
    """
    record = find_run(_paths(workspace), ref)
    for key in without:
        if key not in record.tags:
            hint = did_you_mean(key, record.tags) if record.tags else None
            other = "" if record.tags else ", and no other either"
            raise UsageError(f"{record.id} has no tag '{key}'{other}; nothing is changed", hint=hint)
    return amend(record, tags=tags or {}, note=note, without=without)


def chosen(
    refs: Sequence[str], where: str = "", workspace: str | Path | None = None
) -> tuple[RunRecord | DamagedRun, ...]:
    """Return the runs that are named, damaged ones too, and those that match a filter, each once."""
    paths = _paths(workspace)
    named = [find_any(paths, ref) for ref in refs]
    matching = search(Query(where=where), workspace).records if where.strip() else ()
    return tuple({record.path: record for record in (*named, *matching)}.values())


def remove(runs: Sequence[RunRecord | DamagedRun]) -> None:
    """Remove runs for good; none of them where one must stay.

    Raises
    ------
    StoreError
        One is running, or a registered model came from it.
    """
    remove_runs(runs)


def export(
    query: Query, file: Path, *, with_trials: bool = False, force: bool = False, workspace: str | Path | None = None
) -> Recorded:
    """Write the runs that a query asks for, or all their trials, as a table or as JSON.

    Parameters
    ----------
    query : Query
        Which runs, in which order; a run may stand in the place of the experiment.
    file : Path
        Where to; ``.csv``, ``.parquet`` or ``.json``, which has the runs as their ``run.json`` has them.
    with_trials : bool
        One row per trial instead.
    force : bool
        Overwrite a file.

    Raises
    ------
    UsageError
        There is no such format, or a file is there already.
    StoreError
        There is neither such an experiment nor such a run.
    """
    ending = check_format(file)
    if file.exists() and not force:
        raise UsageError(f"{file} is there already", hint="another -o, or --force to overwrite it")
    found = search(_of_run(query, workspace), workspace)
    if with_trials:
        rows = [row for run in found.records for row in trial_rows(run, read_trials(run.path))]
        middle = [key for key in columns_of(rows) if key not in {*_TRIAL, *_TRIAL_END}]
        write_rows(file, rows, [*_TRIAL, *middle, *_TRIAL_END])
    elif ending == ".json":
        write_rows(file, [as_written(run) for run in found.records], ())
    else:
        rows = run_rows(found.records)
        write_rows(file, rows, run_columns(rows))
    return found


def _of_run(query: Query, workspace: str | Path | None) -> Query:
    """Return a query for the one run that is named in the place of an experiment; as it is where none is."""
    named, paths = query.experiment, _paths(workspace)
    if named is None or named in {place.parent.name for place in run_folders(paths)}:
        return query
    try:
        only = f'id = "{find_run(paths, named).id}"'
    except StoreError:
        if _OF_RUN.search(named):
            raise
        return query  # then it is an experiment's name, of which the search says that there is none
    return replace(query, experiment=None, where=f"{only} and ({query.where})" if query.where.strip() else only)


def reindex(workspace: str | Path | None = None) -> Recorded:
    """Forget the index and read every run again; return how many there are and what is wrong with the others."""
    found = build_again(_paths(workspace))
    return Recorded((), found.total, damaged=found.damaged)
