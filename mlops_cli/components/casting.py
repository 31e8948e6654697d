"""Converting one column to the dtype or kind that ``data.dtypes`` asks for, or saying which rows do not convert."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api import types as pdt

from mlops_cli.errors import ConfigError, DataError, did_you_mean

if TYPE_CHECKING:
    import numpy.typing as npt

TEXT_WORDS = frozenset({"text", "str", "string", "object"})
"""The words of ``data.dtypes`` that keep values as they are written."""
_WORDS = ("numeric", "categorical", "category", "datetime", "boolean", "bool", "text", "str", "float64", "int64")
_TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0", "on"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "0.0", "off"})
_DAY_MONTH = re.compile(r"\s*(\d{1,2})[-/.](\d{1,2})[-/.]\d{2,4}\b.*")
_IS_PANDAS_3 = int(pd.__version__.split(".", 1)[0]) >= 3


def cast(column: pd.Series, word: str, *, key: str | None = None) -> pd.Series:
    """Return a column converted to a kind (``numeric``, ``categorical`` …) or a pandas dtype; missing stays missing.

    Raises
    ------
    DataError
        Values that cannot be converted, with their number and the first rows.
    ConfigError
        ``word`` is no kind and no dtype.
    """
    named = {
        "numeric": to_numbers,
        "categorical": to_categories,
        "category": to_categories,
        "datetime": to_dates,
        "boolean": to_booleans,
        "bool": to_booleans,
    }
    if word in named:
        return named[word](column)
    if word in TEXT_WORDS:
        return to_texts(column)
    return _to_dtype(column, word, key)


def first_rows(mask: npt.NDArray[np.bool_] | pd.Series, limit: int = 5) -> str:
    """Return the places of the true values, counted from 1, as in ``rows 3, 17``.

    Examples
    --------
    >>> first_rows(np.array([False, True, True]))
    'rows 2, 3'
    """
    places = np.flatnonzero(np.asarray(mask))
    shown = ", ".join(str(i + 1) for i in places[:limit])
    more = ", …" if len(places) > limit else ""
    return f"{'row' if len(places) == 1 else 'rows'} {shown}{more}"


def to_texts(column: pd.Series) -> pd.Series:
    """Return a column as text; whole numbers have no decimal point, even where missing values made them floats."""
    if pdt.is_string_dtype(column.dtype) and column.dtype != object:
        return as_text_dtype(column)
    present = column.notna()
    if pdt.is_float_dtype(column.dtype) and (column[present] % 1 == 0).all() and (column[present].abs() < 2**63).all():
        texts = column[present].astype("int64").astype(object).map(str)
    else:
        texts = column[present].astype(object).map(str)
    return as_text_dtype(texts.reindex(column.index))


def as_text_dtype(column: pd.Series) -> pd.Series:
    """Return texts and missing values in the dtype that this pandas reads text as."""
    if _IS_PANDAS_3:
        return column if str(column.dtype) == "str" else column.astype("str")
    return column.astype(object).where(column.notna(), np.nan)


def to_numbers(column: pd.Series) -> pd.Series:
    """Return a column as numbers."""
    if pdt.is_bool_dtype(column.dtype):
        return column.astype("int64")
    if pdt.is_numeric_dtype(column.dtype):
        return column
    if pdt.is_datetime64_any_dtype(column.dtype):
        raise DataError(f"column '{column.name}' holds dates, which are no numbers")
    plain = column.astype(object) if isinstance(column.dtype, pd.CategoricalDtype) else column
    numbers = pd.to_numeric(plain, errors="coerce")
    _refuse_unconverted(column, numbers, "numbers")
    if column.isna().all() and not pdt.is_numeric_dtype(numbers.dtype):
        return numbers.astype("float64")
    return numbers


def to_categories(column: pd.Series) -> pd.Series:
    """Return a column as pandas categories, which stay categories whatever their values look like."""
    return column if isinstance(column.dtype, pd.CategoricalDtype) else column.astype("category")


def to_booleans(column: pd.Series) -> pd.Series:
    """Return a column as booleans; as 1.0, 0.0 and NaN where values are missing."""
    if pdt.is_bool_dtype(column.dtype):
        return column.astype("bool")
    words = column.astype(object).map(lambda v: str(v).strip().lower(), na_action="ignore")
    out = words.map(lambda w: 1.0 if w in _TRUE else 0.0 if w in _FALSE else np.nan, na_action="ignore")
    out = out.astype("float64")
    _refuse_unconverted(column, out, "true or false")
    return out if out.isna().any() else out.astype("bool")


def to_dates(column: pd.Series) -> pd.Series:
    """Return a column as datetimes without a zone (UTC where they had one).

    Dates such as 31/12/2020 are read day first where any value shows it, else month first.
    """
    if pdt.is_datetime64_any_dtype(column.dtype):
        return column
    if pdt.is_numeric_dtype(column.dtype):
        if column.isna().all():
            return pd.to_datetime(column)
        raise DataError(
            f"column '{column.name}' holds numbers, and what they count is not known",
            hint=f"`data.read: {{parse_dates: [{column.name}], date_format: '%Y%m%d'}}`",
        )
    values = column.astype(object)
    dates = pd.to_datetime(values, errors="coerce", format="ISO8601", utc=True)
    if (dates.isna() & column.notna()).any():
        dates = pd.to_datetime(values, errors="coerce", format="mixed", dayfirst=_is_day_first(column), utc=True)
    _refuse_unconverted(column, dates, "dates")
    return dates.dt.tz_localize(None)


def _is_day_first(column: pd.Series) -> bool:
    matches = [m for m in (_DAY_MONTH.fullmatch(str(v)) for v in column.dropna().unique()) if m]
    day_first = any(int(m[1]) > 12 for m in matches)
    if day_first and any(int(m[2]) > 12 for m in matches):
        raise DataError(
            f"column '{column.name}' has dates with the day first and dates with the month first",
            hint="write them as YYYY-MM-DD",
        )
    return day_first


def _to_dtype(column: pd.Series, word: str, key: str | None) -> pd.Series:
    try:
        dtype = pdt.pandas_dtype(word)
    except TypeError:
        known = did_you_mean(word, _WORDS)
        raise ConfigError(f"'{word}' is no kind and no pandas dtype", key=key, hint=known) from None
    if pdt.is_integer_dtype(dtype):
        return _to_integers(column, dtype)
    if pdt.is_float_dtype(dtype):
        return to_numbers(column).astype(dtype)
    if pdt.is_datetime64_any_dtype(dtype):
        return to_dates(column)
    try:
        return column.astype(dtype)
    except (TypeError, ValueError) as error:
        raise DataError(f"column '{column.name}' does not convert to {word}: {error}") from error


def _to_integers(column: pd.Series, dtype: Any) -> pd.Series:
    numbers = to_numbers(column)
    if not pdt.is_extension_array_dtype(dtype) and numbers.isna().any():
        raise DataError(
            f"column '{column.name}' has {int(numbers.isna().sum())} missing values, which {dtype} cannot hold",
            hint=f"`data.dtypes.{column.name}: numeric`",
        )
    fraction = numbers.notna() & (numbers % 1 != 0)
    if fraction.any():
        raise DataError(
            f"column '{column.name}': {int(fraction.sum())} values are no whole numbers ({first_rows(fraction)})",
            hint=f"`data.dtypes.{column.name}: numeric`",
        )
    try:
        whole = numbers.astype(dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"column '{column.name}' does not convert to {dtype}: {error}") from error
    if not (whole.dropna() == numbers.dropna()).all():
        raise DataError(f"column '{column.name}' has values beyond the range of {dtype}")
    return whole


def _refuse_unconverted(column: pd.Series, converted: pd.Series, what: str) -> None:
    bad = column.notna() & converted.isna()
    if not bad.any():
        return
    values = ", ".join(repr(str(v)[:40]) for v in dict.fromkeys(column[bad].head(1000)))
    shown = values if len(values) < 100 else values[:100] + "…"
    raise DataError(
        f"column '{column.name}': {int(bad.sum())} of {int(column.notna().sum())} values are no {what}: "
        f"{shown} ({first_rows(bad)})",
        hint="correct them, or read them as missing: `data.read.na_values: [...]`",
    )
