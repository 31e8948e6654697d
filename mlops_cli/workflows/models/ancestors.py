"""The versions that a registered version was made from: what they have learned, it has seen too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mlops_cli.components.assemble import CONTINUED
from mlops_cli.errors import MlopsError
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.registry import Registry
from mlops_cli.workflows.applying.incoming import config_of
from mlops_cli.workflows.applying.model import registered

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import ModelVersion

RETRAIN_OF = "retrain_of"
"""The tag that names the version whose recipe a run is."""


def goes_on_from(version: ModelVersion) -> str | None:
    """Return the version whose model or weights the model of another one began with; None where it began anew."""
    model = config_of(registered(version)).trial.model
    said = model.params if model.target == CONTINUED else model.params.get("start")
    return str(said["version"]) if isinstance(said, Mapping) and "version" in said else None


def made_from(version: ModelVersion) -> str | None:
    """Return the version that another one was made from: went on from it, or is its recipe made anew."""
    return goes_on_from(version) or version.record.tags.get(RETRAIN_OF)


def ancestors(
    version: ModelVersion, parent: Callable[[ModelVersion], str | None], workspace: Workspace
) -> tuple[list[ModelVersion], str]:
    """Return the versions that a version comes from, the nearest first, and why there may be more; nothing where not.

    Parameters
    ----------
    version : ModelVersion
        Whose.
    parent : callable
        Which version one comes from: `made_from`, or `goes_on_from`, whose rows the model itself has learned from.
    workspace : Workspace
        Where versions are.
    """
    registry, found, known = Registry(WorkspacePaths(workspace.root)), [version], {version.ref}
    while (ref := parent(found[-1])) is not None and ref not in known:
        try:
            found.append(registry.find(ref))
        except MlopsError as error:
            return found[1:], f"{ref}, which {found[-1].ref} was made from, is not there any more: {error.message}"
        known |= {ref, found[-1].ref}
    return found[1:], ""
