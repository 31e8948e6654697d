"""Tables for pages: what the columns are and what each cell says, as text; ``static/table.js`` sorts and filters them.

A cell is a text, a whole number, None where there is nothing, or a mapping ``{"t": text, "c": class, "h": link,
"d": outline of a drawing}``. Numbers are formatted here alone: the browser sorts by what it shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_cli.records import Direction, Kind, TrialState, terms_of
from mlops_cli.views.pages.drawings import bars, share
from mlops_cli.views.runs import rank
from mlops_cli.views.text import arrow, clean, number, setting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_cli.records import ColumnProfile, DataProfile, DatasetVersion, RunRecord, TrialResult

Cell = str | int | None | dict[str, Any]

NUMBER, TEXT, DRAWN = "num", "", "drawn"
EXTRA = "extra"  # left out on paper, which is narrow
_WHY = 160
_QUANTILES = ("least", "5 %", "25 %", "median", "75 %", "95 %", "greatest")


@dataclass(frozen=True)
class TableData:
    """A table that sorts and filters."""

    id: str  # of the element that holds its rows
    caption: str
    columns: tuple[
        Mapping[str, str], ...
    ]  # name, kind (num, drawn, extra or none), first (up, down: the first way to sort)
    rows: tuple[tuple[Cell, ...], ...]
    example: str = ""  # of what can be typed into the filter


def column(name: str, kind: str = TEXT, *, down: bool = False) -> Mapping[str, str]:
    """Return a column's head."""
    return {"name": clean(name), "kind": kind, "first": "down" if down else "up"}


def score(value: float | None) -> str | None:
    """Return a score, or nothing where there is none."""
    return None if value is None or value != value else number(value)  # noqa: PLR0124  not a number


# --- trials ------------------------------------------------------------------------------------------------------


def trials_table(record: RunRecord, trials: Sequence[TrialResult], name: str = "trials") -> TableData:
    """Return all trials, best first, with a column for each metric and parameter.

    Parameters
    ----------
    record : RunRecord
        The run.
    trials : sequence of TrialResult
        Its trials.
    name : str
        What the table is called inside its page.
    """
    metrics = list(dict.fromkeys([*record.metrics, *(m for t in trials for m in t.scores)]))
    keys = list(dict.fromkeys(key for t in trials for key in t.params))
    failed = any(t.error is not None for t in trials)
    reused = any(t.reused is not None for t in trials)
    columns = [
        column("trial", NUMBER),
        column("state"),
        *_metric_columns(record, metrics),
        *(column(key) for key in keys),
        column(terms_of(record.task).fit_s, NUMBER),
        *([column("reused from")] if reused else []),
        *([column("error")] if failed else []),
    ]
    rows = [_trial_row(record, t, metrics, keys, (reused, failed)) for t in rank(record, trials)]
    first = clean(metrics[0]) if metrics else "trial"
    return TableData(name, "Trials, best first", tuple(columns), tuple(rows), f"failed, {first}>0.9")


def _metric_columns(record: RunRecord, metrics: Sequence[str]) -> list[Mapping[str, str]]:
    made = []
    for name in metrics:
        direction = direction_of(record, name)
        made.append(column(f"{name} {arrow(direction)}".strip(), NUMBER, down=direction is not Direction.MINIMIZE))
        if name == record.primary:
            made.append(column("± std", NUMBER))
    return made


def direction_of(record: RunRecord, metric: str) -> Direction | None:
    """Return the good end of a metric, where the run says it."""
    return record.directions.get(metric) or (record.direction if metric == record.primary else None)


def _trial_row(
    record: RunRecord, trial: TrialResult, metrics: Sequence[str], keys: Sequence[str], more: tuple[bool, bool]
) -> tuple[Cell, ...]:
    cells: list[Cell] = [_trial_number(record, trial), _state(trial.state)]
    for name in metrics:
        cells.append(score(trial.mean(name)))
        if name == record.primary:
            cells.append(_spread(trial.scores.get(name, ())))
    cells += [clean(setting(trial.params[key])) if key in trial.params else None for key in keys]
    cells.append(score(trial.fit_s))
    reused, failed = more
    return (*cells, *([_text(trial.reused)] if reused else []), *([_why(trial)] if failed else []))


