"""Finding and opening a data file: what is there, is it what its name says, does it decompress to a sane size.

Knows paths and bytes only; nothing of tables.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import zipfile
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from mlops_cli.errors import DataError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _typeshed import WriteableBuffer

MAX_EXPANDED = 256 * 2**20
"""How many decompressed bytes are taken without a question."""
MAX_RATIO = 300
"""How much a file larger than that may have been compressed: tables reach 50, all zeros 1000."""

_BY_SUFFIX = {".gz": "gzip", ".bz2": "bz2", ".zip": "zip", ".xz": "xz", ".zst": "zstd"}
_OPENED_HERE = frozenset(_BY_SUFFIX.values())
_MAGIC = {
    b"\x1f\x8b": ("is compressed by gzip though its name does not say so", "`data.read.compression: gzip`"),
    b"BZh": ("is compressed by bzip2 though its name does not say so", "`data.read.compression: bz2`"),
    b"\xfd7zXZ": ("is compressed by xz though its name does not say so", "`data.read.compression: xz`"),
    b"PK\x03\x04": ("is a zip archive or an Excel file", "`data: excel`, or `data.read.compression: zip`"),
    b"PAR1": ("is a parquet file", "`data: parquet`"),
    b"%PDF": ("is a PDF, not a table", "export the table from where the PDF came from"),
    b"version https://git-lfs": ("is a Git LFS pointer, not the data", "git lfs pull"),
    b"<!doctype html": ("is a web page, not a table", "download the file itself"),
    b"<html": ("is a web page, not a table", "download the file itself"),
}
_ELSEWHERE = "name another one: data.path"
_UTF16_32 = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


def check_file(path: Path, *, directory_ok: bool = False) -> None:
    """Refuse what is not a file with something in it.

    Raises
    ------
    DataError
        Nothing is there (the nearest name in that folder is named), it is a directory or a pipe, or it is empty.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise _not_there(path, error) from None
    if path.is_dir():
        if directory_ok:
            return
        names = _names_in(path)
        inside = f"data.path: one of {', '.join(names[:5])}" if names else "it is empty"
        raise DataError(f"{path}: is a directory, not a file", hint=inside)
    if stat.S_ISFIFO(found.st_mode):
        raise DataError(f"{path}: is a pipe, which can be read but once", hint="write what it gives to a file")
    if found.st_size == 0:
        raise DataError(f"{path}: the file is empty (0 bytes)", hint="write or download it again")


def compression_of(path: Path, asked: Any = "infer") -> str | None:
    """Return how a file is compressed: as ``read.compression`` says, else as its extension says."""
    method = asked.get("method", "infer") if isinstance(asked, dict) else asked
    if method == "infer":
        return _BY_SUFFIX.get(path.suffix.lower())
    return str(method) if method is not None else None


@contextmanager
def open_binary(path: Path, compression: str | None) -> Iterator[IO[bytes]]:
    """Open a file for reading its decompressed bytes, guarded against decompression bombs.

    Raises
    ------
    DataError
        The file cannot be opened, does not decompress, or expands absurdly; also while it is read.
    """
    try:
        with path.open("rb") as raw:
            if compression is None:
                yield raw
                return
            with _decompressed(raw, compression) as plain:
                guard = _Guard(plain, path, path.stat().st_size)
                yield io.BufferedReader(guard, 2**18)
    except PermissionError:
        raise DataError(f"{path}: may not be read", hint=f"chmod u+r {path}") from None
    except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, gzip.BadGzipFile) as error:
        raise _damaged(path, compression, error) from error
    except OSError as error:  # bz2 and zstd say no more than this
        if compression in {"bz2", "zstd", "zip"}:
            raise _damaged(path, compression, error) from error
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


def guarded(stream: IO[bytes], path: Path, taken: int = 0) -> IO[bytes]:
    """Return what a file expands to, guarded against decompression bombs as in `open_binary`.

    Parameters
    ----------
    stream : file
        Decompressed bytes.
    path : Path
        The file that they come from.
    taken : int
        How many bytes it has given before: members of an archive count together.
    """
    return io.BufferedReader(_Guard(stream, path, path.stat().st_size, taken), 2**18)


def is_opened_here(compression: str | None) -> bool:
    """Whether `open_binary` knows this compression; pandas knows a few more."""
    return compression is None or compression in _OPENED_HERE


