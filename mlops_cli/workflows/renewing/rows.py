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

    from mlops_cli.records import Dataset, DataSpec, ModelVersion, RetrainSpec
    from mlops_cli.workflows.renewing.seen import Seen
    from mlops_cli.workflows.renewing.tables import NewRows

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
    passed: pd.DataFrame | None = None  # new rows that were in neither: no longer new the next time


@dataclass(frozen=True)
class _Rows:
    """All rows, those of before and the new ones first, and what each is."""

    table: pd.DataFrame  # of those two; what others saw is only compared with
    origin: Array  # shape (rows,)
    codes: Array  # the same for what counts as the same row
    alike: Array  # the same where all features and the target are equal
    ids: Array  # a code for each; -1 where there is none
    groups: Array  # likewise
    is_fresh: Array
    is_replaced: Array  # of before: the new data has the row otherwise
    is_changed: Array  # of the new data: what it has then

    @property
    def is_known(self) -> Array:
        """The rows that somebody has seen, under whatever name, or that are kept apart."""
        return np.asarray((self.origin < _NEW) | self.is_changed)

    def among_known(self, codes: Array) -> Array:
        """Whether each row has the code of one that somebody has seen."""
        return np.asarray(np.isin(codes, codes[self.is_known]) & (codes != -1))


