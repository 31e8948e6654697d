"""``--warm-start``: a run whose model goes on learning from where a registered version stands.

Its config names the version and the sha256 of its model, so that it is an ordinary run that can be run again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_cli.components.assemble import CONTINUED, begins_elsewhere
from mlops_cli.errors import ConfigError, StoreError, UsageError
from mlops_cli.execution.job import make_importable
from mlops_cli.workflows.applying.model import registered
from mlops_cli.workflows.models.ancestors import ancestors, goes_on_from
from mlops_cli.workflows.renewing.beginning import sha256_of, version_of, weights_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import ComponentSpec, ModelVersion

_AROUND = ("target_transform", "calibration", "threshold")
"""What stands around a model, in which it cannot be reached."""


def start_of(model: ComponentSpec, workspace: Workspace) -> Any:
    """Return what a run's model begins with: the fitted Pipeline that it goes on from, frozen, or a network's weights.

    None where it begins anew.

    Raises
    ------
    ConfigError
        There is no such version, or its model is another one than the config says, or no network.
    """
    if not begins_elsewhere(model):
        return None
    goes_on = model.target == CONTINUED
    said, key = (model.params, "model") if goes_on else (model.params["start"], "model.start")
    version = version_of(str(said.get("version", "")), f"{key}.version", workspace)
    if said.get("sha256") and said["sha256"] != sha256_of(version):
        message = f"the model of {version.ref} is another one: its sha256 differs"
        raise ConfigError(message, key=f"{key}.sha256")
    try:
        pipeline = registered(version).open().pipeline
    except StoreError as error:
        raise ConfigError(error.message, key=f"{key}.version", hint=error.hint) from error
    make_importable(str(workspace.root), workspace.trust)  # of own modules the version may have brought its copies
    return _frozen(pipeline) if goes_on else weights_of(pipeline, version)


def _frozen(pipeline: Any) -> Any:
    from sklearn.frozen import FrozenEstimator

    return FrozenEstimator(pipeline)


def _is_said(value: Any) -> bool:
    """Whether something stands around a model: a mapping without a target is nothing."""
    return value.get("_target_") is not None if isinstance(value, dict) else value is not None


def is_continued(config: Mapping[str, Any]) -> bool:
    """Whether a config is of a model that went on learning."""
    return (config.get("model") or {}).get("_target_") == CONTINUED


def _learned(version: ModelVersion, workspace: Workspace) -> int:
    """Return from how many rows a model has learned by now, those included that it learned from before it went on."""
    line = [version, *ancestors(version, goes_on_from, workspace)[0]]
    return sum(one.record.dataset.rows for one in line if one.record.dataset is not None)


def continued(config: Mapping[str, Any], version: ModelVersion, new: int, workspace: Workspace) -> dict[str, Any]:
    """Return a config whose model goes on from a version.

    Parameters
    ----------
    config : mapping
        Of the recipe.
    version : ModelVersion
        What it goes on from.
    new : int
        Rows that it learns from now: trees are added in proportion.
    workspace : Workspace
        Where the versions are that it went on from before.

    Raises
    ------
    UsageError
        The model cannot go on learning.
    """
    from mlops_cli.components.continued import size_of, way_of

    begin = "begin anew: without --warm-start"
    around = next((name for name in _AROUND if _is_said(config.get(name))), None)
    if around is not None:
        raise UsageError(f"a model in a {around} cannot go on learning", hint=begin)
    if not sha256_of(version):
        raise UsageError(f"the model of {version.ref} is a pickle, and no run opens one to go on from it", hint=begin)
    pipeline = registered(version).open().pipeline
    model = pipeline[-1] if hasattr(pipeline, "steps") else pipeline
    if way_of(model) is None:
        why = f"{type(model).__name__} cannot go on learning: it has neither partial_fit nor a warm_start of use"
        raise UsageError(f"{version.ref}: {why}", hint=begin)
    size, before = size_of(model), _learned(version, workspace)
    more = None if size is None else max(1, round(size * new / (before or new)))
    made = {"_target_": CONTINUED, "version": version.ref, "sha256": sha256_of(version)}
    return {**config, "transforms": {}, "model": {**made, **({} if more is None else {"more": more})}}
