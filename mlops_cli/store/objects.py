"""Bytes by their sha256: each content once, never changed, whole or not there at all.

``objects/ab/abcd…`` holds the content whose sha256 begins so. A file is written beside, synced, made read-only and
renamed; several processes may add the same content at once. Knows nothing of data sets or where content came from.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import secrets
import shutil
import stat
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from mlops_cli.errors import StoreError
from mlops_cli.store.files import disk_errors, sync_paths

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _typeshed import ReadableBuffer

_DIGEST = re.compile(r"[0-9a-f]{64}")
_CHUNK = 2**20
_ABANDONED_S = 3600
_FICLONE = 0x40049409  # of linux/fs.h: share the blocks of another file until one of both is written to


@dataclass(frozen=True)
class Objects:
    """A store of contents.

    Parameters
    ----------
    root : Path
        Its folder; made when something is added.
    """

    root: Path

    def add(self, path: Path, *, link: bool = False) -> str:
        """Take a file's content, and return its digest.

        Blocks are shared with the file where the file system can (reflink), else they are copied.

        Parameters
        ----------
        path : Path
            The file; it stays as it is.
        link : bool
            Let the file itself become the object (a hard link) where both are on one disk. It is then read-only
            under its own name too, since whoever writes into it would change the object.

        Raises
        ------
        StoreError
            The file cannot be read, or the disk refuses.
        """
        with disk_errors("read", path):
            if not stat.S_ISREG(path.stat().st_mode):
                raise StoreError(f"{path} is not a file")
        temp = self._new()
        try:
            with disk_errors("copy", path):
                digest = _taken(path.resolve(), temp, link=link)
            return self._settle(temp, digest)
        except BaseException:
            _forget(temp)
            raise

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """Give a file to write into; when the block ends well, the content is an object and has a ``digest``."""
        temp = self._new()
        try:
            with disk_errors("write", temp):
                with temp.open("xb") as file:
                    writer = Writer(file)
                    yield writer
                writer.digest = self._settle(temp, writer.hash.hexdigest())
        except BaseException:
            _forget(temp)
            raise

    def path(self, digest: str) -> Path:
        """Return where a content is.

        Raises
        ------
        StoreError
            ``digest`` is no sha256, or there is no such object.
        """
        place = self._place(digest)
        if not place.is_file():
            raise StoreError(f"the store has no object {digest}", hint="it was removed; add the data again")
        return place

    def has(self, digest: str) -> bool:
        """Whether a content is here."""
        return self._place(digest).is_file()

    def verify(self, digest: str) -> bool:
        """Whether the content of an object is still what it was: every byte is read."""
        place = self.path(digest)
        with disk_errors("read", place):
            return digest_of(place) == digest

    def usable(self, digest: str) -> bool:
        """Whether a content is here as it was, to be used now: it counts as new, which spares it from collecting."""
        _renew(self._place(digest))
        return self.has(digest) and self.verify(digest)

    def digests(self) -> Iterator[str]:
        """Yield the digests of all objects, in order."""
        folders = sorted(self.root.glob("[0-9a-f][0-9a-f]")) if self.root.is_dir() else []
        for folder in folders:
            yield from sorted(p.name for p in folder.iterdir() if _DIGEST.fullmatch(p.name))

    def forget_abandoned(self) -> None:
        """Remove what killed processes were writing; not what another machine may be writing still."""
        folder = self.root / ".new"
        for temp in folder.iterdir() if folder.is_dir() else []:
            with suppress(OSError):
                if not _is_alive(temp.name.partition("-")[0]) and time.time() - temp.stat().st_mtime > _ABANDONED_S:
                    temp.unlink()

    def _place(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise StoreError(f"{digest!r} is no sha256", hint="64 hexadecimal digits")
        return self.root / digest[:2] / digest

    def _new(self) -> Path:
        folder = self.root / ".new"
        with disk_errors("write", folder):
            folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{os.getpid()}-{secrets.token_hex(8)}"

    def _settle(self, temp: Path, digest: str) -> str:
        """Put a finished file into its place; one that is there already and whole is left as it is."""
        place = self._place(digest)
        with disk_errors("write", place):
            if place.exists() and self.verify(digest):  # else adding the content again mends it
                _forget(temp)
                _renew(place)
                return digest
            temp.chmod(0o444)
            sync_paths([temp])
            place.parent.mkdir(exist_ok=True)
            temp.replace(place)
            _forget(temp)  # where both are links to one file, rename leaves both
            sync_paths([place.parent, self.root])
        return digest


class Writer(io.RawIOBase):
    """What `Objects.writing` gives: counts and hashes what is written."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self.file = file
        self.hash = hashlib.sha256()
        self.size = 0
        self.digest = ""

    def writable(self) -> bool:
        """Whether it takes bytes: always."""
        return True

    def write(self, data: ReadableBuffer) -> int:
        """Write on."""
        view = memoryview(data).cast("B")
        self.hash.update(view)
        self.size += view.nbytes
        return self.file.write(view)


def digest_of(path: Path) -> str:
    """Return the sha256 of a file's content in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _taken(path: Path, temp: Path, *, link: bool) -> str:
    """Make ``temp`` hold the content, and return the digest of what it holds, however the file changes meanwhile."""
    if (link and _linked(path, temp)) or _cloned(path, temp):
        return digest_of(temp)
    with path.open("rb") as source, temp.open("wb") as target:
        writer = Writer(target)
        shutil.copyfileobj(source, writer, _CHUNK)
    return writer.hash.hexdigest()


def _linked(path: Path, temp: Path) -> bool:
    try:
        temp.hardlink_to(path)
    except OSError as error:
        if error.errno in {errno.EXDEV, errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EMLINK}:
            return False
        raise
    return True


def _cloned(path: Path, temp: Path) -> bool:
    with path.open("rb") as source, temp.open("xb") as target:
        try:
            import fcntl

            fcntl.ioctl(target.fileno(), _FICLONE, source.fileno())
        except (ImportError, OSError):  # another file system, another disk, another system
            return False
    return True


def _renew(place: Path) -> None:
    """Let a content count as new: its inode changes, not its time, since the file may be one of the user's own."""
    with suppress(OSError):  # of another user, or on a disk that is read only
        place.chmod(0o444)


def _is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def _forget(temp: Path) -> None:
    with suppress(OSError):
        temp.unlink()
