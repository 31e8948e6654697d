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
from mlops_cli.views.chosen import option
from mlops_cli.views.runs import STATUS_STYLE, headline, scores, table
from mlops_cli.views.text import arrow, clean, number, params, plain, seconds, setting, spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import RenderableType
    from rich.table import Table

    from mlops_cli.records import RunRecord

_GAP = 3  # blanks between two columns
_WIDEST = 28  # of a parameter
_NARROWEST = 10  # to which one is cut rather than left out
_RESERVED = 9  # for the trials
_READABLE = 8  # characters that a column which was asked for keeps
_HASH_SHOWN = 12


@dataclass(frozen=True)
class Column:
    """A column of a table that is fitted to a terminal; numbers stand to the right, and are never cut."""

    title: str
    cells: tuple[Text, ...]
    right: bool = False

    @property
    def width(self) -> int:
        """How many cells of a terminal it takes."""
        return max(map(cell_len, [self.title, *(cell.plain for cell in self.cells)]))

    def cut(self, width: int) -> Column:
        """Return the column with texts no wider than ``width``; its title and its numbers stay."""
        return self if self.right else self.squeezed(width, title=False)

    def squeezed(self, width: int, *, title: bool = True) -> Column:
        """Return the column no wider than ``width``, the title too where that is meant."""
        if self.width <= width:
            return self
        head, *cells = (cell.copy() for cell in (Text(self.title), *self.cells))
        for cell in cells:
            cell.truncate(width, overflow="ellipsis")
        if title:
            head.truncate(width, overflow="ellipsis")
        return replace(self, title=head.plain, cells=tuple(cells))


