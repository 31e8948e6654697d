"""What ``data.expect`` declares of a table, held against it: a breach names the rule, how many rows, and the first.

The grammar::

    expect:
      rows: {min: 100, max: 100000}
      columns:
        age: {type: numeric, min: 0, max: 120, missing: 0.2, unique: false, allowed: [...], pattern: '...'}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api import types as pdt

from mlops_cli.errors import ConfigError, DataError, did_you_mean
from mlops_cli.records import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def _is_words(column: pd.Series) -> bool:
    dtype = column.dtype
    return isinstance(dtype, pd.CategoricalDtype) or pdt.is_string_dtype(dtype) or pdt.is_object_dtype(dtype)


_KINDS: Mapping[str, Callable[[pd.Series], bool]] = {
    "numeric": lambda c: pdt.is_numeric_dtype(c.dtype) and not pdt.is_bool_dtype(c.dtype),
    "boolean": lambda c: pdt.is_bool_dtype(c.dtype),
    "datetime": lambda c: pdt.is_datetime64_any_dtype(c.dtype),
    "categorical": _is_words,
    "text": _is_words,
}


def check_expect(table: pd.DataFrame, expect: Mapping[str, Any]) -> None:
    """Hold a normalised table against what is declared of it.

    Parameters
    ----------
    table : DataFrame
        As it was read; its index tells the place of each row in the file.
    expect : mapping
        ``rows`` (``min``, ``max``) and ``columns``: name → rules ``type``, ``min``, ``max``, ``missing`` (the largest
        share), ``unique``, ``allowed``, ``pattern`` (a regular expression for the whole value).

    Raises
    ------
    DataError
        A rule is broken.
    ConfigError
        A rule is unknown or is written wrongly.
    """
    _check_keys(expect, ("rows", "columns"), "data.expect")
    _check_rows(len(table), _mapping(expect.get("rows"), "data.expect.rows"))
    for name, rules in _mapping(expect.get("columns"), "data.expect.columns").items():
        key = f"data.expect.columns.{name}"
        rules_of = _mapping(rules, key)
        _check_keys(rules_of, _RULES, key)
        if name not in table.columns:
            raise DataError(f"{key}: the data has no such column", hint=did_you_mean(str(name), table.columns))
        for rule, wanted in rules_of.items():
            _RULES[rule](table[name], wanted, f"{key}.{rule}")


def _check_rows(rows: int, rules: Mapping[str, Any]) -> None:
    _check_keys(rules, ("min", "max"), "data.expect.rows")
    low, high = rules.get("min", 0), rules.get("max", float("inf"))
    for bound, value in (("min", low), ("max", high)):
        _number(value, f"data.expect.rows.{bound}")
    if not low <= rows <= high:
        bound = "min" if rows < low else "max"
        raise DataError(f"data.expect.rows.{bound}: {rules[bound]} rows expected, {rows} found")


def _type(column: pd.Series, wanted: Any, key: str) -> None:
    if str(wanted) in _KINDS:
        is_right = _KINDS[str(wanted)](column)
    else:
        try:
            is_right = column.dtype == pdt.pandas_dtype(str(wanted))
        except TypeError:
            known = [*(k.value for k in Kind), "int64", "float64"]
            raise ConfigError(f"unknown type '{wanted}'", key=key, hint=did_you_mean(str(wanted), known)) from None
    if not is_right:
        raise DataError(f"{key}: {wanted} expected, {column.dtype} found", hint=f"data.dtypes.{column.name}")


def _min(column: pd.Series, wanted: Any, key: str) -> None:
    _refuse(column, _compared(column, wanted, key) < _bound(column, wanted, key), f"is below {wanted}", key)


def _max(column: pd.Series, wanted: Any, key: str) -> None:
    _refuse(column, _compared(column, wanted, key) > _bound(column, wanted, key), f"is above {wanted}", key)


def _missing(column: pd.Series, wanted: Any, key: str) -> None:
    allowed = _number(wanted, key)
    if not 0 <= allowed <= 1:
        raise ConfigError(f"must be a share from 0 to 1. Got {wanted!r} instead.", key=key)
    if len(column) and column.isna().mean() > allowed:
        share = column.isna().mean()
        _refuse(column, column.isna(), f"is missing (a share of {share:.3g}, allowed {allowed:g})", key, values=False)


def _unique(column: pd.Series, wanted: Any, key: str) -> None:
    if not isinstance(wanted, bool):
        raise ConfigError(f"must be true or false. Got {wanted!r} instead.", key=key)
    if wanted:
        _refuse(column, column.duplicated() & column.notna(), "repeats an earlier value", key)


def _allowed(column: pd.Series, wanted: Any, key: str) -> None:
    if isinstance(wanted, str) or not hasattr(wanted, "__iter__"):
        raise ConfigError(f"must be a list of values. Got {wanted!r} instead.", key=key)
    values = list(wanted)
    _refuse(column, ~column.isin(values) & column.notna(), f"is none of {values[:10]}", key)


def _pattern(column: pd.Series, wanted: Any, key: str) -> None:
    try:
        pattern = re.compile(str(wanted))
    except re.error as error:
        raise ConfigError(f"{wanted!r} is no regular expression: {error}", key=key) from None
    fits = column.map(lambda v: pattern.fullmatch(str(v)) is not None, na_action="ignore")
    _refuse(column, fits.eq(False) & column.notna(), f"does not match '{wanted}'", key)


_RULES: Mapping[str, Callable[[pd.Series, Any, str], None]] = {
    "type": _type,
    "min": _min,
    "max": _max,
    "missing": _missing,
    "unique": _unique,
    "allowed": _allowed,
    "pattern": _pattern,
}


def _refuse(column: pd.Series, broken: pd.Series, what: str, key: str, *, values: bool = True) -> None:
    places = np.flatnonzero(broken.to_numpy(dtype=bool))
    if not len(places):
        return
    rows = [int(place) + 1 for place in column.index[places[:5]]]
    shown = [f"{row}: {str(column[row - 1])[:40]!r}" if values else str(row) for row in rows]
    more = ", …" if len(places) > 5 else ""
    raise DataError(
        f"{key}: {len(places)} of {len(column)} rows break it: the value {what} (row {', '.join(shown)}{more})"
    )


def _compared(column: pd.Series, wanted: Any, key: str) -> pd.Series:
    if _is_words(column):
        raise DataError(f"{key}: numbers or dates expected to compare with {wanted}, {column.dtype} found")
    return column


def _bound(column: pd.Series, wanted: Any, key: str) -> Any:
    if not pdt.is_datetime64_any_dtype(column.dtype):
        return _number(wanted, key)
    try:
        return pd.Timestamp(wanted)
    except (TypeError, ValueError):
        raise ConfigError(f"must be a date. Got {wanted!r} instead.", key=key) from None


def _number(value: Any, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ConfigError(f"must be a number. Got {value!r} instead.", key=key)
    return value


def _mapping(value: Any, key: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigError(f"must be a mapping. Got {value!r} instead.", key=key)
    return value


def _check_keys(given: Mapping[str, Any], known: Iterable[str], key: str) -> None:
    for name in _mapping(given, key):
        if name not in known:
            raise ConfigError(f"unknown rule '{name}'", key=key, hint=did_you_mean(str(name), known))
