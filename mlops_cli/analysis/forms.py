"""One form for values that columns hold in several: as floats, or so that equal values of two columns are equal.

A gap makes whole numbers and booleans floats, one odd word makes numbers text, and dates have a zone or a unit. Pure.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api import types as pdt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy.typing as npt

    Column = pd.Series[Any]
    Values = npt.NDArray[Any]

MISSING = "\0"
"""What stands for a missing value among texts."""
_WHOLE = re.compile(r"\s*[+-]?\d{1,300}\s*")
_TRUTH = {"true": True, "false": False}
_MOST = 2**63
_DATE = re.compile(
    r"\s*(?:\d{4}[-/]\d{1,2}(?:[-/]\d{1,2})?|\d{4}\.\d{1,2}\.\d{1,2}"
    r"|\d{1,2}([-/])\d{1,2}\1\d{2,4}|\d{1,2}\.\d{1,2}\.\d{4})(?:[ T,].*)?\s*"
)
"""Versions such as 1.10.2, and fractions, are no dates."""


def unwrapped(column: Column) -> Column:
    """Return categories as the values that they stand for."""
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return column
    values: Column = pd.Series(np.asarray(column), index=column.index, name=column.name)
    return values.infer_objects()


def is_time(column: Column) -> bool:
    """Whether a column holds dates."""
    return bool(pdt.is_datetime64_any_dtype(column.dtype))


def is_words(column: Column) -> bool:
    """Whether a column holds text or categories."""
    dtype = column.dtype
    return isinstance(dtype, pd.CategoricalDtype) or pdt.is_string_dtype(dtype) or pdt.is_object_dtype(dtype)


def looks_like_dates(column: Column) -> bool:
    """Whether all texts of a column are written as dates are."""
    return all(_DATE.fullmatch(str(text)) for text in column.dropna().unique())


def floats(column: Column) -> npt.NDArray[np.float64]:
    """Return numbers as they are, booleans as 1 and 0, and times as seconds since 1970 in UTC; NaN where missing."""
    if not is_time(column):
        return column.to_numpy(dtype="float64", na_value=np.nan)
    moments = _instants(column)
    return np.where(column.isna().to_numpy(), np.nan, moments / 1e6)


def alike(a: Column, b: Column) -> tuple[Values, Values]:
    """Return the values of two columns in one form, in which those that are equal are equal.

    Parameters
    ----------
    a, b : Series
        Two columns, of whatever lengths.

    Returns
    -------
    tuple of ndarray
        Dates as microseconds since 1970, whole numbers as integers where both are, other numbers as floats, all else
        as text. What is missing is the least integer, NaN, or `MISSING`.

    Examples
    --------
    >>> alike(pd.Series([1, 2]), pd.Series([1.0, None]))
    (array([1., 2.]), array([ 1., nan]))
    >>> alike(pd.Series([1, 20]), pd.Series(["1", "unknown"]))
    (array(['1', '20'], dtype=object), array(['1', 'unknown'], dtype=object))
    """
    a, b = unwrapped(a), unwrapped(b)
    if is_time(a) and is_time(b):
        return _instants(a), _instants(b)
    if not (_is_number(a) and _is_number(b)):
        return _spelled(a, b), _spelled(b, a)
    if _is_whole(a) and _is_whole(b):
        large = any(len(c) and c.max() >= _MOST for c in (a, b))
        return (_spelled(a, b), _spelled(b, a)) if large else (_integers(a), _integers(b))
    return floats(a) + 0.0, floats(b) + 0.0  # -0.0 is 0.0


def words(a: Column, b: Column) -> tuple[Column, Column]:
    """Return the values of two columns as text, equal ones spelled alike; without those that are missing."""
    a, b = unwrapped(a), unwrapped(b)
    spelled = (pd.Series(_spelled(x, y), index=x.index, name=x.name, dtype=object) for x, y in ((a, b), (b, a)))
    x, y = (values[values != MISSING] for values in spelled)
    return x, y


def word(value: Any) -> str:
    """Return a value as text; a whole number without a point, whatever holds it.

    Examples
    --------
    >>> word(3.0), word(3), word(2.5), word("x")
    ('3', '3', '2.5', 'x')
    """
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) < _MOST
    return str(int(value)) if is_whole else str(value)


def _is_number(column: Column) -> bool:
    return bool(pdt.is_numeric_dtype(column.dtype))


def _is_whole(column: Column) -> bool:
    return bool(pdt.is_integer_dtype(column.dtype) or pdt.is_bool_dtype(column.dtype))


def _integers(column: Column) -> Values:
    return np.asarray(column.to_numpy(dtype="int64", na_value=np.iinfo("int64").min))


def _instants(column: Column) -> Values:
    utc = pd.to_datetime(column, utc=True).dt.tz_localize(None)
    return utc.to_numpy().astype("datetime64[us]").astype("int64")


# --- spelling ------------------------------------------------------------------------------------------------------


def _spelled(column: Column, other: Column) -> Values:
    """Return values as text; what is text already is first read as the other column's values were."""
    values = pd.Series(_instants(column).astype("datetime64[us]")) if is_time(column) else column
    try:
        codes, distinct = pd.factorize(values.to_numpy(dtype=object))
    except TypeError:  # lists and mappings
        codes, distinct = pd.factorize(values.map(str, na_action="ignore").to_numpy(dtype=object))
    texts = [word(value) for value in _read(column, other)(distinct)]
    return np.array([*texts, MISSING], dtype=object)[codes]


def _read(column: Column, other: Column) -> Callable[[Values], Iterable[Any]]:
    if _is_number(column):
        return partial(map, bool) if _is_truth(column) and _speaks_of_truth(other) else iter
    if is_time(other):
        return _moments
    if _is_number(other):
        return partial(map, _truth_or_number if _is_truth(other) else _number)
    return iter


def _is_truth(column: Column) -> bool:
    """Whether numbers are booleans, or may be some that a gap has made 1.0 and 0.0."""
    return bool(column.dropna().isin([0, 1]).all())


def _speaks_of_truth(column: Column) -> bool:
    if pdt.is_bool_dtype(column.dtype):
        return True
    return is_words(column) and not _TRUTH.keys().isdisjoint({str(value).lower() for value in column.dropna()})


def _truth_or_number(value: Any) -> Any:
    return _TRUTH.get(str(value).lower(), _number(value))


def _number(value: Any) -> Any:
    if not isinstance(value, str) or "_" in value:
        return value
    try:
        return int(value) if _WHOLE.fullmatch(value) else float(value)
    except ValueError:
        return value


def _moments(values: Values) -> list[Any]:
    found = pd.to_datetime(pd.Series(values, dtype=object), errors="coerce", format="ISO8601", utc=True)
    naive = found.dt.tz_localize(None)
    return [text if pd.isna(moment) else moment for text, moment in zip(values, naive, strict=True)]
