"""Keep what a run saw of data that lies elsewhere, and read it again instead of asking."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_cli.components.content import content_hash
from mlops_cli.components.sources.from_files import FileSource
from mlops_cli.components.tables import normalise
from mlops_cli.errors import StoreError
from mlops_cli.records import Notice, sha256_of_files
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.objects import Objects, digest_of
from mlops_cli.store.snapshots import Snapshots
from mlops_cli.workflows.data.fetch import Gathered, Ready

if TYPE_CHECKING:
    import pandas as pd

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import DatasetVersion
    from mlops_cli.store.snapshots import Snapshot

MOST_HASHED = 2**29
"""Bytes of files up to which their sha256 is recorded: it takes a twentieth of the time that reading them does."""


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


def sha256_of(ready: Ready) -> str:
    """Return what tells the content of the files that a source reads, as they are; see `sha256_of_files`.

    Nothing where it reads none, where they are of a named data set, whose name tells more, or where reading so much
    once more would be felt.
    """
    source = ready.source
    if not isinstance(source, FileSource) or ready.gathered.versions:
        return ""
    if ready.gathered.files:
        return sha256_of_files(file.digest for file in ready.gathered.files)
    with suppress(OSError):  # gone since it was read
        files = source.files()
        if sum(file.stat().st_size for file in files) <= MOST_HASHED:
            return sha256_of_files(map(digest_of, files))
    return ""


def compared(version: DatasetVersion, kept: Snapshot) -> list[Notice]:
    """Say where a snapshot is read in another way than it was."""
    if version.version == kept.version:
        return []
    text = f"the snapshot {kept.version[:12]} now reads as {version.version[:12]}"
    why = "`data` reads or types it in another way, or reads a file of this machine too, which has changed"
    return [Notice("snapshot-differs", f"{text}: {why}")]


def _version_of(table: Any) -> str:
    return content_hash(normalise(table))
