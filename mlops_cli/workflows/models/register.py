"""``mlops models register``: the model of a run becomes the next version of a registered one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import StoreError, UsageError
from mlops_cli.records import Notice
from mlops_cli.store.files import read_json
from mlops_cli.store.find import find_run
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.registry import Registry
from mlops_cli.store.registry.adding import Added, Asked, add_version

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlops_cli.records import ModelVersion


def register(
    ref: str,
    name: str | None = None,
    *,
    alias: str | None = None,
    tags: Mapping[str, str] | None = None,
    description: str = "",
    workspace: str | Path | None = None,
) -> Added:
    """Register the model of a run.

    Parameters
    ----------
    ref : str
        The run: an id, a unique beginning of one, a path, ``latest``, ``titanic:best``.
    name : str, optional
        Of the model; the experiment's where not given.
    alias : str, optional
        What the version is to be called, such as ``challenger``.
    tags : mapping of str to str, optional
        Of the version.
    description : str
        What it is for.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    StoreError
        There is no such run, it has no model or has not completed, its files have changed, or the name cannot be one.
    """
    if name == "":
        raise UsageError("a model's name cannot be empty", hint="--name titanic")
    paths = WorkspacePaths(find_workspace(workspace).root)
    record = find_run(paths, ref)
    asked = Asked(record.experiment if name is None else name, alias, tags or {}, description)
    registry = Registry(paths)
    added = add_version(registry, record.path, asked)
    twins = _of_same_run(registry, added.version)
    said = (Notice("same-run", f"it is of the same run as {', '.join(twins)}"),) if twins else ()
    return replace(added, notices=(*said, *added.notices))


def _of_same_run(registry: Registry, version: ModelVersion) -> list[str]:
    """Return the other versions of a model that came from the same run."""
    found = []
    for number in registry.numbers(version.name):
        with suppress(StoreError):  # a damaged one, of which nobody knows
            run = read_json(registry.paths.model_version(version.name, number).version_json).get("run")
            if number != version.number and run == version.record.id:
                found.append(f"{version.name}/{number}")
    return found
