"""The folders that Hydra composes from: the workspace's ``configs/`` first, then the package's catalogue.

Hydra finds its sources through registries that live as long as the process. Here each composition has a repository
of its own, which also reads every file through `yaml_guard`, keeps option names inside their folder, and completes
the defaults lists of experiments:

- A config that lists ``experiment`` gets the default option of each optional group that it does not list, right
  after ``experiment``, so that ``split=kfold`` on the command line always finds its group. A group whose node the
  config itself fills with a ``_target_`` is left alone.
- A config that is run and has no defaults list, as a run's own ``config.yaml``, gets the plain keys of
  ``experiment`` underneath and no groups; one that lists groups alone gets ``experiment`` before them.
- Where ``_self_`` is not listed it comes last, as in Hydra, without Hydra's warning.

Written against hydra-core 1.3.8 and 1.4.0rc3.
"""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from hydra._internal.config_repository import ConfigRepository
from hydra._internal.config_search_path_impl import ConfigSearchPathImpl
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra._internal.core_plugins.structured_config_source import StructuredConfigSource
from hydra.core.default_element import ConfigDefault, GroupDefault
from hydra.plugins.config_source import ConfigResult, ConfigSource
from omegaconf import DictConfig, OmegaConf

from mlops_cli.config.catalogue import PACKAGE_CONF, show
from mlops_cli.config.yaml_guard import read_text
from mlops_cli.errors import ConfigError
from mlops_cli.records import Task

if TYPE_CHECKING:
    from mlops_cli.config.workspace import Workspace

OPTIONAL_GROUPS = {
    "data": "csv",
    "transforms": "none",
    "split": "auto",
    "target_transform": "none",
    "calibration": "none",
    "launcher": "loky",
}
"""The groups that an experiment need not list, and the option that each one then has."""

_FLOAT = re.compile(
    r"""[-+]?[0-9]+(?:_[0-9]+)*\.[0-9_]*(?:[eE][-+]?[0-9]+)?$
    |[-+]?[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+)$
    |\.[0-9]+(?:_[0-9]+)*(?:[eE][-+][0-9]+)?$
    |[-+]?\.(?:inf|Inf|INF)$
    |\.(?:nan|NaN|NAN)$""",
    re.VERBOSE,
)

FILE_CONFIG = "_config_file_"
"""What Hydra calls an experiment that was given as a path."""

_LONGEST_PART = 200  # file systems take 255 bytes
_HYDRA, _PRIMARY, _OWN, _PACKAGE, _SCHEMA = "hydra", "primary", "workspace", "mlops", "schema"


def search_path(workspace: Workspace, file: Path | None = None, *, with_hydra: bool = False) -> ConfigSearchPathImpl:
    """Return where configs are looked for, first match first.

    Parameters
    ----------
    workspace : Workspace
        Its ``configs/`` comes before the package's.
    file : Path, optional
        An experiment outside ``configs/``. Its folder is not searched.
    with_hydra : bool
        Whether Hydra's own configs are there too, which only plain Hydra needs.
    """
    path = ConfigSearchPathImpl()
    if with_hydra:
        path.append(_HYDRA, "pkg://hydra.conf")
    if file is not None:
        path.append(_PRIMARY, str(file))
    path.append(_OWN, str(workspace.configs))
    path.append(_PACKAGE, str(PACKAGE_CONF))
    path.append(_SCHEMA, "structured://")
    return path


