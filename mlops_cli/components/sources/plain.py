"""Values as pandas' own types, where data bases and JSON give Python's: decimals, identifiers, mixed objects."""

from __future__ import annotations

import decimal
import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any

import pandas as pd

from mlops_cli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable


def check_names(names: Iterable[str]) -> None:
    """Refuse a query's answer that has two columns of one name, of which a table would keep one.

    Raises
    ------
    ConfigError
        Naming them, and how a query names columns.
    """
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        shown = ", ".join(f"'{n}'" for n in repeated[:5]) + (", …" if len(repeated) > 5 else "")
        hint = f"name each by AS, such as b.{repeated[0]} AS b_{repeated[0]}"
        raise ConfigError(f"the answer has more than one column {shown}", key="data.query", hint=hint)


def plain_values(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with decimals as floats, identifiers as text, and whole numbers with gaps as floats.

    What else there is in a column of objects is left for the checks that say what it is.
    """
    return pd.DataFrame({name: _plain(column) for name, column in table.items()}, index=table.index)


def _plain(column: pd.Series) -> pd.Series:
    if column.dtype != object:
        return column
    present = column.dropna()
    if present.empty:
        return column.astype("float64")
    kinds = {type(value) for value in present}
    if kinds <= {decimal.Decimal, int, float} and bool not in kinds:
        return column.astype("float64")
    if kinds <= {uuid.UUID}:
        return column.map(_text, na_action="ignore")
    return column


def _text(value: Any) -> str:
    return str(value)