def listing(
    records: Sequence[RunRecord],
    *,
    width: int = 80,
    columns: Sequence[str] = (),
    bare: bool = False,
    now: datetime | None = None,
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
    bare : bool
        Leave the experiment out of the ids: what is left of one names the run too.
    now : datetime, optional
        The present, with a zone, which days are told from.
    """
    present = now or datetime.now().astimezone()
    chosen = (
        _squeezed(_asked(records, columns, present), width)
        if columns
        else _fitting(_all(records, bare, present), width)
    )
    return _as_table(chosen, width)


def fitted(columns: Sequence[Column], width: int, *, order: Sequence[int]) -> tuple[Table, int]:
    """Return as many columns as fit beside each other, and how many are left out.

    Parameters
    ----------
    columns : sequence of Column
        All that there are, in the order in which they are read.
    width : int
        Columns of the terminal.
    order : sequence of int
        Their places, that of the most important one first; it stays whatever the width.
    """
    if sum(column.width + _GAP for column in columns) - _GAP > width:
        columns = [column if place == order[0] else column.cut(_WIDEST) for place, column in enumerate(columns)]
    first, *others = (columns[place] for place in order)
    kept, _ = _taken(others, width - first.width)
    shown = [column for column in columns if column is first or any(column is other for other in kept)]
    return _as_table(shown, width), len(columns) - len(shown)


def _as_table(columns: Sequence[Column], width: int) -> Table:
    made = table()
    for column in columns:
        # What is broken over two lines cannot be copied.
        made.add_column(
            Text(column.title),
            justify="right" if column.right else "left",
            no_wrap=column.width <= width,
            overflow="fold" if column.title in {"run", "id"} else "ellipsis",
        )
    for row in zip(*(column.cells for column in columns), strict=True):
        made.add_row(*row)
    return made


def left_out(records: Sequence[RunRecord], *, width: int = 80, bare: bool = False, now: datetime | None = None) -> int:
    """Return how many columns a listing has no room for."""
    every = _all(records, bare, now or datetime.now().astimezone())
    return len(every.fixed) + len(every.differing) - len(_fitting(every, width))


def head(record: RunRecord) -> RenderableType:
    """Return how a run stands, its scores, and what its best trial is."""
    blocks: list[RenderableType] = [headline(record)]
    if record.metrics:
        blocks += [Text(), scores(record)]
    if record.best is not None and record.best.params:
        blocks += [Text(), Text(f"trial {record.best.trial}: {params(record.best.params)}")]
    return Group(*blocks)


# --- which columns -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Every:
    """All columns that there are, and shorter forms of two of them."""

    run: Column
    when: Column
    status: Column
    trials: Column
    score: Column
    differing: tuple[Column, ...]
    mean: Column  # the score without its spread
    unusual: Column  # the status of those that have not completed

    @property
    def fixed(self) -> tuple[Column, ...]:
        return (self.run, self.when, self.status, self.trials, self.score)


def _all(records: Sequence[RunRecord], bare: bool, now: datetime) -> _Every:
    ids = [r.id.partition("/")[2] if bare and "/" in r.id else r.id for r in records]
    states = [Text(str(r.status), style=STATUS_STYLE[r.status]) for r in records]
    unusual = [Text() if r.status is RunStatus.COMPLETED else state for r, state in zip(records, states, strict=True)]
    return _Every(
        run=Column("run", tuple(map(plain, ids))),
        when=Column("when", tuple(Text(short_time(r.started, now)) for r in records)),
        status=Column("status", tuple(states)),
        trials=Column("trials", tuple(Text(_trials(r)) for r in records), right=True),
        score=_scores(records, with_spread=True),
        differing=tuple(_differing(records)),
        mean=_scores(records, with_spread=False),
        unusual=Column("status", tuple(unusual)),
    )


def _fitting(every: _Every, width: int) -> list[Column]:
    """Return as many columns as fit, in the order in which they are read."""
    left = width - every.run.width
    first = [min(column.width, _NARROWEST) for column in every.differing[:1]]
    wide = sum(size + _GAP for size in (every.when.width, every.status.width, every.score.width, *first)) <= left
    status, score = (every.status, every.score) if wide else (every.unusual, every.mean)
    wished = [score, every.when, *([status] if any(cell.plain for cell in status.cells) else [])]
    kept, left = _taken(wished, left)
    told, left = _taken(every.differing, left, shrinking=2)
    if [c.title for c in told[:1]] != [c.title for c in every.differing[:1]]:
        told = []  # what comes after the model says little without it
    others, left = _taken([every.trials], left)
    shown = (*kept, *others)
    return [c for c in (every.run, every.when, status, every.trials, score) if c is every.run or c in shown] + told


def _taken(wished: Sequence[Column], left: int, *, shrinking: int = 0) -> tuple[list[Column], int]:
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


def _scores(records: Sequence[RunRecord], *, with_spread: bool) -> Column:
    """Return the primary metric; its name heads the column where all have the same."""
    names = {(r.primary, r.direction) for r in records if r.primary}
    shared = next(iter(names)) if len(names) == 1 else None
    cells = []
    for record in records:
        found = record.metrics.get(record.primary or "")
        value = "-" if found is None else spread(found) if with_spread else number(found.mean)
        cells.append(Text(value if shared else f"{clean(record.primary or '')} {value}".strip()))
    title = f"{clean(shared[0])} {arrow(shared[1])}".strip() if shared else "score"
    return Column(title, tuple(cells), right=shared is not None)


def _trials(record: RunRecord) -> str:
    """Return how many trials a run has; of one that did not end, how many of those that it was to have."""
    counts = record.counts
    if record.status is not RunStatus.INTERRUPTED:
        return str(counts.trials)
    return f"{counts.ended}/{counts.trials}"


# --- what differs ------------------------------------------------------------------------------------------------


def _differing(records: Sequence[RunRecord]) -> list[Column]:
    """Return the parameters of which runs have different values: the model first, then those that most rows have."""
    rows = [_named(params_of(record)) for record in records]
    told = [row for row in rows if row]  # a run without a winner has no parameters to differ in
    keys = list(dict.fromkeys(key for row in told for key in row if "_target_" not in key))
    differing = [key for key in keys if len({_told(row[key]) for row in told if key in row}) > 1]
    swept = {key for record in records if record.best is not None for key in record.best.params}
    differing.sort(key=lambda key: (key != "model", -sum(key in row for row in told), key not in swept))
    names = short_names(keys)
    return [_parameter(names[key], rows, key) for key in differing]


def _named(row: dict[str, Any]) -> dict[str, Any]:
    """Return parameters with the model's name, be it an option's or a class's."""
    name = option(row, "model")
    return {**row, "model": name} if name else row


def _told(value: Any) -> str:
    """Return what tells a value from others: 1 and 1.0 are one, 1 and true are two."""
    return repr(float(value) if isinstance(value, int) and not isinstance(value, bool) else value)


def _parameter(name: str, rows: list[dict[str, Any]], key: str) -> Column:
    cells = tuple(Text(_cut(clean(setting(row[key])))) if key in row else Text("-", style="dim") for row in rows)
    numeric = all(isinstance(row[key], int | float) and not isinstance(row[key], bool) for row in rows if key in row)
    return Column(clean(name), cells, right=numeric)


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


def _asked(records: Sequence[RunRecord], keys: Sequence[str], now: datetime) -> list[Column]:
    rows = [values_of(record) for record in records]
    return [_values(title, rows, key, now) for key, title in _titles(keys).items()]


def _values(title: str, rows: Sequence[Mapping[str, Any]], key: str, now: datetime) -> Column:
    numeric = any(isinstance(row.get(key), int | float) and not isinstance(row[key], bool) for row in rows)
    return Column(clean(title), tuple(_shown(key, row, now) for row in rows), right=numeric)


def _titles(keys: Sequence[str]) -> dict[str, str]:
    """Return for each key what heads its column: as short as tells them apart."""
    of_params = [key.removeprefix("params.") for key in keys if key.startswith("params.")]
    short = {f"params.{key}": name for key, name in short_names(of_params).items()}
    short |= {key: key.partition(".")[2] for key in keys if key.startswith(("metrics.", "tags."))}
    titles = [short.get(key, key) for key in keys]
    return {key: title if titles.count(title) == 1 else key for key, title in zip(keys, titles, strict=True)}


def _squeezed(columns: list[Column], width: int) -> list[Column]:
    """Return columns that fit beside each other: the widest ones are cut, but no id."""
    widths = [column.width for column in columns]
    free = [n for n, column in enumerate(columns) if column.title != "id" and column.width > _READABLE]
    over = sum(widths) + _GAP * (len(columns) - 1) - width
    while over > 0 and free:
        widest = max(free, key=lambda n: widths[n])
        widths[widest] -= 1
        over -= 1
        free = [n for n in free if widths[n] > _READABLE]
    return [column.squeezed(room) for column, room in zip(columns, widths, strict=True)]


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


def dated_time(started: str, now: datetime) -> str:
    """Return a moment to the second with its date, in the zone of ``now``; of the last days, how one would say it too.

    Examples
    --------
    >>> now = datetime.fromisoformat("2026-11-21T15:00:00+01:00")
    >>> dated_time("2026-11-21T08:10:05+00:00", now), dated_time("2026-11-02T09:10:00+01:00", now)
    ('today 09:10:05, 2026-11-21', '2026-11-02 09:10:00')
    """
    then = datetime.fromisoformat(started).astimezone(now.tzinfo)
    days = (now.date() - then.date()) // timedelta(days=1)
    if days in {0, 1}:
        return f"{'yesterday' if days else 'today'} {then:%H:%M:%S}, {then:%Y-%m-%d}"
    return f"{then:%Y-%m-%d %H:%M:%S}"
