"""What there is to choose from: experiments, groups, their options and the keys of both, by listing folders alone.

``mlops config --list`` and shell completion answer from here, between two key presses: neither Hydra nor OmegaConf
is imported, and a file that cannot be read has no keys instead of an error.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.config.names import OWNERS_FOLDERS, is_experiment_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlops_cli.config.workspace import Workspace

PACKAGE_CONF = Path(__file__).resolve().parent.parent / "conf"
"""The package's own catalogue."""

_LARGEST = 1_000_000  # bytes of a file whose keys are completed
_DEEPEST_GROUP = 3
_LONGEST_LINE = 300


@dataclass(frozen=True)
class Option:
    """One option of a config group.

    ``origin`` is ``workspace`` for the user's own and ``package`` for the catalogue's; a user's option of the same
    name stands before the package's.
    """

    group: str
    name: str
    path: Path
    origin: str


def show(path: Path, root: Path) -> str:
    """Return how messages call a file: from the workspace, or from the package, or whole."""
    for base in (root, PACKAGE_CONF.parent.parent):
        if path.is_relative_to(base):
            return path.relative_to(base).as_posix()
    return str(path)


def experiments(workspace: Workspace) -> list[str]:
    """Return the names of the workspace's experiments, sorted.

    They are the YAML files directly in ``configs/``. One whose name begins with ``_`` can be run, and is left out:
    that is how a file is marked that others are built on.
    """
    names = [name for name, _ in _configs(workspace.configs)]
    return sorted(name for name in names if is_experiment_name(name) and not name.startswith("_"))


def groups(workspace: Workspace) -> list[str]:
    """Return the names of all config groups, sorted."""
    found = {name for base in (workspace.configs, PACKAGE_CONF) for name in _groups(base, "", _DEEPEST_GROUP)}
    return sorted(name for name in found if name.partition("/")[0] not in OWNERS_FOLDERS)


def options(workspace: Workspace, group: str) -> list[Option]:
    """Return the options of a group, sorted by name; none where there is no such group."""
    found: dict[str, Option] = {}
    for origin, base in (("package", PACKAGE_CONF), ("workspace", workspace.configs)):
        for name, path in _configs(base / group):
            found[name] = Option(group, name, path, origin)
    return [found[name] for name in sorted(found)]


def about(option: Option) -> str:
    """Return what an option's file says of it in its first line, a comment; nothing where it is none."""
    try:
        with option.path.open(encoding="utf-8", errors="replace") as file:
            first = file.readline(_LONGEST_LINE).strip()
    except OSError:
        return ""
    return first.lstrip("# ") if first.startswith("#") else ""


def _configs(folder: Path) -> Iterator[tuple[str, Path]]:
    for entry in _entries(folder):
        if entry.name.endswith(".yaml") and not entry.name.startswith(".") and entry.is_file():
            yield entry.name.removesuffix(".yaml"), Path(entry.path)


def _groups(base: Path, prefix: str, depth: int) -> Iterator[str]:
    for entry in _entries(base / prefix):
        if depth and entry.is_dir() and not entry.name.startswith((".", "__")):
            name = f"{prefix}{entry.name}"
            if any(True for _ in _configs(Path(entry.path))):
                yield name
            yield from _groups(base, f"{name}/", depth - 1)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


# --- keys, for completion ------------------------------------------------------------------------------------------


def child_keys(
    workspace: Workspace, experiment: str, prefix: str = "", choices: Mapping[str, str] | None = None
) -> list[str]:
    """Return the keys below a key of an experiment, as far as its files say without being composed.

    Parameters
    ----------
    workspace : Workspace
        Where the experiment is.
    experiment : str
        Its name.
    prefix : str
        The key whose children are asked for, such as ``model`` or ``evaluation``; empty for the top.
    choices : mapping, optional
        Group → option as chosen on the command line so far; else the option in the experiment's defaults list.

    Returns
    -------
    list of str
        Whole dotted keys, sorted: ``model.C``.
    """
    parts = [part for part in prefix.split(".") if part]
    own = _read(workspace.configs / f"{experiment}.yaml") if is_experiment_name(experiment) else {}
    layers = [_read(_first(workspace, "experiment")), own]
    if parts:
        layers.append({parts[0]: _read(_first(workspace, _chosen(parts[0], own, choices or {})))})
    names = {name for layer in layers for name in _below(layer, parts) if not name.startswith("_")}
    return sorted(".".join([*parts, name]) for name in names - {"defaults"})


def _chosen(group: str, experiment: Mapping[str, Any], choices: Mapping[str, str]) -> str | None:
    """Return the config of the option that a group has, such as ``model/svm``."""
    option = choices.get(group)
    for item in experiment.get("defaults") or [] if option is None else []:
        if isinstance(item, dict):
            option = next((str(v) for k, v in item.items() if str(k).split()[-1].strip("/") == group), option)
    return f"{group}/{option}" if option else None


def _first(workspace: Workspace, config: str | None) -> Path | None:
    """Return the file of a config: the user's where there is one, else the package's."""
    if config is None or ".." in config:
        return None
    paths = (base / f"{config}.yaml" for base in (workspace.configs, PACKAGE_CONF))
    return next((path for path in paths if path.is_file()), None)


def _read(path: Path | None) -> dict[str, Any]:
    """Return the mapping in a YAML file; an empty one where it cannot be read."""
    import yaml

    from mlops_cli.config.yaml_guard import check_text
    from mlops_cli.errors import ConfigError

    try:
        if path is None or path.stat().st_size > _LARGEST:
            return {}
        text = path.read_text(encoding="utf-8")
        check_text(text, path.name)
        value = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except (OSError, ValueError, yaml.YAMLError, ConfigError):
        return {}
    return value if isinstance(value, dict) else {}


def _below(value: Any, parts: list[str]) -> list[str]:
    for part in parts:
        value = value.get(part) if isinstance(value, dict) else None
    return [str(key) for key in value] if isinstance(value, dict) else []
