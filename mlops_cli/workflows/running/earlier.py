"""The run before a run: what a new one is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_cli.errors import StoreError
from mlops_cli.records import RunStatus
from mlops_cli.store.find import read_run, run_folders
from mlops_cli.store.layout import RunPaths

if TYPE_CHECKING:
    from mlops_cli.records import RunRecord

LOOKED_AT = 10
"""Runs that are read at most: many may have failed."""


def earlier_run(record: RunRecord) -> RunRecord | None:
    """Return the last run of the experiment before this one that can be compared with it and asked for something else.

    One that completed, on data of the same target or by the same seeds, ranked by the same metric.
    """
    folders = run_folders(RunPaths(record.path).workspace, record.experiment)
    before = sorted((path for path in folders if path.name < record.path.name), key=lambda path: path.name)
    for path in before[: -LOOKED_AT - 1 : -1]:
        try:
            found = read_run(path)
        except StoreError:
            continue
        if found.fingerprint != record.fingerprint and _is_alike(found, record):
            return found
    return None


def _is_alike(found: RunRecord, record: RunRecord) -> bool:
    if found.status is not RunStatus.COMPLETED or (found.task, found.primary) != (record.task, record.primary):
        return False
    if found.dataset is not None and record.dataset is not None:
        return found.dataset.target == record.dataset.target
    # Nothing was read as a table: then repetitions can be compared one by one, where they are of the same work.
    both = None not in (found.splits, record.splits)
    return both and not (found.dataset or record.dataset) and found.splits == record.splits
