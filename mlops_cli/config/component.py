"""Reads a `ComponentSpec`: a mapping with ``_target_``, and those among its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_cli.config import readers as read
from mlops_cli.errors import ConfigError, did_you_mean
from mlops_cli.records import ComponentSpec, Task

_SPECIAL_KEYS = ("_target_", "_partial_")
_REFUSED_KEYS = {
    "_args_": "give parameters by name",
    "_convert_": "parameters are always plain lists and mappings",
    "_recursive_": "components inside components are always built",
}


def read_component(value: object, key: str) -> ComponentSpec:
    """Return the component that a mapping with ``_target_`` describes, with those among its parameters."""
    node = read.mapping(value, key)
    for name in node:
        _check_special(name, f"{key}.{name}")
    target = _target(node.get("_target_"), f"{key}._target_")
    params = {name: read_param(v, f"{key}.{name}") for name, v in node.items() if name not in _SPECIAL_KEYS}
    return ComponentSpec(target, params, partial=read.flag(node.get("_partial_", False), f"{key}._partial_"))


def _check_special(name: str, key: str) -> None:
    if name in _REFUSED_KEYS:
        raise ConfigError(f"{name} is not supported", key=key, hint=_REFUSED_KEYS[name])
    if name.startswith("_") and name.endswith("_") and name not in _SPECIAL_KEYS:
        raise ConfigError("unknown key", key=key, hint=did_you_mean(name, _SPECIAL_KEYS))


def _target(value: object, key: str) -> str | Mapping[str, str]:
    if isinstance(value, Mapping):
        targets = {read.choice(k, key, [t for t in Task if t.has_table]): v for k, v in value.items() if v is not None}
        if not targets:
            raise read.wrong({}, key, "a dotted name, or one for each task")
        return {task: read.text(v, f"{key}.{task}") for task, v in targets.items()}
    if not isinstance(value, str) or not value:
        raise read.wrong(value, key, "a dotted name such as sklearn.linear_model.Ridge")
    return value


def read_param(value: object, key: str) -> Any:
    """Return the value of a parameter, in which mappings with ``_target_`` are components."""
    if isinstance(value, Mapping):
        if any(name in value for name in (*_SPECIAL_KEYS, *_REFUSED_KEYS)):
            return read_component(value, key)
        return {name: read_param(v, f"{key}.{name}") for name, v in value.items()}
    if isinstance(value, list):
        return [read_param(v, f"{key}[{i}]") for i, v in enumerate(value)]
    return value
