"""Converting one column to the dtype or kind that ``data.dtypes`` asks for, or saying which rows do not convert."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api import types as pdt

from mlops_cli.components.numerals import WAYS, parsed
from mlops_cli.errors import ConfigError, DataError, did_you_mean

if TYPE_CHECKING:
    import numpy.typing as npt

    from mlops_cli.records import Dates

TEXT_WORDS = frozenset({"text", "str", "string", "object"})
"""The words of ``data.dtypes`` that keep values as they are written."""
CATEGORY_WORDS = frozenset({"categorical", "category"})
WRITTEN_WORDS = TEXT_WORDS | CATEGORY_WORDS | WAYS.keys()
"""Those for which values must be read as they are written."""
_WORDS = ("numeric", "categorical", "category", "datetime", "boolean", "bool", "text", "str", "float64", "int64", *WAYS)
_TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0", "on"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "0.0", "off"})
_DAY_MONTH = re.compile(r"\s*(\d{1,2})[-/.](\d{1,2})[-/.]\d{2,4}\b.*")
_ZONE = r"\d{1,2}:\d{2}.*(?:Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)\s*$"
_PLACES = re.compile(r"\(rows? \d+(?:, \d+)*(?:, …)?\)$")
_IS_PANDAS_3 = int(pd.__version__.split(".", 1)[0]) >= 3


def cast(column: pd.Series, word: str, *, key: str | None = None) -> pd.Series:
    """Return a column converted to a kind (``numeric``, ``categorical`` …) or a pandas dtype; missing stays missing.

    Dates are read as `to_dates` does; see `read_dates` for those that must be read as others were.

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
    if word in WAYS:
        return to_written_numbers(column, word)
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


def counted_on(message: str, before: int) -> str:
    """Return a message with the places that `first_rows` told counted on from so many rows that came before.

    Examples
    --------
    >>> counted_on("'age': 2 values are no numbers: 'old' (rows 3, 17)", 100)
    "'age': 2 values are no numbers: 'old' (rows 103, 117)"
    """
    return _PLACES.sub(lambda found: re.sub(r"\d+", lambda place: str(int(place[0]) + before), found[0]), message)


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


def to_written_numbers(column: pd.Series, word: str) -> pd.Series:
    """Return a column as numbers that are written as a word of `numerals.WAYS` says; numbers are left as they are."""
    if pdt.is_datetime64_any_dtype(column.dtype) or pdt.is_bool_dtype(column.dtype):
        return to_numbers(column)
    numbers = parsed(column, WAYS[word])
    _refuse_unconverted(column, numbers, f"numbers with a {word.replace('_', ' ')}")
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


def is_of_dates(word: str | None) -> bool:
    """Whether a word of ``data.dtypes`` asks for dates."""
    return word is not None and (word == "datetime" or word.startswith(("datetime64", "M8")))


def to_dates(column: pd.Series, *, day_first: bool | None = None) -> pd.Series:
    """Return a column as datetimes without a zone (UTC where they had one).

    Parameters
    ----------
    column : Series
        Dates or texts. Each value is read by itself, so that one row reads as it does among others.
    day_first : bool, optional
        How dates such as 04/03/2020 are read; None reads them day first where any value shows it, else month first.
    """
    if pdt.is_datetime64_any_dtype(column.dtype):
        return column
    if pdt.is_numeric_dtype(column.dtype):
        if column.isna().all():
            return pd.to_datetime(column)
        raise DataError(
            f"column '{column.name}' holds numbers, and what they count is not known",
            hint=f"`data.read: {{parse_dates: [{column.name}], date_format: {{{column.name}: '%Y%m%d'}}}}`",
        )
    values = column.astype(object)
    dates = pd.to_datetime(values, errors="coerce", format="ISO8601", utc=True)
    left = (dates.isna() & column.notna()).to_numpy()
    if left.any():  # these alone: pandas would read 2020-03-04 day first too
        first = bool(_shown_first(column)) if day_first is None else day_first
        more = pd.to_datetime(values[left], errors="coerce", format="mixed", dayfirst=first, utc=True)
        dates = pd.concat([dates[~left], more.astype(dates.dtype)]).reindex(column.index)
    _refuse_unconverted(column, dates, "dates")
    return dates.dt.tz_localize(None)


