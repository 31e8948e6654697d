"""From a source's table to a `Dataset`: every column in its role, the target as an array, the version of it all.

Whoever loads data calls `read_table`, may check what it expects of it, and then calls `make_dataset`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api import types as pdt

from mlops_cli.components import casting, labels, tables
from mlops_cli.components.content import content_hash
from mlops_cli.components.roles import Roles, assign_roles, is_used
from mlops_cli.contracts import InspectsItself
from mlops_cli.errors import ConfigError, DataError, MlopsError
from mlops_cli.records import Column, Dataset, DatasetVersion, DataSpec, Notice, Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from mlops_cli.contracts import DataSource


def read_table(source: DataSource, spec: DataSpec) -> tuple[pd.DataFrame, tuple[Notice, ...]]:
    """Read a source, and return its table normalised with what to say about its raw form.

    Where ``data.missing_target`` is ``drop``, rows without a target are left out; the table's index tells the place
    of each row in what the source gave.

    Raises
    ------
    DataError
        The source cannot be read, or what it holds is no table.
    """
    texts = [name for name, word in spec.dtypes.items() if word in casting.TEXT_WORDS]
    reader = reading_as_text(source, texts)
    raw = _loaded(reader)
    notices = _inspected(reader, raw, spec)
    if spec.missing_target != "drop":
        return tables.normalise(raw, spec.dtypes), notices
    kept, dropped = _labelled(tables.with_plain_labels(raw), spec.target)
    return tables.normalise(kept, spec.dtypes).set_index(kept.index), (*notices, *dropped)


def reading_as_text(source: DataSource, names: Sequence[str]) -> DataSource:
    """Return the source, told to keep these columns as they are written where it is one that can.

    New data for a model is read so in the columns that were text in training (`tables.text_columns`): a file in which
    every ticket happens to be a number would else come as numbers.
    """
    tell: Any = getattr(source, "reading_as_text", None)
    told: DataSource = tell(names) if names and tell is not None else source
    return told


def make_dataset(
    table: pd.DataFrame,
    spec: DataSpec,
    task: Task | None = None,
    *,
    source: str = "",
    notices: Sequence[Notice] = (),
) -> tuple[Dataset, Task]:
    """Return the data with each column in its role, and the task (found from the target where not given).

    Parameters
    ----------
    table : DataFrame
        As `read_table` returned it.
    spec : DataSpec
        What its columns are for.
    task : Task, optional
        None looks at the target.
    source : str
        Where it came from, for the record.
    notices : sequence of Notice
        Said already, and kept with the data.

    Raises
    ------
    DataError
        The data cannot be learned from.
    ConfigError
        A role names a column that is not there.
    """
    table = tables.normalise(table)
    if len(table) < 2:
        raise DataError(f"{source or 'the data'}: at least 2 rows are needed. Got {len(table)} instead.")
    roles = assign_roles(list(table.columns), spec)
    described = {c.name: c for c in tables.describe(table, spec.dtypes)}
    target = None if roles.target is None else table[roles.target]
    found = task or labels.task_of(target)
    y = None if target is None else labels.target_values(target, found)
    if y is None and found is not Task.CLUSTERING:
        raise ConfigError(f"{found} needs a target, and none is named", key="data.target", hint="data.target=COLUMN")
    if y is not None and found is Task.CLASSIFICATION:
        labels.check_positive(spec.positive, y)
    features, said = _kept_features(table, [described[n] for n in roles.features])
    names = [c.name for c in features]
    dataset = Dataset(
        X=tables.filled_texts(table[names], features),
        y=y,
        features=tuple(features),
        version=DatasetVersion(content_hash(table), len(table), tuple(described.values()), roles.target, source),
        ids=None if roles.id is None else table[roles.id],
        groups=None if roles.group is None else _groups(table[roles.group]),
        weights=None if roles.weight is None else _weights(table[roles.weight]),
        times=None if roles.time is None else _times(table[roles.time]),
        extra={n: table[n] for n in _unused(roles, names)},
        roles={r: n for r in ("id", "group", "weight", "time") if (n := getattr(roles, r)) is not None},
        notices=(*notices, *said, *(labels.guess_notices(target) if task is None else ())),
    )
    return dataset, found


def column_named(dataset: Dataset, name: str) -> pd.Series | None:
    """Return a column by name, whatever its role; None where there is none of that name."""
    if name in dataset.extra:
        return dataset.extra[name]
    if name in dataset.X.columns:
        return dataset.X[name]
    for series in (dataset.ids, dataset.times):
        if series is not None and series.name == name:
            return series
    return None


def _loaded(source: DataSource) -> pd.DataFrame:
    name = type(source).__name__
    try:
        raw: Any = source.load()
    except MlopsError:
        raise
    except Exception as error:  # a user's own source may raise anything
        raise DataError(f"data source {name}: load() raised {type(error).__name__}: {error}") from error
    if not isinstance(raw, pd.DataFrame):
        raise DataError(f"data source {name}: load() must return a pandas DataFrame. Got {type(raw).__name__} instead.")
    if raw.shape[1] == 0:
        raise DataError(f"data source {name}: the table has no columns")
    return raw


def _labelled(table: pd.DataFrame, target: str | None) -> tuple[pd.DataFrame, list[Notice]]:
    """Return the rows that have a target; done before normalising, which makes floats of what has gaps."""
    missing = table[target].isna().to_numpy() if target in table.columns else np.zeros(len(table), dtype=bool)
    if not missing.any():
        return table, []
    kept = table[~missing]
    text = f"{missing.sum():,} of {len(table):,} rows have no {target} and are left out"
    return kept.assign(**{str(target): labels.without_gaps(kept[target])}), [Notice("rows-dropped", text)]


def _inspected(source: DataSource, raw: pd.DataFrame, spec: DataSpec) -> tuple[Notice, ...]:
    """Return the notices on the columns that matter: not on those left out, nor on those whose dtype is said."""
    if not isinstance(source, InspectsItself):
        return ()
    notices = source.inspect(raw[[n for n in raw.columns if n not in spec.dtypes and is_used(str(n), spec)]])
    read_as_dates = "" if spec.time is None else f"column '{spec.time}' "
    return tuple(n for n in notices if n.code != "dates-as-text" or not n.message.startswith(read_as_dates or "\0"))


def _kept_features(table: pd.DataFrame, features: Sequence[Column]) -> tuple[list[Column], list[Notice]]:
    """Return the features without those that hold nothing, after refusing what no model takes."""
    _refuse_nested(table, features)
    _refuse_infinite(table, features)
    empty = [c.name for c in features if c.missing == len(table)]
    kept = [c for c in features if c.name not in empty]
    if features and not kept:
        raise DataError("every feature is missing in every row", hint="data.drop and data.features")
    if not empty:
        return kept, []
    shown = ", ".join(f"'{n}'" for n in empty[:5]) + (", …" if len(empty) > 5 else "")
    return kept, [Notice("all-missing", f"{shown}: missing in every row, and left out of the features; `data.drop`")]


def _refuse_nested(table: pd.DataFrame, features: Sequence[Column]) -> None:
    nested = [c.name for c in features if c.dtype == "object" and tables.is_nested(table[c.name])]
    if nested:
        raise DataError(
            f"column '{nested[0]}' holds lists or mappings, which are no values of a table",
            hint=f"write it as columns of its own, or `data.drop: [{', '.join(nested)}]`",
        )


def _refuse_infinite(table: pd.DataFrame, features: Sequence[Column]) -> None:
    infinite: dict[str, int] = {}
    for c in features:
        if pdt.is_float_dtype(table[c.name].dtype):
            values = table[c.name].to_numpy()
            count = 0 if np.isfinite(values.sum()) else int(np.isinf(values).sum())
            infinite |= {c.name: count} if count else {}
    if infinite:
        shown = ", ".join(f"'{n}' ({k})" for n, k in list(infinite.items())[:5])
        raise DataError(
            f"infinite values in the features: {shown}",
            hint="correct them, drop the columns, or read them as missing: `data.read.na_values: [inf, -inf]`",
        )


def _groups(column: pd.Series) -> npt.NDArray[Any]:
    _refuse_missing(column, "group")
    return labels.to_labels(column)


def _weights(column: pd.Series) -> npt.NDArray[Any]:
    _refuse_missing(column, "weight")
    weights = casting.to_numbers(column).to_numpy(dtype="float64")
    bad = ~(np.isfinite(weights) & (weights >= 0))
    if bad.any():
        raise DataError(
            f"data.weight: '{column.name}' must be finite and at least 0. "
            f"Got {weights[bad][0]} instead ({int(bad.sum())} in all, {casting.first_rows(bad)})."
        )
    if not weights.any():
        raise DataError(f"data.weight: '{column.name}' is 0 in every row")
    return weights


def _times(column: pd.Series) -> pd.Series:
    _refuse_missing(column, "time")
    return column if pdt.is_numeric_dtype(column.dtype) else casting.to_dates(column)


def _refuse_missing(column: pd.Series, role: str) -> None:
    missing = column.isna()
    if missing.any():
        raise DataError(
            f"data.{role}: '{column.name}' is missing in {int(missing.sum())} of {len(column)} rows "
            f"({casting.first_rows(missing)})",
            hint="fill them in, or leave those rows out of the file",
        )


def _unused(roles: Roles, kept: Sequence[str]) -> list[str]:
    known = set(kept)
    return [*roles.rest, *(n for n in roles.features if n not in known)]
