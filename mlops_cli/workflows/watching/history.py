"""``mlops monitor show`` and ``rm``: the batches that a model was watched on. Quick: nothing is opened or computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_cli.config.workspace import find_workspace
from mlops_cli.records import Action, Batch
from mlops_cli.store.audit import AuditLog
from mlops_cli.store.batches import Batches
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.registry import Registry

if TYPE_CHECKING:
    from pathlib import Path


def batches(name: str, *, limit: int | None = None, workspace: str | Path | None = None) -> tuple[Batch, ...]:
    """Return the batches of a model, the first one first.

    Parameters
    ----------
    name : str
        The model; a version of it means the same.
    limit : int, optional
        The newest ones alone.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    StoreError
        There is no such model, or a batch is damaged.
    """
    kept = batches_of(name, workspace)
    return tuple(kept.read(batch) for batch in _newest(kept.ids(), limit))


@dataclass(frozen=True)
class History:
    """A model over time."""

    name: str
    batches: tuple[Batch, ...]  # the first one first
    total: int  # that there are


def history(name: str, *, limit: int | None = None, workspace: str | Path | None = None) -> History:
    """Return the newest batches of a model, and how many there are in all.

    Raises
    ------
    StoreError
        As `batches`.
    """
    kept = batches_of(name, workspace)
    ids = kept.ids()
    return History(kept.name, tuple(map(kept.read, _newest(ids, limit))), len(ids))


def remove_batch(name: str, batch: str, *, workspace: str | Path | None = None) -> str:
    """Remove a batch for good, and return its id.

    Raises
    ------
    StoreError
        There is no such batch, or several may be meant.
    """
    kept = batches_of(name, workspace)
    with kept.changing():
        found = kept.find(batch)
        AuditLog(kept.workspace).append(Action.WATCHED, kept.name, {"removed": found})
        kept.remove(found)
    return found


def found_batch(name: str, batch: str, *, workspace: str | Path | None = None) -> str:
    """Return the id of a batch; see `Batches.find`."""
    return batches_of(name, workspace).find(batch)


def batches_of(ref: str, workspace: str | Path | None = None) -> Batches:
    """Return the place of a model's batches; of one whose versions are all gone too.

    Raises
    ------
    StoreError
        There is no such model.
    """
    paths = WorkspacePaths(find_workspace(workspace).root)
    name = ref.partition("@")[0].partition("/")[0]
    kept, registry = Batches(paths, name), Registry(paths)
    if not registry.is_known(name) and not kept.ids():
        raise registry.unknown(name)
    return kept


def _newest(ids: list[str], limit: int | None) -> list[str]:
    return ids if limit is None else ids[len(ids) - limit :] if limit < len(ids) else ids
