"""One form for every table: plain numpy dtypes where nothing is lost, text as text, and the kind of each column.

The same normalising serves training and prediction. Knows nothing of files, targets or models.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api import types as pdt

from mlops_cli.components import casting
from mlops_cli.errors import ConfigError, DataError, did_you_mean, nearest
from mlops_cli.records import Column, Dates, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_NESTED = (list, dict, set, tuple, np.ndarray)
_COUNTED_ROWS = 200_000
"""Distinct floats are counted up to this many rows; the count costs more than it says beyond."""
_TEXT_SAMPLE = 1000
MIN_WORDS, MIN_DISTINCT, MIN_DISTINCT_SHARE = 3, 20, 0.5
"""A column is text, not categories, where its values have this many words on average, at least so many are distinct,
and so large a share of the rows."""


_DATES = "mlops-dates"
"""Among a table's ``attrs``: how the dates of its columns were written, by column. Parquet keeps it too."""


def normalise(
    table: pd.DataFrame, dtypes: Mapping[str, str] | None = None, like: Sequence[Column] = ()
) -> pd.DataFrame:
    """Return a table in the one form that the rest of the program knows. Doing it twice changes nothing.

    Rows are numbered from 0; names are text; named index levels become columns. Nullable and object columns become
    numpy's: integers and booleans with missing values float64, durations seconds, dates without a zone; text stays
    text with NaN where missing; categories are kept.

    Parameters
    ----------
    table : DataFrame
        As a data source returned it.
    dtypes : mapping of str to str, optional
        Column → pandas dtype, or ``numeric``, ``categorical``, ``text``, ``datetime``, ``boolean``.
    like : sequence of Column, optional
        Columns of training: dates are then read as they were there.

    Raises
    ------
    DataError
        Repeated names, or values that do not convert.
    ConfigError
        ``dtypes`` names a column that is not there, or no dtype.
    """
    plain = with_plain_labels(table)
    for asked in dtypes or {}:
        if asked not in plain.columns:
            hint = did_you_mean(asked, plain.columns)
            raise ConfigError(f"no column '{asked}' in the data", key=f"data.dtypes.{asked}", hint=hint)
    known = {c.name: c for c in like}
    columns = {}
    written = dict(table.attrs.get(_DATES, {}))
    for name, column in plain.items():
        columns[name], dates = _read(column, (dtypes or {}).get(str(name)), known.get(str(name)))
        if dates is not None:
            written.setdefault(str(name), asdict(dates))
    out = pd.DataFrame(columns, index=pd.RangeIndex(len(plain)), copy=False)
    out.attrs[_DATES] = written
    return out


def with_day_first(table: pd.DataFrame, read: Mapping[str, Any]) -> pd.DataFrame:
    """Return a normalised table that knows of dates which its reader has parsed whether the day comes first in them.

    Parameters
    ----------
    table : DataFrame
        From `normalise`.
    read : mapping
        The reader's options, of which ``dayfirst`` and ``date_format`` tell.
    """
    formats = read.get("date_format")
    for name, written in table.attrs[_DATES].items():
        if written["day_first"] is None:
            form = str(formats.get(name, "") if isinstance(formats, dict) else formats or "")
            places = [form.find(part) for part in ("%d", "%m", "%Y")]
            is_shown = -1 not in places and places[2] == max(places)
            written["day_first"] = places[0] < places[1] if is_shown else read.get("dayfirst")
    return table


def describe(table: pd.DataFrame, dtypes: Mapping[str, str] | None = None) -> tuple[Column, ...]:
    """Return the columns of a normalised table with their kinds; a kind that ``dtypes`` names is taken as said."""
    written = table.attrs.get(_DATES, {})
    return tuple(
        _described(str(name), column, (dtypes or {}).get(str(name)), written.get(str(name)))
        for name, column in table.items()
    )


def kind_of(column: pd.Series, unique: int | None = None) -> Kind:
    """Return what a normalised column holds.

    Text is told from categories by its values: see `MIN_WORDS`.
    """
    if pdt.is_bool_dtype(column.dtype) and not isinstance(column.dtype, pd.CategoricalDtype):
        return Kind.BOOLEAN
    if pdt.is_numeric_dtype(column.dtype):
        return Kind.NUMERIC
    if pdt.is_datetime64_any_dtype(column.dtype):
        return Kind.DATETIME
    if isinstance(column.dtype, pd.CategoricalDtype) or is_nested(column):
        return Kind.CATEGORICAL
    return Kind.TEXT if _is_prose(column, unique) else Kind.CATEGORICAL


