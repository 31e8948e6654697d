"""Which kept contents are still needed besides those of named data sets: by snapshots of runs that are there.

A snapshot whose run is gone, and what was fetched and belongs to no such snapshot, may go: they are there to see a
run's data again. What came within the last hour stays, since its run may not be recorded yet.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import StoreError
from mlops_cli.store.files import disk_errors, read_json
from mlops_cli.store.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from mlops_cli.store.layout import WorkspacePaths


def needed_by_snapshots(paths: WorkspacePaths, used: Collection[str] | None, min_age: float) -> frozenset[str]:
    """Return the digests of contents that the snapshots to be kept are made of.

    Parameters
    ----------
    paths : WorkspacePaths
        The workspace.
    used : collection of str, optional
        The dataset versions of its runs and models; None keeps all snapshots.
    min_age : float
        Seconds; younger snapshots are kept in any case.
    """
    kept = (path for path in _snapshots(paths) if not _is_idle(path, used, min_age))
    return frozenset(digest for path in kept for digest in _contents(path))


def forget_snapshots(paths: WorkspacePaths, used: Collection[str] | None, min_age: float) -> None:
    """Remove the snapshots that nobody needs, and what tells of fetched contents that are gone."""
    with disk_errors("remove", paths.datasets):
        for path in list(_snapshots(paths)):
            if _is_idle(path, used, min_age):
                path.unlink(missing_ok=True)
        for link in (paths.datasets / "named").glob("*/*"):
            if link.is_symlink() and not link.exists():
                link.unlink(missing_ok=True)
        objects = Objects(paths.datasets / "objects")
        for record in (paths.datasets / "remote").glob("[!.]*.json"):
            if not _has_content(record, objects):
                record.unlink(missing_ok=True)


def _has_content(record: Path, objects: Objects) -> bool:
    """Whether what a record says that an address gave is still kept; it is only a cache, so it may be damaged."""
    try:
        return objects.has(read_json(record)["sha256"])
    except (StoreError, KeyError, TypeError):
        return False


def recorded_by_models(paths: WorkspacePaths) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield each registered model version, ``name/3``, with what it did with data, and what its file says of that."""
    for file in paths.version_files():
        value = read_json(file)
        for key, what in (("dataset", "was trained on"), ("test_dataset", "was scored on held-out rows of")):
            data = value.get(key)
            told = data if isinstance(data, dict) else {"source": data}
            yield f"{file.parent.parent.name}/{file.parent.name}", what, told


def has_snapshot(paths: WorkspacePaths, version: str) -> bool:
    """Whether it is written down what a dataset version that came from elsewhere was read from."""
    return (paths.datasets / "snapshots" / f"{version}.json").is_file()


def _snapshots(paths: WorkspacePaths) -> Iterator[Path]:
    return (path for path in (paths.datasets / "snapshots").glob("*.json") if not path.name.startswith("."))


def _is_idle(path: Path, used: Collection[str] | None, min_age: float) -> bool:
    if used is None or path.stem in used:
        return False
    with suppress(FileNotFoundError):  # it went meanwhile
        return time.time() - path.stat().st_mtime >= min_age
    return True


def _contents(path: Path) -> list[str]:
    try:
        value = read_json(path)
        found = [*(file["digest"] for reading in value["readings"] for file in reading), value["table"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise StoreError(
            f"damaged: {path}: {error!r}", hint="move it away; its run cannot see its data again"
        ) from error
    return [digest for digest in found if digest]
