"""Which rows are new, which of them are held out, and which the challenger learns from.

What a champion has seen says nothing of it. So held-out rows are taken from those that are new, and nobody learns from
them: neither the champion did, nor the challenger does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api import types as pdt

from mlops_cli.components.dataset import make_dataset
from mlops_cli.errors import DataError, UsageError
from mlops_cli.records import Notice, RetrainOn, Task
from mlops_cli.workflows.data.held_out import hold_out
from mlops_cli.workflows.data.load import subset
from mlops_cli.workflows.renewing.tables import places, stacked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_cli.records import DataSpec, RetrainSpec
    from mlops_cli.workflows.renewing.tables import NewRows, Seen

    Array = np.ndarray[Any, Any]

LEAST = 20
"""Held-out rows below which two models are not compared: their intervals would say nothing."""

_BEFORE, _SEEN, _APART, _NEW = range(4)
_SECONDS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True)
class Asked:
    """How rows are parted."""

    spec: RetrainSpec
    data: DataSpec  # of the recipe
    features: tuple[str, ...]
    task: Task
    seed: int


@dataclass(frozen=True)
class Parted:
    """The two tables of a new run."""

    train: pd.DataFrame
    held_out: pd.DataFrame
    counts: Mapping[str, int]  # rows: before, new, changed, trained, held_out
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class _Rows:
    """All rows in one table, and what each is."""

    table: pd.DataFrame
    origin: Array  # shape (rows,)
    codes: Array  # the same for what counts as the same row
    is_fresh: Array
    is_replaced: Array  # of before: the new data has the row otherwise
    is_changed: Array  # of the new data: what it has then

    @property
    def known(self) -> Array:
        """The codes of rows that somebody has seen."""
        return self.codes[self.origin < _NEW]


def compare_rows(new: NewRows, before: Seen, others: Sequence[Seen], data: DataSpec) -> _Rows:
    """Return all rows with what is new among them.

    A row is known by ``data.id`` where each table has it once in every row; else by all its values. Then the new data
    may hold a row as often as before had it without its being new: a file that has grown has all the old rows again.

    Parameters
    ----------
    new : NewRows
        What has come.
    before : Seen
        The rows of the version whose recipe it is.
    others : sequence of Seen
        Those of other versions that are compared with.
    data : DataSpec
        Of the recipe.
    """
    parts = [(_BEFORE, before.rows), *((_SEEN, seen.rows) for seen in others)]
    parts += [(_APART, seen.apart) for seen in (before, *others)]
    there = [(origin, table) for origin, table in parts if table is not None]
    table = stacked([*(part for _, part in there), new.table])
    origin = np.repeat([*(o for o, _ in there), _NEW], [*(len(part) for _, part in there), len(new.table)])
    content = pd.util.hash_pandas_object(table, index=False).to_numpy()
    ids = _ids(table, origin, data.id)
    return _by_values(table, origin, content) if ids is None else _by_ids(table, origin, content, ids)


def _by_values(table: pd.DataFrame, origin: Array, content: Array) -> _Rows:
    nothing = np.zeros(len(table), dtype=bool)
    is_fresh = (origin == _NEW) & ~_is_repeated(content, origin)
    return _Rows(table, origin, content, is_fresh, nothing, nothing)


def _by_ids(table: pd.DataFrame, origin: Array, content: Array, ids: Array) -> _Rows:
    is_new = origin == _NEW
    before_ids, before_rows = ids[origin == _BEFORE], content[origin == _BEFORE]
    as_before = pd.Series(before_rows, index=before_ids).reindex(ids).to_numpy()
    is_changed = is_new & np.isin(ids, before_ids) & (content != as_before)
    is_replaced = (origin == _BEFORE) & np.isin(ids, ids[is_changed])
    return _Rows(table, origin, ids, is_new & ~np.isin(ids, ids[~is_new]), is_replaced, is_changed)


def _ids(table: pd.DataFrame, origin: Array, name: str | None) -> Array | None:
    """Return a code for the id of each row; None where ids do not tell rows apart."""
    if name is None or name not in table or table[name].isna().any():
        return None
    codes, _ = pd.factorize(table[name])
    has_one_each = all(len(np.unique(codes[origin == o])) == (origin == o).sum() for o in (_BEFORE, _NEW))
    return codes if has_one_each else None


def _is_repeated(codes: Array, origin: Array) -> Array:
    """Whether a row of the new data is one that was there: the second of two equal ones is new where there was one."""
    number = pd.DataFrame({"code": codes, "origin": origin}).groupby(["code", "origin"]).cumcount().to_numpy()
    had = np.zeros(len(codes))
    for other in (_BEFORE, _SEEN, _APART):
        counts = pd.Series(codes[origin == other]).value_counts()
        had = np.maximum(had, counts.reindex(codes).fillna(0).to_numpy())
    return number < had


# --- parted ------------------------------------------------------------------------------------------------------


def parted(rows: _Rows, asked: Asked) -> Parted:
    """Return the rows that the challenger learns from, and those that both are compared on.

    Raises
    ------
    DataError
        There are too few new rows.
    """
    held = _held(rows, asked)
    is_held = np.zeros(len(rows.table), dtype=bool)
    is_held[held] = True
    trained = _trained(rows, is_held, asked)
    if not len(trained):
        raise DataError("no row is left to learn from", hint="a smaller --hold-out, or more of --rows")
    counts = {
        "before": int((rows.origin == _BEFORE).sum()),
        "new": int(rows.is_fresh.sum()),
        **({"changed": int(rows.is_changed.sum())} if rows.is_changed.any() else {}),
        "trained": len(trained),
        "held_out": len(held),
    }
    return Parted(_taken(rows, trained), _taken(rows, held), counts, _twins(rows, held, asked))


def _twins(rows: _Rows, held: Array, asked: Asked) -> tuple[Notice, ...]:
    """Say how many held-out rows were seen under another id: of a file whose ids are made anew that is all of them."""
    name = asked.data.id
    if name is None or name not in rows.table:
        return ()
    values = pd.util.hash_pandas_object(rows.table.drop(columns=name), index=False).to_numpy()
    count = int(np.isin(values[held], values[rows.origin < _NEW]).sum())
    if not count:
        return ()
    text = f"{count:,} of {len(held):,} held-out rows are like rows of before in all but {name}"
    return (Notice("held-out-twins", f"{text}: if they are the same cases, the comparison says little"),)


def _taken(rows: _Rows, positions: Array) -> pd.DataFrame:
    part = rows.table.iloc[positions].reset_index(drop=True)
    part.attrs = rows.table.attrs
    return part


def _held(rows: _Rows, asked: Asked) -> Array:
    """Return the positions of the held-out rows."""
    eligible = places(rows.is_fresh & ~np.isin(rows.codes, rows.known))
    wanted = replace(asked.data, drop=(), features=asked.features)
    dataset, _ = make_dataset(rows.table, wanted, asked.task, source="the new data")
    if dataset.groups is not None and dataset.times is None:
        known = dataset.groups[rows.origin < _NEW]
        eligible = eligible[~np.isin(dataset.groups[eligible], known)]
    if dataset.times is not None:
        eligible = eligible[dataset.times.to_numpy()[eligible].argsort(kind="stable")]
    expected = asked.spec.hold_out * len(eligible)
    if round(expected) < LEAST:
        raise _too_few(round(expected), len(eligible), asked)
    held = np.sort(eligible[_chosen(subset(dataset, eligible), asked)])
    # Of equal rows none is learned from while another one is held out.
    others = np.setdiff1d(places(rows.is_fresh), held)
    held = held[~np.isin(rows.codes[held], rows.codes[others])]
    if len(held) < LEAST:
        raise _too_few(len(held), len(eligible), asked)
    return held


def _too_few(found: int, eligible: int, asked: Asked) -> DataError:
    of = "new rows" if asked.data.group is None or asked.data.time is not None else "rows of new groups"
    enough = LEAST / max(1, eligible)
    mend = f"--hold-out {min(0.5, round(enough + 0.005, 2)):g}, or more rows" if enough <= 0.5 else "wait for more rows"
    return DataError(f"{found} of {eligible:,} {of} would be held out, and to compare models takes {LEAST}", hint=mend)


def _chosen(dataset: Any, asked: Asked) -> Array:
    """Return which of the new rows are held out: the latest, whole groups, or by lot with as many of each class."""
    share = asked.spec.hold_out
    try:
        return hold_out(dataset, asked.task, share, asked.seed)[1]
    except DataError as error:
        if asked.task is not Task.CLASSIFICATION or dataset.times is not None or dataset.groups is not None:
            why = error.message.removeprefix("evaluation.test: ")
            raise DataError(f"of the new rows none can be held out: {why}") from error
    return hold_out(dataset, Task.REGRESSION, share, asked.seed)[1]  # too few of a class for a share of each


def _trained(rows: _Rows, is_held: Array, asked: Asked) -> Array:
    """Return the positions of the rows that are learned from, those of before first."""
    is_new = rows.is_fresh & ~is_held
    if asked.spec.rows is RetrainOn.NEW:
        return np.asarray(places(is_new))
    is_before = (rows.origin == _BEFORE) & ~rows.is_replaced
    every = np.asarray(places(is_before | is_new | rows.is_changed))
    return every if asked.spec.rows is RetrainOn.ALL else _latest(rows.table, every, asked)


def _latest(table: pd.DataFrame, rows: Array, asked: Asked) -> Array:
    """Return the latest rows: by ``data.time`` where there is one, else the last ones."""
    window, times = str(asked.spec.window), None if asked.data.time is None else table[asked.data.time].iloc[rows]
    if window.isdecimal():
        order = np.arange(len(rows)) if times is None else times.to_numpy().argsort(kind="stable")
        return np.asarray(np.sort(rows[order[-int(window) :]]))
    if times is None or pdt.is_numeric_dtype(times.dtype):
        why = "there is no data.time" if times is None else f"data.time, '{asked.data.time}', is a number"
        raise UsageError(f"a window of {window} needs dates, and {why}", hint="--window 10000, in rows")
    stamps = pd.to_datetime(times)
    return np.asarray(rows[(stamps > stamps.max() - pd.Timedelta(seconds=_seconds(window))).to_numpy()])


def _seconds(window: str) -> float:
    """Return the seconds of a time such as 90d.

    Examples
    --------
    >>> _seconds("12h")
    43200.0
    """
    number, unit = re.fullmatch(r"([0-9.]+)\s*([a-z]+)", window).groups()  # type: ignore[union-attr]
    return float(number) * _SECONDS[unit]


def gone(rows: _Rows, before: Seen, new: NewRows) -> list[Notice]:
    """Say how many rows of before the source no longer has: they are learned from all the same."""
    is_before = rows.origin == _BEFORE
    lost = int((is_before & ~np.isin(rows.codes, rows.codes[rows.origin == _NEW])).sum())
    if not (new.is_source and lost and before.source == new.called):
        return []
    text = f"{lost:,} of {int(is_before.sum()):,} rows of before are no longer in {new.called}"
    return [Notice("rows-gone", f"{text}, and are learned from all the same; --rows new or window leaves them out")]
