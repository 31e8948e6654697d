"""Composes an experiment from its files and overrides as Hydra does, many times faster.

Hydra composes its own ``hydra.*`` node at each call only to have it thrown away. Here each distinct set of group
choices is composed once, by Hydra's own ``create_defaults_list`` and ``_compose_config_from_defaults_list``, and value
overrides are applied to a copy by Hydra's own ``_apply_overrides_to_config``. These are private, so any doubt (a
``hydra`` node or override, an exception that is no fault of the config) goes to plain ``load_configuration``, and
a test holds the two equal.

What is accepted here beyond Hydra, on purpose:

- Defaults lists are completed, as `sources` says.
- Choosing an option of a group that the defaults list lacks, as in a run's own ``config.yaml``, replaces the whole
  node by the option; where the config has a defaults list and the node no ``_target_``, its keys are laid over the
  option. ``~group`` then removes the node.
- The sections that are one component (``data``, ``model``, ``split``, ``target_transform``, ``calibration``), every
  other node with a ``_target_``, ``env``, ``training``, ``tags`` and `declared.SECTIONS` are open:
  ``model.max_features=sqrt`` needs no ``+``. The rest is closed.
- ``model={_target_: …}`` replaces the whole component, where Hydra would keep the old one's parameters; a step of
  ``transforms`` keeps its columns.
- A group whose option is ``???`` may be left open until the sweep's choices are known.
"""

from __future__ import annotations

import copy
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hydra import version
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import CachingConfigRepository
from hydra._internal.defaults_list import create_defaults_list
from hydra.core.override_parser.types import Override, OverrideType, ValueType
from hydra.errors import ConfigCompositionException, HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from mlops_cli.config.declared import SECTIONS
from mlops_cli.config.overrides import COMMAND_LINE
from mlops_cli.config.sources import FILE_CONFIG, Repository, search_path
from mlops_cli.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mlops_cli.config.workspace import Workspace

_OPEN_KEYS = (
    *("data", "model", "split", "target_transform", "calibration", "tags", "launcher", "launcher.options"),
    *("env", "training"),
    *(*SECTIONS, "sweep.sampler", "sweep.pruner", "sweep.space", "sweep.options"),
)
_NAMED = frozenset({"sweep.sampler", "sweep.pruner", "launcher.cluster"})  # a mapping that says which one stands alone
_OPEN_SECTIONS = frozenset(
    {"data", "model", "split", "tags", "target_transform", "calibration", "transforms", "env", "training", *SECTIONS}
)
_COMPONENTS = frozenset({"model", "split", "target_transform", "calibration", "transforms", "agent"})
_BASE = "1.3"  # the version of Hydra whose defaults are meant
_FAULTS = (HydraException, OmegaConfBaseException, ConfigError, OSError, ValueError, RecursionError)


@dataclass(frozen=True)
class Composed:
    """What one set of group choices gives, before any value override.

    Parameters
    ----------
    config : DictConfig
        Closed but for its open nodes. Copy it before changing it.
    defaults : tuple
        Hydra's `ResultDefault` records: which config went where, in order.
    loose : tuple of (str, str or None)
        The groups that the defaults list lacks, with the option whose node was put in their place.
    """

    config: DictConfig
    defaults: tuple[Any, ...]
    loose: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Layer:
    """One file that went into a config: its path on the search path, and the key that its content goes under."""

    path: str
    package: str
    config: DictConfig


