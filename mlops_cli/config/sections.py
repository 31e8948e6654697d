"""Parts of a composed config: one section, resolved, and the whole without its search space."""

from __future__ import annotations

import copy
from typing import Any

from omegaconf import DictConfig, OmegaConf

from mlops_cli.config.environment import plain


def section_of(config: DictConfig, key: str) -> Any:
    """Return one section, resolved; None where there is none."""
    if key not in config.keys():  # noqa: SIM118 - `in` of a DictConfig is false for a missing value
        return None
    node = config._get_node(key)
    if isinstance(node, DictConfig) and not node._is_interpolation():
        return plain(node)
    return plain(config[key])


def without_space(config: DictConfig) -> DictConfig:
    """Return a copy without the search space, whose values are references to be resolved at each point."""
    config = copy.deepcopy(config)
    OmegaConf.set_struct(config, value=False)
    sweep = config._get_node("sweep")
    if isinstance(sweep, DictConfig):
        sweep.pop("space", None)
        sweep.pop("options", None)
    return config
