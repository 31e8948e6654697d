"""Whether a model is to be made anew, as its owner's policy has it, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlops_cli.errors import ConfigError, StoreError
from mlops_cli.records import Action
from mlops_cli.store.audit import AuditLog
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.workflows.renewing.tables import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import Batch, MetricTrigger, ModelVersion, RetrainSpec

_DAY = 86400.0


@dataclass(frozen=True)
class Need:
    """Whether something calls for a new model, and what; or why nothing does."""

    is_needed: bool
    reasons: tuple[str, ...]


def need(
    spec: RetrainSpec, version: ModelVersion, data: str | None, workspace: Workspace, *, allow_pickle: bool = False
) -> Need:
    """Return whether the policy calls for a new model.

    Parameters
    ----------
    spec : RetrainSpec
        The policy; any of its triggers is enough.
    version : ModelVersion
        The one that is in use.
    data : str, optional
        New data, which is looked at for drift where no batch was logged.
    workspace : Workspace
        Where batches are.
    allow_pickle : bool
        Open a model that is a pickle, which can run any code, to look at new data.

    Raises
    ------
    ConfigError
        The policy names no trigger.
    """
    if not spec.has_trigger:
        file = f"configs/retrain/{version.name}.yaml"
        raise ConfigError("says nothing, so nothing is ever needed", key="retrain.when", hint=f"when: drift, in {file}")
    batches = _batches(version, workspace)
    found = [
        *([_drifted(version, batches, data, workspace, allow_pickle)] if spec.on_drift else []),
        *([_due(version, spec.every, workspace)] if spec.every is not None else []),
        *(_below(trigger, version, batches) for trigger in spec.metrics),
    ]
    calls = [text for is_so, text in found if is_so]
    return Need(bool(calls), tuple(calls or [text for _, text in found]))


def _batches(version: ModelVersion, workspace: Workspace) -> Sequence[Batch]:
    """Return the batches that a version answered, the latest one last."""
    from mlops_cli.workflows.watching.history import batches

    return [batch for batch in batches(version.name, workspace=workspace.root) if batch.number == version.number]


def _drifted(
    version: ModelVersion, batches: Sequence[Batch], data: str | None, workspace: Workspace, allow_pickle: bool
) -> tuple[bool, str]:
    if batches:
        last = batches[-1]
        later = [f"{m.metric} is {m.after:.4g}, and was {m.before:.4g}" for m in last.metrics if m.drifted]
        return _said([*(f.sentence for f in last.report.findings), *later], f"the latest batch, {last.name},")
    if data is None:
        return False, f"no batch of {version.ref} was logged, and no --data given: nobody knows of drift"
    from mlops_cli.workflows.watching.drift import DriftOptions, drift

    report = drift(version.ref, data, DriftOptions(allow_pickle=allow_pickle), workspace=workspace.root).report
    return _said([finding.sentence for finding in report.findings], shown(data, workspace))


def _said(findings: Sequence[str], what: str) -> tuple[bool, str]:
    if not findings:
        return False, f"{what} has not drifted"
    more = f", and {len(findings) - 1} more" if len(findings) > 1 else ""
    return True, f"{what} has drifted: {findings[0]}{more}"


def _due(version: ModelVersion, every: float, workspace: Workspace) -> tuple[bool, str]:
    """Return whether it is time: since the version was made, or since another one was made that did not replace it."""
    tried = (
        entry.at
        for entry in AuditLog(WorkspacePaths(workspace.root)).newest()
        if entry.action is Action.RETRAINED and entry.subject.partition("/")[0] == version.name
    )
    made = datetime.fromisoformat(version.record.ended or version.created)
    last = datetime.fromisoformat(at) if (at := next(tried, None)) else made
    age = (datetime.now(UTC) - max(made, last)).total_seconds()
    text = f"{version.ref} is {_days(age)} old" if made >= last else f"{version.name} was made anew {_days(age)} ago"
    return age >= every, f"{text}, and is made anew every {_days(every)}"


def _days(seconds: float) -> str:
    """Return a time in days, or in hours where it is less than one.

    Examples
    --------
    >>> _days(86400 * 30), _days(7200)
    ('30 days', '2 hours')
    """
    return f"{seconds / _DAY:.3g} days" if seconds >= _DAY else f"{seconds / 3600:.3g} hours"


def _below(trigger: MetricTrigger, version: ModelVersion, batches: Sequence[Batch]) -> tuple[bool, str]:
    sign = "<" if trigger.below else ">"
    asked = f"{trigger.metric} {sign} {trigger.bound:g}"
    last = next((batch for batch in reversed(batches) if batch.labelled or batch.report.labelled), None)
    if last is None:
        return False, f"no batch of {version.ref} has labels yet, so nobody knows of {asked}"
    values = dict(_values(last))
    if trigger.metric not in values:
        known = ", ".join(sorted(values)) or "none"
        raise StoreError(f"{asked}: the batch {last.name} has no {trigger.metric}", hint=f"it has: {known}")
    value = values[trigger.metric]
    is_so = value < trigger.bound if trigger.below else value > trigger.bound
    return is_so, f"{trigger.metric} of the latest labelled batch, {last.name}, is {value:.4g}: {asked}" + (
        "" if is_so else " is not so"
    )


def _values(batch: Batch) -> Iterator[tuple[str, float]]:
    for drift in (*batch.report.metrics, *batch.metrics):
        yield drift.metric, drift.after
