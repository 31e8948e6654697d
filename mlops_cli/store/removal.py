"""Runs removed for good, each in one rename: a kill at any moment leaves a whole run or none."""

from __future__ import annotations

import secrets
import shutil
from typing import TYPE_CHECKING

from mlops_cli.errors import StoreError
from mlops_cli.store.files import disk_errors, read_json
from mlops_cli.store.find import is_alive
from mlops_cli.store.journal import Journal
from mlops_cli.store.layout import RunPaths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.records import RunRecord
    from mlops_cli.store.layout import WorkspacePaths


def remove_runs(workspace: WorkspacePaths, records: Sequence[RunRecord]) -> None:
    """Remove runs; none of them where one must stay.

    Raises
    ------
    StoreError
        One is being written, or a registered model came from it; or the disk refuses.
    """
    needed = _needed(workspace)
    for record in records:
        _require_free(record, needed)
    for record in records:
        _move_away(workspace, record)
    shutil.rmtree(workspace.trash, ignore_errors=True)  # what a kill has left there before, too


def _require_free(record: RunRecord, needed: dict[str, str]) -> None:
    if (version := needed.get(record.id)) is not None:
        raise StoreError(
            f"{record.id} stays: the registered model {version} came from it", hint=f"mlops models rm {version}"
        )
    if is_alive(record.path):
        raise StoreError(f"{record.id} stays: it is running", hint="wait for it to end, or stop it")


def _needed(workspace: WorkspacePaths) -> dict[str, str]:
    """Return the runs that registered models came from, each with one of those."""
    found = {}
    for file in workspace.version_files():
        # A file that cannot be read might name any run: then its error ends the removal.
        if isinstance(run := read_json(file).get("run"), str):
            found[run] = f"{file.parent.parent.name}/{file.parent.name}"
    return found


def _move_away(workspace: WorkspacePaths, record: RunRecord) -> None:
    paths = RunPaths(record.path)
    place = workspace.trash / f"{record.path.parent.name}.{record.path.name}.{secrets.token_hex(4)}"
    # With its journal held nobody resumes it meanwhile.
    with disk_errors("remove", record.path), Journal(paths.journal):
        place.parent.mkdir(parents=True, exist_ok=True)
        record.path.rename(place)
    shutil.rmtree(paths.scratch, ignore_errors=True)
