"""What the audit log says of records: a digest of each as it was when its entry was written.

A record's digest is of all that must not change in it, as JSON has it. What says nothing (null, false, nothing in it)
counts as not there, so that a record which a newer version of this tool writes again, with keys of its own, keeps it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import StoreError
from mlops_cli.records import Action, Notice, RunStatus
from mlops_cli.store.audit import AuditLog
from mlops_cli.store.files import sha256
from mlops_cli.store.layout import RunPaths
from mlops_cli.store.serialize import run_to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.records import AuditHead, RunRecord

AUDIT_FAILED = "audit-failed"
"""The code of the warning in a run whose end could not be written into the log."""

RUN_MAY_CHANGE = frozenset({"audit", "path", "tags", "note", "process"})
"""What may change in the record of a run that has ended: what people say of it, and where it lies."""


def digest_of_record(value: Mapping[str, Any], may_change: frozenset[str] = frozenset({"audit"})) -> str:
    """Return the sha256 of a record as its file has it, but for the keys that may change."""
    kept = {key: item for key, item in value.items() if key not in may_change}
    text = json.dumps(_telling(kept), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return sha256(text.encode())


def _telling(value: Any) -> Any:
    """Return JSON without the keys of mappings that say nothing."""
    if isinstance(value, dict):
        return {key: told for key, item in value.items() if not _is_nothing(told := _telling(item))}
    if isinstance(value, list | tuple):
        return [_telling(item) for item in value]
    return value


def _is_nothing(value: Any) -> bool:
    return value is None or value is False or (isinstance(value, str | list | dict) and not value)


# --- runs --------------------------------------------------------------------------------------------------------


def run_ended(record: RunRecord) -> RunRecord:
    """Write into the log how a run has ended; return its record with where that stands, which is written next.

    A log that cannot be written loses no run: then the record says so.
    """
    data = [{"source": version.source, "version": version.version} for version in record.datasets]
    said = {
        "status": str(record.status),
        "fingerprint": record.fingerprint,
        "data": data,
        "record": digest_of_record(run_to_json(record), RUN_MAY_CHANGE),
    }
    try:
        return replace(record, audit=_log(record).append(Action.RUN, record.id, said))
    except StoreError as error:
        told = Notice(AUDIT_FAILED, f"the audit log has no entry of how this run ended: {error}")
        return replace(record, audit=None, warnings=(*record.warnings, told))


def run_resumed(record: RunRecord) -> AuditHead | None:
    """Write into the log that a run goes on; None where that cannot be, which its end will say."""
    # Of a run that was killed, the record still says that it is running.
    status = record.status if record.status.is_finished else RunStatus.INTERRUPTED
    try:
        return _log(record).append(Action.RUN_RESUMED, record.id, {"status": str(status)})
    except StoreError:
        return None


def _log(record: RunRecord) -> AuditLog:
    return AuditLog(RunPaths(record.path).workspace)