def compare_rows(
    new: NewRows, before: Seen, others: Sequence[Seen], apart: Sequence[pd.DataFrame], asked: Asked
) -> _Rows:
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
    apart : sequence of DataFrame
        More that nobody is to learn from.
    asked : Asked
        The roles of columns.

    Raises
    ------
    DataError
        The new data has an id more than once.
    """
    own = [(_BEFORE, before.rows), (_NEW, new.table)]
    parts = [*own, *((_SEEN, seen.rows) for seen in others)]
    parts += [(_APART, table) for table in (*apart, *(t for seen in (before, *others) for t in seen.apart))]
    there = [(origin, table) for origin, table in parts if table is not None]
    first = [name for name in there[0][1].columns if name in new.table.columns]
    table = stacked([part.reindex(columns=first) if origin in (_SEEN, _APART) else part for origin, part in there])
    origin = np.repeat([o for o, _ in there], [len(part) for _, part in there])
    content = pd.util.hash_pandas_object(table, index=False).to_numpy()
    alike = pd.util.hash_pandas_object(table[_told(table, asked)], index=False).to_numpy()
    ids, groups = (_codes(table, name) for name in (asked.data.id, asked.data.group))
    nothing = np.zeros(len(table), dtype=bool)
    own_table = stacked([part for origin, part in there if origin in (_BEFORE, _NEW)])
    rows = _Rows(own_table, origin, content, alike, ids, groups, nothing, nothing, nothing)
    found = _by_ids(rows, content) if _ids_tell(rows, new, asked.data.id) else _by_values(rows)
    return replace(found, is_fresh=found.is_fresh & ~_lacking_apart(found, first, there))


def _told(table: pd.DataFrame, asked: Asked) -> list[str]:
    """Return the columns by which rows are alike to a model: whatever else differs, it cannot tell them apart."""
    wanted = {*asked.features, asked.data.target}
    return [name for name in table.columns if name in wanted]


def _lacking_apart(rows: _Rows, columns: Sequence[str], there: Sequence[tuple[int, pd.DataFrame]]) -> Array:
    """Whether rows are alike to some that are kept apart in a table without all columns, as its ids and values are."""
    lacks = np.repeat([o == _APART and not {*columns} <= {*t.columns} for o, t in there], [len(t) for _, t in there])
    return np.asarray(np.isin(rows.alike, rows.alike[lacks]))


def _by_values(rows: _Rows) -> _Rows:
    return replace(rows, is_fresh=(rows.origin == _NEW) & ~_is_repeated(rows.codes, rows.origin))


def _by_ids(rows: _Rows, content: Array) -> _Rows:
    ids, origin, is_new = rows.ids, rows.origin, rows.origin == _NEW
    as_before = pd.Series(content[origin == _BEFORE], index=ids[origin == _BEFORE]).reindex(ids).to_numpy()
    is_changed = is_new & np.isin(ids, ids[origin == _BEFORE]) & (content != as_before)
    is_replaced = (origin == _BEFORE) & np.isin(ids, ids[is_changed])
    is_fresh = is_new & ~np.isin(ids, ids[~is_new])
    return replace(rows, codes=ids, is_fresh=is_fresh, is_replaced=is_replaced, is_changed=is_changed)


def _codes(table: pd.DataFrame, name: str | None) -> Array:
    """Return a code for what each row has in a column; -1 where it has nothing."""
    if name is None or name not in table:
        return np.full(len(table), -1)
    return np.asarray(pd.factorize(table[name])[0])


def _ids_tell(rows: _Rows, new: NewRows, name: str | None) -> bool:
    """Whether ids tell rows apart.

    Raises
    ------
    DataError
        They did before, and the new data has one more than once: which of its rows is meant nobody can say.
    """
    before, now = (rows.ids[rows.origin == origin] for origin in (_BEFORE, _NEW))
    if (before == -1).any() or (now == -1).any() or len(np.unique(before)) < len(before):
        return False
    counts = np.unique(now, return_counts=True)[1]
    if not len(before) or (counts == 1).all():
        return bool((counts == 1).all())
    shown = ", ".join(map(str, new.table[name][new.table[name].duplicated()].unique()[:5]))
    text = f"{new.called}: data.id: '{name}' has {(counts > 1).sum():,} ids in more than one row: {shown}"
    raise DataError(text, hint="leave one row of each in the file")


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
    wanted = replace(asked.data, drop=(), features=asked.features)
    dataset, _ = make_dataset(rows.table, wanted, asked.task, source="the new data")
    held = _held(rows, dataset, asked)
    is_held = np.zeros(len(rows.origin), dtype=bool)
    is_held[held] = True
    trained = _trained(rows, is_held, dataset, asked)
    if not len(trained):
        raise DataError("no row is left to learn from", hint="a smaller --hold-out, or more of --rows")
    counts = {
        "before": int((rows.origin == _BEFORE).sum()),
        "new": int(rows.is_fresh.sum()),
        **({"changed": int(rows.is_changed.sum())} if rows.is_changed.any() else {}),
        "trained": len(trained),
        "held_out": len(held),
    }
    notices = (*_twins(rows, held, trained), *_known_groups(rows, held, trained, asked))
    passed = np.setdiff1d(places((rows.is_fresh | rows.is_changed) & ~is_held), trained)
    tables = [_taken(rows, positions) for positions in (trained, held, passed)]
    return Parted(tables[0], tables[1], counts, notices, tables[2] if len(passed) else None)


def _twins(rows: _Rows, held: Array, trained: Array) -> tuple[Notice, ...]:
    """Say how many held-out rows somebody has learned from under another id: where ids are made anew, that is all."""
    learned = np.union1d(places(rows.is_known & (rows.origin != _APART)), trained)
    count = int(np.isin(rows.alike[held], rows.alike[learned]).sum())
    if not count:
        return ()
    text = f"{count:,} of {len(held):,} held-out rows equal rows that were learned from, in all features and the target"
    return (Notice("held-out-twins", f"{text}: if they are the same cases, the comparison says little"),)


def _known_groups(rows: _Rows, held: Array, trained: Array, asked: Asked) -> tuple[Notice, ...]:
    """Say how many held-out groups were learned from: with ``data.time`` the latest rows are held out, of any group."""
    if asked.data.group is None or asked.data.time is None:
        return ()
    learned = np.union1d(places(rows.is_known & (rows.origin != _APART)), trained)
    groups = np.unique(rows.groups[held])
    count = int(np.isin(groups, rows.groups[learned]).sum())
    if not count:
        return ()
    text = f"{count:,} of {len(groups):,} held-out groups of {asked.data.group} were learned from too"
    return (Notice("held-out-groups", f"{text}: with data.time the latest rows are held out, of whatever group"),)


def _taken(rows: _Rows, positions: Array) -> pd.DataFrame:
    part = rows.table.iloc[positions].reset_index(drop=True)
    part.attrs = rows.table.attrs
    return part


def _held(rows: _Rows, dataset: Dataset, asked: Asked) -> Array:
    """Return the positions of the held-out rows: such as no model can know, where there are enough of them."""
    fresh = rows.is_fresh & ~rows.among_known(rows.codes) & ~rows.among_known(rows.ids)
    if dataset.groups is not None and dataset.times is None:
        fresh &= ~np.isin(rows.groups, rows.groups[rows.origin < _NEW])
    count = int(fresh.sum())
    expected = held = round(asked.spec.hold_out * count)
    if expected < LEAST:
        raise _too_few(expected, count, asked)
    for eligible, same in (
        (fresh & ~rows.among_known(rows.alike), (rows.alike, rows.codes, rows.ids)),
        (fresh, (rows.codes,)),  # few values, so that equal rows are other cases: parted() tells of them
    ):
        if round(asked.spec.hold_out * eligible.sum()) >= LEAST:
            found = _drawn(rows, dataset, places(eligible), same, asked)
            held = len(found)
            if held >= LEAST:
                return found
    raise _too_few(held, count, asked)


def _drawn(rows: _Rows, dataset: Dataset, eligible: Array, same: Sequence[Array], asked: Asked) -> Array:
    """Return a share of some rows, of which none is the same as one that is learned from."""
    if dataset.times is not None:
        eligible = eligible[dataset.times.to_numpy()[eligible].argsort(kind="stable")]
    is_by_lot = dataset.times is None and dataset.groups is None
    first = np.sort(np.unique(same[0][eligible], return_index=True)[1]) if is_by_lot else np.arange(len(eligible))
    chosen = eligible[first][_chosen(subset(dataset, eligible[first]), asked)]
    held = eligible[np.isin(same[0][eligible], same[0][chosen])] if is_by_lot else chosen
    others = np.setdiff1d(places(rows.is_fresh), held)
    for codes in same:
        held = held[~(np.isin(codes[held], codes[others]) & (codes[held] != -1))]
    return np.asarray(np.sort(held))


class TooFewError(DataError):
    """There are too few new rows to compare models on."""


def _too_few(found: int, eligible: int, asked: Asked) -> TooFewError:
    of = "new rows" if asked.data.group is None or asked.data.time is not None else "rows of new groups"
    enough = LEAST / max(1, eligible)
    mend = f"--hold-out {min(0.5, round(enough + 0.005, 2)):g}, or more rows" if enough <= 0.5 else "wait for more rows"
    text = f"{found} of {eligible:,} {of} would be held out, and to compare models takes {LEAST}"
    return TooFewError(text, hint=mend)


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


def _trained(rows: _Rows, is_held: Array, dataset: Dataset, asked: Asked) -> Array:
    """Return the positions of the rows that are learned from, those of before first."""
    is_new = rows.is_fresh & ~is_held
    if asked.spec.rows is RetrainOn.NEW:
        return np.asarray(places(is_new))
    is_before = (rows.origin == _BEFORE) & ~rows.is_replaced
    every = np.asarray(places(is_before | is_new | rows.is_changed))
    return every if asked.spec.rows is RetrainOn.ALL else _latest(every, dataset.times, asked)


def _latest(rows: Array, times: pd.Series[Any] | None, asked: Asked) -> Array:
    """Return the latest rows: by ``data.time`` where there is one, else the last ones."""
    window = str(asked.spec.window)
    own = None if times is None else times.iloc[rows].reset_index(drop=True)
    if window.isdecimal():
        order = np.arange(len(rows)) if own is None else own.to_numpy().argsort(kind="stable")
        return np.asarray(np.sort(rows[order[-int(window) :]]))
    if own is None or pdt.is_numeric_dtype(own.dtype):
        why = "there is no data.time" if own is None else f"data.time, '{asked.data.time}', is a number"
        raise UsageError(f"a window of {window} needs dates, and {why}", hint="--window 10000, in rows")
    found = np.asarray(rows[(own > own.max() - pd.Timedelta(seconds=_seconds(window))).to_numpy()])
    if len(found) >= LEAST:
        return found
    text = f"a window of {window} up to {own.max()}, the latest {asked.data.time}, has {len(found):,} rows"
    raise DataError(f"{text}: too few to learn from", hint="a longer --window, or that date mended")


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


def left_out(rows: _Rows, version: ModelVersion, champion: ModelVersion | None) -> list[Notice]:
    """Say how many rows the champion has learned from that are not learned from, as the recipe is another version's."""
    is_theirs = rows.origin == _SEEN
    lost = int((is_theirs & ~np.isin(rows.codes, rows.codes[rows.origin == _BEFORE])).sum())
    if champion is None or not lost:
        return []
    text = f"{lost:,} rows that {champion.ref} has seen are not learned from, as the recipe is that of {version.ref}"
    return [Notice("rows-left-out", f"{text}, and has not seen them; mlops retrain {version.name} learns from them")]
