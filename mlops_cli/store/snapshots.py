"""What runs saw of data that lies elsewhere, so that it can be seen again.

``snapshots/<dataset version>.json`` names the objects that a dataset version was read from: the files as they were
fetched, or, of a query's answer, the table as parquet. Knows nothing of where or how data is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import StoreError, did_you_mean
from mlops_cli.records import SCHEMA_VERSION
from mlops_cli.store.files import damaged, read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pandas as pd

    from mlops_cli.store.objects import Objects


@dataclass(frozen=True)
class Snapshot:
    """The objects that a dataset version was read from."""

    version: str
    source: str  # where it came from, in words; no secrets
    files: Mapping[str, str]  # address, masked → digest, of each file in order; empty for a table
    names: Mapping[str, str]  # digest → the file's name
    table: str | None = None  # the digest of the table as parquet
    taken: str = ""


@dataclass(frozen=True)
class Snapshots:
    """All snapshots of a workspace."""

    folder: Path
    objects: Objects

    def keep_table(
        self, version: str, table: pd.DataFrame, source: str, is_same: Callable[[pd.DataFrame], bool]
    ) -> Snapshot:
        """Keep the table of a dataset version, with dtypes and index.

        Parameters
        ----------
        version : str
            The dataset's version.
        table : DataFrame
            What was read.
        source : str
            Where it came from, without secrets.
        is_same : callable
            Whether the table as it is read back is still that version.

        Raises
        ------
        StoreError
            A column holds what parquet has no type for, or does not give back.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            arrow = pa.Table.from_pandas(table)
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise StoreError(f"the table cannot be kept as parquet: {' '.join(str(error).split())[:200]}") from error
        with self.objects.writing() as writer:
            pq.write_table(arrow, pa.PythonFile(writer, mode="w"), compression="zstd")
        snapshot = Snapshot(version, source, {}, {}, writer.digest)
        if not is_same(self.read_table(snapshot)):
            raise StoreError("parquet does not give the same values back", hint="are there lists or mixed types in it?")
        return self._keep(snapshot)

    def keep_files(self, version: str, files: Mapping[str, str], names: Mapping[str, str], source: str) -> Snapshot:
        """Keep which fetched files a dataset version was read from."""
        return self._keep(Snapshot(version, source, files, names))

    def read_table(self, snapshot: Snapshot) -> pd.DataFrame:
        """Return the table of a snapshot, as it was."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self.objects.path(snapshot.table or "")
        try:
            table: pd.DataFrame = pq.ParquetFile(path).read().to_pandas()
        except (pa.ArrowException, OSError) as error:
            raise damaged(path, str(error)) from error
        return table

    def find(self, prefix: str) -> Snapshot:
        """Return the snapshot whose version begins with ``prefix``.

        Raises
        ------
        StoreError
            There is none, or more than one.
        """
        found = [version for version in self.versions() if prefix and version.startswith(prefix)]
        if len(found) == 1:
            return self._read(found[0])
        if found:
            raise StoreError(f"data.snapshot: {len(found)} versions begin with '{prefix}'", hint="give more digits")
        known = [version[:12] for version in self.versions()]
        hint = did_you_mean(prefix[:12], known) if known else "none is kept: run on the remote data first"
        raise StoreError(f"data.snapshot: no version '{prefix}' is kept", hint=hint)

    def versions(self) -> list[str]:
        """Return the dataset versions that are kept, by name."""
        return sorted(p.stem for p in self.folder.glob("*.json") if not p.name.startswith("."))

    def _keep(self, snapshot: Snapshot) -> Snapshot:
        place = self.folder / f"{snapshot.version}.json"
        if not place.exists():
            write_json(place, {"schema_version": SCHEMA_VERSION, **vars(snapshot), "taken": _now()})
        return snapshot

    def _read(self, version: str) -> Snapshot:
        path = self.folder / f"{version}.json"
        value: dict[str, Any] = read_json(path)
        try:
            return Snapshot(**{k: v for k, v in value.items() if k != "schema_version"})
        except TypeError as error:
            raise damaged(path, str(error)) from error


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
