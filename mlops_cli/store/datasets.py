"""Named data sets in versions that never change: which files a version is, what it is called, what may go.

``names/<name>/<n>.json`` says which contents version n is made of, and the contents are in `Objects`, each once. A
version's files lie together under ``files/<digest>/``, as links to the contents, once somebody reads them. Knows
nothing of tables.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import StoreError, did_you_mean
from mlops_cli.records import SCHEMA_VERSION, Action, DatasetFile
from mlops_cli.store.audit import AuditLog
from mlops_cli.store.auditing import digest_of_record
from mlops_cli.store.dataset_json import from_json, to_json
from mlops_cli.store.dataset_places import fill, is_whole
from mlops_cli.store.dataset_tags import LATEST, NUMBER, check_tag
from mlops_cli.store.files import damaged, disk_errors, locked, read_json, sync_paths, write_json
from mlops_cli.store.names import check_name
from mlops_cli.store.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlops_cli.records import NamedDataset
    from mlops_cli.store.layout import WorkspacePaths

_LAST = "last.json"
_TAGS = "tags.json"


@dataclass(frozen=True)
class Datasets:
    """The named data sets of a workspace.

    Parameters
    ----------
    paths : WorkspacePaths
        The workspace.
    """

    paths: WorkspacePaths

    @cached_property
    def objects(self) -> Objects:
        """The contents."""
        return Objects(self.paths.datasets / "objects")

    # --- finding -----------------------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """Return the names of all data sets that have a version."""
        folder = self.paths.dataset_names
        found = folder.iterdir() if folder.is_dir() else []
        return sorted(path.name for path in found if path.is_dir() and self.numbers(path.name))

    def is_known(self, name: str) -> bool:
        """Whether a data set of that name has a version."""
        return name in self.names()

    def versions(self, name: str) -> list[NamedDataset]:
        """Return the versions of a data set, the first one first; none where there is no such data set."""
        found = (self._there(name, number) for number in self.numbers(name))
        return [version for version in found if version is not None]

    def find(self, name: str, version: int | str = LATEST) -> NamedDataset:
        """Return one version.

        Parameters
        ----------
        name : str
            The data set's name.
        version : int or str
            A number, ``latest`` or a tag.

        Raises
        ------
        StoreError
            There is no such data set or version; the message says which there are.
        """
        numbers = self.numbers(check_name(name, "data set"))
        if not numbers:
            raise StoreError(f"there is no data set '{name}'", hint=self._mend(name))
        word = str(version)
        number = numbers[-1] if word == LATEST else self._numbered(name, word)
        if number not in numbers:
            known = [*map(str, numbers), LATEST, *self.tags(name)]
            raise StoreError(f"the data set '{name}' has no version '{word}'", hint=did_you_mean(word, known))
        return self._there(name, number) or self.find(name, version)

    def find_ref(self, ref: str) -> NamedDataset:
        """Return the version that ``titanic@3``, ``titanic@clean`` or ``titanic``, the newest one, means.

        Raises
        ------
        StoreError
            There is none.
        """
        name, at, version = ref.partition("@")
        return self.find(name, version if at else LATEST)

    def _mend(self, name: str) -> str:
        known = self.names()
        return did_you_mean(name, known) if known else f"mlops data add FILE --name {name}"

    def _numbered(self, name: str, word: str) -> int | None:
        return int(word) if NUMBER.fullmatch(word) else self.tags(name).get(word)

    def numbers(self, name: str) -> list[int]:
        """Return the numbers of a data set's versions; none where there is no such data set."""
        try:
            files = list(self._folder(name).iterdir())
        except OSError:
            return []
        return sorted(int(path.stem) for path in files if path.suffix == ".json" and NUMBER.fullmatch(path.stem))

    def _there(self, name: str, number: int) -> NamedDataset | None:
        """Return a version; None where somebody has removed it meanwhile."""
        try:
            return self._read(name, number)
        except StoreError:
            if number in self.numbers(name):
                raise
            return None

    def _read(self, name: str, number: int) -> NamedDataset:
        path = self.file(name, number)
        value = read_json(path)
        try:
            found = from_json(value)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise damaged(path, f"not a version of a data set: {error!r}") from error
        if (found.name, found.number) != (name, number):
            raise damaged(path, f"it says that it is {found.ref}")
        return found

    def file(self, name: str, number: int) -> Path:
        """Return the file that says what a version is."""
        return self._folder(name) / f"{number}.json"

    def _folder(self, name: str) -> Path:
        return self.paths.dataset_names / check_name(name, "data set")

    # --- adding ------------------------------------------------------------------------------------------------------

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Keep others from adding and taking away while the block lasts: contents come before what names them."""
        with locked(self.paths.datasets_lock):
            yield

    def take(self, found: Iterable[tuple[str, Path]], *, link: bool = False) -> tuple[DatasetFile, ...]:
        """Store the contents of files, inside `changing`.

        Parameters
        ----------
        found : iterable of (str, Path)
            The path of each inside the data set, and where it is.
        link : bool
            Let the files themselves become the contents, read-only, where they are on the same disk.

        Raises
        ------
        StoreError
            A file is not there, or the disk refuses.
        """
        return tuple(self._taken(path, file, link=link) for path, file in found)

    def _taken(self, path: str, file: Path, *, link: bool) -> DatasetFile:
        digest = self.objects.add(file, link=link)
        return DatasetFile(path, digest, self.objects.path(digest).stat().st_size)

    def add(self, draft: NamedDataset) -> tuple[NamedDataset, bool]:
        """Give a data set its next version, inside `changing`.

        Parameters
        ----------
        draft : NamedDataset
            Its number is given here.

        Returns
        -------
        NamedDataset
            The new version; the newest one where that has the same files and is read in the same way.
        bool
            Whether it is new.
        """
        known = self.numbers(draft.name)
        if known and _content(newest := self._read(draft.name, known[-1])) == _content(draft):
            return newest, False
        made = replace(draft, number=max([*known, self._last(draft.name)]) + 1)
        folder = self._folder(draft.name)
        # The count first: a number that was given once is never given to another content.
        write_json(folder / _LAST, {"schema_version": SCHEMA_VERSION, "number": made.number})
        content = {"version": made.table.version, "sha256": made.sha256}
        said = {"origin": made.origin, **content, "record": digest_of_record(to_json(made))}
        made = replace(made, audit=AuditLog(self.paths).append(Action.DATA_ADDED, made.ref, said))
        write_json(self.file(made.name, made.number), to_json(made))
        return made, True

    def _last(self, name: str) -> int:
        path = self._folder(name) / _LAST
        return int(read_json(path)["number"]) if path.is_file() else 0

    # --- tags --------------------------------------------------------------------------------------------------------

    def tags(self, name: str) -> dict[str, int]:
        """Return what versions of a data set are called besides their numbers."""
        path = self._folder(name) / _TAGS
        return dict(read_json(path)["tags"]) if path.is_file() else {}

    def tag(self, version: NamedDataset, tag: str | None = None, *, without: str | None = None) -> None:
        """Let a tag mean a version, whatever it meant before; or take one away.

        Raises
        ------
        StoreError
            The word means something else, or there is no such tag.
        """
        with self.changing():
            tags = self.tags(version.name)
            before = dict(tags)
            if without is not None and tags.pop(without, None) is None:
                raise StoreError(f"'{version.name}' has no tag '{without}'", hint=did_you_mean(without, tags))
            if tag is not None:
                tags[check_tag(tag)] = version.number
            if tags == before:
                return
            said = {"tag": tag} if without is None else {"tag": tag, "without": without}
            AuditLog(self.paths).append(Action.DATA_TAGGED, version.ref, said)
            write_json(self._folder(version.name) / _TAGS, {"schema_version": SCHEMA_VERSION, "tags": tags})

    # --- reading -----------------------------------------------------------------------------------------------------

    def place(self, version: NamedDataset) -> Path:
        """Return where a version can be read: its file under its own name, or the folder with its files.

        Every byte is read first: a run on data that has changed would be recorded as one on data that has not. The
        place counts as new, which spares it from collecting while it is read, even if the version is removed.

        Raises
        ------
        StoreError
            A content is gone, or has changed.
        """
        if found := self.faults(version):
            raise StoreError(f"{version.ref}: {found[0]}", hint=f"add the data again; mlops data verify {version.name}")
        folder = self.paths.dataset_files / version.digest
        if not is_whole(version, folder, self.objects):
            with self.changing():  # else `collect` might take away what is half there
                self._lay_out(version, folder)
        with suppress(OSError):  # of another user, or on a disk that is read only
            os.utime(folder)
        return folder if version.has_folder else folder / version.files[0].path

    def _lay_out(self, version: NamedDataset, folder: Path) -> None:
        temp = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.tmp")
        try:
            with disk_errors("write", folder):
                fill(version, self.objects, temp)
                if not is_whole(version, folder, self.objects):  # else another process was quicker
                    shutil.rmtree(folder, ignore_errors=True)
                    temp.rename(folder)
        finally:
            shutil.rmtree(temp, ignore_errors=True)

    def checkout(self, version: NamedDataset, target: Path) -> Path:
        """Copy a version's files to a folder, or its one file to a path; they can be changed there.

        Raises
        ------
        StoreError
            Something is there already, or the disk refuses.
        """
        place = target / version.files[0].path if not version.has_folder and target.is_dir() else target
        if place.exists() and not (version.has_folder and place.is_dir() and not any(place.iterdir())):
            raise StoreError(f"{place} is there already", hint="choose another place: -o PATH")
        temp = place.with_name(f".{place.name}.{secrets.token_hex(4)}.tmp")
        with disk_errors("write", place):
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                fill(version, self.objects, temp, links=False)
                (temp if version.has_folder else temp / version.files[0].path).rename(place)
                sync_paths([place.parent])
            finally:
                shutil.rmtree(temp, ignore_errors=True)
        return place

    def faults(self, version: NamedDataset) -> list[str]:
        """Return what is wrong with a version's contents, byte by byte; nothing where all is well."""
        return [text for file in version.files if (text := self._fault(file))]

    def _fault(self, file: DatasetFile) -> str | None:
        if not self.objects.has(file.sha256):
            return f"{file.path}: its content is gone (sha256 {file.sha256[:12]})"
        if not self.objects.verify(file.sha256):
            return f"{file.path}: its content has changed (sha256 {file.sha256[:12]} was recorded)"
        return None

    # --- taking away -------------------------------------------------------------------------------------------------

    def remove(self, version: NamedDataset) -> None:
        """Forget a version and its tags; its contents stay until `collect`."""
        with self.changing():
            AuditLog(self.paths).append(Action.DATA_REMOVED, version.ref, {"version": version.table.version})
            tags = {tag: number for tag, number in self.tags(version.name).items() if number != version.number}
            write_json(self._folder(version.name) / _TAGS, {"schema_version": SCHEMA_VERSION, "tags": tags})
            with disk_errors("remove", self._folder(version.name)):
                self.file(version.name, version.number).unlink(missing_ok=True)

    def unused(self, needed: frozenset[str]) -> list[str]:
        """Return the digests of contents that no version has and nobody else needs."""
        kept = {file.sha256 for name in self.names() for version in self.versions(name) for file in version.files}
        return [digest for digest in self.objects.digests() if digest not in kept | needed]

    def collect(self, needed: frozenset[str], *, min_age: float = 0) -> tuple[int, int]:
        """Remove contents that nobody needs, and the places of versions that are gone.

        Parameters
        ----------
        needed : frozenset of str
            Digests that something other than a version needs.
        min_age : float
            Leave contents that came within the last so many seconds: whoever brought them may not yet have said what
            for.

        Returns
        -------
        tuple of int
            How many contents, and how many bytes.
        """
        with self.changing():
            sizes = []
            with disk_errors("remove", self.paths.datasets):
                for path in self.removable(needed, min_age=min_age):
                    if _is_old(path, min_age):  # still: else a run has begun to read it
                        sizes.append(path.stat().st_size)
                        path.unlink()
                self._forget_places(min_age)  # last: to unlink is a change of the contents, which count as new then
            self.objects.forget_abandoned()
            return len(sizes), sum(sizes)

    def removable(self, needed: frozenset[str], *, min_age: float = 0) -> list[Path]:
        """Return the files that `collect` would remove."""
        files = (self.objects.path(digest) for digest in self.unused(needed))
        return [path for path in files if _is_old(path, min_age)]

    def _forget_places(self, min_age: float) -> None:
        digests = {version.digest for name in self.names() for version in self.versions(name)}
        folder = self.paths.dataset_files
        for place in folder.iterdir() if folder.is_dir() else []:
            if place.name not in digests and _is_old(place, min_age):
                shutil.rmtree(place, ignore_errors=True)
        for temp in self.paths.dataset_names.glob("*/.*.tmp"):  # of a process that was killed: this one has the lock
            temp.unlink(missing_ok=True)


def _is_old(path: Path, min_age: float) -> bool:
    """Whether a file has not changed for so many seconds; that somebody began to read it is a change here."""
    return time.time() - path.stat().st_ctime >= min_age


def _content(version: NamedDataset) -> tuple[Any, ...]:
    return version.digest, version.is_folder, version.option, dict(version.read), version.key


def files_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files of a folder, each with its path in it; what is hidden, and links, are left out."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = Path(root, name)
            if not name.startswith(".") and stat.S_ISREG(file.lstat().st_mode):
                yield file.relative_to(folder).as_posix(), file
