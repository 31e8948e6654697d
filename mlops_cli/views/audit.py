"""The audit log as a table and as plain data, and what came of checking it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.text import Text

from mlops_cli.records import Action
from mlops_cli.store.audit import entry_to_json, head_to_json
from mlops_cli.views.listing import short_time
from mlops_cli.views.runs import table
from mlops_cli.views.text import clean, plain, plural, setting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from rich.table import Table

    from mlops_cli.records import AuditEntry, AuditReport

COLUMNS = ("number", "at", "user", "host", "action", "subject", "details", "previous", "hash")

_STYLE = {
    Action.RUN_REMOVED: "red",
    Action.DATA_REMOVED: "red",
    Action.MODEL_REMOVED: "red",
    Action.PROMOTED: "green",
    Action.PROMOTION_REFUSED: "red",
}
_HASHES = frozenset({"record", "files", "fingerprint"})  # for programs: --json has them
_SHOWN = 12  # digits of other hashes
_LONGEST = 60
_HASH = 64


def listing(entries: Sequence[AuditEntry], now: datetime) -> Table:
    """Return a line for each entry, its details as far as there is room; the machine only where there are several."""
    with_host = len({entry.host for entry in entries}) > 1
    made = table(">no.", "when", "who", *(["on"] if with_host else []), "did", "to", "details")
    for entry in entries:
        host = [plain(entry.host)] if with_host else []
        action = Text(str(entry.action), style=_STYLE.get(entry.action, ""))
        said = plain(_details(entry.details))
        said.no_wrap, said.overflow = True, "ellipsis"
        when = Text(short_time(entry.at, now))
        made.add_row(str(entry.number), when, plain(entry.user), *host, action, plain(entry.subject), said)
    for column in made.columns[:-1]:  # the details alone give way; what is broken over two lines cannot be copied
        column.no_wrap = True
    return made


def _details(details: Mapping[str, Any]) -> str:
    keys = sorted(details.keys() - _HASHES, key=lambda key: (key != "status", key))
    told = {key: _short(details[key]) for key in keys}
    return " ".join(f"{key}={text}" for key, text in told.items() if text)


def _short(value: Any) -> str:
    """Return a detail as a line has room for it; nothing where it says nothing."""
    if value is None or (isinstance(value, str | list | dict) and not value):
        return ""
    if isinstance(value, dict):
        return _short(value.get("source") or ",".join(f"{key}:{setting(item)}" for key, item in value.items()))
    if isinstance(value, list):
        return _short(",".join(map(_short, value)))
    text = " ".join(setting(value).split())
    if len(text) == _HASH and " " not in text:
        return text[:_SHOWN]
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def rows(entries: Sequence[AuditEntry]) -> list[dict[str, Any]]:
    """Return entries as rows of a table; details as JSON."""
    return [{**vars(entry), "details": json.dumps(dict(entry.details), sort_keys=True)} for entry in entries]


def listing_json(entries: Sequence[AuditEntry]) -> list[dict[str, Any]]:
    """Return entries as their lines have them."""
    return [entry_to_json(entry) for entry in entries]


# --- a check -----------------------------------------------------------------------------------------------------


def faults(found: AuditReport) -> list[str]:
    """Return a line for each fault."""
    return [clean(f"{fault.where}: {fault.what}") for fault in found.faults]


def notes(found: AuditReport) -> list[str]:
    """Return a line for each thing that a kill may have left."""
    return [clean(f"{note.where}: {note.what}") for note in found.notes]


def verdict(found: AuditReport) -> str:
    """Return how much was checked, where all is well, and the head that is worth keeping elsewhere."""
    if found.head is None:
        return "the audit log is empty: nothing was done yet"
    agree = "keeps" if found.heads == 1 else "keep"
    whole = f"{plural(found.entries, 'entry').replace('entrys', 'entries')} hold together"
    return f"{whole}, {plural(found.heads, 'record')} {agree} theirs; head {found.head.number}:{found.head.hash}"


def report_json(found: AuditReport) -> dict[str, Any]:
    """Return what came of a check."""
    return {
        "whole": not found.faults,
        "entries": found.entries,
        "heads": found.heads,
        "head": head_to_json(found.head),
        "began": found.began,
        "ended": found.ended,
        "faults": [_fault(fault) for fault in map(asdict, found.faults)],
        "notes": [_fault(note) for note in map(asdict, found.notes)],
    }


def _fault(fault: dict[str, Any]) -> dict[str, str]:
    return {key: fault[key] for key in ("where", "what")}
