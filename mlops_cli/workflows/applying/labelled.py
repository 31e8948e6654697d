"""Labelled rows for a model: read as its training data was, each column in the form that it had there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.components import casting, labels
from mlops_cli.components.content import content_hash
from mlops_cli.components.sources.chunks import chunks
from mlops_cli.components.tables import conform, describe, normalise, refuse_missing
from mlops_cli.errors import DataError, UsageError, did_you_mean, nearest
from mlops_cli.records import DatasetVersion, Notice, Task
from mlops_cli.workflows.applying.incoming import incoming, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from mlops_cli.records import Column
    from mlops_cli.workflows.applying.incoming import Opened
    from mlops_cli.workflows.data.tables import HowRead

    Array = np.ndarray[Any, Any]


TRAINED_ON = "trained-on"
"""The code of the notice that a model knows the rows that it is scored on."""


@dataclass(frozen=True)
class Labelled:
    """Rows to score a model on."""

    X: pd.DataFrame  # as the model takes it, shape (rows, features)
    y: Array | None  # shape (rows,); None of a clustering
    version: DatasetVersion
    table: pd.DataFrame  # the same rows with all columns, as they were read
    ids: pd.Series[Any] | None = None
    groups: Array | None = None
    by: str = "rows"  # or the column that groups come from
    weights: Array | None = None
    notices: tuple[Notice, ...] = ()


def labelled(ref: str, model: Opened, how: HowRead, group: str | None = None) -> Labelled:
    """Read labelled rows.

    Parameters
    ----------
    ref : str
        A file, an address, a glob, a folder of parts, or a version of a data set.
    model : Opened
        What is to be scored.
    how : HowRead
        How they are read otherwise than the training data was.
    group : str, optional
        The column whose rows belong together; the one of the training where not given.

    Raises
    ------
    DataError
        They cannot be read, have no target, or do not suit the model.
    UsageError
        There is no such column to group by.
    """
    import pandas as pd

    new = incoming(ref, model.spec, how, model.workspace)

    def names(present: Sequence[str]) -> list[str]:
        _check_columns([str(n).strip() for n in present], model, group, new.called)
        return list(present)

    with new.told():
        source = written(new.source, model.spec, model.inputs, _texts(model, group))
        parts = list(chunks(source, names))
        if not parts:
            raise DataError("the data has no rows", hint="give at least one")
        return scored_rows(pd.concat(parts, ignore_index=True), model, group, new.called)


def scored_rows(table: pd.DataFrame, model: Opened, group: str | None = None, called: str = "") -> Labelled:
    """Return the rows of a table that have a target, as a model takes them.

    Parameters
    ----------
    table : DataFrame
        Has the columns of the training data, in any order.
    model : Opened
        What is to be scored.
    group : str, optional
        The column whose rows belong together.
    called : str
        What the data is called.

    Raises
    ------
    DataError
        It does not suit the model.
    """
    plain = table.rename(columns=lambda name: str(name).strip()).reset_index(drop=True)
    _check_columns(list(plain.columns), model, group, called)
    kept, y, notices = with_target(plain, model)
    X, rows = _features(kept, model)
    part, y = kept.iloc[rows].reset_index(drop=True), None if y is None else y[rows]
    by = group or (model.spec.data.group if model.spec.data.group in part else None)
    data = model.spec.data
    version = _version(plain, model, called)
    notices += _seen_before(version, model)
    return Labelled(
        X=X,
        y=y,
        version=version,
        table=part,
        ids=part.get(data.id),
        groups=None if by is None else _groups(part[by]),
        by=by or "rows",
        weights=weights_of(part[data.weight]) if data.weight in part else None,
        notices=tuple(notices),
    )


def _version(table: pd.DataFrame, model: Opened, called: str) -> DatasetVersion:
    """Return the version of what was read, as a run would have it of the same file."""
    dtypes = {name: word for name, word in model.spec.data.dtypes.items() if name in table.columns}
    normal = normalise(table, dtypes, [column for column in model.inputs if column.name in table.columns])
    return DatasetVersion(content_hash(normal), len(normal), describe(normal, dtypes), model.spec.data.target, called)


def _seen_before(version: DatasetVersion, model: Opened) -> list[Notice]:
    trained = model.saved.record.dataset
    if trained is None or trained.version != version.version:
        return []
    return [Notice(TRAINED_ON, "the model was trained on this data: the scores say nothing of other rows")]


def _check_columns(present: Sequence[str], model: Opened, group: str | None, called: str) -> None:
    target = model.spec.data.target
    if target is not None and target not in present and model.model.signature.task is not Task.CLUSTERING:
        near = nearest(target, present)
        hint = f"did you mean '{near}'?" if near else "mlops predict is for rows without it"
        raise DataError(f"{called}: has no column '{target}', so nothing can be scored", hint=hint)
    refuse_missing(model.inputs, present)
    if group is not None and group not in present:
        raise UsageError(f"--group: the data has no column '{group}'", hint=did_you_mean(group, present))


def _texts(model: Opened, group: str | None) -> list[str]:
    """Return the columns beside the features that are read as they are written."""
    data, trained = model.spec.data, model.trained
    named = (data.target, data.id, group or data.group)
    return [n for n in named if n is not None and n in trained and trained[n].dtype == "str"]


def with_target(table: pd.DataFrame, model: Opened) -> tuple[pd.DataFrame, Array | None, list[Notice]]:
    """Return the rows that have a target, it, and what is to be said of the others."""
    target, task = model.spec.data.target, model.model.signature.task
    if target is None or task is Task.CLUSTERING:
        return table, None, []
    column = conform(table[[target]], [_column(model, target)], {})[target]
    missing = column.isna().to_numpy()
    if missing.all():
        raise DataError(f"'{target}' is missing in every row, so nothing can be scored")
    if not missing.any() or model.spec.data.forecast is not None:
        return table, values_of_target(column, task), []
    kept = ~missing
    said = f"{int(missing.sum()):,} of {len(table):,} rows have no {target} and are left out"
    present = labels.without_gaps(column[kept])
    return table[kept].reset_index(drop=True), values_of_target(present, task), [Notice("rows-dropped", said)]


def _column(model: Opened, target: str) -> Column:
    found = model.trained.get(target)
    if found is None:
        raise DataError(f"the record of {model.saved.label} does not say what '{target}' holds")
    return found


def values_of_target(column: pd.Series[Any], task: Task) -> Array:
    """Return targets, none of which is missing, as metrics take them: numbers, or labels as training had them."""
    if task is Task.REGRESSION:
        return casting.to_numbers(column).to_numpy(dtype="float64")
    return np.asarray(labels.to_labels(column))


def _features(table: pd.DataFrame, model: Opened) -> tuple[pd.DataFrame, Array]:
    """Return what the model takes, and of which rows; of a forecast those whose past is there."""
    data = model.spec.data
    if data.forecast is None:
        return conform(table, model.inputs, data.dtypes), np.arange(len(table))
    from mlops_cli.workflows.applying.future import known_rows

    return known_rows(table, model)


def _groups(column: pd.Series[Any]) -> Array:
    """Return which group each row is of; rows without one are groups of their own."""
    codes = column.astype(object).factorize()[0]
    alone = codes < 0
    return np.where(alone, codes.max() + 1 + np.cumsum(alone), codes)


def weights_of(column: pd.Series[Any]) -> Array:
    """Return the weight of each row; one that is missing, infinite or negative is refused."""
    weights = casting.to_numbers(column).to_numpy(dtype="float64")
    bad = ~(np.isfinite(weights) & (weights >= 0))
    if bad.any():
        raise DataError(f"'{column.name}', the weight, must be at least 0 in every row ({casting.first_rows(bad)})")
    return weights
