"""From a source's table to a `Dataset`: every column in its role, the target as an array, the version of it all.

Whoever loads data calls `read_table`, may check what it expects of it, and then calls `make_dataset`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api import types as pdt

from mlops_cli.components import casting, labels, tables
from mlops_cli.components.content import content_hash
from mlops_cli.components.frames import loaded
from mlops_cli.components.roles import Roles, assign_roles, is_used
from mlops_cli.components.wanted import every_row, portion_of, wanted_of
from mlops_cli.contracts import InspectsItself, Portion, ReadsLess
from mlops_cli.errors import ConfigError, DataError, MlopsError
from mlops_cli.records import Column, Dataset, DatasetVersion, DataSpec, Notice, SampleSpec, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from mlops_cli.contracts import DataSource, Wanted


_STILL_ASKED: Mapping[str, Callable[[str], bool]] = {
    "ambiguous-dates": casting.is_of_dates,
    "na-texts": (casting.TEXT_WORDS | casting.CATEGORY_WORDS).__contains__,
    "padded-values": (casting.TEXT_WORDS | casting.CATEGORY_WORDS).__contains__,
}
"""What is said of how a column was read although a word of ``data.dtypes`` says what it is; all else it answers."""


_DRAWN = "mlops-sample"
"""Where a table says which sample it is: what was kept of data from elsewhere is not sampled again."""


def read_table(
    source: DataSource, spec: DataSpec, like: Sequence[Column] = ()
) -> tuple[pd.DataFrame, tuple[Notice, ...]]:
    """Read a source, and return its table normalised with what to say about its raw form.

    What ``data.columns`` and ``data.sample`` leave out is not read, as far as the source can; where
    ``data.missing_target`` is ``drop``, rows without a target are left out. The table's index tells the place of each
    row in what the source has.

    Parameters
    ----------
    source : DataSource
        Where it is.
    spec : DataSpec
        What its columns are for.
    like : sequence of Column, optional
        The columns of training, of held-out rows: dates are then read as they were there.

    Raises
    ------
    DataError
        The source cannot be read, or what it holds is no table.
    """
    texts = [name for name, word in spec.dtypes.items() if word in casting.WRITTEN_WORDS]
    reader = reading_as_text(source, texts)
    wanted = wanted_of(spec)
    portion = None if wanted is None else _portion(reader, wanted)
    raw = _loaded(reader) if portion is None else portion.table
    notices = [*_inspected(reader, raw, spec), *(_sampled(portion, spec) if portion is not None else ())]
    kept = tables.with_plain_labels(raw)
    if spec.missing_target == "drop":
        kept, dropped = _labelled(kept, spec.target)
        notices += dropped
    if spec.columns is not None:  # which were checked against all that the source has
        spec = replace(spec, dtypes={name: word for name, word in spec.dtypes.items() if name in kept.columns})
    table = _normal(kept, spec, like)
    if portion is not None:
        table.attrs[_DRAWN] = _lot_of(spec.sample)
    table.index = kept.index if portion is None else pd.Index(portion.places[kept.index])
    return table, tuple(notices)


def _portion(source: DataSource, wanted: Wanted) -> Portion:
    """Return the wanted part: of a source that can read less than the whole, or taken of the whole."""
    if not isinstance(source, ReadsLess):
        table = _loaded(source)
        is_drawn = wanted.sample is not None and table.attrs.get(_DRAWN) == _lot_of(wanted.sample)
        return portion_of(table, every_row(wanted) if is_drawn else wanted)
    name = type(source).__name__
    try:
        portion: Any = source.load_less(wanted)
    except MlopsError:
        raise
    except Exception as error:  # a user's own source may raise anything
        raise DataError(f"data source {name}: load_less() raised {type(error).__name__}: {error}") from error
    part = loaded(portion.table, name) if isinstance(portion, Portion) else None
    if part is None or len(portion.places) != len(part):
        raise DataError(f"data source {name}: load_less() must return a Portion with a place for each row")
    whole: Portion = replace(portion, table=part.reset_index(drop=True))
    return whole


def _lot_of(sample: SampleSpec | None) -> list[float] | None:
    return None if sample is None else [sample.size, sample.seed]


def _sampled(portion: Portion, spec: DataSpec) -> list[Notice]:
    read = len(portion.table)
    if spec.sample is None or read == portion.rows:
        return []
    text = f"{read:,} of {portion.rows:,} rows were read, drawn by lot with the seed {spec.sample.seed}"
    return [Notice("sampled", f"{text}; data.sample")]


def _normal(table: pd.DataFrame, spec: DataSpec, like: Sequence[Column]) -> pd.DataFrame:
    """Return a table normalised, with what ``data.read`` says of the dates that the reader parsed."""
    normal = tables.normalise(table, spec.dtypes, like)
    read = spec.source.params.get("read")
    return tables.with_day_first(normal, read) if read else normal


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
    table = loaded(raw, name)
    if table.shape[1] == 0:
        raise DataError(f"data source {name}: the table has no columns")
    return table


def _labelled(table: pd.DataFrame, target: str | None) -> tuple[pd.DataFrame, list[Notice]]:
    """Return the rows that have a target; done before normalising, which makes floats of what has gaps."""
    missing = table[target].isna().to_numpy() if target in table.columns else np.zeros(len(table), dtype=bool)
    if not missing.any():
        return table, []
    kept = table[~missing]
    text = f"{missing.sum():,} of {len(table):,} rows have no {target} and are left out"
    return kept.assign(**{str(target): labels.without_gaps(kept[target])}), [Notice("rows-dropped", text)]


def _inspected(source: DataSource, raw: pd.DataFrame, spec: DataSpec) -> tuple[Notice, ...]:
    """Return the notices on the columns that matter: not on those left out, nor what ``data.dtypes`` has answered."""
    if not isinstance(source, InspectsItself) or not raw.columns.is_unique:  # which is refused later
        return ()
    words = dict(spec.dtypes) | ({} if spec.time is None else {spec.time: "datetime"})
    used = {n: raw[n] for n in raw.columns if is_used(str(n), spec)}
    notices = source.inspect(pd.DataFrame(used, copy=False))  # of a large table there is no room for another
    return tuple(n for n in notices if n.column not in words or _is_asked(n.code, str(words[n.column])))


def _is_asked(code: str, word: str) -> bool:
    return code in _STILL_ASKED and _STILL_ASKED[code](word)


def _kept_features(table: pd.DataFrame, features: Sequence[Column]) -> tuple[list[Column], list[Notice]]:
    """Return the features without those that hold nothing, after refusing what no model takes."""
    _refuse_nested(table, features)
    tables.refuse_infinite(table, [c.name for c in features])
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
