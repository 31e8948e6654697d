"""The rules of ``data.expect`` for one column: each says how the column breaks it, or nothing.

A rule that is written wrongly is an error of the config, whatever the data is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api import types as pdt

from mlops_cli.analysis.forms import is_time, is_words, unwrapped
from mlops_cli.components.casting import to_texts
from mlops_cli.errors import ConfigError, did_you_mean
from mlops_cli.records import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]

SHOWN = 5
"""Rows that are shown of a breach."""
_LONGEST, _LONGEST_PLAIN = 40, 1000
"""Characters of a value, as it is shown and as it is given."""


@dataclass(frozen=True)
class Broken:
    """How a rule is broken: what was found, and where it is a rule of rows, by which. Shape of ``rows``: (rows,)."""

    found: str
    rows: Mask | None = None


def is_amount(column: pd.Series) -> bool:
    """Whether a column holds numbers that are no booleans."""
    return pdt.is_numeric_dtype(column.dtype) and not pdt.is_bool_dtype(column.dtype)


KINDS: Mapping[str, Callable[[pd.Series], bool]] = {
    "numeric": is_amount,
    "boolean": lambda c: pdt.is_bool_dtype(c.dtype),
    "datetime": is_time,
    "categorical": is_words,
    "text": is_words,
}


def shown(value: Any) -> str:
    """Return a value as a breach shows it; nothing where it is missing."""
    is_missing = value is None or (pdt.is_scalar(value) and pd.isna(value))
    return "" if is_missing else repr(str(value)[:_LONGEST])


def as_plain(value: Any) -> Any:
    """Return a value as JSON has it, None where it is missing; a long text is cut.

    Examples
    --------
    >>> as_plain([np.int64(3), np.nan, pd.Timestamp("2020-01-31"), {"min": 0.5}])
    [3, None, '2020-01-31 00:00:00', {'min': 0.5}]
    """
    if isinstance(value, Mapping):
        return {str(name): as_plain(v) for name, v in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(v) for v in value]
    if value is None or (pdt.is_scalar(value) and pd.isna(value)):
        return None
    bare = value.item() if isinstance(value, np.generic) else value
    is_number = isinstance(bare, bool | int) or (isinstance(bare, float) and np.isfinite(bare))
    return bare if is_number else str(value)[:_LONGEST_PLAIN]


# --- what is asked of a column -------------------------------------------------------------------------------------


def _type(column: pd.Series, wanted: Any, key: str) -> Broken | None:
    if str(wanted) in KINDS:
        is_right = KINDS[str(wanted)](column)
    else:
        try:
            is_right = bool(column.dtype == pdt.pandas_dtype(str(wanted)))
        except TypeError:
            known = [*(k.value for k in Kind), "int64", "float64"]
            raise ConfigError(f"unknown type '{wanted}'", key=key, hint=did_you_mean(str(wanted), known)) from None
    if is_right or column.isna().all() or _is_gap(column, str(wanted)):
        return None  # what holds nothing holds nothing of another type
    found = f"{wanted} expected, {column.dtype} found (data.dtypes.{column.name} has it read otherwise)"
    return Broken(found, _no_numbers(column) if wanted == "numeric" and is_words(column) else None)


def _is_gap(column: pd.Series, wanted: str) -> bool:
    """Whether a column is of floats only because values are missing: pandas' booleans and integers have no gaps."""
    present = column.dropna()
    if len(present) == len(column) or not pdt.is_float_dtype(column.dtype):
        return False
    if wanted in {"boolean", "bool"}:
        return bool(present.isin([0, 1]).all())
    return wanted not in KINDS and pdt.is_integer_dtype(pdt.pandas_dtype(wanted)) and bool((present % 1 == 0).all())


def _no_numbers(column: pd.Series) -> Mask:
    plain = column.astype(object)
    unread = pd.to_numeric(plain, errors="coerce").isna() & plain.notna()
    return np.asarray(unread.to_numpy(dtype=bool))


def _min(column: pd.Series, wanted: Any, key: str) -> Broken | None:
    bound = _bound(column, wanted, key)
    if is_words(column):
        return _not_comparable(column, wanted)
    return Broken(f"the value is below {wanted}", _mask(column < bound))


def _max(column: pd.Series, wanted: Any, key: str) -> Broken | None:
    bound = _bound(column, wanted, key)
    if is_words(column):
        return _not_comparable(column, wanted)
    return Broken(f"the value is above {wanted}", _mask(column > bound))


def _not_comparable(column: pd.Series, wanted: Any) -> Broken | None:
    if column.isna().all():
        return None
    return Broken(f"numbers or dates expected to compare with {wanted}, {column.dtype} found")


def _missing(column: pd.Series, wanted: Any, key: str) -> Broken | None:
    allowed = number(wanted, key)
    if not 0 <= allowed <= 1:
        raise ConfigError(f"must be a share from 0 to 1. Got {wanted!r} instead.", key=key)
    missing = _mask(column.isna())
    if not len(column) or missing.mean() <= allowed:
        return None
    return Broken(f"the value is missing (a share of {missing.mean():.3g}, allowed {allowed:g})", missing)


def _unique(column: pd.Series, wanted: Any, key: str) -> Broken | None:
    if not flag(wanted, key):
        return None
    return Broken("the value repeats an earlier value", _mask(column.duplicated() & column.notna()))


