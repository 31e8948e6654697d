"""Named data sets as they are listed, and one version in full; and both as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from mlops_cli.store.dataset_json import to_json
from mlops_cli.views.lineage import roles
from mlops_cli.views.listing import short_time
from mlops_cli.views.pages.words import moment, size
from mlops_cli.views.runs import STATUS_STYLE, table
from mlops_cli.views.text import number, plain, plural, setting

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rich.console import RenderableType

    from mlops_cli.records import DatasetPage, DatasetSummary, NamedDataset, RunRecord

MOST_FILES = 10
MOST_RUNS = 10
MOST_COLUMNS = 50


def headline(version: NamedDataset) -> str:
    """Return one line: which version, and how large it is."""
    shape = f"{plural(version.table.rows, 'row')} × {plural(len(version.table.columns), 'column')}"
    return f"{version.ref}  {shape}  {size(version.size)}"


def listing(found: Sequence[DatasetSummary], now: datetime) -> Table:
    """Return a line for each data set, about its newest version."""
    made = table("data set", ">versions", ">newest", ">size", "tags", "added")
    for item in found:
        newest = item.versions[-1]
        shape = f"{newest.table.rows:,} × {len(newest.table.columns):,}"
        tags = " ".join(f"{tag}@{of}" for tag, of in sorted(item.tags.items()))
        when = short_time(newest.added, now) if newest.added else ""
        made.add_row(plain(item.name), f"{len(item.versions)}", shape, size(newest.size), plain(tags), when)
    return made


def page(found: DatasetPage, now: datetime) -> RenderableType:
    """Return all there is to know of a version."""
    blocks: list[RenderableType] = [plain(headline(found.version), "bold"), Text(), _facts(found)]
    blocks += [Text(), _columns(found.version)]
    if found.version.has_folder:
        blocks += [Text(), *_files(found.version)]
    blocks += [Text(), *_runs(found.runs, now, found.version)]
    return Group(*blocks, *([Text(), _models(found)] if found.models else []))


def _models(found: DatasetPage) -> Text:
    return Text.assemble(("models made from it  ", "dim"), plain(roles(found.models)))


def _facts(found: DatasetPage) -> Table:
    made = Table.grid(padding=(0, 2))
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for label, value in _labelled(found):
        made.add_row(label, plain(value))
    return made


def _labelled(found: DatasetPage) -> list[tuple[str, str]]:
    version = found.version
    lines = [("from", version.origin), ("added", moment(version.added)), ("read as", _read_as(version))]
    lines += [("key", version.key)] if version.key is not None else []
    lines += [("note", version.note)] if version.note else []
    lines += [("tags", " ".join(found.tags))] if found.tags else []
    lines.append(("content", version.table.version[:12]))
    if not version.has_folder:
        lines.append(("file", f"{version.files[0].path}, sha256 {version.files[0].sha256[:12]}"))
    others = [f"@{n}" for n in found.numbers if n != version.number]
    return [*lines, ("others", " ".join(others))] if others else lines


def _read_as(version: NamedDataset) -> str:
    return " ".join([version.option, *(f"{key}={_quoted(value)}" for key, value in version.read.items())])


def _quoted(value: Any) -> str:
    text = setting(value)
    return repr(value) if isinstance(value, str) and (not text.isprintable() or not text.strip()) else text


def _columns(version: NamedDataset) -> RenderableType:
    columns = version.table.columns
    made = table("column", "type", "kind", ">missing", ">distinct")
    for column in columns[:MOST_COLUMNS]:
        missing = f"{column.missing:,}" if column.missing else "-"
        distinct = "-" if column.unique is None else f"{column.unique:,}"
        made.add_row(plain(column.name), plain(column.dtype), str(column.kind), missing, distinct)
    left = len(columns) - MOST_COLUMNS
    return Group(made, Text(f"… and {plural(left, 'more column')}; --json has all", style="dim")) if left > 0 else made


def _files(version: NamedDataset) -> list[RenderableType]:
    made = table("file", ">size", "sha256")
    for file in version.files[:MOST_FILES]:
        made.add_row(plain(file.path), size(file.size), file.sha256[:12])
    left = len(version.files) - MOST_FILES
    return [made, Text(f"… and {plural(left, 'more file')}", style="dim")] if left > 0 else [made]


def _runs(runs: Sequence[RunRecord], now: datetime, version: NamedDataset) -> list[RenderableType]:
    if not runs:
        return [Text("no run has read it yet", style="dim")]
    sources = [_elsewhere(run, version) for run in runs[:MOST_RUNS]]
    made = table("run", "when", "status", ">score", *(["from"] if any(sources) else []))
    for run, source in zip(runs, sources, strict=False):
        score = run.metrics.get(run.primary or "")
        told = "-" if score is None else f"{run.primary} {number(score.mean)}"
        status = Text(str(run.status), style=STATUS_STYLE[run.status])
        cells = [plain(source)] if any(sources) else []
        made.add_row(plain(run.id), short_time(run.started, now), status, plain(told), *cells)
    left = len(runs) - MOST_RUNS
    more = f"… and {plural(left, 'more run')}; mlops runs ls --where 'data.source = {version.ref}'"
    return [made, Text(more, style="dim")] if left > 0 else [made]


def _elsewhere(run: RunRecord, version: NamedDataset) -> str:
    """Return what else a run read that has the same content."""
    source = "" if run.dataset is None else run.dataset.source
    return "" if source == version.ref else source


# --- plain data --------------------------------------------------------------------------------------------------


def listing_json(found: Sequence[DatasetSummary]) -> list[dict[str, Any]]:
    """Return all data sets with all their versions."""
    return [
        {"name": item.name, "tags": dict(item.tags), "versions": [to_json(version) for version in item.versions]}
        for item in found
    ]


def page_json(found: DatasetPage) -> dict[str, Any]:
    """Return a version as its file has it, with its tags, the runs that read it, and what it was to models."""
    runs = [run.id for run in found.runs]
    return {**to_json(found.version), "tags": list(found.tags), "runs": runs, "models": dict(found.models)}
