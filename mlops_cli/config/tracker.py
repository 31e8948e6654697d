"""The tracker that ``mlops runs export --to`` names: an option of the group, or a class, with keys of its own."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from mlops_cli.config.catalogue import PACKAGE_CONF, options
from mlops_cli.config.component import read_component
from mlops_cli.config.overrides import COMMAND_LINE
from mlops_cli.config.trust import check_config
from mlops_cli.errors import ConfigError, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import ComponentSpec

GROUP = "tracker"
_BASE = PACKAGE_CONF / GROUP / "none.yaml"
_BARE = re.compile(r"[A-Za-z][\w./:@-]*", re.ASCII)
_WORDS = frozenset({"null", "true", "false", "nan", "inf"})
"""Bare words that Hydra takes for something else than text."""


def read_tracker(
    name: str, settings: Sequence[str], workspace: Workspace, base: Mapping[str, Any] | None = None
) -> ComponentSpec:
    """Return the tracker of a name, with some of its keys set.

    Parameters
    ----------
    name : str
        An option of the group ``tracker``, or the dotted name of a class.
    settings : sequence of str
        ``KEY=VALUE`` in Hydra's grammar, with or without ``tracker.`` before it.
    workspace : Workspace
        Whose own options come first.
    base : mapping, optional
        The section ``tracker`` of a config, which is taken in the place of the option's file.

    Raises
    ------
    UsageError
        There is no such option.
    ConfigError
        A key or value cannot be read, or the class is not trusted.
    """
    from omegaconf import OmegaConf

    from mlops_cli.config.overrides import parse_override

    known = [option.name for option in options(workspace, GROUP) if option.name != "none"]
    if "." not in name and name not in known:
        raise UsageError(f"there is no tracker '{name}'", hint=did_you_mean(name, known))
    if base is None:
        base = {"_target_": name} if "." in name else _option(name, workspace)
    node = OmegaConf.create(dict(base))
    for text in settings:
        override = parse_override(text.removeprefix(f"{GROUP}."))
        if override.is_sweep_override():
            raise ConfigError("is one value", key=f"{GROUP}.{override.key_or_group}", file=COMMAND_LINE)
        OmegaConf.update(node, override.key_or_group, override.value())
    plain: Any = OmegaConf.to_container(node, resolve=False)
    check_config({GROUP: plain}, workspace.trust)
    return read_component(plain, GROUP)


def settings_of(spec: ComponentSpec, base: ComponentSpec) -> list[str]:
    """Return ``KEY=VALUE``, as `read_tracker` takes it, for each key of a tracker that another one has otherwise.

    Examples
    --------
    >>> from mlops_cli.records import ComponentSpec
    >>> base = ComponentSpec("m.T", {"uri": None, "model": True})
    >>> settings_of(ComponentSpec("m.T", {"uri": "http://here:5000", "model": True}), base)
    ['uri=http://here:5000']
    """
    changed = {
        name: value for name, value in spec.params.items() if name not in base.params or base.params[name] != value
    }
    return [f"{name}={_written(value)}" for name, value in changed.items()]


def _written(value: Any) -> str:
    is_bare = isinstance(value, str) and _BARE.fullmatch(value) and value.casefold() not in _WORDS
    return str(value) if is_bare else json.dumps(value, ensure_ascii=False)


def _option(name: str, workspace: Workspace) -> dict[str, Any]:
    """Return what an option of the group says, composed as for a run."""
    from omegaconf import OmegaConf

    from mlops_cli.config.compose import Composer
    from mlops_cli.config.messages import Situation, to_config_error
    from mlops_cli.config.overrides import parse_override

    composer, overrides = Composer(workspace, GROUP, _BASE), [parse_override(f"{GROUP}={name}")]
    try:
        node: Any = OmegaConf.to_container(composer.compose(overrides, allow_missing=True)[GROUP], resolve=True)
    except Exception as error:  # Hydra's, OmegaConf's and our own, as one line
        raise to_config_error(error, Situation(composer, overrides=overrides)) from error
    return dict(node)
