"""What one repetition of a task without a table does: a user's function, a command, or an agent in an environment."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from mlops_cli.components.targets import Role, resolve
from mlops_cli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from mlops_cli.contracts import Trying
    from mlops_cli.records import ComponentSpec

    Work = Callable[[Mapping[str, Any], Trying], Mapping[str, Any] | None]


def work_of(spec: ComponentSpec, trust: Collection[str]) -> Work:
    """Return what a trial does: it takes the trial's config and what it is told of itself, and returns measures.

    Raises
    ------
    ConfigError, TrustError, MissingExtraError
        There is no such function, or it may not be named.
    """
    config = spec.params["config"]
    if spec.target == "script":
        return _function(str(config["script"]), trust)
    if spec.target == "command":
        from mlops_cli.components.commands import run_command

        return run_command
    from mlops_cli.components.reinforcement import training

    return training(config, trust)


def _function(name: str, trust: Collection[str]) -> Work:
    found: Work = resolve(name, Role.SCRIPT, trust, key="script")
    try:
        inspect.signature(found).bind({}, None)
    except TypeError:
        hint = f"def {name.rpartition('.')[2]}(config, run): …, which returns measures by their names"
        raise ConfigError(f"{name} cannot be called with the config and the run", key="script", hint=hint) from None
    return found
