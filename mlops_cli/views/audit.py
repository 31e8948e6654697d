"""The audit log as a table and as plain data, and what came of checking it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.console import Group
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
_HASHES = frozenset({"record", "files", "fingerprint", "after"})  # for programs: --json has them
_FIRST = ("status", "verdict", "alias", "override", "gates", "note", "before", "to")
_ROOM = 36  # cells for details beside the rest; where there are fewer they stand below
_GAP = 3  # blanks between two columns
_SHOWN = 12  # digits of other hashes
_LONGEST = 60
_HASH = 64


def listing(entries: Sequence[AuditEntry], now: datetime, width: int = 80) -> Table:
    """Return a line for each entry, its details as far as there is room; the machine only where there are several.

    Where the details would have next to no room they stand below what was done.
    """
    titles = ("no.", "when", "who", *(["on"] if len({entry.host for entry in entries}) > 1 else []), "did", "to")
    rows = [_cells(entry, now, with_host="on" in titles) for entry in entries]
    widest = [
        max(cell_len(text) for text in column) for column in zip(titles, *(map(str, r) for r in rows), strict=True)
    ]
    details = [_cut_to_fit(_details(entry.details)) for entry in entries]
    if width - sum(size + _GAP for size in widest) >= _ROOM:
        made = table(f">{titles[0]}", *titles[1:], "details")
        for row, said in zip(rows, details, strict=True):
            made.add_row(*row, said)
    else:
        made = table(f">{titles[0]}", *titles[1:-2], "did, to")
        for (*row, did, to), said in zip(rows, details, strict=True):
            made.add_row(*row, Group(Text.assemble(did, " ", to), *([said] if said.plain else [])))
    for column in made.columns[:-1]:  # the last one alone gives way; what is broken over two lines cannot be copied
        column.no_wrap = True
    return made


def _cells(entry: AuditEntry, now: datetime, *, with_host: bool) -> list[Text]:
    host = [plain(entry.host)] if with_host else []
    action = Text(str(entry.action), style=_STYLE.get(entry.action, ""))
    when = Text(short_time(entry.at, now))
    return [Text(str(entry.number)), when, plain(entry.user), *host, action, plain(entry.subject)]


def _cut_to_fit(said: str) -> Text:
    text = plain(said)
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _details(details: Mapping[str, Any]) -> str:
    keys = sorted(details.keys() - _HASHES, key=lambda key: (_order(key), key))
    told = {key: _gates(details[key]) if key == "gates" else _short(details[key]) for key in keys}
    return " ".join(f"{key}={text}" for key, text in told.items() if text)


def _order(key: str) -> int:
    return _FIRST.index(key) if key in _FIRST else len(_FIRST)


def _gates(gates: Any) -> str:
    """Return which gates had failed, else how many passed."""
    if not isinstance(gates, list) or not all(isinstance(gate, dict) for gate in gates):
        return _short(gates)
    failed = [str(gate.get("gate")) for gate in gates if not gate.get("passed")]
    return _short(f"{','.join(failed)} failed" if failed else f"{len(gates)} passed" if gates else "")


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
    whole = f"{plural(found.entries, 'entry')} hold together"
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
