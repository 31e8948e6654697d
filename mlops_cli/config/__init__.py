"""From YAML to an `ExperimentSpec`: composing, resolving, checking. Nothing here runs, reads data or imports a model.

`load_experiment` does it all. Importing this package costs nothing; Hydra is imported when the first experiment is
loaded. `workspace` and `catalogue` never import it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops_cli.config.experiment import Composition, load_experiment, to_yaml
    from mlops_cli.config.workspace import Workspace, find_workspace

__all__ = ["Composition", "Workspace", "find_workspace", "load_experiment", "to_yaml"]

_HOMES = {"Workspace": "workspace", "find_workspace": "workspace"}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES.get(name, 'experiment')}"), name)
