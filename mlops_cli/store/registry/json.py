"""Versions, statuses, aliases and what owners answered to JSON and back."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mlops_cli.records import (
    SCHEMA_VERSION,
    Aliases,
    AliasMove,
    Approval,
    Handover,
    HandoverItem,
    ModelStatus,
    ModelVersion,
    SignOff,
)
from mlops_cli.store.audit import head_from_json, head_to_json
from mlops_cli.store.files import sha256
from mlops_cli.store.scores import metrics_to_json
from mlops_cli.store.serialize import dataset_to_json, params_to_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mlops_cli.records import RunRecord

    Json = dict[str, Any]


def version_to_json(version: ModelVersion) -> Json:
    """Return a version as its ``version.json`` has it: where it came from, its scores and its files at a glance.

    All of the run that made it is in ``run.json`` beside it.
    """
    record = version.record
    return {
        "schema_version": SCHEMA_VERSION,
        "name": version.name,
        "version": version.number,
        "created": version.created,
        "by": version.by,
        "run": record.id,
        "experiment": record.experiment,
        "task": None if record.task is None else str(record.task),
        "primary": record.primary,
        "direction": None if record.direction is None else str(record.direction),
        "metrics": metrics_to_json(record.metrics),
        "params": params_to_json(record.params),
        "dataset": None if record.dataset is None else dataset_to_json(record.dataset),
        "test_dataset": None if record.test_dataset is None else dataset_to_json(record.test_dataset),
        "git": {"commit": record.git.commit, "dirty": record.git.dirty},
        "fingerprint": record.fingerprint,
        "files": dict(version.files),
        "size": version.size,
        "audit": head_to_json(version.audit),
    }


def files_digest(files: Mapping[str, str]) -> str:
    """Return one sha256 for all files of a version, as the audit log keeps it."""
    return sha256(json.dumps(dict(files), sort_keys=True).encode())


def version_from_json(value: Mapping[str, Any], path: Path, record: RunRecord) -> ModelVersion:
    """Return the version that lies in the folder ``path``, whose run's record is beside it.

    Raises
    ------
    KeyError, TypeError, ValueError, AttributeError
        The JSON is not a version's; the caller names the file.
    """
    if str(value["run"]) != record.id:
        raise ValueError(f"run.json beside it is of {record.id}, not of {value['run']}")
    return ModelVersion(
        name=str(value["name"]),
        number=int(value["version"]),
        path=path,
        created=_time(value["created"]),
        by=str(value["by"]),
        record=record,
        files={str(name): str(digest) for name, digest in value["files"].items()},
        size=int(value["size"]),
        audit=head_from_json(value.get("audit")),
    )


def status_to_json(status: ModelStatus) -> Json:
    """Return what people say of a version."""
    return {
        "schema_version": SCHEMA_VERSION,
        "description": status.description,
        "tags": dict(status.tags),
        "approval": str(status.approval),
        "sign_offs": [{**vars(item), "verdict": str(item.verdict)} for item in status.sign_offs],
    }


def status_from_json(value: Mapping[str, Any]) -> ModelStatus:
    """Return what `status_to_json` wrote."""
    return ModelStatus(
        description=str(value.get("description", "")),
        tags={str(key): str(tag) for key, tag in (value.get("tags") or {}).items()},
        sign_offs=tuple(_sign_off(item) for item in value.get("sign_offs", ())),
    )


def _sign_off(value: Mapping[str, Any]) -> SignOff:
    return SignOff(str(value["by"]), _time(value["at"]), Approval(value["verdict"]), str(value.get("note", "")))


def aliases_to_json(aliases: Aliases) -> Json:
    """Return what a model's versions are called."""
    return {
        "schema_version": SCHEMA_VERSION,
        "aliases": dict(aliases.versions),
        "last": aliases.last,
        "moves": [{**vars(move), "audit": head_to_json(move.audit)} for move in aliases.moves],
    }


def aliases_from_json(value: Mapping[str, Any]) -> Aliases:
    """Return what `aliases_to_json` wrote."""
    return Aliases(
        versions={str(name): int(number) for name, number in value["aliases"].items()},
        moves=tuple(_move(move) for move in value["moves"]),
        last=int(value["last"]),
    )


def _move(value: Mapping[str, Any]) -> AliasMove:
    return AliasMove(**{**value, "at": _time(value["at"]), "audit": head_from_json(value.get("audit"))})


def handovers_to_json(handovers: Sequence[Handover]) -> Json:
    """Return all that the owner of a model answered."""
    return {"schema_version": SCHEMA_VERSION, "answered": [handover_to_json(item) for item in handovers]}


def handover_to_json(handover: Handover) -> Json:
    """Return what was answered at one time."""
    items = [vars(item) for item in handover.items]
    return {**vars(handover), "items": items, "audit": head_to_json(handover.audit)}


def handovers_from_json(value: Mapping[str, Any]) -> tuple[Handover, ...]:
    """Return what `handovers_to_json` wrote."""
    return tuple(_handover(item) for item in value["answered"])


def _handover(value: Mapping[str, Any]) -> Handover:
    items = tuple(_handover_item(item) for item in value["items"])
    return Handover(
        model=str(value["model"]),
        number=int(value["number"]),
        items=items,
        at=_time(value["at"]),
        by=str(value["by"]),
        file=str(value.get("file", "")),
        audit=head_from_json(value.get("audit")),
    )


def _handover_item(value: Mapping[str, Any]) -> HandoverItem:
    return HandoverItem(str(value["key"]), str(value["question"]), bool(value["must"]), str(value.get("answer", "")))


def _time(value: str) -> str:
    """Return a time that is one: views and gates count from it."""
    if datetime.fromisoformat(value).tzinfo is None:
        raise ValueError(f"{value} has no offset from UTC")
    return value
