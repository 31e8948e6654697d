"""What leaves the store: a file or folder that is there whole or not at all, and never in the place of something else.

A folder that is replaced must be one that was exported before. Knows how the files of a folder are told, and nothing of
models.
"""

from __future__ import annotations

import io
import os
import secrets
import shutil
import zipfile
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import StoreError, UsageError
from mlops_cli.records import SCHEMA_VERSION
from mlops_cli.store.files import disk_errors, read_json, sync_paths, write_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOADER = "predict.py"
"""The file that runs an exported model."""
MARK = "exported.json"
"""The file by which an exported folder is known: it names the others."""

_TEMPLATE = Path(__file__).resolve().parent.parent / "templates" / "_export" / LOADER
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first time that a zip file can tell
_FILE, _FOLDER = 0o644, 0o755


def check_free(path: Path, *, folder: bool, force: bool = False) -> None:
    """Refuse a place that is taken.

    Raises
    ------
    UsageError
        Something is there and not ``force``; or it is nothing that an export would have left there.
    """
    if not os.path.lexists(path):
        return
    if path.is_symlink():
        raise UsageError(f"{path} is a link", hint="name a place of its own")
    if path.is_dir() != folder:
        found, wanted = ("a folder", "a file") if path.is_dir() else ("a file", "a folder")
        raise UsageError(f"{path} is {found}, and {wanted} is to be written", hint="choose another name")
    if not force:
        raise UsageError(f"{path} is there already", hint="--force replaces it")
    if folder and (others := _not_exported(path)):
        shown = ", ".join(others[:3]) + (" …" if len(others) > 3 else "")
        message = f"{path} stays as it is: it holds what was not exported there: {shown}"
        raise UsageError(message, hint="choose another name, or move those away")


def _not_exported(folder: Path) -> list[str]:
    """Return what a folder holds that no export wrote: all, where it has no mark."""
    try:
        names = set(read_json(folder / MARK)["files"]) | {MARK}
    except (StoreError, KeyError, TypeError):
        names = set()
    places = (p for p in sorted(folder.rglob("*")) if "__pycache__" not in p.parts)  # left by running it
    found = (p for p in places if p.is_symlink() or not p.is_dir() or not any(p.iterdir()))
    return [name for p in found if (name := p.relative_to(folder).as_posix()) not in names]


@contextmanager
def folder_beside(path: Path, files: Mapping[str, bytes]) -> Iterator[Path]:
    """Write files into a new folder beside a place; it takes the place where `settle` says so, and goes otherwise."""
    temp = path.parent / f".{path.name}.{secrets.token_hex(4)}.tmp"
    with disk_errors("write", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temp.mkdir()
    try:
        with disk_errors("write", temp):
            for name, data in files.items():
                _write(temp, name, data)
        yield temp
    finally:
        shutil.rmtree(temp, ignore_errors=True)


def _write(folder: Path, name: str, data: bytes) -> None:
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or PurePosixPath(name).is_absolute():
        raise StoreError(f"'{name}' is no name of a file in a folder")
    place = folder.joinpath(*parts)
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("xb") as file:
        file.write(data)


def settle(temp: Path, path: Path, *, force: bool) -> None:
    """Put a whole folder in its place; what was exported there before goes after the new one stands."""
    old = path.parent / f".{path.name}.{secrets.token_hex(4)}.old"
    with disk_errors("write", path):
        made = sorted(place.relative_to(temp).as_posix() for place in temp.rglob("*") if place.is_file())
        write_json(temp / MARK, {"schema_version": SCHEMA_VERSION, "files": made})
        sync_paths([place for place in temp.rglob("*") if place.is_file()])
        check_free(path, folder=True, force=force)
        is_taken = path.exists()
        if is_taken:
            path.rename(old)
        temp.rename(path)
        sync_paths([path.parent])
    shutil.rmtree(old, ignore_errors=True)


def zipped(files: Mapping[str, bytes], top: str) -> bytes:
    """Return files as a zip file, below one folder; the same files make the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(f"{top}/{name}", _EPOCH)
            member.compress_type, member.create_system = zipfile.ZIP_DEFLATED, 3
            member.external_attr = _FILE << 16
            archive.writestr(member, files[name])
    return buffer.getvalue()


def loader_text(settings: Mapping[str, Any]) -> bytes:
    """Return ``predict.py`` with what it must know of a model: each setting's name and value, as Python writes them."""
    lines = _TEMPLATE.read_text(encoding="utf-8").splitlines(keepends=True)
    told = {name: f"{name} = {value!r}" for name, value in settings.items()}
    return "".join(_told(line, told) for line in lines).encode()


def _told(line: str, told: Mapping[str, str]) -> str:
    name, assigned, rest = line.partition(" = ")
    if not assigned or name not in told:
        return line
    comment = rest.partition("  #")[2].strip()
    return f"{told[name]}  # {comment}\n" if comment else f"{told[name]}\n"
