"""Runs removed for good, each in one rename: a kill at any moment leaves a whole run or none."""

from __future__ import annotations

import secrets
import shutil
from typing import TYPE_CHECKING

from mlops_cli.errors import StoreError
from mlops_cli.records import Action
from mlops_cli.store.audit import AuditLog
from mlops_cli.store.files import disk_errors, read_json
from mlops_cli.store.find import DamagedRun, is_alive
from mlops_cli.store.journal import Journal
from mlops_cli.store.layout import RunPaths

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlops_cli.records import RunRecord
    from mlops_cli.store.layout import WorkspacePaths

_DEPTH = 3
"""Folders above a run: its experiment, all runs, and the workspace."""


def remove_runs(runs: Sequence[RunRecord | DamagedRun]) -> None:
    """Remove runs, each from the workspace that it lies in; none of them where one must stay.

    Raises
    ------
    StoreError
        One is being written, or a registered model came from it; or the disk refuses.
    """
    homes = {run.path: _home(run) for run in runs}
    needed = {home: _needed(home) for home in set(homes.values())}
    for run in runs:
        _require_free(run, needed[homes[run.path]])
    for run in runs:
        _move_away(run, homes[run.path].trash)
    for home in needed:
        _sweep(home)


def _home(run: RunRecord | DamagedRun) -> WorkspacePaths:
    if len(run.path.parents) < _DEPTH or run.path.parents[1].name != "runs":
        raise StoreError(f"{run.path} stays: it is in no workspace", hint="a copy of a run is removed as any folder is")
    return RunPaths(run.path).workspace


def _require_free(run: RunRecord | DamagedRun, needed: dict[str, str]) -> None:
    if (version := needed.get(run.id)) is not None:
        raise StoreError(
            f"{run.id} stays: the registered model {version} came from it", hint=f"mlops models rm {version}"
        )
    if is_alive(run.path):
        raise StoreError(f"{run.id} stays: it is running", hint="wait for it to end, or stop it")


def _needed(workspace: WorkspacePaths) -> dict[str, str]:
    """Return the runs that registered models came from, each with one of those."""
    found = {}
    for file in workspace.version_files():
        # A file that cannot be read might name any run: then its error ends the removal.
        if isinstance(run := read_json(file).get("run"), str):
            found[run] = f"{file.parent.parent.name}/{file.parent.name}"
    return found


def _move_away(run: RunRecord | DamagedRun, trash: Path) -> None:
    paths = RunPaths(run.path)
    place = trash / f"{run.path.parent.name}.{run.path.name}.{secrets.token_hex(4)}"
    # With its journal held nobody resumes it meanwhile.
    with disk_errors("remove", run.path), Journal(paths.journal):
        AuditLog(paths.workspace).append(Action.RUN_REMOVED, run.id, _told(run))
        trash.mkdir(parents=True, exist_ok=True)
        run.path.rename(place)
    shutil.rmtree(paths.scratch, ignore_errors=True)


def _told(run: RunRecord | DamagedRun) -> dict[str, str]:
    if isinstance(run, DamagedRun):
        return {"damaged": run.reason}
    return {"status": str(run.status), "fingerprint": run.fingerprint}


def _sweep(workspace: WorkspacePaths) -> None:
    """Remove what lies in the trash, what a kill has left there before too, but not the trash itself.

    Another process may be about to move a run into it. What that one is removing, both remove.
    """
    with disk_errors("remove", workspace.trash):
        for place in list(workspace.trash.iterdir()):
            shutil.rmtree(place, ignore_errors=True)
