"""What is to be made anew: whose recipe, over which champion, by which policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_cli.store.registry.checking import certain_aliases
from mlops_cli.workflows.applying.incoming import config_of
from mlops_cli.workflows.applying.model import registered
from mlops_cli.workflows.renewing.asked import RetrainOptions, policy_of, settled

if TYPE_CHECKING:
    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import ExperimentSpec, ModelVersion, RetrainSpec
    from mlops_cli.store.registry import Registry


@dataclass(frozen=True)
class Case:
    """What is to be done."""

    version: ModelVersion  # whose recipe it is
    champion: ModelVersion | None
    spec: RetrainSpec
    asked: RetrainOptions
    registry: Registry
    workspace: Workspace

    @property
    def experiment(self) -> ExperimentSpec:
        """The version's own config."""
        return config_of(registered(self.version))


def case_of(model: str, asked: RetrainOptions, registry: Registry, workspace: Workspace) -> Case:
    """Return the case of a model: ``titanic``, whose version with the alias is meant, or ``titanic/2``."""
    is_bare = "/" not in model and "@" not in model
    first = registry.find(model)
    spec = settled(policy_of(first, workspace), asked)
    version = registry.find(f"{model}@{spec.alias}") if is_bare else first
    number = certain_aliases(registry, version.name).versions.get(spec.alias)
    champion = None if number is None else registry.version(version.name, number)
    return Case(version, champion, spec, asked, registry, workspace)
