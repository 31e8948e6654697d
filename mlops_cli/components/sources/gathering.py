"""Which files a path means: one, those of a glob or a folder, or members of an archive.

Members are unpacked into a folder that goes when they have been read, under names of ours: nothing that an archive
says becomes a path. Knows nothing of tables.
"""

from __future__ import annotations

import fnmatch
import gzip
import lzma
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from mlops_cli.components.sources import opening
from mlops_cli.components.sources.kinds import suffix_of
from mlops_cli.errors import ConfigError, DataError, NoFilesError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
WILD = "*?["
_BROKEN = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, gzip.BadGzipFile, tarfile.TarError)


@dataclass(frozen=True)
class File:
    """A file to be read, and what messages call it."""

    path: Path
    called: str


@contextmanager
def gathered(path: Any, member: Any, suffixes: Sequence[str]) -> Iterator[tuple[File, ...]]:
    """Give the files that a path means, in the order of their names; they are there while the block lasts.

    Parameters
    ----------
    path : str, Path or sequence of these
        A file, a glob, a folder, an archive, or several of these.
    member : str or sequence of str, optional
        The names or globs of the files wanted of an archive.
    suffixes : sequence of str
        Which files of a folder are meant: those whose name has one of these, below a compression's.

    Raises
    ------
    DataError
        Nothing is there, or an archive is damaged.
    ConfigError
        An archive has no such member, or has many and none is named.
    """
    given = path if isinstance(path, list | tuple) else [path]
    found = [place for item in given for place in meant(Path(item), suffixes)]
    if not member and not any(_is_tar(place) for place in found):
        yield tuple(File(place, str(place)) for place in found)
        return
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        files = (f for place in found for f in _unpacked(place, member, Path(folder)))
        yield tuple(files)


def meant(path: Path, suffixes: Sequence[str]) -> list[Path]:
    """Return the files that a path means, in the order of their names: itself, or those of a folder or a glob.

    Raises
    ------
    DataError
        There are none.
    """
    if path.is_dir():
        return _in_folder(path, suffixes)
    if not any(c in str(path) for c in WILD) or path.exists():
        return [path]
    folder, places = matching(path)
    if not places:
        is_there = folder == path.parent or any(c in str(path.parent.relative_to(folder)) for c in WILD)
        error = NoFilesError if is_there else DataError
        raise error(f"{path}: no file has such a name", hint=_near(folder, str(path.relative_to(folder))))
    return places


def matching(path: Path) -> tuple[Path, list[Path]]:
    """Return the folder that a glob begins in, and its files by name; hidden ones only where it says so."""
    folder, pattern = _parted(path)
    is_hidden_meant = any(part.startswith(".") for part in Path(pattern).parts)
    found = (p for p in folder.glob(pattern) if p.is_file())
    return folder, sorted(p for p in found if is_hidden_meant or not _has_dot(p.relative_to(folder)))


def _parted(path: Path) -> tuple[Path, str]:
    """Return the deepest folder that is there, and the pattern below it: brackets in a folder's name are no glob."""
    folder = next((p for p in path.parents if p.is_dir()), Path(path.anchor or "."))
    return folder, str(path.relative_to(folder))


def _near(folder: Path, pattern: str) -> str:
    first = Path(pattern).parts[0]
    if len(Path(pattern).parts) > 1 and not any(c in first for c in WILD):
        return f"the folder {folder / first} does not exist"
    names = sorted(p.name for p in folder.iterdir())
    return f"{folder} has: {', '.join(names[:8])}{', …' if len(names) > 8 else ''}" if names else f"{folder} is empty"


