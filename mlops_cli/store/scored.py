"""The manifest of a folder of scored files: which output came of which input, by which model, with which content.

A line is written before the output takes its place, and has the output's sha256: so a kill in between leaves an output
that is not what the last line says, and it is made again. Whoever may write into the folder holds the manifest's lock,
which the system frees with the process.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import StoreError
from mlops_cli.records import SCHEMA_VERSION, ScoredFile
from mlops_cli.store.files import check_schema, damaged, disk_errors, json_line, parse_json, sync_paths
from mlops_cli.store.objects import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MANIFEST = "manifest.jsonl"

_LEFTOVER = re.compile(r"\.+.+\.[0-9a-f]{8}\.(tmp|new)")  # .a.csv.0123abcd.new, ..a.csv.0123abcd.new.4567cdef.tmp


@dataclass(frozen=True)
class Manifest:
    """What a folder's outputs were made of, held by this process alone."""

    folder: Path
    files: dict[str, ScoredFile] = field(default_factory=dict)  # output → its last line
    descriptor: int = -1

    def place(self, output: str) -> Path:
        """Return where an output lies."""
        return self.folder / output

    def is_there(self, file: ScoredFile) -> bool:
        """Whether an output is there, and is what its line says."""
        place = self.place(file.output)
        try:
            return not place.is_symlink() and digest_of(place) == file.sha256
        except OSError:
            return False

    @contextmanager
    def beside(self, output: str) -> Iterator[Path]:
        """Give a place for a new file, which goes with the block unless `settle` moved it."""
        place = self.place(output)
        temp = place.with_name(f".{place.name}.{secrets.token_hex(4)}.new")
        try:
            yield temp
        finally:
            temp.unlink(missing_ok=True)

    def settle(self, temp: Path, file: ScoredFile) -> None:
        """Write an output's line, and put it in its place.

        Raises
        ------
        StoreError
            The disk refuses; what was there before is there still.
        """
        place = self.place(file.output)
        with disk_errors("write", place):
            self._append(json_line({"schema_version": SCHEMA_VERSION, **vars(file)}))
            self.files[file.output] = file
            temp.replace(place)
            sync_paths([place.parent])

    def _append(self, line: bytes) -> None:
        before = os.fstat(self.descriptor).st_size
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(self.descriptor, rest) :]
            os.fsync(self.descriptor)
        except BaseException:
            os.ftruncate(self.descriptor, before)
            raise

    def sweep(self, parents: set[Path]) -> None:
        """Remove what kills have left in some folders of the outputs."""
        for parent in parents:
            for entry in list(parent.iterdir()) if parent.is_dir() else []:
                if _LEFTOVER.fullmatch(entry.name) and entry.is_file():
                    entry.unlink(missing_ok=True)


@contextmanager
def manifest_of(folder: Path, waiting: Callable[[], None]) -> Iterator[Manifest]:
    """Give the manifest of a folder; others wait while the block lasts.

    Parameters
    ----------
    folder : Path
        Made where it is not there.
    waiting : callable
        Told where another process has it, which is waited for.

    Raises
    ------
    StoreError
        The disk refuses, or a line is damaged.
    """
    path = folder / MANIFEST
    with disk_errors("write", path):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    try:
        _take(descriptor, waiting)
        yield Manifest(folder, _read(descriptor, path), descriptor)
    finally:
        os.close(descriptor)


def read_manifest(folder: Path) -> tuple[ScoredFile, ...]:
    """Return what is said of each output of a folder; nothing of a folder without a manifest.

    Raises
    ------
    StoreError
        A line is damaged.
    """
    path = folder / MANIFEST
    if not path.exists():
        return ()
    with disk_errors("read", path):
        return tuple(_files_in(path.read_bytes(), path).values())


def _take(descriptor: int, waiting: Callable[[], None]) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        waiting()
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _read(descriptor: int, path: Path) -> dict[str, ScoredFile]:
    """Return the last line of each output, after what a kill left of a line is cut off."""
    with disk_errors("read", path), open(descriptor, "rb", closefd=False) as file:
        file.seek(0)
        data = file.read()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.ftruncate(descriptor, whole)
    return _files_in(data[:whole], path)


def _files_in(data: bytes, path: Path) -> dict[str, ScoredFile]:
    *lines, _ = data.split(b"\n")
    return {file.output: file for number, line in enumerate(lines, 1) for file in [_file(line, path, number)]}


def _file(line: bytes, path: Path, number: int) -> ScoredFile:
    try:
        value: dict[str, Any] = parse_json(line, path)
        check_schema(value, path)
        texts = {key: str(value[key]) for key in ("output", "input", "input_sha256", "model", "asked", "sha256", "at")}
        return ScoredFile(**texts, rows=int(value["rows"]), columns=tuple(map(str, value["columns"])))
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(path, f"not a line of a manifest: {error!r}", line=number) from error
    except StoreError as error:
        raise StoreError(f"{error.message} (line {number})", hint=f"move {path} away to begin anew") from error
