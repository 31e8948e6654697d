"""The very rows that a recorded run saw, read again: only where they are still the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_cli.errors import DataError
from mlops_cli.workflows.data.as_seen import as_seen
from mlops_cli.workflows.data.load import load

if TYPE_CHECKING:
    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import ExperimentSpec, RunRecord
    from mlops_cli.workflows.data.load import Loaded


def rows_of_run(spec: ExperimentSpec, record: RunRecord, workspace: Workspace) -> Loaded:
    """Return what a run learned from, and what it held out.

    Parameters
    ----------
    spec : ExperimentSpec
        The run's own config.
    record : RunRecord
        The run.
    workspace : Workspace
        Where its data is.

    Raises
    ------
    DataError
        The rows are no longer there, or others by now.
    """
    found = load(as_seen(spec, record, workspace), workspace)
    for before, now in ((record.dataset, found.train.version), (record.test_dataset, found.test_version)):
        if before is not None and (now is None or now.version != before.version):
            raise DataError(f"{before.source} is no longer what {record.id} saw", hint="mlops data add keeps versions")
    return found
