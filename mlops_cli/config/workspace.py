"""The folder that a user works in: where it is and whose code its owner trusts.

It reads ``pyproject.toml`` and nothing else: experiments, runs and models belong to other modules. It is imported
by shell completion, so nothing slow may be imported here.
"""

from __future__ import annotations

import keyword
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_cli.config.toml_file import read_toml
from mlops_cli.errors import ConfigError, did_you_mean

_MODULE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*", re.ASCII)
_SETTINGS = ("trust", "commands")


@dataclass(frozen=True)
class Workspace:
    """A workspace.

    Parameters
    ----------
    root : Path
        The folder itself, absolute.
    trust : tuple of str
        The modules, beside the well-known packages, that configs may name in ``_target_``. Its owner lists them in
        ``pyproject.toml``; a config can never add to them.
    commands : tuple of str
        What the commands of ``task: script`` may begin with, likewise: ``python train.py``.
    """

    root: Path
    trust: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()

    @property
    def configs(self) -> Path:
        """Where experiments and the user's own options are."""
        return self.root / "configs"

    @property
    def data(self) -> Path:
        """Where data is, by custom."""
        return self.root / "data"

    @property
    def runs(self) -> Path:
        """Where run directories are."""
        return self.root / "runs"

    @property
    def models(self) -> Path:
        """Where registered models are."""
        return self.root / "models"

    @property
    def internal(self) -> Path:
        """Where derived and internal files are."""
        return self.root / ".mlops"

    def shown(self, path: Path) -> str:
        """Return how messages call a file: from the workspace, where it lies in one or leads into it."""
        for full in (Path(os.path.abspath(path)), path.resolve()):  # noqa: PTH100 - first without following links
            if full.is_relative_to(self.root):
                return full.relative_to(self.root).as_posix()
        return str(path)


def find_workspace(start: str | Path | None = None) -> Workspace:
    """Return the workspace around a folder.

    Parameters
    ----------
    start : str or Path, optional
        Where to begin; the current directory if not given. The workspace is this folder or its nearest parent that
        has a ``configs/`` folder or a ``pyproject.toml`` with ``[tool.mlops]``, else this folder itself.

    Raises
    ------
    ConfigError
        The workspace's ``pyproject.toml`` is broken, or its ``[tool.mlops]`` says something that is not allowed.
    """
    return _around((Path.cwd() if start is None else Path(start)).expanduser().resolve())


def _around(first: Path) -> Workspace:
    for folder in (first, *first.parents):
        settings = _settings(folder / "pyproject.toml")
        if settings is not None or (folder / "configs").is_dir():
            said, path = settings or {}, folder / "pyproject.toml"
            return Workspace(folder.resolve(), _trust(said, path), _commands(said, path))
    return Workspace(first.resolve())


def trusted_workspace(place: Path) -> Workspace:
    """Return the workspace around a run, whose code is about to be imported.

    Whose code that may be is said by the workspace that the user works in: a folder that came from elsewhere, with a
    ``pyproject.toml`` of its own, cannot trust itself, and a module of the same name there is another module.

    Parameters
    ----------
    place : Path
        The run's directory, as it was found: a workspace whose ``runs/`` is a link, to a larger disk or of a temporary
        working tree, is the one around it, and not what lies around where that leads.

    Raises
    ------
    ConfigError
        The run is of another workspace than the current one, and that trusts modules of its own.
    """
    home, here = _around(Path(os.path.abspath(place))), find_workspace()  # noqa: PTH100 - without following links
    own = (*home.trust, *home.commands)
    if home.root == here.root or not own:
        return home
    raise ConfigError(
        f"{', '.join(own)} is code of the run's own workspace {home.root}, which is not the current one",
        file=str(home.root / "pyproject.toml"),
        key="tool.mlops.trust",
        hint=f"if you trust its code: cd {home.root}",
    )


def _settings(path: Path) -> dict[str, Any] | None:
    """Return the table ``[tool.mlops]``; None where there is none."""
    if not path.is_file():
        return None
    table = read_toml(path).get("tool", {})
    settings = table.get("mlops") if isinstance(table, dict) else None
    if settings is not None and not isinstance(settings, dict):
        raise ConfigError("must be a table", file=str(path), key="tool.mlops", hint="write [tool.mlops]")
    return settings


def _trust(settings: dict[str, Any], path: Path) -> tuple[str, ...]:
    for name in settings:
        if name not in _SETTINGS:
            raise ConfigError(
                "unknown setting", file=str(path), key=f"tool.mlops.{name}", hint=did_you_mean(name, _SETTINGS)
            )
    trust = settings.get("trust", [])
    if not isinstance(trust, list):
        raise _bad_trust(trust, "must be a list of module names", path)
    return tuple(_module_name(name, path) for name in trust)


def _commands(settings: dict[str, Any], path: Path) -> tuple[str, ...]:
    commands = settings.get("commands", [])
    if not isinstance(commands, list) or not all(isinstance(c, str) and c.strip() for c in commands):
        hint = 'commands = ["python train.py"]'
        key = "tool.mlops.commands"
        raise ConfigError(
            f"{commands!r} must be a list of what commands begin with", file=str(path), key=key, hint=hint
        )
    return tuple(commands)


def _module_name(name: object, path: Path) -> str:
    if not isinstance(name, str) or not _MODULE.fullmatch(name) or any(map(keyword.iskeyword, name.split("."))):
        raise _bad_trust(name, "is not the dotted name of a module", path)
    if name.partition(".")[0] in sys.stdlib_module_names:
        raise _bad_trust(name, "belongs to Python's standard library, which a config may never name", path)
    return name


def _bad_trust(found: object, reason: str, path: Path) -> ConfigError:
    return ConfigError(f"{found!r} {reason}", file=str(path), key="tool.mlops.trust", hint='trust = ["my_module"]')
