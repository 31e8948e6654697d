"""Files on workers that do not see the parent's disk: looked for where they should be, else fetched once per host.

Knows nothing of Dask or Ray: a launcher says what the parent has, and how to fetch the parts of a file.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

PART_BYTES = 64 * 1024 * 1024
"""How much of a file travels at a time."""

KEPT_S = 30 * 24 * 3600
"""How old a folder of fetched files is whose run was killed, rather than still going."""

_NOTHING: Mapping[str, Path] = MappingProxyType({})
_PLACES: ContextVar[Mapping[str, Path]] = ContextVar("places", default=_NOTHING)


class NotProvidedError(Exception):
    """A worker neither sees a file nor can fetch it."""


@dataclass(frozen=True)
class ProvidedFile:
    """A file as the parent has it, and by what its parts can be fetched; they are sent only once a worker asks."""

    path: str
    size: int
    mtime_ns: int
    digest: str
    parts: tuple[Any, ...] | None = None


def provided(path: Path) -> Path:
    """Return where a file that the parent provided is on this machine; the path itself where nothing was provided.

    Examples
    --------
    >>> provided(Path("data.csv")).name
    'data.csv'
    """
    return _PLACES.get().get(str(path), path)


def described(path: Path) -> ProvidedFile:
    """Return what a worker needs to know of a file to tell whether it sees the same."""
    stat = path.stat()
    return ProvidedFile(str(path), stat.st_size, stat.st_mtime_ns, _digest(str(path), stat.st_mtime_ns))


def parts_of(path: str) -> Iterator[bytes]:
    """Yield the content of a file in parts."""
    with Path(path).open("rb") as file:
        while part := file.read(PART_BYTES):
            yield part


@contextmanager
def placed(files: Sequence[ProvidedFile], run: str, fetch: Callable[[Any], bytes]) -> Iterator[None]:
    """Have files on this machine while the calls run.

    Parameters
    ----------
    files : sequence of ProvidedFile
        What the parent has.
    run : str
        Names the folder that the workers of one launcher share on this host.
    fetch : callable
        Returns the bytes of a part.

    Raises
    ------
    NotProvidedError
        A file is not to be had.
    """
    places = {file.path: _place(file, run, fetch) for file in files}
    token = _PLACES.set(places)
    try:
        yield
    finally:
        _PLACES.reset(token)


def forget(run: str) -> None:
    """Remove what was fetched for a run; what still maps it keeps it until it ends."""
    shutil.rmtree(cache_folder() / run, ignore_errors=True)


def cache_folder() -> Path:
    """Return this user's own folder for fetched files, out of the reach of others."""
    folder = Path(tempfile.gettempdir()) / f"mlops-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    stat = folder.lstat()
    if stat.st_uid != os.getuid() or stat.st_mode & 0o077 or folder.is_symlink():
        raise PermissionError(f"{folder} is not a folder of this user alone")
    return folder


def _place(file: ProvidedFile, run: str, fetch: Callable[[Any], bytes]) -> Path:
    path = Path(file.path)
    if _is_same(path, file):
        return path
    copy = cache_folder() / run / file.digest
    if not copy.exists():
        _fetch_once(file, copy, fetch)
    return copy


def _is_same(path: Path, file: ProvidedFile) -> bool:
    """Whether what lies at a path here is what the parent has there: by its time, else by its content."""
    try:
        stat = path.stat()
        if stat.st_size != file.size:
            return False
        return stat.st_mtime_ns == file.mtime_ns or _digest(file.path, stat.st_mtime_ns) == file.digest
    except OSError:
        return False


@lru_cache(maxsize=256)
def _digest(path: str, _mtime_ns: int) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch_once(file: ProvidedFile, copy: Path, fetch: Callable[[Any], bytes]) -> None:
    """Fetch a file unless another worker process of this host does; it has its name only when it is whole."""
    import fcntl

    if file.parts is None:
        raise NotProvidedError(file.path)
    sweep()
    copy.parent.mkdir(exist_ok=True)
    with copy.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not copy.exists():
            _fetch(file, copy.with_suffix(".part"), fetch)
            copy.with_suffix(".part").replace(copy)


def sweep() -> None:
    """Remove what runs left that were killed long ago."""
    for folder in cache_folder().iterdir():
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > KEPT_S:
                shutil.rmtree(folder, ignore_errors=True)


def _fetch(file: ProvidedFile, target: Path, fetch: Callable[[Any], bytes]) -> None:
    digest = hashlib.sha256()
    with target.open("wb") as out:
        for part in file.parts or ():
            content = fetch(part)
            digest.update(content)
            out.write(content)
    if digest.hexdigest() != file.digest:
        raise NotProvidedError(f"{file.path} has changed since it was provided")
