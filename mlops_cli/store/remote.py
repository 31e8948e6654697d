"""What was fetched from elsewhere, kept by content, and asked for again only where it may have changed.

``remote/<sha256 of the address>.json`` says what an address gave when it was last asked; the bytes are in `Objects`.
Addresses are stored masked.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops_cli.components.sources.http import Unreachable
from mlops_cli.components.sources.secrets import masked
from mlops_cli.errors import DataError, StoreError
from mlops_cli.records import SCHEMA_VERSION, Notice
from mlops_cli.store.files import read_json, sha256, write_json
from mlops_cli.store.objects import Objects
from mlops_cli.store.transfer import Limits, receive, safe_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlops_cli.store.layout import WorkspacePaths
    from mlops_cli.store.snapshots import KeptFile

_LOST = "that version cannot be seen again; without a snapshot it is read as it is now"


@dataclass(frozen=True)
class Wanted:
    """What is to be fetched, and how fresh it must be."""

    url: str
    sha256: str | None = None
    max_age: float | None = None  # seconds that a copy is good for without asking; None asks each time
    is_forced: bool = False  # fetch it again whatever is kept


@dataclass(frozen=True)
class Fetched:
    """A file that is kept."""

    name: str  # as the address calls it, safe as a file's name
    digest: str
    path: Path  # with that name, so that its suffix tells the form
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class Remote:
    """What a workspace keeps of places elsewhere."""

    paths: WorkspacePaths

    @property
    def objects(self) -> Objects:
        """The contents."""
        return Objects(self.paths.datasets / "objects")

    def fetch(self, wanted: Wanted, limits: Limits | None = None) -> Fetched:
        """Return a file from elsewhere, fetched only where what is kept may be out of date.

        Raises
        ------
        DataError
            It cannot be had and nothing is kept; it is larger than allowed; its sha256 is not the wanted one.
        MissingExtraError
            The package for that kind of store is not installed.
        """
        known = {} if wanted.is_forced else self._known(wanted)
        said: tuple[Notice, ...] = ()
        if not _suffices(wanted, known):
            try:
                known = self._asked(wanted, known, limits or Limits())
            except Unreachable as error:
                if not known:
                    raise
                said = (_offline(known, error),)
        check_sha256(masked(wanted.url), known["sha256"], wanted.sha256)
        return Fetched(known["name"], known["sha256"], self._named(known["sha256"], known["name"]), said)

    def seen(self, file: KeptFile) -> Fetched:
        """Return a file that an earlier run saw, byte by byte the same.

        Raises
        ------
        StoreError
            It is gone, or has changed.
        """
        if not self.objects.usable(file.digest):
            what = "has changed" if self.objects.has(file.digest) else "is gone"
            raise StoreError(f"{file.address}: what is kept of it {what} (sha256 {file.digest[:12]})", hint=_LOST)
        return Fetched(file.name, file.digest, self._named(file.digest, file.name))

    def _named(self, digest: str, name: str) -> Path:
        """Return a path to an object under a name, by whose suffix readers go."""
        place = self.paths.datasets / "named" / digest[:16] / safe_name(name)
        target = self.objects.path(digest)
        if not place.is_symlink():
            place.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):  # another process was quicker
                place.symlink_to(f"../../objects/{digest[:2]}/{target.name}")
        return place

    def _asked(self, wanted: Wanted, known: Mapping[str, Any], limits: Limits) -> Mapping[str, Any]:
        """Ask, and return the new record."""
        got = receive(wanted.url, self.objects, known, limits)
        now = {"fetched": time.time(), "when": datetime.now(UTC).isoformat(timespec="seconds")}
        if got is None:
            record = {**known, **now}
        else:
            found = {"sha256" if k == "digest" else k: v for k, v in asdict(got).items()}
            record = {"schema_version": SCHEMA_VERSION, "url": masked(wanted.url), **found, **now}
        write_json(self._record(wanted.url), record)
        return record

    def _known(self, wanted: Wanted) -> Mapping[str, Any]:
        """Return what is kept of an address, byte by byte as it was; nothing where that is not known.

        A content that is wanted by its sha256 is one of the address, whoever gave it.
        """
        record = self._recorded(wanted.url)
        if wanted.sha256 is not None and self.objects.usable(wanted.sha256):
            name = record.get("name") or safe_name(masked(wanted.url).partition("?")[0])
            return {**record, "sha256": wanted.sha256, "name": name}
        return record if record and self.objects.usable(record["sha256"]) else {}

    def _recorded(self, url: str) -> dict[str, Any]:
        """Return the record of an address; an empty one where it is not there, or damaged: it is only a cache."""
        path = self._record(url)
        try:
            record = read_json(path) if path.is_file() else {}
            is_good = bool(record) and self.objects.has(record["sha256"]) and bool(record["name"])
            return {**record, "fetched": float(record["fetched"])} if is_good else {}
        except (StoreError, KeyError, TypeError, ValueError):
            return {}

    def _record(self, url: str) -> Path:
        return self.paths.datasets / "remote" / f"{sha256(url.encode())}.json"


def _suffices(wanted: Wanted, known: Mapping[str, Any]) -> bool:
    """Whether what is kept will do without asking anybody."""
    if not known:
        return False
    if known["sha256"] == wanted.sha256:
        return True
    return wanted.max_age is not None and time.time() - known["fetched"] <= wanted.max_age


def check_sha256(shown: str, found: str, wanted: str | None) -> None:
    """Refuse a content that is not the wanted one.

    Raises
    ------
    DataError
        Naming both digests.
    """
    if wanted is not None and found != wanted:
        raise DataError(
            f"{shown}: its sha256 is {found}, and data.sha256 is {wanted}",
            hint="it has changed, or was damaged on its way; if the new content is right, correct data.sha256",
        )


def _offline(known: Mapping[str, Any], error: Unreachable) -> Notice:
    return Notice("kept-copy", f"{error.message}; the copy of {known.get('when', 'before')} is used")
