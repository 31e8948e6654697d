"""Keep what a run saw of data that lies elsewhere, and read it again instead of asking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_cli.components.content import content_hash
from mlops_cli.components.tables import normalise
from mlops_cli.errors import StoreError
from mlops_cli.records import Notice
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.objects import Objects
from mlops_cli.store.snapshots import Snapshots
from mlops_cli.workflows.data.fetch import Gathered, Ready

if TYPE_CHECKING:
    import pandas as pd

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import DatasetVersion
    from mlops_cli.store.snapshots import Snapshot


@dataclass(frozen=True)
class KeptTable:
    """A source that gives a table as it was kept."""

    table: pd.DataFrame

    def load(self) -> pd.DataFrame:
        """Return the table."""
        return self.table


def snapshots_of(workspace: Workspace) -> Snapshots:
    """Return the snapshots of a workspace."""
    folder = WorkspacePaths(workspace.root).datasets
    return Snapshots(folder / "snapshots", Objects(folder / "objects"))


def as_kept(kept: Snapshot | None, snapshots: Snapshots) -> Ready | None:
    """Return the source that gives the table of a snapshot; None where it is one of files, or there is none."""
    if kept is None or kept.table is None:
        return None
    return Ready(KeptTable(snapshots.read_table(kept)), Gathered())


def keep(version: DatasetVersion, table: pd.DataFrame, ready: Ready, snapshots: Snapshots) -> list[Notice]:
    """Keep what was read from elsewhere: the table that a query gave, or which files were fetched.

    Returns
    -------
    list of Notice
        That it could not be kept, with why; empty where it is, or where the data is here anyway.
    """
    files = ready.gathered
    try:
        if getattr(ready.source, "is_remote", False):
            snapshots.keep_table(
                version.version, table, version.source, lambda read: _version_of(read) == version.version
            )
        elif files.files:
            snapshots.keep_files(version.version, files.files, version.source)
    except StoreError as error:
        return [Notice("no-snapshot", f"what was read is not kept, so this run cannot see it again: {error}")]
    return []


def compared(version: DatasetVersion, kept: Snapshot) -> list[Notice]:
    """Say where a snapshot is read in another way than it was."""
    if version.version == kept.version:
        return []
    text = f"the snapshot {kept.version[:12]} now reads as {version.version[:12]}"
    why = "`data` reads or types it in another way, or reads a file of this machine too, which has changed"
    return [Notice("snapshot-differs", f"{text}: {why}")]


def _version_of(table: Any) -> str:
    return content_hash(normalise(table))
