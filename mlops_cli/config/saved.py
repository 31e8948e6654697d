"""The config that a run has saved, read without composing it: every key is in it, and Hydra is slow to load."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_cli.config.schema import read_experiment
from mlops_cli.config.trust import check_config
from mlops_cli.config.yaml_guard import read_text
from mlops_cli.errors import ConfigError
from mlops_cli.records import SweepSpec

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import ExperimentSpec


def read_saved(path: Path, workspace: Workspace) -> ExperimentSpec:
    """Return the experiment of a run's or a model's own config; not what it swept.

    Parameters
    ----------
    path : Path
        The ``config.yaml``.
    workspace : Workspace
        Whose code it may name.

    Raises
    ------
    ConfigError
        It is not there, damaged, or names what is not trusted.
    """
    text = read_text(path, str(path))
    if "${" not in text:  # a reference to the environment takes composing
        try:
            return _plain(text, workspace)
        except ConfigError:  # as of an older version, whose keys composing completes; or it says what is wrong
            pass
    from mlops_cli.config.experiment import load_experiment

    return load_experiment(str(path), (), workspace).spec


def _plain(text: str, workspace: Workspace) -> ExperimentSpec:
    import yaml

    config: Any = yaml.safe_load(text)
    if not isinstance(config, dict):
        raise ConfigError("is no mapping")
    check_config(config, workspace.trust)
    return read_experiment(config, SweepSpec(), config, is_saved=True)
