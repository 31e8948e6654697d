"""Runs that were made elsewhere, written as run directories: each once."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlops_cli.records import Action
from mlops_cli.store.audit import AuditLog
from mlops_cli.store.auditing import run_ended
from mlops_cli.store.files import locked
from mlops_cli.store.find import list_runs
from mlops_cli.store.runs import RunSources, RunWriter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlops_cli.records import RunRecord, TrialResult
    from mlops_cli.store.layout import WorkspacePaths


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
