"""One comparison of ``data.expect.compare``: a column held against another, a number, a date or a text, row by row."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlops_cli.analysis.forms import is_time, is_words, looks_like_dates, unwrapped
from mlops_cli.analysis.rules import Broken, moment
from mlops_cli.components.casting import to_dates
from mlops_cli.errors import ConfigError, DataError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

COMPARISON = re.compile(r"(.+?)\s*(<=|>=|==|!=|<|>)\s*(.+)")
"""The left side, the sign, the right side."""

_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}


def hold(table: pd.DataFrame, comparison: re.Match[str], key: str) -> tuple[list[str], Broken]:
    """Hold each row against a comparison; rows in which a side is missing do not count.

    Parameters
    ----------
    table : DataFrame
        As it was read.
    comparison : Match
        Of `COMPARISON`. A side is a column, else a number, else a date or a text.
    key : str
        Where the config says it.

    Returns
    -------
    list of str
        The columns that it names.
    Broken
        How it is broken.

    Raises
    ------
    ConfigError
        It names no column.
    """
    text, sign = comparison[0], comparison[2]
    sides = [_side(table, side.strip().strip("`")) for side in comparison.group(1, 3)]
    names = [str(side.name) for side in sides if isinstance(side, pd.Series)]
    if not names:
        hint = did_you_mean(comparison[1].strip(), table.columns)
        raise ConfigError(f"{text!r} names no column of the data", key=key, hint=hint)
    try:
        a, b = _comparable(sides, sign)
        holds = np.asarray(_OPERATORS[sign](a, b), dtype=bool)
    except (TypeError, ValueError, ConfigError, DataError):
        return names, Broken(f"{text!r}: {_reason(sides, names)}")
    present = table[names].notna().all(axis=1).to_numpy()
    return names, Broken(f"{text!r} does not hold", ~holds & present)


def _side(table: pd.DataFrame, text: str) -> Any:
    """Return a column, else a number, else the text itself."""
    if text in table.columns:
        return unwrapped(table[text])
    try:
        return float(text)
    except ValueError:
        return text.strip("'\"")


def _reason(sides: Sequence[Any], names: Sequence[str]) -> str:
    unknown = [side for side in sides if isinstance(side, str) and not looks_like_dates(pd.Series([side]))]
    if unknown:
        return f"'{unknown[0]}' is no column, no number and no date"
    if all(map(_is_text, sides)):
        return f"text has no order; where dates are meant, data.dtypes: {{{names[0]}: datetime}} tells which are none"
    return "values of such different types do not compare"


def _comparable(sides: Sequence[Any], sign: str) -> Sequence[Any]:
    """Return both sides as dates where one has dates, or where both are texts that are dates.

    Raises
    ------
    TypeError
        A text and a number, of which != would always hold; or an order of texts, which nobody means.
    """
    if any(isinstance(side, pd.Series) and is_time(side) for side in sides):
        return [_as_dates(side) for side in sides]
    texts = [_is_text(side) for side in sides]
    if not any(texts):
        return sides
    if not all(texts):
        raise TypeError("nothing equals a value of another type")
    dates = _all_dates(sides)
    if dates is not None:
        return dates
    if sign not in {"==", "!="}:
        raise TypeError("text has no order")
    return sides


def _is_text(side: Any) -> bool:
    return is_words(side) if isinstance(side, pd.Series) else isinstance(side, str)


def _as_dates(side: Any) -> Any:
    if isinstance(side, pd.Series):
        return to_dates(side) if is_words(side) else side
    return moment(side, "")


def _all_dates(sides: Sequence[Any]) -> list[Any] | None:
    """Return the texts of both sides as dates, None where some are none.

    They are read together, for one side alone may not show whether the day or the month comes first.
    """
    columns = [side if isinstance(side, pd.Series) else pd.Series([side]) for side in sides]
    together = pd.concat([column.astype(object) for column in columns], ignore_index=True)
    if not looks_like_dates(together):
        return None
    try:
        dates = to_dates(together.rename("dates")).to_numpy()
    except DataError:
        return None
    first, second = dates[: len(columns[0])], dates[len(columns[0]) :]
    return [first, second]
