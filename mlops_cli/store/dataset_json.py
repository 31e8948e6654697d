"""A version of a named data set as its file holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_cli.records import SCHEMA_VERSION, DatasetFile, NamedDataset
from mlops_cli.store.audit import head_from_json, head_to_json
from mlops_cli.store.serialize import dataset_from_json, dataset_to_json
from mlops_cli.store.values import decode, encode

if TYPE_CHECKING:
    from collections.abc import Mapping


def to_json(version: NamedDataset) -> dict[str, Any]:
    """Return a version as its file holds it."""
    return {
        "schema_version": SCHEMA_VERSION,
        "name": version.name,
        "number": int(version.number),
        "digest": version.digest,
        "files": [{"path": f.path, "sha256": f.sha256, "size": int(f.size)} for f in version.files],
        "is_folder": version.is_folder,
        "option": version.option,
        "read": encode(version.read),
        "table": dataset_to_json(version.table),
        "origin": version.origin,
        "added": version.added,
        "note": version.note,
        "key": version.key,
        "audit": head_to_json(version.audit),
    }


def from_json(value: Mapping[str, Any]) -> NamedDataset:
    """Return the version that `to_json` wrote.

    Raises
    ------
    KeyError, TypeError, ValueError, AttributeError
        The JSON is not a version's; the caller names the file.
    """
    made = NamedDataset(
        name=str(value["name"]),
        number=int(value["number"]),
        files=tuple(DatasetFile(str(f["path"]), str(f["sha256"]), int(f["size"])) for f in value["files"]),
        is_folder=bool(value["is_folder"]),
        option=str(value["option"]),
        table=dataset_from_json(value["table"]),
        read=decode(value.get("read") or {}),
        origin=value.get("origin", ""),
        added=value.get("added", ""),
        note=value.get("note", ""),
        key=value.get("key"),
        audit=head_from_json(value.get("audit")),
    )
    if made.digest != value["digest"]:
        raise ValueError("its files do not have the digest that it says")
    return made