def _in_folder(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    """Return the files of a folder that have one of the suffixes, those in folders inside it too."""
    visible = visible_in(folder)
    places = [p for p in visible if suffix_of(p.name) in suffixes]
    if not places:
        shown = ", ".join(p.name for p in visible[:5])
        error = DataError if visible else NoFilesError
        raise error(
            f"{folder}: the folder holds no {suffixes[0]} files",
            hint=f"it has: {shown}" if shown else "it is empty",
        )
    return places


def visible_in(folder: Path) -> list[Path]:
    """Return the files of a folder, and of those inside it, that are not hidden, by name."""
    return sorted(p for p in folder.rglob("*") if p.is_file() and not _is_hidden(p.relative_to(folder)))


def _has_dot(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


# --- archives ------------------------------------------------------------------------------------------------------


def _is_tar(path: Path) -> bool:
    return path.name.lower().endswith(_TAR)


def only_name(path: Path) -> str:
    """Return the name of the one file in an archive; nothing where it is no archive, or holds several."""
    try:
        if _is_tar(path):
            with tarfile.open(path) as tar:
                names = [m.name for m in tar if m.isfile() and _is_content(m.name)]
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                names = _contents(archive)
        else:
            return ""
    except (*_BROKEN, OSError):  # said when it is read
        return ""
    return names[0] if len(names) == 1 else ""


def _contents(archive: zipfile.ZipFile) -> list[str]:
    return [m.filename for m in archive.infolist() if not m.is_dir() and _is_content(m.filename)]


def _unpacked(path: Path, member: Any, folder: Path) -> Iterator[File]:
    opening.check_file(path)
    wanted = [member] if isinstance(member, str) else list(member or ())
    try:
        if _is_tar(path):
            with tarfile.open(path) as tar:
                names = {m.name: m for m in tar if m.isfile() and _is_content(m.name)}
                yield from _members(path, _chosen(path, wanted, names), lambda n: _tar_stream(tar, names[n]), folder)
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield from _members(
                    path, _chosen(path, wanted, _contents(archive)), lambda n: _zip_stream(archive, n), folder
                )
        else:
            raise ConfigError(f"{path} is no zip or tar archive", key="data.member", hint="leave data.member out")
    except (*_BROKEN, OSError) as error:
        raise DataError(f"{path}: the archive is damaged: {error}", hint="download or write it again") from error


def _is_content(name: str) -> bool:
    return not name.startswith("__MACOSX/") and not PurePosixPath(name).name.startswith(".")


def _chosen(path: Path, wanted: Sequence[str], names: Iterable[str]) -> list[str]:
    inside = sorted(names)
    if not wanted:
        if len(inside) == 1:
            return inside
        raise ConfigError(f"{path} holds {len(inside)} files", key="data.member", hint=_listed(inside))
    chosen: dict[str, None] = {}
    for name in wanted:
        matching = [name] if name in inside else fnmatch.filter(inside, name)
        if not matching:
            hint = did_you_mean(str(name), inside, limit=8)
            raise ConfigError(f"{path} holds no '{name}'", key="data.member", hint=hint)
        chosen.update(dict.fromkeys(matching))
    return list(chosen)


def _listed(names: Sequence[str]) -> str:
    return f"one of {', '.join(names[:8])}{', …' if len(names) > 8 else ''}, several, or a glob" if names else "none"


def _members(path: Path, names: Sequence[str], stream: Callable[[str], IO[bytes]], folder: Path) -> Iterator[File]:
    taken = 0
    for name in names:
        target = folder / f"{len(list(folder.iterdir())):06d}" / PurePosixPath(name.replace("\\", "/")).name
        target.parent.mkdir()
        with stream(name) as source, target.open("xb") as file:
            shutil.copyfileobj(opening.guarded(source, path, taken), file, 2**18)
        taken += target.stat().st_size
        yield File(target, f"{path}/{name}")


def _tar_stream(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    stream = tar.extractfile(member)
    if stream is None:
        raise tarfile.ReadError(f"{member.name} is not a file")
    return stream


def _zip_stream(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    try:
        return archive.open(name)
    except (RuntimeError, NotImplementedError) as error:  # encrypted, or a method that zipfile does not have
        raise zipfile.BadZipFile(str(error)) from error