def is_nested(column: pd.Series) -> bool:
    """Whether cells hold lists or mappings, which no table's cell should."""
    return column.dtype == object and any(isinstance(v, _NESTED) for v in column.head(_COUNTED_ROWS))


def filled_texts(table: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """Return the table with missing text as the empty string, for vectorisers take no missing values."""
    missing = [c.name for c in columns if c.kind is Kind.TEXT and table[c.name].isna().any()]
    return table.assign(**{name: table[name].fillna("") for name in missing}) if missing else table


def conform(table: pd.DataFrame, columns: Sequence[Column], dtypes: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Return a new table in the form of the training columns: by name, in their order, with their dtypes.

    Columns beyond these are ignored. Where values are missing that were never missing in training, integers and
    booleans become floats.

    Raises
    ------
    DataError
        There are no rows; columns are missing (with the nearest names), hold values of another kind, dates that are
        written otherwise, or infinite numbers.
    """
    if not len(table):
        raise DataError("the data has no rows", hint="give at least one")
    named = with_plain_labels(table)
    present = {str(n).strip(): n for n in named.columns}
    refuse_missing(columns, list(present))
    plain = named.rename(columns={old: new for new, old in present.items()})
    wanted = plain[[c.name for c in columns]]
    normal = normalise(wanted, {k: v for k, v in (dtypes or {}).items() if k in wanted.columns}, columns)
    alike = pd.DataFrame({c.name: _like(normal[c.name], c) for c in columns}, index=normal.index)
    refuse_infinite(alike, [c.name for c in columns])
    return filled_texts(alike, columns)


def refuse_infinite(table: pd.DataFrame, names: Sequence[str]) -> None:
    """Refuse infinite numbers, which no model takes.

    Raises
    ------
    DataError
        With the columns, and how many each has.
    """
    infinite: dict[str, int] = {}
    for name in names:
        if pdt.is_float_dtype(table[name].dtype):
            values = table[name].to_numpy()
            with np.errstate(invalid="ignore", over="ignore"):  # of inf and -inf together, of very large ones
                count = 0 if np.isfinite(values.sum()) else int(np.isinf(values).sum())
            infinite |= {name: count} if count else {}
    if infinite:
        shown = ", ".join(f"'{n}' ({k})" for n, k in list(infinite.items())[:5])
        words = f"{{{', '.join(f'{n}: [inf, -inf]' for n in infinite)}}}" if len(infinite) <= 5 else "[inf, -inf]"
        raise DataError(
            f"infinite values in the features: {shown}",
            hint=f"correct them, drop the columns, or read them as missing: `data.read.na_values: {words}`",
        )


def text_columns(columns: Sequence[Column]) -> tuple[str, ...]:
    """Return the names of the columns that a source should read as they are written when new data comes."""
    return tuple(c.name for c in columns if "str" in {c.dtype, c.categories})


def dtype_name(column: pd.Series) -> str:
    """Return the dtype's name; text is ``str`` whatever pandas keeps it in."""
    if pdt.is_string_dtype(column.dtype) and not is_nested(column):
        return "str"
    return str(column.dtype)


def with_plain_labels(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its rows numbered from 0, text as names, and named index levels as columns.

    Raises
    ------
    DataError
        Repeated names.
    """
    named = [n for n in table.index.names if n is not None]
    out = table.reset_index(level=named) if named else table
    out = out.reset_index(drop=True)
    names = ["_".join(map(str, n)) if isinstance(n, tuple) else str(n) for n in out.columns]
    repeated = sorted({n for n in names if names.count(n) > 1}) if len(set(names)) < len(names) else []
    if repeated:
        raise DataError(f"column names must be unique. Got {', '.join(repeated[:5])} more than once instead.")
    return out.set_axis(names, axis=1)


def _read(column: pd.Series, word: str | None, known: Column | None) -> tuple[pd.Series, Dates | None]:
    """Return a column in its plain form, and of dates how they are written."""
    normal = _normal(column)
    is_known = known is not None and known.kind is Kind.DATETIME
    if not is_known and word is not None and not casting.is_of_dates(word):
        return _normal(casting.cast(normal, str(word), key=f"data.dtypes.{column.name}")), None
    if not is_known and word is None and not pdt.is_datetime64_any_dtype(normal.dtype):
        return normal, None
    like = (known.dates or Dates()) if known is not None and is_known else None
    if like is not None and like.zoned is False:
        casting.refuse_zone(column)
    dates, day_first = casting.read_dates(normal, like)
    return dates, Dates(day_first, casting.has_zone(column))


def _normal(column: pd.Series) -> pd.Series:
    dtype = column.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "biuf":
        return column if dtype.isnative else column.astype(dtype.newbyteorder("="))
    if isinstance(dtype, pd.CategoricalDtype):
        return column
    if pdt.is_object_dtype(dtype):
        return _normal_objects(column)
    if pdt.is_datetime64_any_dtype(dtype):
        return _naive(column)
    if pdt.is_string_dtype(dtype):
        return casting.as_text_dtype(column)
    return _normal_extension(column)


def _naive(column: pd.Series) -> pd.Series:
    if isinstance(column.dtype, np.dtype):
        return column
    if not isinstance(column.dtype, pd.DatetimeTZDtype):
        return _instants(column.astype(object))
    naive: pd.Series = column.dt.tz_convert("UTC").dt.tz_localize(None)
    return naive


def _normal_extension(column: pd.Series) -> pd.Series:
    dtype: Any = column.dtype
    if pdt.is_timedelta64_dtype(dtype):
        return _seconds(column)
    if isinstance(dtype, pd.PeriodDtype):
        return pd.Series(column.dt.to_timestamp())
    if isinstance(dtype, pd.SparseDtype):
        return _normal(pd.Series(np.asarray(column), index=column.index, name=column.name))
    if pdt.is_bool_dtype(dtype) or pdt.is_numeric_dtype(dtype):
        return _plain_numbers(column)
    return _normal_objects(column.astype(object))


def _plain_numbers(column: pd.Series) -> pd.Series:
    """Return a nullable column of numbers or booleans as numpy's; complex numbers are refused."""
    if pdt.is_complex_dtype(column.dtype):
        raise DataError(f"column '{column.name}' holds complex numbers", hint="split it into two columns")
    if column.isna().any() or pdt.is_float_dtype(column.dtype):
        is_small = str(column.dtype).lower().startswith(("float32", "float[", "float16"))
        numbers = column.to_numpy(dtype="float32" if is_small else "float64", na_value=np.nan)
        return pd.Series(numbers, index=column.index, name=column.name)
    if pdt.is_bool_dtype(column.dtype):
        return column.astype("bool")
    plain: Any = getattr(column.dtype, "numpy_dtype", np.dtype("int64"))
    return column.astype(plain if plain.kind in "iu" else "float64")


def _normal_objects(column: pd.Series) -> pd.Series:
    """Return a column of Python objects by what they are; nested values stay, to be refused where they are used."""
    normal = _OBJECTS.get(pdt.infer_dtype(column, skipna=True))
    if normal is not None:
        return normal(column)
    return column if is_nested(column) else casting.to_texts(column)


def _floats(column: pd.Series) -> pd.Series:
    return column.astype("float64")


def _instants(column: pd.Series) -> pd.Series:
    dates: pd.Series = pd.to_datetime(column, utc=True)
    return _naive(dates)


def _seconds(column: pd.Series) -> pd.Series:
    seconds: pd.Series = pd.to_timedelta(column).dt.total_seconds()
    return seconds


def _decoded(column: pd.Series) -> pd.Series:
    return casting.as_text_dtype(column.map(lambda b: b.decode("utf-8", "backslashreplace"), na_action="ignore"))


def _whole_numbers(column: pd.Series) -> pd.Series:
    """Return Python integers as int64, as floats where some are missing, as text where they are too large."""
    if column.dropna().map(lambda v: -(2**63) <= v < 2**63).all():
        return column.astype("float64") if column.isna().any() else column.astype("int64")
    return casting.to_texts(column)


_OBJECTS: Mapping[str, Callable[[pd.Series], pd.Series]] = {
    "string": casting.as_text_dtype,
    "boolean": casting.to_booleans,
    "empty": _floats,
    "floating": _floats,
    "mixed-integer-float": _floats,
    "decimal": _floats,
    "integer": _whole_numbers,
    "datetime": _instants,
    "datetime64": _instants,
    "date": _instants,
    "timedelta": _seconds,
    "bytes": _decoded,
}
"""What pandas infers of a column of objects → how it becomes plain."""


def _described(name: str, column: pd.Series, word: str | None, written: Mapping[str, Any] | None) -> Column:
    nested = is_nested(column)
    is_costly = pdt.is_float_dtype(column.dtype) and len(column) > _COUNTED_ROWS
    unique = None if nested or is_costly else int(column.nunique())
    said = word if word in set(Kind) else None
    kind = Kind(said) if said is not None else kind_of(column, unique)
    dates = Dates(**written) if written and pdt.is_datetime64_any_dtype(column.dtype) else None
    values = dtype_name(column.cat.categories.to_series()) if isinstance(column.dtype, pd.CategoricalDtype) else None
    return Column(name, dtype_name(column), kind, int(column.isna().sum()), unique, dates, values)


def _is_prose(column: pd.Series, unique: int | None) -> bool:
    present = column.dropna()
    distinct = present.nunique() if unique is None else unique
    if distinct < max(MIN_DISTINCT, MIN_DISTINCT_SHARE * len(present)):
        return False
    sample = present.iloc[:: max(1, len(present) // _TEXT_SAMPLE)]
    return float(sample.str.count(r"\S+").mean()) >= MIN_WORDS


def refuse_missing(columns: Sequence[Column], present: Sequence[str]) -> None:
    """Refuse a table without all columns that a model takes.

    Raises
    ------
    DataError
        With the nearest of the table's other names.
    """
    missing = [c.name for c in columns if c.name not in present]
    if not missing:
        return
    spare = [name for name in present if name not in {c.name for c in columns}]
    near = [(name, close) for name in missing[:5] if (close := nearest(name, spare))]
    shown = ", ".join(repr(n) for n in missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
    meant = ", ".join(f"'{close}' for '{name}'" for name, close in near)
    hint = f"did you mean {meant}?" if near else f"the model takes {', '.join(c.name for c in columns[:12])}"
    raise DataError(f"the data lacks {len(missing)} of {len(columns)} columns that the model takes: {shown}", hint=hint)


def _like(column: pd.Series, wanted: Column) -> pd.Series:
    """Return a column in a training column's dtype, as far as its missing values allow."""
    if wanted.dtype == "category":
        return casting.to_categories(_alike_values(column, wanted.categories))
    if wanted.dtype == "str":
        return casting.to_texts(column)
    if wanted.dtype == "bool":
        return casting.to_booleans(column)
    if wanted.kind is Kind.DATETIME:
        unit: Any = wanted.dtype
        return pd.Series(column.astype(unit))
    return _like_numbers(column, np.dtype(wanted.dtype))


def _alike_values(column: pd.Series, dtype: str | None) -> pd.Series:
    """Return categories as values of the training categories' dtype, as far as they convert: 501 is '501' there."""
    if dtype == "str":
        return casting.to_texts(column)
    if dtype is None or not pdt.is_numeric_dtype(np.dtype(dtype)) or pdt.is_bool_dtype(np.dtype(dtype)):
        return column
    plain = column.astype(object)
    numbers = pd.to_numeric(plain, errors="coerce")
    is_all = bool((numbers.notna() | plain.isna()).all())
    return numbers if is_all else numbers.astype(object).where(numbers.notna(), plain)


def _like_numbers(column: pd.Series, dtype: np.dtype[Any]) -> pd.Series:
    numbers = casting.to_numbers(column)
    if dtype.kind == "f":
        return numbers.astype(dtype)
    is_whole = not numbers.isna().any() and bool((numbers % 1 == 0).all())
    limits = np.iinfo(dtype)
    fits = is_whole and (len(numbers) == 0 or (numbers.min() >= limits.min and numbers.max() <= limits.max))
    return numbers.astype(dtype if fits else "float64")