class Folder(FileConfigSource):  # type: ignore[misc]  # Hydra has no types
    """A folder of YAML files, read with care."""

    def __init__(self, provider: str, path: str, root: Path) -> None:
        super().__init__(provider=provider, path=path)
        self.real = os.path.realpath(path)
        self.root = root
        self._read_before: dict[Path, tuple[dict[str, Any], dict[str, str | None]]] = {}

    def file_of(self, config_path: str) -> Path:
        """Return the file of a config, which lies inside this folder whatever its name says."""
        return Path(self._inside(self._normalize_file_name(config_path)))

    def _inside(self, config_path: str) -> str:
        parts = config_path.split("/")
        if ".." in parts or "\\" in config_path or "\0" in config_path or max(map(len, parts)) > _LONGEST_PART:
            raise ConfigError(
                f"{config_path.removesuffix('.yaml')!a} leads out of the folders that options are in",
                hint="name an option of a group; `mlops config --list` shows them",
            )
        real = os.path.realpath(Path(self.real, *parts))
        if real != self.real and not real.startswith(self.real + os.sep):
            shown = show(Path(self.path, *parts), self.root)
            raise ConfigError("is a link that leads out of its folder", file=shown, hint="copy the file instead")
        return real

    def is_group(self, config_path: str) -> bool:
        """Whether there is such a group."""
        return Path(self._inside(config_path)).is_dir()

    def is_config(self, config_path: str) -> bool:
        """Whether there is such a config."""
        return self.file_of(config_path).is_file()

    def load_config(self, config_path: str) -> ConfigResult:
        """Read a config."""
        return self._read(self.file_of(config_path))

    def _read(self, path: Path) -> ConfigResult:
        """Return a file's content; it is parsed once, and made new at each call since composing changes it."""
        if path not in self._read_before:
            shown = show(path, self.root)
            text = read_text(path, shown, allow_empty=True)
            self._read_before[path] = _parse(text, shown), _header(text, shown)
        value, header = self._read_before[path]
        return ConfigResult(config=OmegaConf.create(value), path=str(path), provider=self.provider, header=dict(header))


class OneFile(Folder):
    """An experiment that was given as a path."""

    def file_of(self, config_path: str) -> Path:
        """Return the file, whatever it is called; its place is the user's choice and is not checked."""
        return Path(self.path) if config_path == FILE_CONFIG else Path(self.path, "none")

    def is_group(self, config_path: str) -> bool:  # noqa: ARG002
        """Say that it has no groups."""
        return False

    def is_config(self, config_path: str) -> bool:
        """Whether it is this one that is asked for."""
        return bool(config_path == FILE_CONFIG)


def _parse(text: str, shown: str) -> dict[str, Any]:
    """Return checked YAML as OmegaConf's loader would, with libyaml's parser where it is installed."""
    value = yaml.load(text, Loader=_loader())  # noqa: S506 - a SafeLoader, on text that was checked
    if not isinstance(value, dict | None):
        raise ConfigError("must be a mapping of keys to values", file=shown)
    return value or {}


@functools.cache
def _loader() -> Any:
    """Return a safe loader that reads plain words as OmegaConf's own: more floats than YAML 1.1 and no timestamps."""
    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    resolvers = {
        first: [(tag, pattern) for tag, pattern in known if not tag.endswith(":timestamp")]
        for first, known in base.yaml_implicit_resolvers.items()
    }
    for first in "-+0123456789.":
        resolvers[first] = [*resolvers.get(first, []), ("tag:yaml.org,2002:float", _FLOAT)]
    return type("Loader", (base,), {"yaml_implicit_resolvers": resolvers})


def _header(text: str, shown: str) -> Any:
    try:
        return ConfigSource._get_header_dict(text[:512])
    except ValueError as error:
        raise ConfigError(str(error), file=shown, hint="a comment '# @package NAME' says where a config goes") from None


