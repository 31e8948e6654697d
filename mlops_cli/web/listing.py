"""The runs as rows of a table, ready for a template: numbers as text, one word for what cannot be said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import StoreError
from mlops_cli.records import Direction, RunStatus
from mlops_cli.views.text import arrow, params, spread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_cli.records import RunRecord
    from mlops_cli.web.live import Standings

_KEYS_SHOWN = 6


@dataclass(frozen=True)
class Row:
    """One run in the list."""

    record: RunRecord
    started: str
    trials: str
    done: int
    score: str
    differing: str


@dataclass(frozen=True)
class Heading:
    """A column's head, which sorts where it has something to sort by."""

    label: str
    kind: str = ""  # num: figures
    key: str = ""
    order: str = "none"  # as aria-sort says it
    next: str = ""  # the order that a click asks for


@dataclass(frozen=True)
class RunTable:
    """The rows and their heads."""

    rows: tuple[Row, ...]
    headings: tuple[Heading, ...]


def run_table(records: Sequence[RunRecord], sort: str, standings: Standings) -> RunTable:
    """Return runs as rows; those that run as they stand now.

    Parameters
    ----------
    records : sequence of RunRecord
        The runs of one page.
    sort : str
        By what they are sorted, as ``mlops runs ls --sort`` takes it; empty: newest first.
    standings : Standings
        What tells how a run stands.
    """
    current = [_current(r, standings) for r in records]
    primaries = {(r.primary, r.direction) for r in current if r.primary}
    metric, direction = primaries.pop() if len(primaries) == 1 else ("", None)
    keys = differing_keys([r.params for r in current if r.params])
    rows = tuple(_row(r, keys[:_KEYS_SHOWN], named=not metric) for r in current)
    score = f"{metric} {arrow(direction)}" if metric else "Score"
    return RunTable(rows, _headings(sort or "-started", score, minimized=direction is Direction.MINIMIZE))


def _current(record: RunRecord, standings: Standings) -> RunRecord:
    """Return a record with the counts and the best trial of this moment; as it is where the journal is damaged."""
    if record.status is not RunStatus.RUNNING:
        return record
    try:
        return standings.of(record.path).record
    except StoreError:  # its own page says what is wrong; the other runs are to be seen
        return record


def _headings(sort: str, score: str, *, minimized: bool) -> tuple[Heading, ...]:
    # By score is the best first, whichever end of the metric that is.
    best, worst = ("ascending", "descending") if minimized else ("descending", "ascending")
    return (
        _heading("Run", "", "id", sort),
        _heading("Status", "", "status", sort),
        _heading("Started", "", "-started", sort),
        _heading("Trials", "num", "-trials", sort),
        replace(_heading(score, "num", "score", sort), order={"score": best, "-score": worst}.get(sort, "none")),
        Heading("What differs"),
        _heading("Took", "num", "-duration_s", sort),
    )


def _heading(label: str, kind: str, first: str, sort: str) -> Heading:
    """Return a head whose first click sorts by ``first``, and the next one the other way round."""
    key = first.removeprefix("-")
    order = {key: "ascending", f"-{key}": "descending"}.get(sort, "none")
    turned = key if first.startswith("-") else f"-{key}"
    return Heading(label, kind, key, order, turned if sort == first else first)


def differing_keys(params: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the parameters that all runs have and not all have alike, in the order of their first appearance.

    What only some have, as the parameters of another model, says less than that the models differ.

    Examples
    --------
    >>> differing_keys([{"model.C": 1, "seed": 0}, {"model.C": 2, "seed": 0, "model.tol": 1}])
    ['model.C']
    """
    keys = [key for key in (params[0] if params else ()) if all(key in one for one in params) and "._" not in key]
    return [key for key in keys if len({repr(one[key]) for one in params}) > 1]


def _row(record: RunRecord, keys: Sequence[str], *, named: bool) -> Row:
    done = record.counts.ended
    swept = record.best.params if record.best is not None else {}
    chosen = {key: record.params[key] for key in keys if key in record.params} | dict(swept)
    return Row(record, when(record.started), _trials(record, done), done, _score(record, named=named), params(chosen))


def _trials(record: RunRecord, done: int) -> str:
    planned = record.counts.trials
    text = f"{planned:,}" if record.status.is_finished else f"{done:,} of {planned:,}" if planned else f"{done:,}"
    return f"{text}, {record.counts.failed:,} failed" if record.counts.failed else text


def _score(record: RunRecord, *, named: bool) -> str:
    found = record.metrics.get(record.primary or "")
    if found is None:
        return "–"
    return f"{record.primary} {spread(found)}" if named else spread(found)


def when(started: str) -> str:
    """Return a time of a record as a person reads it, by the clock of whoever ran it.

    Examples
    --------
    >>> when("2026-03-01T12:00:05.123456+01:00")
    '2026-03-01 12:00:05'
    """
    return f"{datetime.fromisoformat(started):%Y-%m-%d %H:%M:%S}"
