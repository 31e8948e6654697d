"""One table of many parts: the columns must agree, and so must what they hold."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from pandas.api import types as pdt

from mlops_cli.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Part:
    """What one file held, or a piece of one."""

    called: str
    table: pd.DataFrame


class KindsDifferError(DataError):
    """Columns hold numbers in one part and text in another.

    Parameters
    ----------
    columns : mapping
        Column → kind → the first part that holds it.
    """

    def __init__(self, columns: Mapping[str, Mapping[str, str]]) -> None:
        name, kinds = next(iter(columns.items()))
        said = " and ".join(f"{kind} in {called}" for kind, called in kinds.items())
        more = f" ({len(columns) - 1} more columns likewise)" if len(columns) > 1 else ""
        super().__init__(f"the column '{name}' holds {said}{more}", hint="write the parts with the same types")
        self.columns = columns


def stacked(parts: Sequence[Part], source_column: str | None = None) -> pd.DataFrame:
    """Return the rows of all parts in their order, with the columns in the order of the first.

    Parameters
    ----------
    parts : sequence of Part
        At least one.
    source_column : str, optional
        A column to be added, which says of each row what its part is called.

    Raises
    ------
    DataError
        A part has other columns than the first, or holds something else in one; each difference is named.
    """
    first = parts[0]
    for part in parts[1:]:
        check_columns(first, part)
    if differing := kinds_that_differ(parts):
        raise KindsDifferError(differing)
    tables = [_alike(part.table[first.table.columns], first.table) for part in parts]
    whole = pd.concat(tables, ignore_index=True) if len(tables) > 1 else tables[0]
    return _with_source(whole, parts, source_column) if source_column is not None else whole


def kinds_that_differ(parts: Sequence[Part]) -> dict[str, dict[str, str]]:
    """Return the columns that hold different things: column → kind → the first part that holds it.

    A column that is missing in every row of a part holds nothing there, and agrees with all.
    """
    found: dict[str, dict[str, str]] = {}
    for part in parts:
        for name in part.table.columns:
            kind = kind_of(part.table[name])
            if kind is not None:
                found.setdefault(str(name), {}).setdefault(kind, part.called)
    return {name: kinds for name, kinds in found.items() if len(kinds) > 1}


def kind_of(column: pd.Series) -> str | None:
    """Return what a column holds, in a word for messages; None where it holds nothing."""
    if column.isna().all():
        return None
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "categories"
    if pdt.is_bool_dtype(column.dtype) or _holds_booleans(column):
        return "booleans"
    if pdt.is_numeric_dtype(column.dtype):
        return "numbers"
    return "dates" if pdt.is_datetime64_any_dtype(column.dtype) else "text"


def _holds_booleans(column: pd.Series) -> bool:
    """Whether a column of objects holds booleans with gaps among them."""
    return column.dtype == object and pdt.infer_dtype(column, skipna=True) == "boolean"


def check_columns(first: Part, part: Part) -> None:
    """Refuse a part that has other columns than the first, in whatever order."""
    missing = [str(n) for n in first.table.columns if n not in part.table.columns]
    beside = [str(n) for n in part.table.columns if n not in first.table.columns]
    if missing or beside:
        lacks = f"has no {_listed(missing)}" if missing else ""
        more = f"has {_listed(beside)} beside" if beside else ""
        raise DataError(
            f"{part.called}: {' and '.join(filter(None, (lacks, more)))}, unlike {first.called}",
            hint="parts must have the same columns: narrow data.path, or write that part again",
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{n}'" for n in names[:5]) + (", …" if len(names) > 5 else "")


def _alike(table: pd.DataFrame, first: pd.DataFrame) -> pd.DataFrame:
    """Return a part whose columns without any value have the dtype of the first part that has values, if any."""
    changed = {
        name: table[name].astype(first[name].dtype)
        for name in table.columns
        if table[name].dtype != first[name].dtype and table[name].isna().all() and _takes_gaps(first[name])
    }
    return table.assign(**changed) if changed else table


def _takes_gaps(column: pd.Series) -> bool:
    return not (pdt.is_integer_dtype(column.dtype) or pdt.is_bool_dtype(column.dtype))


def _with_source(whole: pd.DataFrame, parts: Sequence[Part], name: str) -> pd.DataFrame:
    if name in whole.columns:
        raise ConfigError(f"the data has a column '{name}' already", key="data.source_column", hint="another name")
    names = [
        n for n, part in zip(short_names([p.called for p in parts]), parts, strict=True) for _ in range(len(part.table))
    ]
    return whole.assign(**{name: names})


def short_names(called: Sequence[str]) -> list[str]:
    """Return the names below the folder that all share, so that they are the same on every machine.

    Examples
    --------
    >>> short_names(["/data/a/1.csv", "/data/b/1.csv"]), short_names(["/data/1.csv"])
    (['a/1.csv', 'b/1.csv'], ['1.csv'])
    """
    shared = os.path.commonpath([os.path.dirname(name) for name in called])  # noqa: PTH120 - plain text, no file
    return [os.path.relpath(name, shared) for name in called]
