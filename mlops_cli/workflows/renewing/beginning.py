"""``model.start=digits@champion``: a network that begins with the weights of a registered version.

The run's config names the version and the sha256 of its model, so that it is an ordinary run that can be run again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_cli.components.assemble import CONTINUED, begins_elsewhere
from mlops_cli.errors import ConfigError, MlopsError, StoreError
from mlops_cli.records import Notice
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.registry import Registry
from mlops_cli.workflows.applying.incoming import config_of
from mlops_cli.workflows.applying.model import registered
from mlops_cli.workflows.data.seen_rows import rows_of_run

if TYPE_CHECKING:
    from mlops_cli.components.networks.starting import Start
    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import ComponentSpec, Dataset, ExperimentSpec, ModelVersion

KEY = "model.start"
_SKOPS = "model.skops"


def sha256_of(version: ModelVersion) -> str:
    """Return the sha256 of a version's model; nothing where that is a pickle."""
    return next((digest for name, digest in version.files.items() if name.endswith(_SKOPS)), "")


def version_of(ref: str, key: str, workspace: Workspace) -> ModelVersion:
    """Return a registered version.

    Raises
    ------
    ConfigError
        There is none.
    """
    try:
        return Registry(WorkspacePaths(workspace.root)).find(ref)
    except StoreError as error:
        raise ConfigError(error.message, key=key, hint=error.hint) from error


def weights_of(pipeline: Any, version: ModelVersion) -> Start:
    """Return the weights of the network in a version's Pipeline.

    Raises
    ------
    ConfigError
        There is none in it.
    """
    from mlops_cli.components.networks.starting import Start, weights_in

    weights = weights_in(pipeline)
    if weights is None:
        model = type(pipeline[-1] if hasattr(pipeline, "steps") else pipeline).__name__
        raise ConfigError(f"{version.ref} is a {model}: it has no weights of a network", key=KEY)
    return Start(version.ref, sha256_of(version), weights)


def pinned_start(spec: ExperimentSpec, workspace: Workspace) -> str | None:
    """Return the override that says which version ``model.start=digits@champion`` is now; None where there is none.

    Raises
    ------
    ConfigError
        There is no such version; or it is swept, while a run begins with one.
    """
    said = spec.trial.model.params.get("start")
    if any(dimension.key == KEY for subspace in spec.sweep.subspaces for dimension in subspace):
        raise ConfigError("all trials of a run begin with the same weights", key=KEY, hint="run once for each version")
    if not isinstance(said, str):
        return None
    version = version_of(said, KEY, workspace)
    return f'{KEY}={{version: "{version.ref}", sha256: "{sha256_of(version)}"}}'


def seen_by_start(model: ComponentSpec, rows: Dataset, workspace: Workspace) -> list[Notice]:
    """Return what is to be said where the weights that a network begins with were learned from rows of this run.

    Parameters
    ----------
    model : ComponentSpec
        Of the run.
    rows : Dataset
        Those that its trials see.
    workspace : Workspace
        Where versions and their data are.
    """
    if model.target == CONTINUED or not begins_elsewhere(model):
        return []
    version = version_of(str(model.params["start"].get("version", "")), KEY, workspace)
    try:
        seen = _seen(version, rows, workspace)
    except MlopsError as error:
        text = (
            f"whether the weights of {version.ref} were learned from rows of this run cannot be told: {error.message}"
        )
        return [Notice("start-not-known", text)]
    if not seen:
        return []
    text = f"the weights of {version.ref} were learned from {seen:,} of the {len(rows.X):,} rows of this run, so its"
    return [Notice("start-has-seen", f"{text} scores are too good: begin with weights that have not seen them")]


def _seen(version: ModelVersion, rows: Dataset, workspace: Workspace) -> int:
    from mlops_cli.analysis.checks import twins

    recorded = version.record.dataset
    if recorded is not None and recorded.version == rows.version.version:
        return len(rows.X)
    learned = rows_of_run(config_of(registered(version)), version.record, workspace).train
    return twins(learned, rows) if list(learned.X.columns) == list(rows.X.columns) else 0
