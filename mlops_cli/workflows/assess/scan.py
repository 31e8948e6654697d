"""What the workspace shows of processes: a check for each thing that can be read from it.

A check looks, says a level by the rules that docs/assess.md has, what it found, with names and numbers, and the command
that would raise the level. It says no more than it reads: that nothing is there means absent, however often somebody
does it elsewhere, and automated takes something that calls a command without a person.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import MlopsError
from mlops_cli.records import Evidence, Level
from mlops_cli.workflows.assess import of_data, of_models, of_operation, of_runs, of_watching
from mlops_cli.workflows.assess.look import Look

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import Assessment

CHECKS: dict[str, Callable[[Look], Evidence]] = {
    "data-fetched": of_data.data_fetched,
    "data-versioned": of_data.data_versioned,
    "data-expected": of_data.data_expected,
    "labels-checked": of_data.labels_checked,
    "preparation-declared": of_data.preparation_declared,
    "runs-recorded": of_runs.runs_recorded,
    "runs-reproduced": of_runs.runs_reproduced,
    "parameters-swept": of_runs.parameters_swept,
    "candidates-compared": of_runs.candidates_compared,
    "evaluated-held-out": of_runs.evaluated_held_out,
    "fairness-checked": of_models.fairness_checked,
    "model-registered": of_models.model_registered,
    "handover-answered": of_models.handover_answered,
    "model-approved": of_models.model_approved,
    "promotion-gated": of_models.promotion_gated,
    "deployed": of_watching.deployed,
    "rollback-possible": of_watching.rollback_possible,
    "drift-watched": of_watching.drift_watched,
    "drift-alerted": of_watching.drift_alerted,
    "labels-joined": of_watching.labels_joined,
    "model-retrained": of_watching.model_retrained,
    "ci": of_operation.continuous_integration,
    "environment-locked": of_operation.environment_locked,
    "audit-kept": of_operation.audit_kept,
}
"""What ``scan`` of a process may be."""


def scanned(assessment: Assessment, workspace: Workspace | None = None) -> Assessment:
    """Return processes with what the workspace shows of those that name a check.

    Parameters
    ----------
    assessment : Assessment
        As its file has it.
    workspace : Workspace, optional
        Which is looked at; the current folder's where not given.
    """
    look = Look(workspace or find_workspace(), assessment.models, assessment.experiments)
    found = {name: _checked(look, name) for name in dict.fromkeys(one.scan for one in assessment.processes if one.scan)}
    made = tuple(replace(one, evidence=found[one.scan]) if one.scan else one for one in assessment.processes)
    return replace(assessment, processes=made)


def _checked(look: Look, name: str) -> Evidence:
    """Return what a check finds; of a store that cannot be read at all, that it is so."""
    try:
        return CHECKS[name](look)
    except (MlopsError, OSError) as error:
        return Evidence(name, Level.ABSENT, " ".join(str(error).split()), "mlops doctor")
