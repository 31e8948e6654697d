"""How numbers are written: which mark is the decimal one, and which only parts the thousands.

pandas takes every mark of thousands out of every column, wherever it stands: ``39,25`` becomes 3925. Here a number
is one only where its marks stand as they must.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd
from pandas.api import types as pdt

from mlops_cli.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_EXPONENT = r"(?:[eE][+-]?\d+)?"


@dataclass(frozen=True)
class Numerals:
    """A way to write numbers."""

    decimal: str
    thousands: str

    @property
    def pattern(self) -> str:
        """A regular expression for one number; a group of thousands has three digits, and the first none too many."""
        decimal, thousands = re.escape(self.decimal), re.escape(self.thousands)
        whole = rf"(?:{self._grouped(thousands)}|\d+)"
        return rf"\s*[+-]?(?:{whole}(?:{decimal}\d*)?|{decimal}\d+){_EXPONENT}\s*"

    @property
    def grouped(self) -> str:
        """A regular expression for one number with marks of thousands."""
        return rf"\s*[+-]?{self._grouped(re.escape(self.thousands))}(?:{re.escape(self.decimal)}\d*)?{_EXPONENT}\s*"

    @staticmethod
    def _grouped(thousands: str) -> str:
        return rf"[1-9]\d{{0,2}}(?:{thousands}\d{{3}})+"


WAYS: Mapping[str, Numerals] = MappingProxyType(
    {"decimal_comma": Numerals(",", "."), "decimal_point": Numerals(".", ",")}
)
"""The words of ``data.dtypes`` that say how a column's numbers are written."""


def way_of(options: Mapping[str, Any]) -> Numerals | None:
    """Return the way that a reader's options say, where they name a mark of thousands."""
    thousands = options.get("thousands")
    return Numerals(str(options.get("decimal") or "."), str(thousands)) if thousands else None


def parsed(column: pd.Series, way: Numerals) -> pd.Series:
    """Return a column of written numbers as float64 or int64; NaN where it has a value that is not written so.

    Examples
    --------
    >>> parsed(pd.Series(["1.234,5", "7", "3.5"]), WAYS["decimal_comma"]).tolist()
    [1234.5, 7.0, nan]
    """
    if pdt.is_numeric_dtype(column.dtype):
        return column
    texts = column.astype(object).map(str, na_action="ignore").astype("str")
    plain = texts.str.replace(way.thousands, "", regex=False).str.replace(way.decimal, ".", regex=False)
    return pd.to_numeric(plain.where(texts.str.fullmatch(way.pattern).fillna(value=False).astype(bool)))


def check_marks(path: Path, raw: pd.DataFrame, table: pd.DataFrame, way: Numerals) -> None:
    """Refuse numbers out of which marks of thousands were taken that part no thousands.

    Parameters
    ----------
    path : Path
        The file, for the message.
    raw : DataFrame
        Every value as it is written.
    table : DataFrame
        What was parsed of the same file.
    way : Numerals
        As the reader was told.

    Raises
    ------
    DataError
        Naming a column and a value, and how to say of one column how its numbers are written.
    """
    for name in (n for n in table.columns if n in raw.columns and pdt.is_numeric_dtype(table[n].dtype)):
        marked = raw[name][raw[name].map(lambda v: isinstance(v, str) and way.thousands in v)].astype("str")
        wrong = marked[~marked.str.fullmatch(way.grouped).astype(bool)]
        if len(wrong):
            raise _wrong(path, str(name).strip(), str(wrong.iloc[0]).strip(), len(wrong), way)


def _wrong(path: Path, name: str, value: str, count: int, way: Numerals) -> DataError:
    text = (
        f"{path}: column '{name}' has '{value}'{f' and {count - 1} more' if count > 1 else ''}, in which "
        f"'{way.thousands}' parts no thousands, though `data.read.thousands` says that it does"
    )
    other = next((word for word, known in WAYS.items() if known.decimal == way.thousands), None)
    return DataError(text, hint=f"`data.dtypes.{name}: {other}`" if other else "leave out `data.read.thousands`")