def check_head(path: Path, head: bytes, encoding: str | None) -> None:
    """Refuse a file whose first bytes show that it is no text.

    Raises
    ------
    DataError
        It is compressed, a parquet file, a web page or other binary content.
    """
    start = head.lstrip().lower() if head[:1] in b"<\n\r \t" else head
    for magic, (what, hint) in _MAGIC.items():
        if start.startswith(magic):
            raise DataError(f"{path}: {what}", hint=hint)
    is_wide = head.startswith(_UTF16_32) or "16" in (encoding or "") or "32" in (encoding or "")
    if b"\x00" in head and not is_wide:
        offset = head.index(b"\x00")
        raise DataError(f"{path}: is not a text file (a zero byte at offset {offset})", hint="is it the right file?")


def guess_encoding(head: bytes) -> str:
    """Return the encoding to try where UTF-8 failed, from the byte order mark.

    Examples
    --------
    >>> guess_encoding("é".encode("utf-16"))
    'utf-16'
    """
    if head.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        return "utf-32"
    return "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "latin-1"


def bad_encoding(path: Path, compression: str | None, encoding: str) -> DataError:
    """Return the error for a file that is not in ``encoding``, with the first line that shows it."""
    with open_binary(path, compression) as file:
        head = file.read(4)
    guess = guess_encoding(head)
    where = _first_undecodable_line(path, compression, encoding)
    line = f"line {where} " if where else ""
    return DataError(f"{path}: {line}is not {encoding} text", hint=f"`data.read.encoding: {guess}`")


def _first_undecodable_line(path: Path, compression: str | None, encoding: str) -> int | None:
    with open_binary(path, compression) as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError:
                return number
    return None


def _not_there(path: Path, error: OSError) -> DataError:
    if isinstance(error, PermissionError):
        return DataError(f"{path}: may not be read", hint="check the permissions of its folder")
    if not path.parent.is_dir():
        why = f"{path}: no such file; the folder {path.parent} does not exist"
        return DataError(why, hint=f"put it there, or {_ELSEWHERE}")
    names = _names_in(path.parent)
    close = nearest(path.name, names)
    if close is not None:
        return DataError(f"{path}: no such file", hint=f"did you mean '{path.with_name(close)}'?")
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    hint = f"the folder has: {shown}" if names else f"the folder is empty: put it there, or {_ELSEWHERE}"
    return DataError(f"{path}: no such file", hint=hint)


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
    except OSError:
        return []


def _damaged(path: Path, compression: str | None, error: Exception) -> DataError:
    what = "ends too early" if isinstance(error, EOFError) else f"does not decompress as {compression}"
    return DataError(
        f"{path}: {what} ({str(error) or type(error).__name__})",
        hint="download or write it again; or it is not compressed so: `data.read.compression`",
    )


@contextmanager
def _decompressed(raw: IO[bytes], compression: str) -> Iterator[IO[bytes]]:
    if compression == "zip":
        with zipfile.ZipFile(raw) as archive, _member(archive) as member:
            yield member
        return
    with _stream(raw, compression) as stream:
        yield stream


def _stream(raw: IO[bytes], compression: str) -> IO[bytes]:
    if compression == "gzip":
        return gzip.GzipFile(fileobj=raw, mode="rb")  # type: ignore[return-value]
    if compression == "bz2":
        return bz2.BZ2File(raw)
    if compression == "xz":
        return lzma.LZMAFile(raw)
    import pyarrow as pa

    return pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd")  # type: ignore[no-any-return]


def _member(archive: zipfile.ZipFile) -> IO[bytes]:
    try:
        return archive.open(_only_member(archive))
    except RuntimeError as error:  # encrypted, or a method that zipfile does not have
        raise zipfile.BadZipFile(str(error)) from error


def _only_member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = [m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX/")]
    if len(members) != 1:
        names = ", ".join(m.filename for m in members[:5]) or "nothing"
        raise DataError(
            f"{archive.filename or 'the zip file'}: a zip file must hold exactly one file. Got {names} instead.",
            hint="`data.member` names one of them, several, or a glob",
        )
    return members[0]


class _Guard(io.RawIOBase):
    """Hands decompressed bytes on, and stops when there are absurdly many for the size of the file."""

    def __init__(self, stream: IO[bytes], path: Path, size: int, taken: int = 0) -> None:
        super().__init__()
        self._stream = stream
        self._path = path
        self._limit = max(MAX_EXPANDED, MAX_RATIO * size)
        self._taken = taken

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        data = self._stream.read(len(view))
        view[: len(data)] = data
        self._taken += len(data)
        if self._taken > self._limit:
            raise DataError(
                f"{self._path}: expands to more than {self._taken // 2**20} MiB, {MAX_RATIO} times its size: "
                "refused as a decompression bomb",
                hint="decompress it yourself if it is truly yours",
            )
        return len(data)
