"""``mlops assess init``: files of processes and of questions about platforms to begin with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import UsageError
from mlops_cli.store.files import disk_errors, write_file
from mlops_cli.workflows.assess.processes import FOLDER, STARTING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Begun:
    """What `begin` did."""

    root: Path  # of the workspace
    written: tuple[str, ...]
    kept: tuple[str, ...]


def begin(directory: Path | None = None) -> Begun:
    """Write the files into a workspace; one that is there stays as it is.

    Parameters
    ----------
    directory : Path, optional
        A folder of the workspace; the current one where not given.

    Raises
    ------
    UsageError
        There is no such folder.
    StoreError
        The disk refuses.
    """
    if directory is not None and not directory.expanduser().is_dir():
        raise UsageError(f"there is no folder {directory}", hint=f"mlops init {directory} makes a workspace")
    workspace = find_workspace(directory)
    written, kept = [], []
    for template in sorted(STARTING.parent.glob("*.yaml")):
        place = workspace.configs / FOLDER / template.name
        name = place.relative_to(workspace.root).as_posix()
        if place.exists() or place.is_symlink():
            kept.append(name)
            continue
        with disk_errors("write", place):
            place.parent.mkdir(parents=True, exist_ok=True)
        write_file(place, template.read_bytes())
        written.append(name)
    return Begun(workspace.root, tuple(written), tuple(kept))