class Composer:
    """Composes one experiment under any overrides.

    Parameters
    ----------
    workspace : Workspace
        Whose ``configs/`` comes first.
    name : str
        An experiment's name; not looked at where ``file`` is given.
    file : Path, optional
        A YAML file outside the search path.
    """

    def __init__(self, workspace: Workspace, name: str, file: Path | None = None) -> None:
        self.workspace = workspace
        self.primary = name if file is None else FILE_CONFIG
        self._file = file
        with _base_version():
            path = search_path(workspace, file)
            self.repository = Repository(workspace, path, self.primary)
            self._loader = _Loader(path, self.repository)
        self._composed: dict[tuple[bool, str], Composed] = {}

    def compose(self, overrides: Sequence[Any], *, allow_missing: bool = False) -> DictConfig:
        """Return a new config of the experiment under some overrides.

        Parameters
        ----------
        overrides : sequence
            Hydra's `Override` records, none of which sweeps.
        allow_missing : bool
            Whether a group may be left without an option.

        Raises
        ------
        ConfigError, HydraException, OmegaConfBaseException, ValueError
            The config or an override is at fault.
        """
        if any(o.is_hydra_override() or o.key_or_group == "hydra" for o in overrides):
            return self.compose_plainly(overrides)
        with _base_version():
            try:
                composed = self.composed(overrides, allow_missing=allow_missing)
                if "hydra" not in composed.config:
                    config = copy.deepcopy(composed.config)
                    apply_values([o for o in overrides if not self.is_group(o)], config)
                    return config
            except _FAULTS:
                raise
            except Exception:  # noqa: BLE001, S110 - not the config's fault: Hydra's insides may have changed
                pass
        return self.compose_plainly(overrides)

    def compose_plainly(self, overrides: Sequence[Any]) -> DictConfig:
        """Return what plain Hydra composes, without its ``hydra`` node.

        Of what goes beyond Hydra only completed defaults lists and open nodes are left.
        """
        path = search_path(self.workspace, self._file, with_hydra=True)
        with _base_version(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loader = _Loader(path, Repository(self.workspace, path, self.primary))
            config = loader.load_configuration(
                self.primary, [self._plain_line(o) for o in overrides], run_mode=RunMode.RUN, from_shell=False
            )
        OmegaConf.set_struct(config, value=False)
        config.pop("hydra", None)
        return _close(config)

    def _plain_line(self, override: Any) -> str:
        """Return the text of an override for plain Hydra, which wants a sign for new keys of open nodes."""
        line: str = override.input_line
        first, _, rest = override.key_or_group.partition(".")
        is_open = rest and first in _OPEN_SECTIONS and override.type is OverrideType.CHANGE
        return f"++{line}" if is_open and not self.is_group(override) else line

    def is_group(self, override: Any) -> bool:
        """Whether an override chooses an option of a group, as Hydra decides it."""
        value, group = override.value(), override.key_or_group
        if getattr(override, "is_value_path", False) or isinstance(value, dict):
            return False
        if not self.repository.group_exists(group):
            return False
        if not override.is_delete() and not _names_options(value):
            hint = did_you_mean(str(value), self.repository.get_group_options(group))
            message = f"found {value!r}, must be the name of an option"
            raise ConfigError(message, key=group, file=COMMAND_LINE, hint=hint)
        return True

    def composed(self, overrides: Sequence[Any], *, allow_missing: bool = False) -> Composed:
        """Return what the group choices among some overrides give; each set of choices is composed once."""
        groups = [o for o in overrides if self.is_group(o)]
        lines = "\n".join(o.input_line for o in groups)
        # What composes without leave to miss an option misses none, and is the same with it.
        key = (allow_missing and (False, lines) not in self._composed, lines)
        if key not in self._composed:
            with _base_version():
                self._composed[key] = self._compose_groups(groups, allow_missing=allow_missing)
        return self._composed[key]

    def _compose_groups(self, groups: Sequence[Any], *, allow_missing: bool) -> Composed:
        try:
            config, defaults = self._compose(groups, allow_missing=allow_missing)
            loose = []
        except ConfigCompositionException:
            loose = [o for o in groups if self._is_loose(o)]
            if not loose:
                raise
            config, defaults = self._compose([o for o in groups if o not in loose], allow_missing=allow_missing)
        for override in loose:
            self._replace(config, override)
        return Composed(_close(config), defaults, tuple((o.key_or_group, o.value()) for o in loose))

    def _compose(
        self, groups: Sequence[Any], *, allow_missing: bool = False, primary: str | None = None
    ) -> tuple[DictConfig, tuple[Any, ...]]:
        """Return a config and its defaults list, as Hydra makes them. It may change what its repository caches."""
        cache = _Cache(self.repository)
        found = self._defaults(groups, cache, allow_missing=allow_missing, primary=primary)
        config = self._loader._compose_config_from_defaults_list(defaults=found.defaults, repo=cache)
        return config, tuple(found.defaults)

    def _defaults(
        self, groups: Sequence[Any], cache: _Cache, *, allow_missing: bool, primary: str | None = None
    ) -> Any:
        return create_defaults_list(
            repo=cache,
            config_name=primary or self.primary,
            overrides_list=list(groups),
            prepend_hydra=False,
            skip_missing=allow_missing,
        )

    def _is_loose(self, override: Any) -> bool:
        """Whether the defaults list lacks the group that an override chooses in."""
        if override.package is not None or override.type not in {OverrideType.CHANGE, OverrideType.DEL}:
            return False
        known = self._defaults([], _Cache(self.repository), allow_missing=True).overrides.known_choices
        return override.key_or_group not in known

    def _replace(self, config: DictConfig, override: Any) -> None:
        group, option = override.key_or_group, override.value()
        old = config._get_node(group)
        if override.is_delete():
            config.pop(group, None)
            return
        if (embedded := self._embedded(config, group, option)) is not None:
            config[group] = copy.deepcopy(embedded)
            return
        new, _ = self._option(group, option)
        if self._has_defaults() and isinstance(old, DictConfig) and old and "_target_" not in old:
            new.merge_with({group: old})
        for key in new:
            config[key] = new._get_node(key)

    @staticmethod
    def _embedded(config: DictConfig, group: str, option: Any) -> Any:
        """Return the node of an option that a run's config brings along: the run can be done again as it was."""
        options = OmegaConf.select(config, f"sweep.options.{group}")
        return options._get_node(option) if isinstance(options, DictConfig) and option in options else None

    def _option(self, group: str, option: Any) -> tuple[DictConfig, tuple[Any, ...]]:
        """Return what an option gives when it is composed alone, under its package."""
        if not isinstance(option, str):
            raise ConfigError("several options at once need the group in the defaults list", key=group)
        if not self.repository.config_exists(f"{group}/{option}"):
            hint = did_you_mean(option, self.repository.get_group_options(group))
            raise ConfigError(f"there is no option {option!r} of {group}", key=group, file=COMMAND_LINE, hint=hint)
        return self._compose([], primary=f"{group}/{option}")

    def _has_defaults(self) -> bool:
        listed = self.repository.load_config(self.primary).defaults_list
        return len(listed) > 2  # `experiment` and `_self_` are added where there is none

    def layers(self, overrides: Sequence[Any]) -> list[Layer]:
        """Return each config that went into the result of some overrides, the first one first."""
        with _base_version():
            composed = self.composed(overrides, allow_missing=True)
            layers = [self._layer(default) for default in composed.defaults]
            for group, option in composed.loose:
                if option is not None and self._embedded(composed.config, group, option) is None:
                    layers += [self._layer(default) for default in self._option(group, option)[1]]
        return layers

    def _layer(self, default: Any) -> Layer:
        config = self._loader._load_single_config(default, _Cache(self.repository)).config
        return Layer(default.config_path, default.package or "", config)


def _names_options(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return all(isinstance(v, str) and ".." not in v.split("/") for v in values)


def value_override(key: str, value: Any, *, is_group: bool = False) -> Any:
    """Return Hydra's record that sets a key to a value, or chooses an option of a group."""
    kind = OverrideType.CHANGE if is_group else OverrideType.FORCE_ADD
    line = f"{'' if is_group else '++'}{key}={Override._get_value_element_as_str(value)}"
    return Override(kind, key, ValueType.ELEMENT, value, input_line=line)


def apply_values(overrides: Sequence[Any], config: DictConfig) -> None:
    """Apply value overrides to a config in place, as Hydra does; but a component given whole replaces another."""
    for override in overrides:
        _make_room(override, config)
        ConfigLoaderImpl._apply_overrides_to_config([override], config)


def _make_room(override: Any, config: DictConfig) -> None:
    """Remove the parameters of a component that an override gives whole: they are not for its class."""
    section, value = override.key_or_group.partition(".")[0], override.value()
    if override.is_delete() or not isinstance(value, dict) or not _is_whole(override.key_or_group, value):
        return
    node = OmegaConf.select(config, override.key_or_group, throw_on_missing=False)
    kept = {*value, "columns"} if section == "transforms" else set(value)
    if isinstance(node, DictConfig) and not node._is_none():
        with open_dict(node):
            for key in [k for k in node if k not in kept]:
                node.pop(key)


def _is_whole(key: str, value: dict[Any, Any]) -> bool:
    """Whether a mapping says which component it is, and so is all that there is of it."""
    if key in _NAMED:
        return "_target_" in value or "name" in value
    if key == "env":
        return "id" in value
    return key.partition(".")[0] in _COMPONENTS and "_target_" in value


def _close(config: DictConfig) -> DictConfig:
    """Refuse unknown keys from here on, but in open nodes."""
    OmegaConf.set_struct(config, value=True)
    for key in _OPEN_KEYS:
        node = OmegaConf.select(config, key)
        if OmegaConf.is_config(node):
            OmegaConf.set_struct(node, value=False)
    _open_components(config)
    return config


def _open_components(node: DictConfig) -> None:
    if node._is_none() or node._is_missing() or node._is_interpolation():
        return
    if "_target_" in node:
        OmegaConf.set_struct(node, value=False)
        return
    for key in node:
        child = node._get_node(key)
        if isinstance(child, DictConfig):
            _open_components(child)


class _Cache(CachingConfigRepository):  # type: ignore[misc]
    """What one composition has loaded; not to be used for another, since composing changes it."""

    def __init__(self, repository: Repository) -> None:
        self.delegate = repository
        self.cache: dict[str, Any] = {}


class _Loader(ConfigLoaderImpl):  # type: ignore[misc]
    """Hydra's loader on a repository of ours instead of one from the process's registry."""

    def __init__(self, path: Any, repository: Repository) -> None:
        self.config_search_path = path
        self.repository = repository
        self._active_repository = None  # Hydra 1.4


@contextmanager
def _base_version() -> Iterator[None]:
    """Have Hydra 1.3 behave as itself and not as an older version, and leave its setting as it was."""
    if not hasattr(version, "base_at_least"):  # Hydra 1.4 behaves as itself alone
        yield
        return
    holder = version.VersionBase.instance()
    before = holder.version_base
    version.setbase(_BASE)
    try:
        yield
    finally:
        holder.version_base = before
