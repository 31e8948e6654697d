"""Bytes and JSON to and from the disk, so that no reader ever sees half a file.

A file is written beside its place, synced and renamed. Knows nothing of runs, trials or models.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import secrets
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, BinaryIO

from mlops_cli.errors import StoreError
from mlops_cli.records import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_MENDS = {
    errno.ENOSPC: "the disk is full: free some space",
    errno.EDQUOT: "your disk quota is used up: free some space",
    errno.EACCES: "you may not write there: check the folder's owner and permissions",
    errno.EPERM: "you may not write there: check the folder's owner and permissions",
    errno.EROFS: "the disk is mounted read-only",
    errno.ENOTDIR: "a file stands where a folder is needed: move it away",
    errno.EISDIR: "a folder stands where a file is needed: move it away",
}

_TEMP = re.compile("[0-9a-f]{8}")


@contextmanager
def disk_errors(action: str, path: Path) -> Iterator[None]:
    """Turn an `OSError` inside the block into one line that says what could not be done, where and why.

    Parameters
    ----------
    action : str
        What is done: ``write``, ``read``.
    path : Path
        The file that the user should look at.
    """
    try:
        yield
    except OSError as error:
        place = error.filename if isinstance(error.filename, str) and error.filename else path
        mend = _MENDS.get(error.errno or 0)
        raise StoreError(f"cannot {action} {place}: {error.strerror or error}", hint=mend) from error


# --- writing -----------------------------------------------------------------------------------------------------


def write_file(path: Path, data: bytes) -> None:
    """Write one file so that it is there whole or not at all, even after a power cut."""
    write_files({path: data})


def write_files(files: Mapping[Path, bytes]) -> None:
    """Write several files, each whole or not at all, for little more than the cost of one.

    All are written first and synced together, then renamed in order, and each folder is synced once.

    Raises
    ------
    StoreError
        The disk refused; none of the temporary files is left behind.
    """
    if not files:
        return
    with disk_errors("write", next(iter(files))):
        for folder in {path.parent for path in files}:
            folder.mkdir(parents=True, exist_ok=True)
        _write_synced(files)


def _write_synced(files: Mapping[Path, bytes]) -> None:
    temps = {path: _temp_name(path) for path in files}
    try:
        for path, data in files.items():
            _write_new(temps[path], data)
        sync_paths(temps.values())
        for path, temp in temps.items():
            temp.replace(path)
    except BaseException:
        _unlink_all(temps.values())
        raise
    sync_paths({path.parent for path in files})


def remove_leftovers(path: Path) -> None:
    """Remove what kills have left of a file that was about to be written; for whoever keeps others from writing it."""
    mark, end = f".{path.name}.", ".tmp"
    for temp in path.parent.iterdir() if path.parent.is_dir() else ():
        middle = temp.name.removeprefix(mark).removesuffix(end)
        if temp.name == f"{mark}{middle}{end}" and _TEMP.fullmatch(middle):
            with suppress(OSError):
                temp.unlink()


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Give a binary file to stream into; it takes ``path``'s place when the block ends well."""
    temp = _temp_name(path)
    with disk_errors("write", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temp.open("xb") as file:
                yield file
            sync_paths([temp])
            temp.replace(path)
        except BaseException:
            _unlink_all([temp])
            raise
        sync_paths([path.parent])


@contextmanager
def locked(path: Path, busy: str = "") -> Iterator[None]:
    """Hold a lock, waiting for whoever has it; the system frees it with the process.

    Parameters
    ----------
    path : Path
        The file that is locked; made where it is not there.
    busy : str
        What is said instead of waiting.

    Raises
    ------
    StoreError
        Somebody has it, and that is to be said.
    """
    with disk_errors("write", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    try:
        _lock(descriptor, busy)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, busy: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy else 0))
    except BlockingIOError:
        raise StoreError(busy, hint="wait for it to end") from None


def _temp_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")


def _write_new(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)


def _unlink_all(paths: Iterable[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink()


def sync_paths(paths: Iterable[Path]) -> None:
    """Bring files or folders safely to the disk.

    Several are synced from threads at once: the file system then commits them together, where one after the other
    would each wait for a commit of its own (10 ms on a common disk).
    """
    from concurrent.futures import ThreadPoolExecutor

    todo = list(paths)
    if len(todo) <= 1:
        for path in todo:
            _sync(path)
        return
    with ThreadPoolExecutor(max_workers=min(8, len(todo))) as pool:
        list(pool.map(_sync, todo))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems cannot sync a folder; the files in it are synced all the same.
        if error.errno not in {errno.EINVAL, errno.EBADF, errno.ENOTSUP}:
            raise
    finally:
        os.close(descriptor)


# --- JSON --------------------------------------------------------------------------------------------------------


def json_bytes(value: Any) -> bytes:
    """Return indented strict JSON with a trailing newline, in the order of the keys as they are given.

    Raises
    ------
    ValueError
        A number is not finite: JSON has none such, so the caller must have said what it becomes.
    """
    return _encode(value, indent=2)


def json_line(value: Any) -> bytes:
    """Return strict JSON on one line, newline included."""
    return _encode(value, indent=None)


def _encode(value: Any, indent: int | None) -> bytes:
    text = json.dumps(value, indent=indent, allow_nan=False, ensure_ascii=False)
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:  # a lone surrogate, as in file names that are not UTF-8
        return json.dumps(value, indent=indent, allow_nan=False).encode() + b"\n"


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, whole or not at all."""
    write_file(path, json_bytes(value))


def read_json(path: Path) -> dict[str, Any]:
    """Read one of our JSON files.

    Raises
    ------
    StoreError
        It is missing, damaged, or written by a newer version of this tool.
    """
    value = parse_json(read_bytes(path), path)
    check_schema(value, path)
    return value


def parse_json(data: bytes, path: Path) -> dict[str, Any]:
    """Return the JSON object in ``data``; ``path`` is named where it is damaged."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise damaged(path, str(error)) from error
    if not isinstance(value, dict):
        raise damaged(path, f"a JSON object was expected, found {type(value).__name__}")
    return value


def check_schema(value: Mapping[str, Any], path: Path) -> None:
    """Refuse a file that a newer version of this tool wrote, by name rather than by accident."""
    version = value.get("schema_version")
    if isinstance(version, bool) or not isinstance(version, int):
        raise damaged(path, "it has no schema_version")
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path} has schema_version {version}; this version of mlops reads up to {SCHEMA_VERSION}",
            hint="pip install --upgrade mlops-cli",
        )


def damaged(path: Path, why: str, *, line: int | None = None) -> StoreError:
    """Return the error for a file that is there and cannot be understood."""
    place = str(path) if line is None else f"{path}, line {line}"
    return StoreError(f"damaged: {place}: {' '.join(why.split())[:300]}")


def read_bytes(path: Path) -> bytes:
    """Read a file of ours; a link in its place is not followed."""
    with disk_errors("read", path), open_file(path) as file:
        return file.read()


def open_file(path: Path) -> BinaryIO:
    """Open a file of ours to be read; a link in its place is not followed.

    Raises
    ------
    StoreError
        It cannot be opened.
    """
    with disk_errors("read", path):
        return open(path, "rb", opener=_open_no_link)


def _open_no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC)


def sha256(data: bytes) -> str:
    """Return the sha256 of ``data`` in hex."""
    return hashlib.sha256(data).hexdigest()
