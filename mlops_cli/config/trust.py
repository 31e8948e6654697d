"""Checks every ``_target_`` in a config as text, before anything is imported.

What is trusted comes from the workspace's ``pyproject.toml``, never from a config. What a name turns out to be is
checked again when it is imported, by `mlops_cli.components.targets`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mlops_cli.components.targets import KEYWORDS, Role, check_name
from mlops_cli.errors import TrustError

if TYPE_CHECKING:
    from mlops_cli.records import Dimension

_ROLES = {"sweep.sampler": Role.SAMPLER, "launcher.cluster": Role.CLUSTER, "env.wrappers": Role.WRAPPER}


def check_config(config: Mapping[str, Any], trust: Collection[str]) -> None:
    """Refuse a whole config in which any ``_target_`` names something that may not be imported.

    Raises
    ------
    TrustError
        With the key of the first one.
    """
    sections = {name: section for name, section in config.items() if name != "sweep"}
    check_targets(sections, trust)
    _check_metrics((config.get("evaluation") or {}).get("metrics"), trust)
    sweep = config.get("sweep")
    if not isinstance(sweep, Mapping):
        return
    check_targets(sweep.get("sampler"), trust, "sweep.sampler")
    options = sweep.get("options")
    for group, choices in options.items() if isinstance(options, Mapping) else ():
        for node in choices.values() if isinstance(choices, Mapping) else ():
            check_targets(node, trust, str(group))


def _check_metrics(value: Any, trust: Collection[str]) -> None:
    """Refuse a dotted name in the list of metrics, which is a ``_target_`` in short."""
    for position, name in enumerate(value if isinstance(value, list) else [value]):
        if isinstance(name, str) and "." in name:
            check_name(name, trust, key=f"evaluation.metrics[{position}]")


def check_targets(value: Any, trust: Collection[str], key: str = "") -> None:
    """Refuse a part of a config in which any ``_target_`` names something that may not be imported.

    Parameters
    ----------
    value : Any
        The part, as plain containers.
    trust : collection of str
        The modules that the workspace's owner trusts.
    key : str
        Where ``value`` is.

    Raises
    ------
    TrustError
        With the key of the first one.
    """
    for place, name in _targets(value, key):
        check_name(name, trust, key=place, role=_role_at(place))
        if name in KEYWORDS and not _is_step(place):
            raise TrustError(f"{name!r} is for the steps of transforms only", key=place)


def check_dimension(dimension: Dimension, trust: Collection[str]) -> None:
    """Refuse a sweep over names, or over mappings with names, that may not be imported.

    Raises
    ------
    TrustError
        With the swept key.
    """
    for choice in dimension.choices:
        nested: Any = choice
        for part in reversed(dimension.key.split(".")):
            nested = {part: nested}
        check_targets(nested, trust)


def _role_at(key: str) -> Role | None:
    """Return the role that a place gives, where a package is trusted in that role alone."""
    return next((role for place, role in _ROLES.items() if key.startswith((f"{place}.", f"{place}["))), None)


def _is_step(key: str) -> bool:
    parts = key.split(".")
    return parts[0] == "transforms" and len(parts) == 3


def _targets(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    """Yield each name with its key; names by task too. A null stands for nothing."""
    if isinstance(value, Mapping):
        for name, child in value.items():
            place = f"{key}.{name}" if key else str(name)
            if name == "_target_" and not isinstance(child, Mapping):
                yield from [(place, child)] if child is not None else []
            elif name == "_target_":
                yield from ((f"{place}.{task}", target) for task, target in child.items() if target is not None)
            else:
                yield from _targets(child, place)
    elif isinstance(value, list):
        for position, child in enumerate(value):
            yield from _targets(child, f"{key}[{position}]")
