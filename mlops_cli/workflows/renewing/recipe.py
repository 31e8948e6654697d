"""The config of a model that is made anew: that of the version, on other rows, with parameters like its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_cli.config import load_experiment
from mlops_cli.config.space import write_space
from mlops_cli.config.yaml_guard import read_text
from mlops_cli.errors import StoreError, UsageError
from mlops_cli.planning.around import around, point
from mlops_cli.store.layout import VersionPaths, WorkspacePaths
from mlops_cli.store.registry import Registry
from mlops_cli.workflows.data.held_out import SNAPSHOT
from mlops_cli.workflows.models.ancestors import RETRAIN_OF
from mlops_cli.workflows.renewing.going_on import continued, is_continued

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.planning.around import Subspace
    from mlops_cli.records import ModelVersion, RetrainSpec

_ONCE: Mapping[str, Any] = {
    "sampler": "grid",
    "trials": None,
    "pruner": "none",
    "constraint": None,
    "objectives": [],
    "warm_start": None,
    "patience": None,
    "timeout": None,
}
"""A sweep of one point."""


@dataclass(frozen=True)
class Rows:
    """Where the rows of the new run are kept."""

    train: str  # the dataset version of the snapshot
    held_out: str | None  # None: as the recipe has it
    count: int  # that are learned from
    passed: str | None = None  # new ones that are in neither


def recipe(version: ModelVersion, rows: Rows, spec: RetrainSpec, workspace: Workspace) -> dict[str, Any]:
    """Return the config of a run that makes a version anew.

    Parameters
    ----------
    version : ModelVersion
        Whose recipe it is.
    rows : Rows
        What is learned from, and what is held out.
    spec : RetrainSpec
        Whether parameters are searched again, and whether the model begins anew.
    workspace : Workspace
        Where versions are.

    Raises
    ------
    UsageError
        There is nothing to search, or the model cannot go on learning.
    """
    own = _config(version)
    config = {**own, "data": {**own["data"], "snapshot": rows.train, "sample": None}}
    config["evaluation"] = {**(own.get("evaluation") or {}), "test": f"{SNAPSHOT}{rows.held_out}"}
    if spec.warm_start:
        once = {**(own.get("sweep") or {}), **_ONCE, "space": None, "options": {}}
        return continued({**config, "sweep": once}, version, rows.count, workspace)
    first = _from_scratch(version, workspace)
    recipe_of = _config(first)
    config |= {key: recipe_of.get(key) for key in ("model", "transforms")}
    return {**config, "sweep": _sweep(first, spec.sweep, workspace)}


def _config(version: ModelVersion) -> dict[str, Any]:
    import yaml

    path = VersionPaths(version.path).config
    found: dict[str, Any] = yaml.safe_load(read_text(path, str(path)))
    return found


def _from_scratch(version: ModelVersion, workspace: Workspace) -> ModelVersion:
    """Return the version that a model which went on learning began from: its recipe is the recipe."""
    seen = [version]
    while is_continued(config := _config(seen[-1])):
        ref = str(config["model"].get("version"))
        seen.append(_earlier(ref, f"{version.ref} went on from {ref}, whose recipe it is", workspace))
    return seen[-1]


def _earlier(ref: str, why: str, workspace: Workspace) -> ModelVersion:
    try:
        return Registry(WorkspacePaths(workspace.root)).find(ref)
    except StoreError as error:
        raise UsageError(f"{why}: {error.message}", hint="mlops run, and register what comes of it") from error


# --- parameters --------------------------------------------------------------------------------------------------


def _sweep(version: ModelVersion, how: str, workspace: Workspace) -> dict[str, Any]:
    """Return the section ``sweep``: one point, the space around it, or the whole space."""
    params = dict(version.record.best.params) if version.record.best is not None else {}
    if how == "none":
        said = _config(version).get("sweep") or {}
        space = point(params, _subspaces(version, workspace)) if params else ()
        return {**said, **_ONCE, "space": write_space((space,)) if space else None}
    searched = _searched(version, workspace)
    said, whole = _config(searched).get("sweep") or {}, _subspaces(searched, workspace)
    if how == "again":
        return said
    narrow = around(whole, params)
    if not narrow:
        raise UsageError(f"the parameters of {version.ref} do not lie in its sweep.space", hint="--sweep again")
    return {**said, "space": write_space((narrow,))}


def _searched(version: ModelVersion, workspace: Workspace) -> ModelVersion:
    """Return the last version whose run searched: one that was made anew has the parameters of the one before."""
    found = version
    while not any(len(d.choices) != 1 for subspace in _subspaces(found, workspace) for d in subspace):
        before = found.record.tags.get(RETRAIN_OF)
        if before is None:
            raise UsageError(f"{found.ref} swept nothing, so there is no space to search", hint="sweep.space, then run")
        found = _earlier(before, f"what {version.ref} was searched in is said by {before}", workspace)
    return found


def _subspaces(version: ModelVersion, workspace: Workspace) -> tuple[Subspace, ...]:
    return load_experiment(str(VersionPaths(version.path).config), (), workspace).spec.sweep.subspaces
