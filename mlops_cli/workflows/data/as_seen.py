"""The config of a run that is made again, with its data as it was seen: what lies elsewhere may be another by now.

A named data set has its number in the config already, and a file of this machine is read where it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_cli.config.flat import texts
from mlops_cli.workflows.data.held_out import SNAPSHOT
from mlops_cli.workflows.data.keep import snapshots_of
from mlops_cli.workflows.data.versions import held_out_version

if TYPE_CHECKING:
    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import DatasetVersion, ExperimentSpec, RunRecord
    from mlops_cli.store.snapshots import Snapshot


def as_seen(spec: ExperimentSpec, record: RunRecord, workspace: Workspace) -> ExperimentSpec:
    """Return an experiment that reads the snapshots of what a run of it fetched, where they are kept.

    Parameters
    ----------
    spec : ExperimentSpec
        The run's own config.
    record : RunRecord
        The run.
    workspace : Workspace
        Where snapshots are.
    """
    spec = _data(spec, _kept(record.dataset, [spec.data.source.params], workspace))
    test = spec.evaluation.test
    if not isinstance(test, str) or held_out_version(test, spec.data.source, workspace) is not None:
        return spec
    return _held_out(spec, _kept(record.test_dataset, [test], workspace))


def _kept(version: DatasetVersion | None, config: Any, workspace: Workspace) -> Snapshot | None:
    """Return the snapshot of a version, if it was taken of what the config asks for."""
    snapshots = snapshots_of(workspace)
    if version is None or version.version not in snapshots.versions():
        return None
    found = snapshots.find(version.version)
    asked = any(found.files_of(text) for text in texts(config))
    return found if asked or found.table is not None else None


def _data(spec: ExperimentSpec, kept: Snapshot | None) -> ExperimentSpec:
    source = spec.data.source
    if kept is None or source.params.get("snapshot") is not None:
        return spec
    pinned = replace(source, params={**source.params, "snapshot": kept.version})
    config = {**spec.config, "data": {**spec.config["data"], "snapshot": kept.version}}
    return replace(spec, data=replace(spec.data, source=pinned), config=config)


def _held_out(spec: ExperimentSpec, kept: Snapshot | None) -> ExperimentSpec:
    if kept is None:
        return spec
    test = f"{SNAPSHOT}{kept.version}"
    config = {**spec.config, "evaluation": {**spec.config["evaluation"], "test": test}}
    return replace(spec, evaluation=replace(spec.evaluation, test=test), config=config)
