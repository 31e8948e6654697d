"""Which trials need not run: those that the run itself has, and those that other runs of the experiment have."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlops_cli.store.known import Known, own_results, results_of_others
from mlops_cli.store.layout import WorkspacePaths

if TYPE_CHECKING:
    from mlops_cli.records import RunRecord
    from mlops_cli.workflows.running.prepare import Prepared


def known_results(
    prepared: Prepared, *, forced: bool, run: RunRecord | None = None, retry_failed: bool = False
) -> Known:
    """Return the results that are there already.

    Nothing is taken from other runs where trials are pruned: those of a run without a pruner would go round it, and
    its rivals with them.

    Parameters
    ----------
    prepared : Prepared
        What is to be run.
    forced : bool
        Take nothing from other runs.
    run : RunRecord, optional
        The run that goes on; of others, only what had begun before it counts.
    retry_failed : bool
        Leave out what failed or was lost.
    """
    own = Known() if run is None else own_results(run.path, retry_failed=retry_failed)
    if forced or prepared.spec.sweep.pruner.prunes:
        return own
    workspace, version = WorkspacePaths(prepared.workspace.root), prepared.data.version if prepared.data else ""
    return replace(own, others=results_of_others(workspace, prepared.spec.name, version, before=run))
