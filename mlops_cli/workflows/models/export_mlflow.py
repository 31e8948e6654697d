"""``mlops models export --to mlflow``: a registered version as a version of MLflow's registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_cli.components.trackers.mlflow import MlflowTracker
from mlops_cli.components.trackers.mlflow_model import Registration, is_alias
from mlops_cli.components.trackers.mlflow_place import place_of
from mlops_cli.config.workspace import find_workspace
from mlops_cli.contracts import Ended
from mlops_cli.errors import StoreError, UsageError
from mlops_cli.records import Notice
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.registry import Registry
from mlops_cli.workflows.applying.model import find_model
from mlops_cli.workflows.applying.own_code import has_own_code

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlops_cli.records import ModelVersion


@dataclass(frozen=True)
class Sent:
    """A version as MLflow has it now."""

    model: str  # titanic/3
    name: str  # in MLflow
    version: str
    aliases: tuple[str, ...]
    place: str
    notices: tuple[Notice, ...] = ()

    @property
    def uri(self) -> str:
        """By what MLflow opens it."""
        return f"models:/{self.name}/{self.version}"


def to_mlflow(
    ref: str, uri: str | None = None, *, allow_pickle: bool = False, workspace: str | Path | None = None
) -> Sent:
    """Register a version in MLflow under its own name, with its aliases, its tags and what it came from.

    The run that made it is told there too, where it was not; a version that was exported before stays the one that it
    is, and is given the aliases that it has now.

    Parameters
    ----------
    ref : str
        ``titanic/3``, ``titanic@champion``, ``titanic``.
    uri : str, optional
        As ``tracker=mlflow`` takes it.
    allow_pickle : bool
        Open a model that is a pickle, which can run any code.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    UsageError
        A run is meant and no version.
    StoreError
        There is no such version, its files are not those that were recorded, or MLflow cannot be reached.
    """
    home = find_workspace(workspace)
    saved = find_model(ref, workspace=workspace)
    version = saved.version
    if version is None:
        hint = f"mlops models register {saved.record.id}, or mlops runs export {saved.record.id} --to mlflow"
        raise UsageError(f"'{ref}' is a run, and MLflow's registry takes registered versions", hint=hint)
    model = saved.open(allow_pickle=allow_pickle)
    registry = Registry(WorkspacePaths(home.root))
    called = registry.aliases(version.name).of(version.number)
    asked = Registration(
        version.name,
        tuple(filter(is_alias, called)),
        {**registry.status(version).tags, "mlops.version": version.ref, "mlops.by": version.by},
        registry.status(version).description,
    )
    tracker = MlflowTracker(uri, root=str(home.root))
    try:
        number = tracker.register(Ended(version.record, {}, model.signature, lambda: model.pipeline), asked)
    finally:
        tracker.close()
    if number is None:
        raise StoreError(f"{version.ref} has no model in a form that MLflow keeps")
    place = place_of(uri, home.root).shown
    return Sent(version.ref, version.name, number, asked.aliases, place, tuple(_notices(version, called)))


def _notices(version: ModelVersion, called: tuple[str, ...]) -> Iterator[Notice]:
    if odd := [alias for alias in called if not is_alias(alias)]:
        yield Notice("aliases-left-out", f"MLflow takes no alias like {', '.join(odd)}")
    if has_own_code(version):
        yield Notice("needs-code", f"MLflow opens it only where the code in {version.ref} can be imported")
