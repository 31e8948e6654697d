"""Runs that were made elsewhere, written as run directories: each once; and what cannot be done with them here."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlops_cli.errors import StoreError
from mlops_cli.records import Action
from mlops_cli.store.audit import AuditLog
from mlops_cli.store.auditing import run_ended
from mlops_cli.store.contents import read_text
from mlops_cli.store.files import locked
from mlops_cli.store.find import list_runs
from mlops_cli.store.layout import RunPaths
from mlops_cli.store.runs import RunSources, RunWriter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlops_cli.records import RunRecord, TrialResult
    from mlops_cli.store.layout import WorkspacePaths


MLFLOW_ID = "mlflow.run_id"
"""The tag of an imported run that says which one of MLflow's it is."""

NO_CONFIG = "imported from MLflow, which has no config"
"""What stands in the config of a run that mlops did not write."""

NO_FILES = "its model and other files are not here"


@dataclass(frozen=True)
class Imported:
    """A run as it is to be written; its id and its place are given here."""

    record: RunRecord
    trials: Sequence[TrialResult]
    config: str  # YAML
    origin: Mapping[str, str]  # for the audit log: where it is from, and its id there


@contextmanager
def importing(paths: WorkspacePaths, tag: str) -> Iterator[dict[str, str]]:
    """Keep other imports out while the block lasts, and give what was imported: the value of a tag → the run's id."""
    with locked(paths.locks / "imports"):
        yield {record.tags[tag]: record.id for record in list_runs(paths).runs if tag in record.tags}


def write_imported(paths: WorkspacePaths, found: Imported) -> RunRecord:
    """Write a run that was made elsewhere, with its trials, and say so in the audit log.

    Raises
    ------
    StoreError
        The experiment's name cannot be a folder, or the disk refuses.
    """
    with RunWriter.create(paths, found.record, RunSources(found.config)) as writer:
        begun = writer.record
        AuditLog(paths).append(Action.RUN_IMPORTED, begun.id, found.origin)
        for result in found.trials:
            writer.append(result)
        final = replace(found.record, id=begun.id, path=begun.path, files=begun.files)
        return writer.finish(run_ended(final))


def is_imported(record: RunRecord) -> bool:
    """Whether a run was made elsewhere."""
    return MLFLOW_ID in record.tags


def refuse_without_config(record: RunRecord) -> None:
    """Refuse to do anew what was not done by mlops.

    Raises
    ------
    StoreError
        The run was imported, and no config came with it.
    """
    if is_imported(record) and not _has_config(record):
        raise _made_elsewhere(record, "there is nothing here to run again")


def refuse_imported(record: RunRecord, lacking: str) -> None:
    """Refuse what takes more than the record of a run.

    Parameters
    ----------
    record : RunRecord
        The run.
    lacking : str
        What an imported run does not have, in a sentence.

    Raises
    ------
    StoreError
        The run was imported.
    """
    if is_imported(record):
        raise _made_elsewhere(record, lacking)


def _made_elsewhere(record: RunRecord, lacking: str) -> StoreError:
    again, there = f"mlops rerun {record.id}", f"it is run {record.tags[MLFLOW_ID]} there"
    return StoreError(f"{record.id} was imported from MLflow: {lacking}", hint=again if _has_config(record) else there)


def _has_config(record: RunRecord) -> bool:
    return NO_CONFIG not in read_text(RunPaths(record.path).config)
