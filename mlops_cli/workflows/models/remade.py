"""What retraining knows of a version that it made: how it compared it, and what it found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlops_cli.config.declared import of_run
from mlops_cli.config.schema import read_evaluation
from mlops_cli.records import Action
from mlops_cli.store.audit import AuditLog
from mlops_cli.store.layout import VersionPaths, WorkspacePaths
from mlops_cli.workflows.data.held_out import SNAPSHOT
from mlops_cli.workflows.models.ancestors import RETRAIN_OF
from mlops_cli.workflows.renewing.asked import policy_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import AuditEntry, ModelVersion

GATES = "gates"
"""What the audit log keeps of gates: in the entry of a promotion, or of the retraining where none was tried."""


@dataclass(frozen=True)
class Compared:
    """On which rows a version is compared with the champion, where its owner's gates don't say.

    Parameters
    ----------
    held_out : str, optional
        Labelled rows; None where nobody says.
    unseen : bool
        Whether the version must not have learned from any of these rows.
    forget : bool
        Whether it may do worse than the champion on the rows of before.
    said : tuple of str
        What there is to know of it.
    """

    held_out: str | None = None
    unseen: bool = False
    forget: bool = False
    said: tuple[str, ...] = ()


def compared_as_remade(version: ModelVersion, workspace: Workspace) -> Compared:
    """Return how retraining would compare a version: on the rows that its run held out, if retraining made it.

    Raises
    ------
    ConfigError
        The policy of its model is declared wrongly.
    """
    if RETRAIN_OF not in version.record.tags:
        return Compared()
    test = of_run(VersionPaths(version.path).config, "evaluation", read_evaluation).test
    if not isinstance(test, str) or not test.startswith(SNAPSHOT):
        return Compared()
    entries = [entry for entry in AuditLog(WorkspacePaths(workspace.root)).newest() if entry.subject == version.ref]
    made = next((entry for entry in entries if entry.action is Action.RETRAINED), None)
    has_new = made is None or bool(_mapping(made.details.get("rows")).get("new"))
    how = Compared(test, has_new, policy_of(version, workspace).forget, _found(version, entries))
    said = f"{version.ref} was made by mlops retrain, and is compared on the rows that it held out then"
    return replace(how, said=(said, *how.said))


def _found(version: ModelVersion, entries: list[AuditEntry]) -> tuple[str, ...]:
    """Return what failed when a version was compared last."""
    last = next((entry for entry in entries if GATES in entry.details), None)
    gates = [] if last is None else [_mapping(gate) for gate in last.details[GATES]]
    failed = [f"{gate.get('gate')}, {gate.get('found')}" for gate in gates if not gate.get("passed")]
    if last is None or not failed:
        return ()
    return (f"{version.ref} failed on {last.at[:10]}: {'; '.join(failed)}",)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
