"""A version's files under their own names: as links to their contents, or as copies. Knows nothing of names."""

from __future__ import annotations

import filecmp
import shutil
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from mlops_cli.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_cli.records import NamedDataset
    from mlops_cli.store.objects import Objects


def fill(version: NamedDataset, objects: Objects, folder: Path, *, links: bool = True) -> None:
    """Put a version's files into a folder.

    Parameters
    ----------
    version : NamedDataset
        The version.
    objects : Objects
        Its contents.
    folder : Path
        Made where it is not there.
    links : bool
        Let the files be links to the contents, read-only, where the file system can.

    Raises
    ------
    StoreError
        A content is gone, or a path of the version leads out of the folder.
    """
    for file in version.files:
        target = _inside(folder, file.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        content = objects.path(file.sha256)
        if not links or not _linked(content, target):
            shutil.copyfile(content, target)


def is_whole(version: NamedDataset, folder: Path, objects: Objects) -> bool:
    """Whether a place has every file of a version with its content."""
    return all(_is_same(folder / file.path, objects.path(file.sha256)) for file in version.files)


def _is_same(place: Path, content: Path) -> bool:
    """Whether a file is a link to a content, or a copy of it where there can be no link."""
    try:
        return place.samefile(content) or filecmp.cmp(place, content, shallow=False)
    except OSError:
        return False


def _inside(folder: Path, path: str) -> Path:
    """Return the place of a file of a version, which a forged record might want elsewhere."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path:
        raise StoreError(f"damaged: {path!r} is no place inside a data set")
    return folder.joinpath(*parts)


def _linked(content: Path, target: Path) -> bool:
    try:
        target.hardlink_to(content)
    except OSError:  # another file system, or one without links
        return False
    return True
