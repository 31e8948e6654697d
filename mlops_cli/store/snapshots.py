"""What runs saw of data that lies elsewhere, so that it can be seen again.

``snapshots/<dataset version>.json`` names the objects that a dataset version was read from: the files as they were
fetched, or, of a query's answer, the table as parquet; where several places gave the same content, those of each.
Knows nothing of how data is read.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops_cli.components.sources.secrets import masked
from mlops_cli.errors import StoreError, did_you_mean
from mlops_cli.records import SCHEMA_VERSION
from mlops_cli.store.files import damaged, locked, read_json, sha256, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd

    from mlops_cli.store.objects import Objects


_MARK = re.compile(r" \([0-9a-f]{8}\)$")


@dataclass(frozen=True)
class KeptFile:
    """A file as it was fetched."""

    asked: str  # what the config asked for, as `label` calls it: its address, or a glob or folder that it is of
    address: str  # masked
    digest: str
    name: str  # by whose suffix readers go


Reading = tuple[KeptFile, ...]
"""All files that were fetched for one table, in order."""


@dataclass(frozen=True)
class Snapshot:
    """The objects that a dataset version was read from."""

    version: str
    source: str  # where it came from first, in words; no secrets
    readings: tuple[Reading, ...] = ()  # the newest one last; empty where there is only a table
    table: str | None = None  # the digest of the table as parquet
    taken: str = ""

    def files_of(self, asked: str) -> Reading:
        """Return the files that an address, or a glob or folder, stood for, in order; none where it was not read.

        What differs in secrets alone may mean the same, since signatures of addresses expire.
        """
        found = [tuple(f for f in reading if f.asked == label(asked)) for reading in self.readings]
        alike = [tuple(f for f in reading if _plain(f.asked) == masked(asked)) for reading in self.readings]
        known = [*filter(None, found)] or [files for files in alike if len({f.asked for f in files}) == 1]
        return known[-1] if known else ()

    def addresses(self) -> list[str]:
        """Return what it was read from, without secrets."""
        return list(dict.fromkeys(_plain(file.asked) for reading in self.readings for file in reading))


def label(address: str) -> str:
    """Return what a snapshot calls an address: masked, and told apart from others that are masked alike."""
    shown = masked(address)
    return shown if shown == address else f"{shown} ({sha256(address.encode())[:8]})"


def _plain(label: str) -> str:
    return _MARK.sub("", label)


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
        snapshot = Snapshot(version, source, table=writer.digest)
        if not is_same(self.read_table(snapshot)):
            raise StoreError("parquet does not give the same values back", hint="are there lists or mixed types in it?")
        return self._keep(snapshot)

    def keep_files(self, version: str, files: Sequence[KeptFile], source: str) -> Snapshot:
        """Keep which fetched files a dataset version was read from."""
        return self._keep(Snapshot(version, source, (tuple(files),)))

    def read_table(self, snapshot: Snapshot) -> pd.DataFrame:
        """Return the table of a snapshot, as it was.

        Raises
        ------
        StoreError
            It is gone, or has changed.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self.objects.path(snapshot.table or "")
        if not self.objects.usable(snapshot.table or ""):
            raise damaged(path, f"the table of the snapshot {snapshot.version[:12]} has changed")
        try:
            table: pd.DataFrame = pq.ParquetFile(path).read().to_pandas()
        except (pa.ArrowException, OSError) as error:
            raise damaged(path, str(error)) from error
        return table

    def find(self, prefix: str, key: str = "data.snapshot") -> Snapshot:
        """Return the snapshot whose version begins with ``prefix``; it counts as new, which spares it from removal.

        Parameters
        ----------
        prefix : str
            At least one digit.
        key : str
            Where the config says it.

        Raises
        ------
        StoreError
            There is none, or more than one.
        """
        found = [version for version in self.versions() if prefix and version.startswith(prefix)]
        if len(found) == 1:
            with suppress(OSError):  # of another user, or on a disk that is read only
                os.utime(self._place(found[0]))
            return self.read(found[0])
        if found:
            raise StoreError(f"{key}: {len(found)} versions begin with '{prefix}'", hint="give more digits")
        known = [version[:12] for version in self.versions()]
        hint = did_you_mean(prefix[:12], known) if known else "none is kept: run on the remote data first"
        raise StoreError(f"{key}: no version '{prefix}' is kept", hint=hint)

    def versions(self) -> list[str]:
        """Return the dataset versions that are kept, by name."""
        return sorted(p.stem for p in self.folder.glob("*.json") if not p.name.startswith("."))

    def _place(self, version: str) -> Path:
        return self.folder / f"{version}.json"

    def _keep(self, snapshot: Snapshot) -> Snapshot:
        """Write a snapshot, together with what is kept of the same content from elsewhere; it counts as new then."""
        place = self._place(snapshot.version)
        with locked(self.folder / ".lock"):
            whole = _joined(self.read(snapshot.version), snapshot) if place.exists() else snapshot
            write_json(place, {"schema_version": SCHEMA_VERSION, **asdict(whole), "taken": whole.taken or _now()})
        return whole

    def read(self, version: str) -> Snapshot:
        """Return the snapshot of a version; unlike `find` it does not make it count as new.

        Raises
        ------
        StoreError
            It is not there, or damaged.
        """
        path = self._place(version)
        value: dict[str, Any] = read_json(path)
        try:
            readings = tuple(tuple(KeptFile(**file) for file in reading) for reading in value["readings"])
            return Snapshot(**{k: v for k, v in value.items() if k != "schema_version"} | {"readings": readings})
        except (KeyError, TypeError) as error:
            raise damaged(path, repr(error)) from error


def _joined(old: Snapshot, new: Snapshot) -> Snapshot:
    others = tuple(reading for reading in old.readings if not any(_is_same(reading, r) for r in new.readings))
    return replace(old, readings=(*others, *new.readings), table=new.table or old.table)


def _is_same(a: Reading, b: Reading) -> bool:
    """Whether two readings are of the same files, by addresses that may differ in secrets."""
    return [(_plain(f.asked), f.digest, f.name) for f in a] == [(_plain(f.asked), f.digest, f.name) for f in b]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
