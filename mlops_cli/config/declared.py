"""What is declared of a registered model: in a file that the workspace's owner keeps, or in its run's own config.

``configs/promotion/titanic.yaml`` holds what else would stand under ``promotion`` in the experiment, and comes first;
``configs/drift`` and ``configs/retrain`` likewise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from mlops_cli.config import readers as read
from mlops_cli.config.yaml_guard import line_numbers, read_text
from mlops_cli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_cli.config.workspace import Workspace

T = TypeVar("T")

SECTIONS = ("promotion", "drift", "retrain")
"""The sections of an experiment that say what becomes of its models, and change nothing that a run computes."""


def owners_file(workspace: Workspace, section: str, name: str) -> Path:
    """Return where the workspace's owner declares a section of a model."""
    return workspace.configs / section / f"{name}.yaml"


def of_owner(workspace: Workspace, section: str, name: str, reader: Callable[[object, str], T]) -> T | None:
    """Return what the workspace's owner declares of a model; None where there is no such file.

    Parameters
    ----------
    workspace : Workspace
        Whose owner.
    section : str
        One of `SECTIONS`.
    name : str
        The model.
    reader : callable
        Of the mapping, and of the key where it stands.

    Raises
    ------
    ConfigError
        With the file, the line, the key, what was found and what is allowed.
    """
    path = owners_file(workspace, section, name)
    if not path.exists() and not path.is_symlink():
        return None
    try:
        return of_file(path, path.relative_to(workspace.root).as_posix(), reader)
    except ConfigError as error:
        if error.key == section:
            error.hint = f"leave the key {section} out: the file holds what stands below it"
        raise


def of_file(path: Path, shown: str, reader: Callable[[object, str], T]) -> T:
    """Return what a YAML file says; its errors name the file and the line.

    Parameters
    ----------
    path : Path
        The file.
    shown : str
        How messages call it.
    reader : callable
        Of what it holds, and of the key where that stands: none.

    Raises
    ------
    ConfigError
        With the file, the line, the key, what was found and what is allowed.
    """
    text = read_text(path, shown, allow_empty=True)
    try:
        return reader(_parsed(text), "")
    except ConfigError as error:
        error.file = _place(text, error.key or "", shown)
        raise


def of_run(config: Path, section: str, reader: Callable[[object, str], T]) -> T:
    """Return what a run's own ``config.yaml`` declares.

    Raises
    ------
    ConfigError
        The file cannot be read, or declares it wrongly.
    """
    found = _parsed(read_text(config, str(config), allow_empty=True))
    try:
        return reader(read.mapping(found, "").get(section), section)
    except ConfigError as error:
        error.file = str(config)
        raise


def lines_of(path: Path, shown: str) -> dict[str, int]:
    """Return the line of each dotted key of a YAML file.

    Raises
    ------
    ConfigError
        The file cannot be read.
    """
    return {".".join(keys): line for keys, line in line_numbers(read_text(path, shown, allow_empty=True))}


def _parsed(text: str) -> Any:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(text, Loader=loader)  # noqa: S506 - either loader is a safe one


def _place(text: str, key: str, shown: str) -> str:
    """Return the file with the line of a key, or of the nearest one around it."""
    lines = {".".join(path): line for path, line in line_numbers(text)}
    while key and key not in lines:
        key = key[: max(key.rfind("."), key.rfind("["), 0)]
    return f"{shown}:{lines[key]}" if key else shown