class Repository(ConfigRepository):  # type: ignore[misc]
    """All configs of one composition.

    Parameters
    ----------
    workspace : Workspace
        Whose ``configs/`` it is.
    path : ConfigSearchPathImpl
        From `search_path`.
    primary : str
        The config that is run.
    """

    def __init__(self, workspace: Workspace, path: ConfigSearchPathImpl, primary: str) -> None:
        self.workspace = workspace
        self.primary = primary
        super().__init__(config_search_path=path)

    def initialize_sources(self, config_search_path: Any) -> None:
        """Make the sources by what they are for, without Hydra's registry."""
        self.config_search_path = config_search_path
        self.sources = [self._source(e.provider, e.path) for e in config_search_path.get_path()]

    def _source(self, provider: str, path: str) -> Any:
        if provider == _SCHEMA:
            return StructuredConfigSource(provider, path)
        if provider == _HYDRA:
            return _hydra_source(provider, path)
        if provider == _PRIMARY:
            return OneFile(provider, path, self.workspace.root)
        if provider in {_OWN, _PACKAGE}:
            return Folder(provider, path, self.workspace.root)
        return self._searched(provider, path)

    def _searched(self, provider: str, path: str) -> Folder:
        """Return a folder that a config or override adds by ``hydra.searchpath``."""
        scheme, separator, rest = path.partition("://")
        if separator and scheme != "file":
            raise ConfigError(
                f"{path} would import code", key="hydra.searchpath", hint="only folders may be searched for configs"
            )
        folder = self.workspace.root / (rest if separator else path)
        if not folder.is_dir():
            raise ConfigError(f"there is no folder {path}", key="hydra.searchpath")
        return Folder(provider, str(folder), self.workspace.root)

    def load_config(self, config_path: str) -> Any:
        """Read a config and complete its defaults list."""
        result = super().load_config(config_path)
        if result is not None and isinstance(result.config, DictConfig):
            result.defaults_list = self._complete(result.defaults_list, result.config, config_path)
        return result

    def _complete(self, defaults: list[Any], config: DictConfig, config_path: str) -> list[Any]:
        is_primary = config_path == self.primary
        if is_primary and not any(isinstance(d, ConfigDefault) and not d.is_self() for d in defaults):
            if not defaults and not config:
                hint = "see `mlops init` for an experiment to begin with"
                raise ConfigError("the file is empty", file=self.shown_file(config_path), hint=hint)
            groups = bool(defaults)
            defaults = [ConfigDefault(path="experiment"), *defaults]
            if not groups:
                return [*defaults, ConfigDefault(path="_self_")]
        if defaults and not any(d.is_self() for d in defaults if isinstance(d, ConfigDefault)):
            defaults = [*defaults, ConfigDefault(path="_self_")]
        place = next((i for i, d in enumerate(defaults, 1) if _is_experiment(d)), None)
        if place is None:
            return defaults
        return [*defaults[:place], *_optional_defaults(defaults, config), *defaults[place:]]

    def shown_file(self, config_path: str) -> str | None:
        """Return how messages call the file of a config."""
        path = self.file_of(config_path)
        return None if path is None else show(path, self.workspace.root)

    def file_of(self, config_path: str) -> Path | None:
        """Return the file of a config."""
        for source in self.sources:
            if isinstance(source, Folder) and source.is_config(config_path):
                return source.file_of(config_path)
        return None


def _is_experiment(default: Any) -> bool:
    return isinstance(default, ConfigDefault) and default.path in {"experiment", "/experiment"}


def _optional_defaults(defaults: list[Any], config: DictConfig) -> list[Any]:
    listed = {d.group.lstrip("/") for d in defaults if isinstance(d, GroupDefault) and not d.override}
    offered = OPTIONAL_GROUPS if _reads_table(config) else {"launcher": OPTIONAL_GROUPS["launcher"]}
    missing = {g: o for g, o in offered.items() if g not in listed and not _brings_target(config, g)}
    if "data" in missing and _names_dataset(config):
        missing["data"] = "dataset"
    return [GroupDefault(group=group, value=option) for group, option in missing.items()]


def _reads_table(config: DictConfig) -> bool:
    """Whether there may be use for the groups of a table: unless the config itself says a task that has none."""
    node = config._get_node("task")
    said = None if node is None else node._value()
    return said not in {str(task) for task in Task if not task.has_table}


def _names_dataset(config: DictConfig) -> bool:
    """Whether ``data`` says the name of a data set and no path, so that no file's option can be meant."""
    node = config._get_node("data")
    if not isinstance(node, DictConfig) or node._is_none() or node._is_missing() or node._is_interpolation():
        return False
    return "name" in node and "path" not in node


def _brings_target(config: DictConfig, group: str) -> bool:
    node = config._get_node(group)
    return isinstance(node, DictConfig) and not node._is_none() and "_target_" in node


def _hydra_source(provider: str, path: str) -> Any:
    """Return Hydra's own configs. Importing the two plugins registers the options that ``hydra/config`` lists."""
    import hydra._internal.core_plugins.basic_launcher
    import hydra._internal.core_plugins.basic_sweeper  # noqa: F401
    from hydra._internal.core_plugins.importlib_resources_config_source import ImportlibResourcesConfigSource

    return ImportlibResourcesConfigSource(provider, path)
