"""The user's own code that a model was made with: of a registered version its own copy, of a run the workspace's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_cli.errors import StoreError
from mlops_cli.records import Notice
from mlops_cli.store.files import sha256
from mlops_cli.store.layout import VersionPaths
from mlops_cli.store.registry.adding import code_of

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_cli.records import ModelVersion, RunRecord


def has_own_code(version: ModelVersion) -> bool:
    """Whether a version has a copy of all the code that its model needs."""
    folder, needed = VersionPaths(version.path).code, version.record.code
    return bool(needed) and all(f"{folder.name}/{name}" in version.files for name in needed)


def copied_code(version: ModelVersion) -> Path | None:
    """Return the folder with a version's own copy of the code; None where it has none, or not all of it.

    Raises
    ------
    StoreError
        A file is not the one that was registered.
    """
    if not has_own_code(version):
        return None
    folder = VersionPaths(version.path).code
    for name in version.record.code:
        expected = version.files[f"{folder.name}/{name}"]
        place = folder / name
        if not place.is_file() or sha256(place.read_bytes()) != expected:
            raise StoreError(f"{place} is not the file that was registered", hint=f"mlops models verify {version.ref}")
    return folder


def changed_code(root: Path, record: RunRecord) -> tuple[Notice, ...]:
    """Say which files of a workspace are no longer what a run had, though its model computes with them."""
    found = {name: code_of(root, name) for name in record.code}
    changed = [name for name, data in found.items() if data is None or sha256(data) != record.code[name]]
    text = f"{', '.join(changed)} changed since {record.id}, whose model computes with what is there now"
    return (Notice("code-changed", text),) if changed else ()
