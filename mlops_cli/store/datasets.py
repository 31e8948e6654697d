"""Named data sets in versions that never change: which files a version is, what it is called, what may go.

``names/<name>/<n>.json`` says which contents version n is made of, and the contents are in `Objects`, each once. A
version's files lie together under ``files/<digest>/``, as links to the contents, once somebody reads them. Knows
nothing of tables.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import StoreError, did_you_mean
from mlops_cli.records import SCHEMA_VERSION, DatasetFile
from mlops_cli.store.dataset_json import from_json, to_json
from mlops_cli.store.dataset_places import fill, is_whole
from mlops_cli.store.files import damaged, disk_errors, locked, read_json, sync_paths, write_json
from mlops_cli.store.layout import WorkspacePaths, check_name
from mlops_cli.store.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlops_cli.records import NamedDataset

LATEST = "latest"

_NUMBER = re.compile(r"[1-9]\d{0,8}", re.ASCII)
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
        return [self._read(name, number) for number in self.numbers(name)]

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
        return self._read(name, number)

    def find_ref(self, ref: str) -> NamedDataset:
        """Return the version that ``titanic@3``, ``titanic@clean`` or ``titanic``, the newest one, means.

        Raises
        ------
        StoreError
            There is none.
        """
        name, _, version = ref.partition("@")
        return self.find(name, version or LATEST)

    def _mend(self, name: str) -> str:
        known = self.names()
        return did_you_mean(name, known) if known else f"mlops data add FILE --name {name}"

    def _numbered(self, name: str, word: str) -> int | None:
        return int(word) if _NUMBER.fullmatch(word) else self.tags(name).get(word)

    def numbers(self, name: str) -> list[int]:
        """Return the numbers of a data set's versions; none where there is no such data set."""
        try:
            files = list(self._folder(name).iterdir())
        except OSError:
            return []
        return sorted(int(path.stem) for path in files if path.suffix == ".json" and _NUMBER.fullmatch(path.stem))

    def _read(self, name: str, number: int) -> NamedDataset:
        path = self._folder(name) / f"{number}.json"
        value = read_json(path)
        try:
            found = from_json(value)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise damaged(path, f"not a version of a data set: {error!r}") from error
        if (found.name, found.number) != (name, number):
            raise damaged(path, f"it says that it is {found.ref}")
        return found

    def _folder(self, name: str) -> Path:
        return self.paths.dataset_names / check_name(name, "data set")

    # --- adding ------------------------------------------------------------------------------------------------------

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Keep others from adding and taking away while the block lasts: contents come before what names them."""
        with locked(self.paths.datasets_lock):
            yield

    def take(self, source: Path, *, link: bool = False) -> tuple[DatasetFile, ...]:
        """Store the content of a file, or of all files of a folder, inside `changing`.

        Parameters
        ----------
        source : Path
            A file or a folder; what is hidden in a folder, and links, are left out.
        link : bool
            Let the files themselves become the contents, read-only, where they are on the same disk.

        Raises
        ------
        StoreError
            Nothing is there, or the disk refuses.
        """
        found = [(source.name, source)] if source.is_file() else list(files_in(source))
        if not found:
            raise StoreError(f"{source}: no such file" if not source.exists() else f"{source}: has no files")
        return self.take_files(found, link=link)

    def take_files(self, found: Iterable[tuple[str, Path]], *, link: bool = False) -> tuple[DatasetFile, ...]:
        """Store the contents of files, each with its path inside the data set; as `take` otherwise."""
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
        write_json(folder / f"{made.number}.json", to_json(made))
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
            if without is not None and tags.pop(without, None) is None:
                raise StoreError(f"'{version.name}' has no tag '{without}'", hint=did_you_mean(without, tags))
            if tag is not None:
                tags[check_tag(tag)] = version.number
            write_json(self._folder(version.name) / _TAGS, {"schema_version": SCHEMA_VERSION, "tags": tags})

    # --- reading -----------------------------------------------------------------------------------------------------

    def place(self, version: NamedDataset) -> Path:
        """Return where a version can be read: its file under its own name, or the folder with its files.

        Every byte is read first: a run on data that has changed would be recorded as one on data that has not.

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
            tags = {tag: number for tag, number in self.tags(version.name).items() if number != version.number}
            write_json(self._folder(version.name) / _TAGS, {"schema_version": SCHEMA_VERSION, "tags": tags})
            with disk_errors("remove", self._folder(version.name)):
                (self._folder(version.name) / f"{version.number}.json").unlink(missing_ok=True)

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
            files = self.removable(needed, min_age=min_age)  # before the places go: that is a change of their contents
            self._forget_places()
            size = sum(path.stat().st_size for path in files)
            with disk_errors("remove", self.paths.datasets):
                for path in files:
                    path.unlink(missing_ok=True)
            self.objects.forget_abandoned()
            return len(files), size

    def removable(self, needed: frozenset[str], *, min_age: float = 0) -> list[Path]:
        """Return the files that `collect` would remove."""
        files = (self.objects.path(digest) for digest in self.unused(needed))
        return [path for path in files if time.time() - path.stat().st_ctime >= min_age]

    def _forget_places(self) -> None:
        digests = {version.digest for name in self.names() for version in self.versions(name)}
        folder = self.paths.dataset_files
        for place in folder.iterdir() if folder.is_dir() else []:
            if place.name not in digests:
                shutil.rmtree(place, ignore_errors=True)
        for temp in self.paths.dataset_names.glob("*/.*.tmp"):  # of a process that was killed: this one has the lock
            temp.unlink(missing_ok=True)


def _content(version: NamedDataset) -> tuple[Any, ...]:
    return version.digest, version.is_folder, version.option, dict(version.read), version.key


def check_tag(tag: str) -> str:
    """Return a word that may be a tag.

    Raises
    ------
    StoreError
        It means a version already, or is no word.
    """
    if _NUMBER.fullmatch(tag) or tag == LATEST:
        raise StoreError(f"'{tag}' means a version already", hint="a tag is a word such as 'clean'")
    return check_name(tag, "tag")


def files_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files of a folder, each with its path in it; what is hidden, and links, are left out."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = Path(root, name)
            if not name.startswith(".") and stat.S_ISREG(file.lstat().st_mode):
                yield file.relative_to(folder).as_posix(), file
