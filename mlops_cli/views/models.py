"""Registered models as they are listed, one version in full, and what a check found; and all of it as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from mlops_cli.records import CHAMPION, OUT_OF_USE, Approval
from mlops_cli.store.registry.json import status_to_json, version_to_json
from mlops_cli.views.chosen import choices
from mlops_cli.views.handover import handover_json, summary
from mlops_cli.views.listing import Column, dated_time, fitted, short_time
from mlops_cli.views.pages.words import size
from mlops_cli.views.runs import scores, table
from mlops_cli.views.text import arrow, clean, notice, number, plain, plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from rich.console import RenderableType

    from mlops_cli.records import (
        ModelStatus,
        ModelVersion,
        RegisteredModel,
        RunRecord,
        VersionCheck,
        VersionPage,
    )

APPROVAL_STYLE = {
    Approval.PENDING: "dim",
    Approval.APPROVED: "green",
    Approval.REJECTED: "red",
    Approval.ARCHIVED: "dim",
}
MOST_FILES = 20


def registered(version: ModelVersion) -> list[str]:
    """Return what was registered, and where it is."""
    whole = f"{clean(version.ref)}  {plural(len(version.files), 'file')}, {size(version.size)}"
    return [whole, f"in {clean(version.path)}"]


def still_called(found: VersionPage) -> list[str]:
    """Return of a version that is out of use which aliases it has all the same, and how each is moved."""
    if found.status.approval not in OUT_OF_USE:
        return []
    name, ref = found.version.name, found.version.ref
    lines = []
    for alias in found.aliases:
        option = "" if alias == CHAMPION else f" --alias {alias}"
        back, on = f"mlops models rollback {name}{option}", f"mlops models promote {name}/N{option}"
        lines.append(clean(f"! {ref} stays @{alias}: {back} gives it to the version before, {on} to another"))
    return lines


# --- lists -------------------------------------------------------------------------------------------------------


def listing(found: Sequence[RegisteredModel], now: datetime, width: int = 80) -> tuple[Table, int]:
    """Return a line for each model, about its newest version; and how many columns there is no room for."""
    newest = [model.versions[-1] for model in found]
    called = [" ".join(f"@{alias}={to}" for alias, to in sorted(m.aliases.versions.items())) for m in found]
    columns = (
        Column("model", tuple(plain(model.name) for model in found)),
        Column("versions", tuple(Text(f"{len(model.versions)}") for model in found), right=True),
        Column("newest", tuple(plain(version.ref) for version in newest)),
        Column("score", tuple(_score(version.record) for version in newest)),
        Column("aliases", tuple(map(plain, called))),
        Column("registered", tuple(Text(short_time(version.created, now)) for version in newest)),
    )
    return fitted(columns, width, order=(0, 2, 3, 4, 5, 1))


def versions(model: RegisteredModel, now: datetime, width: int = 80) -> tuple[Table, int]:
    """Return a line for each version of a model, the newest first; and how many columns there is no room for.

    Of a run's id its end is shown, which names it.
    """
    shared = len({v.record.primary for v in model.versions}) == 1
    first = model.versions[0].record
    score = f"{clean(first.primary)} {arrow(first.direction)}".strip() if shared and first.primary else "score"
    rows = model.versions[::-1]
    standing = [model.statuses[version.number].approval for version in rows]
    columns = (
        Column("version", tuple(plain(v.ref) for v in rows)),
        Column("aliases", tuple(plain(_called(model.aliases.of(v.number))) for v in rows)),
        Column("status", tuple(Text(str(approval), style=APPROVAL_STYLE[approval]) for approval in standing)),
        Column(score, tuple(_score(v.record, bare=shared) for v in rows), right=shared),
        Column("data", tuple(plain("-" if v.record.dataset is None else v.record.dataset.source) for v in rows)),
        Column("run", tuple(plain(v.record.id.rpartition("-")[2]) for v in rows)),
        Column("registered", tuple(Text(short_time(v.created, now)) for v in rows)),
    )
    return fitted(columns, width, order=(0, 2, 3, 1, 6, 4, 5))


def _score(record: RunRecord, *, bare: bool = False) -> Text:
    found = record.metrics.get(record.primary or "")
    if found is None:
        return Text("-", style="dim")
    return plain(number(found.mean) if bare else f"{record.primary} {arrow(record.direction)} {number(found.mean)}")


def _called(aliases: Sequence[str]) -> str:
    return " ".join(f"@{alias}" for alias in aliases)


# --- one in full -------------------------------------------------------------------------------------------------


def page(found: VersionPage, now: datetime) -> RenderableType:
    """Return all there is to know of a version."""
    record = found.version.record
    blocks: list[RenderableType] = [headline(found), Text(), scores(record)]
    if any(item.std is not None for item in record.metrics.values()):
        count = max(len(item.splits) for item in record.metrics.values())
        blocks.append(plain(f"over {plural(count, 'split')}, each scored by a model that had not seen its rows", "dim"))
    if record.warnings:
        blocks += [Text(), *map(notice, record.warnings)]
    return Group(*blocks, Text(), _facts(found, now), Text(), *_files(found))


def headline(found: VersionPage) -> Text:
    """Return one line: which version, what it is called, and where it stands."""
    approval = found.status.approval
    words = {move.alias for move in found.overridden}
    called = "".join(f"  @{alias}{' (overridden)' if alias in words else ''}" for alias in found.aliases)
    style = APPROVAL_STYLE[approval]
    return Text.assemble((clean(found.version.ref), "bold"), clean(called), "  ", (str(approval), style))


def _facts(found: VersionPage, now: datetime) -> Table:
    made = Table.grid(padding=(0, 2))
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for label, value in _labelled(found, now):
        made.add_row(label, plain(value))
    return made


def _labelled(found: VersionPage, now: datetime) -> Iterator[tuple[str, str]]:
    version, record = found.version, found.version.record
    yield from _said(found.status, record, now)
    if found.handover is not None:
        yield "handover", summary(found.handover, version.ref, now)
    if found.unread:
        yield "handover", f"cannot be read: {found.unread}"
    for move in found.overridden:
        told = f"by override of {move.by}, {dated_time(move.at, now)}, although gates had failed: {move.override}"
        yield f"@{clean(move.alias)}", told
    yield from choices(record)
    yield "task", str(record.task)
    for label, data in (("data", record.dataset), ("test data", record.test_dataset)):
        if data is not None:
            shape = f"{plural(data.rows, 'row')} × {plural(len(data.columns), 'column')}"
            yield label, f"{data.source}  {shape}  {data.version[:12]}"
    yield "run", record.id
    yield from _code(version)
    yield "python", str(record.environment.get("python", "-"))
    yield "registered", f"{dated_time(version.created, now)} by {version.by}"
    yield "in", str(version.path)
    others = [f"{version.name}/{n}" for n in found.numbers if n != version.number]
    if others:
        yield "others", " ".join(others)


def _said(status: ModelStatus, record: RunRecord, now: datetime) -> Iterator[tuple[str, str]]:
    about = status.description or record.description
    if about:
        yield "about", about
    if status.tags:
        yield "tags", " ".join(f"{key}={value}" for key, value in status.tags.items())
    for item in status.sign_offs:
        note = f": {item.note}" if item.note else ""
        yield str(item.verdict), f"by {item.by}, {dated_time(item.at, now)}{note}"


def _code(version: ModelVersion) -> Iterator[tuple[str, str]]:
    record = version.record
    if record.git.commit:
        yield "code", record.git.commit[:12] + (", uncommitted changes in source.diff" if record.git.dirty else "")
    for name in record.code:
        kept = f"code/{name}" in version.files
        yield "own code", name if kept else f"{name}, which had changed and is not kept"


def _files(found: VersionPage) -> list[RenderableType]:
    made = table("file", ">size", "sha256")
    for file in found.files[:MOST_FILES]:
        made.add_row(plain(file.path), size(file.size), "-" if file.sha256 is None else file.sha256[:12])
    left = len(found.files) - MOST_FILES
    return [made, Text(f"… and {plural(left, 'more file')}", style="dim")] if left > 0 else [made]


def card_lines(text: str) -> Iterator[str]:
    """Yield a card line by line as a terminal may have it: no control characters but tabs."""
    for line in text.splitlines():
        yield "\t".join(map(clean, line.split("\t")))


# --- a check -----------------------------------------------------------------------------------------------------


def faults(found: Sequence[VersionCheck]) -> list[str]:
    """Return a line for each fault."""
    return [clean(f"{item.version}: {fault}") for item in found for fault in item.faults]


def verdict(found: Sequence[VersionCheck]) -> str:
    """Return how much was read, where all is well."""
    checked = [item for item in found if "/" in item.version]
    return f"{plural(len(checked), 'version')} as registered, {size(sum(item.size for item in checked))} read"


# --- plain data --------------------------------------------------------------------------------------------------


def version_json(found: VersionPage) -> dict[str, Any]:
    """Return a version as its file has it, with what is said of it and where it is."""
    return {
        **version_to_json(found.version),
        "path": str(found.version.path),
        "aliases": list(found.aliases),
        "overridden": {move.alias: move.override for move in found.overridden},
        **_status_json(found.status),
        "handover": None if found.handover is None else handover_json(found.handover),
        "handover_unread": found.unread or None,
    }


def _status_json(status: ModelStatus) -> dict[str, Any]:
    return {key: value for key, value in status_to_json(status).items() if key != "schema_version"}


def listing_json(found: Sequence[RegisteredModel]) -> list[dict[str, Any]]:
    """Return all models with all their versions."""
    return [
        {"name": model.name, "aliases": dict(model.aliases.versions), "versions": _versions_json(model)}
        for model in found
    ]


def _versions_json(model: RegisteredModel) -> list[dict[str, Any]]:
    return [
        {
            **version_to_json(version),
            "path": str(version.path),
            "aliases": list(model.aliases.of(version.number)),
            **_status_json(model.statuses[version.number]),
        }
        for version in model.versions
    ]
