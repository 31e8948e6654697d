"""Versions removed for good, each in one rename: a kill at any moment leaves a whole version or none."""

from __future__ import annotations

import secrets
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import StoreError
from mlops_cli.records import Action
from mlops_cli.store.audit import AuditLog
from mlops_cli.store.files import disk_errors, read_json, sync_paths
from mlops_cli.store.journal import is_locked
from mlops_cli.store.registry.calling import Move, call
from mlops_cli.store.registry.checking import LEFTOVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.store.layout import WorkspacePaths
    from mlops_cli.store.registry.registry import Registry


def remove_version(registry: Registry, name: str, number: int, *, force: bool = False) -> None:
    """Remove a version, a damaged one too; its number is not given again.

    Parameters
    ----------
    registry : Registry
        Where it is.
    name : str
        Of the model.
    number : int
        Of the version, which is there.
    force : bool
        Also one that an alias points at; the alias goes with it.

    Raises
    ------
    StoreError
        An alias points at it, another process has removed it, or the disk refuses.
    """
    with registry.changing():
        if number not in registry.numbers(name):
            raise StoreError(f"{name}/{number} has been removed")
        aliases = registry.aliases(name).of(number)
        if not force:
            require_unnamed(f"{name}/{number}", aliases)
        said = {**_origin(registry, name, number), "aliases": list(aliases)}
        AuditLog(registry.paths).append(Action.MODEL_REMOVED, f"{name}/{number}", said)
        for alias in aliases:
            call(registry, name, Move(alias, None, why="removal"))
        _move_away(registry, name, number)
        sweep(registry.paths)


def require_unnamed(ref: str, aliases: Sequence[str]) -> None:
    """Refuse to remove a version that has an alias.

    Raises
    ------
    StoreError
        It has one.
    """
    if aliases:
        raise StoreError(
            f"{ref} stays: it is {', '.join(f'@{alias}' for alias in aliases)}",
            hint="give the alias to another version first, or --force",
        )


def _origin(registry: Registry, name: str, number: int) -> dict[str, Any]:
    with suppress(StoreError):
        return {"run": read_json(registry.paths.model_version(name, number).version_json).get("run")}
    return {}


def _move_away(registry: Registry, name: str, number: int) -> None:
    place, trash = registry.paths.model_version(name, number).root, registry.paths.models_trash
    with disk_errors("remove", place):
        trash.mkdir(parents=True, exist_ok=True)
        place.rename(trash / f"{name}.{number}.{secrets.token_hex(4)}")
        sync_paths([place.parent])


def sweep(paths: WorkspacePaths) -> None:
    """Remove what kills have left where versions are put together or removed, inside `Registry.changing`."""
    paths.new_models.mkdir(parents=True, exist_ok=True)
    for place in list(paths.new_models.iterdir()):
        lock = place.with_suffix(".lock")
        if place.suffix != ".lock" and not is_locked(lock):
            shutil.rmtree(place, ignore_errors=True)
            lock.unlink(missing_ok=True)
        elif place == lock and not is_locked(lock) and not place.with_suffix("").exists():
            lock.unlink(missing_ok=True)
    for temp in (*paths.models.glob("*/.*.tmp"), *paths.models.glob("*/*/.*.tmp")):
        if LEFTOVER.fullmatch(temp.name):
            temp.unlink(missing_ok=True)
    for place in list(paths.models_trash.iterdir()) if paths.models_trash.is_dir() else []:
        shutil.rmtree(place, ignore_errors=True)
