"""``mlops runs import``: runs that were made elsewhere become run directories, each once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlops_cli.components.trackers.mlflow_runs import MlflowReader
from mlops_cli.components.trackers.mlflow_told import RUN_ID
from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import UsageError
from mlops_cli.store.find import run_folders
from mlops_cli.store.imported import MLFLOW_ID, NO_CONFIG, Imported, importing, write_imported
from mlops_cli.store.layout import RunPaths, WorkspacePaths
from mlops_cli.workflows.runs.imported import Ranked, record_of

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_cli.components.trackers.mlflow_runs import FoundRun
    from mlops_cli.records import RunRecord

SOURCES = ("mlflow",)
_ID = re.compile(r"[A-Za-z0-9][\w-]{0,255}")
_LONGEST_CONFIG = 1_000_000


@dataclass(frozen=True)
class Wanted:
    """Which runs are to be imported.

    Parameters
    ----------
    uri : str, optional
        Where MLflow keeps them; where not given, as for ``tracker=mlflow``.
    experiment : str, optional
        Only those of one experiment of MLflow's.
    run : str, optional
        Only one, by MLflow's id.
    ranked : Ranked
        By which metric runs are ranked that others wrote; guessed from the names where not said.
    """

    uri: str | None = None
    experiment: str | None = None
    run: str | None = None
    ranked: Ranked = field(default_factory=Ranked)


@dataclass(frozen=True)
class ImportedRuns:
    """What was imported, and what was there already."""

    records: tuple[RunRecord, ...]
    known: tuple[str, ...]  # ids of runs of ours
    place: str  # where they are from


def import_runs(wanted: Wanted, *, workspace: str | Path | None = None) -> ImportedRuns:
    """Write runs of MLflow's into the workspace, those nested in one as its trials.

    A run that was imported before is left as it is, and so is one that this workspace wrote itself. Models and other
    files of theirs stay where they are: nothing of them is opened.

    Raises
    ------
    MissingExtraError
        MLflow is not installed.
    UsageError
        An id is none.
    StoreError
        MLflow cannot be reached, or has no such experiment or run.
    """
    if wanted.run is not None and not _ID.fullmatch(wanted.run):
        raise UsageError(f"--run: {wanted.run!r} is no id of MLflow's", hint="the page of a run has it")
    home = find_workspace(workspace)
    paths = WorkspacePaths(home.root)
    reader = MlflowReader(wanted.uri, home.root)
    records, known = [], []
    with importing(paths, MLFLOW_ID) as before:
        own = {RunPaths(place).id for place in run_folders(paths)}
        for run in reader.roots(wanted.experiment, wanted.run):
            there = before.get(run.id) or (run.tags.get(RUN_ID) if run.tags.get(RUN_ID) in own else None)
            if there is not None:
                known.append(there)
            else:
                records.append(write_imported(paths, _imported(reader, run, wanted.ranked, home.root)))
    return ImportedRuns(tuple(records), tuple(known), reader.place.shown)


def _imported(reader: MlflowReader, run: FoundRun, ranked: Ranked, root: Path) -> Imported:
    record, trials = record_of(reader.whole(run), reader.place.shown, ranked, root)
    config = reader.config(run) if RUN_ID in run.tags else ""
    if not config or len(config) > _LONGEST_CONFIG:
        config = f"name: {record.experiment} # {NO_CONFIG}\n"
    return Imported(record, trials, config, {"from": reader.place.shown, "run": run.id})
