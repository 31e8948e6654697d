"""The batches of new data that a model was watched on: ``models/NAME/batches/ID/``.

A batch is put together beside its place and appears in one rename; later only its labels and what they come to
change, each file whole. All of it under a lock of the model's: a kill leaves whole batches, and what it left beside
them goes with the next change.
"""

from __future__ import annotations

import re
import secrets
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import StoreError, did_you_mean
from mlops_cli.records import SCHEMA_VERSION, Batch
from mlops_cli.store.drift_reports import metrics_from_json, metrics_to_json, report_from_json, report_to_json
from mlops_cli.store.files import damaged, disk_errors, locked, read_json, sync_paths, write_json
from mlops_cli.store.layout import BatchPaths
from mlops_cli.store.tables import read_predictions, write_predictions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from mlops_cli.store.layout import WorkspacePaths

ID, LABEL = "id", "label"
"""The columns of the labels that came later."""

_ID = re.compile(r"\d{8}-\d{6}-\d{6}")
_KEYS = ("id", "model", "number", "name", "logged", "by", "id_column", "labels", "labelled", "content")


@dataclass(frozen=True)
class Batches:
    """The batches of one model.

    Parameters
    ----------
    workspace : WorkspacePaths
        Whose.
    name : str
        Of the model.
    """

    workspace: WorkspacePaths
    name: str

    @property
    def folder(self) -> Path:
        """Where they are."""
        return self.workspace.batches(self.name)

    def paths(self, batch: str) -> BatchPaths:
        """Return the files of a batch."""
        return BatchPaths(self.folder / batch)

    # --- reading -----------------------------------------------------------------------------------------------------

    def ids(self) -> list[str]:
        """Return the ids of all batches, the first one first."""
        folder = self.folder
        if folder.is_symlink() or folder.parent.is_symlink() or not folder.is_dir():
            return []
        found = (path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())
        return sorted(path.name for path in found if _ID.fullmatch(path.name))

    def read(self, batch: str) -> Batch:
        """Read a batch.

        Raises
        ------
        StoreError
            It is not there, or damaged.
        """
        paths = self.paths(batch)
        value, report = read_json(paths.batch_json), read_json(paths.report)
        try:
            metrics = metrics_from_json(value.get("metrics", ()))
            return Batch(**{key: value[key] for key in _KEYS}, report=report_from_json(report), metrics=metrics)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise damaged(paths.root, f"not a batch: {error!r}") from error

    def content_of(self, batch: str) -> tuple[int, str]:
        """Return the version that answered, and the sha256 of what a batch holds."""
        value = read_json(self.paths(batch).batch_json)
        return int(value.get("number", 0)), str(value.get("content"))

    def predictions(self, batch: str) -> pd.DataFrame | None:
        """Return what the model said of each row; None where it could not be asked."""
        path = self.paths(batch).predictions
        return read_predictions(path) if path.exists() else None

    def labels(self, batch: str) -> dict[str, Any]:
        """Return the labels that came later, by id."""
        path = self.paths(batch).labels
        if not path.exists():
            return {}
        table = read_predictions(path)
        return dict(zip(table[ID].tolist(), table[LABEL].tolist(), strict=True))

    def find(self, ref: str) -> str:
        """Return the id of the batch that is meant: by its id, the beginning of one, its name, or ``latest``.

        Raises
        ------
        StoreError
            None is, or several are.
        """
        ids = self.ids()
        if ref == "latest" and ids:
            return ids[-1]
        found = [batch for batch in ids if batch == ref] or [batch for batch in ids if ref and batch.startswith(ref)]
        names = {} if found else {batch: self.read(batch).name for batch in ids}
        found = found or [batch for batch, name in names.items() if name == ref]
        if len(found) == 1:
            return found[0]
        if found:
            raise StoreError(f"'{ref}' means {len(found)} batches", hint=f"name one by its id: {', '.join(found[:5])}")
        hint = did_you_mean(ref, [*names.values()]) if ids else f"mlops monitor log {self.name} FILE"
        raise StoreError(f"{self.name} has no batch '{ref}'", hint=hint)

    # --- changing ----------------------------------------------------------------------------------------------------

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Keep others from changing the batches while the block lasts, after what kills have left is removed."""
        if self.folder.is_symlink():
            raise StoreError(f"{self.folder} is a link, and batches are kept in a folder", hint="move the link away")
        with locked(self.workspace.batches_lock(self.name)):
            self._sweep()
            yield

    @contextmanager
    def draft(self) -> Iterator[BatchPaths]:
        """Give a place to put a batch together, inside `changing`; it goes with the block unless `settle` moved it."""
        place = self.folder / f".{secrets.token_hex(4)}.tmp"
        with disk_errors("write", place):
            place.mkdir(parents=True)
        try:
            yield BatchPaths(place)
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def new_id(self) -> str:
        """Return an id for a batch that is logged now; later ones come after it."""
        now, last = datetime.now(UTC), self.ids()[-1:]
        made = f"{now:%Y%m%d-%H%M%S}-{now.microsecond:06d}"
        return made if not last or made > last[0] else _after(last[0])

    def settle(self, draft: BatchPaths, batch: Batch) -> None:
        """Put a whole batch in its place, inside `changing`."""
        place = self.paths(batch.id).root
        write_json(draft.report, report_to_json(batch.report))
        write_json(draft.batch_json, batch_to_json(batch))
        with disk_errors("write", place):
            sync_paths([*draft.root.iterdir(), draft.root])
            draft.root.rename(place)
            sync_paths([self.folder, self.folder.parent])

    def write(self, batch: Batch) -> None:
        """Replace what is said of a batch, inside `changing`."""
        write_json(self.paths(batch.id).batch_json, batch_to_json(batch))

    def write_labels(self, batch: str, labels: dict[str, Any]) -> None:
        """Replace the labels that came later, inside `changing`."""
        write_predictions(self.paths(batch).labels, {ID: list(labels), LABEL: list(labels.values())})

    def remove(self, batch: str) -> None:
        """Remove a batch in one rename, inside `changing`."""
        place, trash = self.paths(batch).root, self.folder / f".{batch}.{secrets.token_hex(4)}.old"
        with disk_errors("remove", place):
            place.rename(trash)
            sync_paths([self.folder])
        shutil.rmtree(trash, ignore_errors=True)

    def _sweep(self) -> None:
        for place in list(self.folder.iterdir()) if self.folder.is_dir() else []:
            if place.name.startswith(".") and place.suffix in {".tmp", ".old"} and not place.is_symlink():
                shutil.rmtree(place, ignore_errors=True)
        for temp in self.folder.glob("*/.*.tmp"):
            temp.unlink(missing_ok=True)


def batch_to_json(batch: Batch) -> dict[str, Any]:
    """Return a batch as ``batch.json`` has it: without its report, which is a file of its own."""
    said = {key: getattr(batch, key) for key in _KEYS}
    return {"schema_version": SCHEMA_VERSION, **said, "metrics": metrics_to_json(batch.metrics)}


def _after(batch: str) -> str:
    """Return the id after another: the clock was set back."""
    from datetime import timedelta

    then = datetime.strptime(batch, "%Y%m%d-%H%M%S-%f").replace(tzinfo=UTC) + timedelta(microseconds=1)
    return f"{then:%Y%m%d-%H%M%S}-{then.microsecond:06d}"