def _trial_number(record: RunRecord, trial: TrialResult) -> Cell:
    if record.best is not None and trial.trial == record.best.trial:
        return {"t": trial.trial, "c": "best"}
    return {"t": trial.trial, "c": "front"} if trial.trial in record.front else trial.trial


def _state(state: TrialState) -> Cell:
    return {"t": str(state), "c": "bad"} if state.has_failed else str(state)


def _spread(values: Sequence[float]) -> str | None:
    if len(values) < 2:
        return None
    mean = sum(values) / len(values)  # statistics.stdev is exact, and a hundred times slower
    return score((sum((v - mean) ** 2 for v in values) / (len(values) - 1)) ** 0.5)


def _why(trial: TrialResult) -> str | None:
    return None if trial.error is None else clean(trial.error.headline[:_WHY])


def _text(value: object) -> str | None:
    return None if value is None else clean(value)


# --- data --------------------------------------------------------------------------------------------------------


def profile_table(profile: DataProfile, name: str = "profile") -> TableData:
    """Return what is known of each column of the data."""
    columns = (
        column("column"),
        column("role"),
        column("kind"),
        column("dtype", EXTRA),
        column("missing", NUMBER, down=True),
        column("missing %", NUMBER, down=True),
        column("unique", NUMBER, down=True),
        column("distribution", DRAWN),
        column("tie to target", NUMBER, down=True),
        *(column(name, NUMBER, down=True) for name in ("mean", "std")),
        *(column(name, f"{NUMBER} {EXTRA}" if "%" in name else NUMBER, down=True) for name in _QUANTILES),
        column("most frequent"),
    )
    rows = tuple(_column_row(one) for one in profile.columns)
    return TableData(name, "Columns of the training data", columns, rows, "categorical, missing>0")


def _column_row(one: ColumnProfile) -> tuple[Cell, ...]:
    total = one.count + one.missing
    quantiles = one.quantiles if len(one.quantiles) == len(_QUANTILES) else (None,) * len(_QUANTILES)
    return (
        clean(one.name),
        clean(one.role),
        str(one.kind),
        clean(one.dtype),
        one.missing,
        f"{100 * one.missing / total:.1f}" if total else None,
        one.unique,
        _distribution(one),
        None if one.association is None else {"t": f"{one.association:.2f}", "d": share(one.association), "c": "share"},
        *(quantity(one.kind, value) for value in (one.mean,)),
        score(one.std),
        *(quantity(one.kind, value) for value in quantiles),
        ", ".join(f"{clean(value)} ({count:,})" for value, count in one.top) or None,
    )


def _distribution(one: ColumnProfile) -> Cell:
    counts = one.counts or tuple(count for _, count in one.top)
    return {"t": None, "d": bars(counts)} if any(counts) else None


def quantity(kind: Kind, value: float | None) -> str | None:
    """Return a number, or the moment that it stands for as seconds since 1970."""
    if value is None or kind is not Kind.DATETIME:
        return score(value)
    from datetime import UTC, datetime, timedelta

    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value)
    except (OverflowError, ValueError):  # before the year 1, after 9999, or not a number
        return score(value)
    return f"{moment:%Y-%m-%d}" if value % 86400 == 0 else f"{moment:%Y-%m-%d %H:%M:%S}"


def columns_table(dataset: DatasetVersion, name: str = "columns") -> TableData:
    """Return the columns as a run's record has them, where it has no profile."""
    columns = (
        column("column"),
        column("kind"),
        column("dtype"),
        column("missing", NUMBER, down=True),
        column("unique", NUMBER, down=True),
    )
    rows = tuple((clean(c.name), str(c.kind), clean(c.dtype), c.missing, c.unique) for c in dataset.columns)
    return TableData(name, "Columns of the data", columns, rows, "categorical, missing>0")
