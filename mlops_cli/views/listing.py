"""Runs as rows, as wide as the terminal: what matters most is shown first, and the rest where there is room."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.console import Group
from rich.text import Text

from mlops_cli.records import RunStatus
from mlops_cli.store.index.fields import Kind, kind_of, params_of, values_of
from mlops_cli.views.runs import STATUS_STYLE, headline, scores, table
from mlops_cli.views.text import arrow, clean, number, params, plain, seconds, setting, spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import RenderableType
    from rich.table import Table

    from mlops_cli.records import RunRecord

_GAP = 3  # blanks between two columns
_WIDEST = 28  # of a parameter
_NARROWEST = 12  # to which one is cut rather than left out
_RESERVED = 27  # for the trials and the time
_HASH_SHOWN = 12


@dataclass(frozen=True)
class _Column:
    title: str
    cells: tuple[Text, ...]
    right: bool = False

    @property
    def width(self) -> int:
        return max(map(cell_len, [self.title, *(cell.plain for cell in self.cells)]))

    def cut(self, width: int) -> _Column:
        """Return the column with texts no wider than ``width``; its title and its numbers stay."""
        if self.right or self.width <= width:
            return self
        cells = [cell.copy() for cell in self.cells]
        for cell in cells:
            cell.truncate(width, overflow="ellipsis")
        return replace(self, cells=tuple(cells))


def listing(
    records: Sequence[RunRecord], *, width: int = 80, columns: Sequence[str] = (), now: datetime | None = None
) -> Table:
    """Return runs as rows.

    Parameters
    ----------
    records : sequence of RunRecord
        The runs, in the order of the rows.
    width : int
        Columns of the terminal; what does not fit is left out, the least important first.
    columns : sequence of str
        The keys to show instead, in full; all of them, whatever the width.
    now : datetime, optional
        The present, with a zone, which days are told from.
    """
    present = now or datetime.now().astimezone()
    chosen = [_asked(records, key, present) for key in columns] if columns else _fitting(records, width, present)
    made = table()
    for column in chosen:
        # What is broken over two lines cannot be copied.
        made.add_column(
            Text(column.title),
            justify="right" if column.right else "left",
            no_wrap=column.width <= width and (not columns or column.title == "id"),
            overflow="fold",
        )
    for row in zip(*(column.cells for column in chosen), strict=True):
        made.add_row(*row)
    return made


def head(record: RunRecord) -> RenderableType:
    """Return how a run stands, its scores, and what its best trial is."""
    blocks: list[RenderableType] = [headline(record)]
    if record.metrics:
        blocks += [Text(), scores(record)]
    if record.best is not None and record.best.params:
        blocks += [Text(), Text(f"trial {record.best.trial}: {params(record.best.params)}")]
    return Group(*blocks)


# --- which columns -----------------------------------------------------------------------------------------------


def _fitting(records: Sequence[RunRecord], width: int, now: datetime) -> list[_Column]:
    """Return as many columns as fit, in the order in which they are read."""
    run = _Column("run", tuple(plain(r.id) for r in records))
    status = _Column("status", tuple(Text(str(r.status), style=STATUS_STYLE[r.status]) for r in records))
    when = _Column("when", tuple(Text(short_time(r.started, now)) for r in records))
    trials = _Column("trials", tuple(Text(_trials(r)) for r in records), right=True)
    short, full = _scores(records, with_spread=False), _scores(records, with_spread=True)
    left = width - run.width
    score = full if full.width + status.width + 2 * _GAP <= left else short
    kept, left = _taken([score, status], left)
    told, left = _taken(_differing(records), left, shrinking=2)
    others, left = _taken([trials, when], left)
    return [*(c for c in (run, when, status, trials, score) if c in (run, *kept, *others)), *told]


def _taken(wished: Sequence[_Column], left: int, *, shrinking: int = 0) -> tuple[list[_Column], int]:
    """Return those columns that fit and the room that they leave.

    The first ``shrinking`` ones are cut short rather than left out, and only they may take the last of the room.
    """
    kept = []
    for place, column in enumerate(wished):
        room = left - _GAP if place < shrinking else left - _GAP - _RESERVED * bool(shrinking)
        fitting = column.cut(room) if place < shrinking and room >= _NARROWEST else column
        if fitting.width <= room:
            kept.append(fitting)
            left -= fitting.width + _GAP
    return kept, left


def _scores(records: Sequence[RunRecord], *, with_spread: bool) -> _Column:
    """Return the primary metric; its name heads the column where all have the same."""
    names = {(r.primary, r.direction) for r in records if r.primary}
    shared = next(iter(names)) if len(names) == 1 else None
    cells = []
    for record in records:
        found = record.metrics.get(record.primary or "")
        value = "-" if found is None else spread(found) if with_spread else number(found.mean)
        cells.append(Text(value if shared else f"{clean(record.primary or '')} {value}".strip()))
    title = f"{clean(shared[0])} {arrow(shared[1])}".strip() if shared else "score"
    return _Column(title, tuple(cells), right=shared is not None)


def _trials(record: RunRecord) -> str:
    """Return how many trials a run has; of one that did not end, how many of those that it was to have."""
    counts = record.counts
    if record.status is not RunStatus.INTERRUPTED:
        return str(counts.trials)
    return f"{counts.completed + counts.failed + counts.pruned}/{counts.trials}"


# --- what differs ------------------------------------------------------------------------------------------------


def _differing(records: Sequence[RunRecord]) -> list[_Column]:
    """Return the parameters whose values are not the same in all rows: those that most rows have come first."""
    rows = [params_of(record) for record in records]
    told = [row for row in rows if row]  # a run without a winner has no parameters to differ in
    keys = list(dict.fromkeys(key for row in told for key in row if "_target_" not in key))
    differing = [key for key in keys if len({_told(row, key) for row in told}) > 1]
    swept = {key for record in records if record.best is not None for key in record.best.params}
    differing.sort(key=lambda key: (-sum(key in row for row in told), key not in swept))
    names = short_names(keys)
    return [_parameter(names[key], rows, key) for key in differing]


def _told(row: dict[str, Any], key: str) -> str:
    return repr(row[key]) if key in row else ""


def _parameter(name: str, rows: list[dict[str, Any]], key: str) -> _Column:
    cells = tuple(Text(_cut(clean(setting(row[key])))) if key in row else Text("-", style="dim") for row in rows)
    numeric = all(isinstance(row[key], int | float) and not isinstance(row[key], bool) for row in rows if key in row)
    return _Column(clean(name), cells, right=numeric)


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def short_names(keys: Iterable[str]) -> dict[str, str]:
    """Return for each key its shortest dotted ending that is no ending of another one.

    Examples
    --------
    >>> short_names(["model", "model.C", "impute.strategy", "fill.strategy"])
    {'model': 'model', 'model.C': 'C', 'impute.strategy': 'impute.strategy', 'fill.strategy': 'fill.strategy'}
    """
    endings = {key: _endings(key) for key in keys}
    shared: dict[str, int] = {}
    for ending in (e for those in endings.values() for e in those):
        shared[ending] = shared.get(ending, 0) + 1
    return {key: next((e for e in those if shared[e] == 1), key) for key, those in endings.items()}


def _endings(key: str) -> list[str]:
    parts = key.split(".")
    return [".".join(parts[at:]) for at in range(len(parts) - 1, -1, -1)]


# --- columns that were asked for ---------------------------------------------------------------------------------


def _asked(records: Sequence[RunRecord], key: str, now: datetime) -> _Column:
    rows = [values_of(record) for record in records]
    numeric = any(isinstance(row.get(key), int | float) and not isinstance(row[key], bool) for row in rows)
    return _Column(clean(key), tuple(_shown(key, row, now) for row in rows), right=numeric)


def _shown(key: str, row: Mapping[str, Any], now: datetime) -> Text:
    value = row.get(key)
    if value is None:
        return Text("null" if key in row and key.startswith("params.") else "-", style="dim")
    if key == "status":
        return Text(value, style=STATUS_STYLE[RunStatus(value)])
    if key == "duration_s":
        return Text(seconds(value))
    kind = kind_of(key)
    if kind is Kind.DATE:
        return Text(short_time(value, now))
    if kind is Kind.HASH:
        return plain(value[:_HASH_SHOWN])
    return Text(number(value)) if isinstance(value, float) and kind is Kind.NUMBER else plain(setting(value))


def short_time(started: str, now: datetime) -> str:
    """Return a moment as a person would say it, in the zone of ``now``.

    Examples
    --------
    >>> now = datetime.fromisoformat("2026-11-21T15:00:00+01:00")
    >>> [short_time(f"{day}T09:10:00+01:00", now) for day in ("2026-11-21", "2026-11-20", "2026-11-02", "2025-01-01")]
    ['today 09:10', 'yesterday 09:10', 'Nov 2 09:10', '2025-01-01']
    """
    then = datetime.fromisoformat(started).astimezone(now.tzinfo)
    days = (now.date() - then.date()) // timedelta(days=1)
    if days in {0, 1}:
        return f"{'yesterday' if days else 'today'} {then:%H:%M}"
    return f"{then:%b} {then.day} {then:%H:%M}" if then.year == now.year else f"{then:%Y-%m-%d}"