def read_dates(column: pd.Series, like: Dates | None = None) -> tuple[pd.Series, bool | None]:
    """Return a column as `to_dates` does, and whether the day comes first in it.

    Parameters
    ----------
    column : Series
        Normalised.
    like : Dates, optional
        How they were written in training: then they are read alike.

    Raises
    ------
    DataError
        Values are no dates, or are written in another way than in training.
    """
    if not pdt.is_string_dtype(column.dtype) and not isinstance(column.dtype, pd.CategoricalDtype):
        return to_dates(column), None if like is None else like.day_first
    first = _shown_first(column) if like is None else _first_as(column, like)
    return to_dates(column, day_first=first), first


def refuse_zone(column: pd.Series) -> None:
    """Refuse times with a zone where those of training had none: nobody has said which zone that was.

    Raises
    ------
    DataError
        With one of them.
    """
    if not has_zone(column):
        return
    example = next(str(value) for value in column.dropna() if re.search(_ZONE, str(value)))
    raise DataError(
        f"column '{column.name}' has times with a zone, such as '{example[:40]}', and in training they had none",
        hint="write them without one, as a clock showed them where the training data is from",
    )


def has_zone(column: pd.Series) -> bool:
    """Whether any time of a column has a zone or an offset from UTC."""
    if pdt.is_datetime64_any_dtype(column.dtype):
        return getattr(column.dtype, "tz", None) is not None or "tz=" in str(column.dtype)
    if pdt.is_numeric_dtype(column.dtype):
        return False
    texts = column.dropna().astype(object).map(str).astype("str")
    return bool(texts.str.contains(_ZONE).any())


def _shown_first(column: pd.Series) -> bool | None:
    """Return whether the day comes first in dates such as 31/12/2020; None where there is none."""
    parts = _day_and_month(column)
    if not parts:
        return None
    day_first = any(a > 12 for a, _ in parts.values())
    if day_first and any(b > 12 for _, b in parts.values()):
        raise DataError(
            f"column '{column.name}' has dates with the day first and dates with the month first",
            hint="write them as YYYY-MM-DD",
        )
    return day_first


def _first_as(column: pd.Series, like: Dates) -> bool | None:
    """Return whether the day comes first as it did in training; each value has to be read so whatever is beside it."""
    parts = _day_and_month(column)
    if like.day_first is None:
        twofold = [text for text, (a, b) in parts.items() if a != b and a <= 12 and b <= 12]
        if twofold:
            text = f"column '{column.name}': '{twofold[0][:40]}' does not show which is the day and which the month"
            raise DataError(f"{text}, and no date in training was written so", hint="write it as YYYY-MM-DD")
        return _shown_first(column)
    wrong = [text for text, pair in parts.items() if pair[1 if like.day_first else 0] > 12]
    if wrong:
        first, other = ("day", "month") if like.day_first else ("month", "day")
        text = f"column '{column.name}': '{wrong[0][:40]}' has the {other} first, and in training the {first} was"
        raise DataError(text, hint="write it as YYYY-MM-DD")
    return like.day_first


def _day_and_month(column: pd.Series) -> dict[str, tuple[int, int]]:
    """Return the two numbers that dates such as 31/12/2020 begin with, by the text of each."""
    found = ((str(v), _DAY_MONTH.fullmatch(str(v))) for v in column.dropna().unique())
    return {text: (int(m[1]), int(m[2])) for text, m in found if m}


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
        hint=f"correct them, or read them as missing: `data.read.na_values: {{{column.name}: [...]}}`",
    )