def _allowed(column: pd.Series, wanted: Any, key: str) -> Broken | None:
    values = listed(wanted, key)
    known = [moment(value, key) for value in values] if is_time(column) else values
    told = f"{values[:10]}" if len(values) <= 10 else f"{values[:10]} and {len(values) - 10} more"
    return Broken(f"the value is none of {told}", _mask(~column.isin(known) & column.notna()))


def _pattern(column: pd.Series, wanted: Any, key: str) -> Broken | None:
    try:
        pattern = re.compile(str(wanted))
    except re.error as error:
        raise ConfigError(f"{wanted!r} is no regular expression: {error}", key=key) from None
    fits = _of_texts(column, lambda text: pattern.fullmatch(text) is not None)
    return Broken(f"the value does not match '{wanted}'", fits.eq(False).to_numpy() & _mask(column.notna()))


def _length(column: pd.Series, wanted: Any, key: str) -> Broken | None:
    low, high = (wanted, wanted) if isinstance(wanted, int) and not isinstance(wanted, bool) else bounds(wanted, key)
    sizes = _of_texts(column, len)
    wrong = sizes.notna().to_numpy() & ~sizes.between(low, high).to_numpy(dtype=bool)
    return Broken(f"the value is not of {_range(low, high)} characters", wrong)


def _mean(column: pd.Series, wanted: Any, key: str) -> Broken | None:
    return _summary(column, bounds(wanted, key), "mean")


def _std(column: pd.Series, wanted: Any, key: str) -> Broken | None:
    return _summary(column, bounds(wanted, key), "std")


def _summary(column: pd.Series, wanted: tuple[float, float], name: str) -> Broken | None:
    if not pdt.is_numeric_dtype(column.dtype):
        return Broken(f"numbers expected to have a {name}, {column.dtype} found")
    present = column.dropna().astype("float64")
    value = float(present.mean() if name == "mean" else present.std())
    if wanted[0] <= value <= wanted[1]:
        return None
    return Broken(f"the {name} is {value:.6g}, {_range(*wanted)} expected")


RULES: Mapping[str, Callable[[pd.Series, Any, str], Broken | None]] = {
    "type": _type,
    "min": _min,
    "max": _max,
    "missing": _missing,
    "unique": _unique,
    "allowed": _allowed,
    "pattern": _pattern,
    "length": _length,
    "mean": _mean,
    "std": _std,
}
"""Name → what asks it of a column."""


def _mask(values: pd.Series) -> Mask:
    return np.asarray(values.to_numpy(dtype=bool))


def _of_texts(column: pd.Series, ask: Callable[[str], Any]) -> pd.Series:
    """Return the answer for each value as text, asked once of each different one; missing stays missing."""
    texts = to_texts(unwrapped(column)).astype(object)
    answers = {text: ask(text) for text in texts.dropna().unique()}
    return texts.map(answers)


def _range(low: float, high: float) -> str:
    if low == high:
        return f"{low:g}"
    if high == np.inf:
        return f"at least {low:g}"
    return f"at most {high:g}" if low == -np.inf else f"{low:g} to {high:g}"


# --- how rules are written -----------------------------------------------------------------------------------------


def _bound(column: pd.Series, wanted: Any, key: str) -> Any:
    """Return a bound that the column's values compare with."""
    if is_words(column) and isinstance(wanted, str):
        return wanted  # a date, perhaps, and the column is what is wrong
    return moment(wanted, key) if is_time(column) else number(wanted, key)


def moment(value: Any, key: str) -> pd.Timestamp:
    """Return a date without a zone, in UTC where it had one, or refuse what is none."""
    try:
        found: Any = None if isinstance(value, int | float) else pd.Timestamp(value)
    except (TypeError, ValueError):
        found = None
    if found is None or found is pd.NaT:
        raise ConfigError(f"must be a date. Got {value!r} instead.", key=key)
    naive: pd.Timestamp = found if found.tzinfo is None else found.tz_convert("UTC").tz_localize(None)
    return naive


def number(value: Any, key: str) -> float:
    """Return a number, or refuse what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ConfigError(f"must be a number. Got {value!r} instead.", key=key)
    return value


def flag(value: Any, key: str) -> bool:
    """Return true or false, or refuse what is neither."""
    if not isinstance(value, bool):
        raise ConfigError(f"must be true or false. Got {value!r} instead.", key=key)
    return value


def listed(value: Any, key: str) -> list[Any]:
    """Return a list of values, or refuse what is none."""
    if isinstance(value, str | Mapping) or not hasattr(value, "__iter__"):
        raise ConfigError(f"must be a list of values. Got {value!r} instead.", key=key)
    return list(value)


def bounds(value: Any, key: str) -> tuple[float, float]:
    """Return the ends of ``{min: …, max: …}``; without end where one is not given."""
    given = mapping(value, key)
    known_keys(given, ("min", "max"), key)
    return number(given.get("min", -np.inf), f"{key}.min"), number(given.get("max", np.inf), f"{key}.max")


def mapping(value: Any, key: str) -> Mapping[str, Any]:
    """Return a mapping, an empty one for nothing, or refuse what is none."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigError(f"must be a mapping. Got {value!r} instead.", key=key)
    return value


def known_keys(given: Mapping[str, Any], known: Iterable[str], key: str) -> None:
    """Refuse a rule that there is not, with the nearest one."""
    for name in mapping(given, key):
        if name not in known:
            raise ConfigError(f"unknown rule '{name}'", key=key, hint=did_you_mean(str(name), known))
