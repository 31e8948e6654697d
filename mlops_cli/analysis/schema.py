"""A table held against a schema object, such as pandera's: what it finds wrong becomes breaches like any other.

Asks for nothing but ``validate(table, lazy=True)``, so that pandera need not be installed where nobody uses it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from mlops_cli.analysis.rules import SHOWN, as_plain
from mlops_cli.errors import DataError
from mlops_cli.records import Breach

if TYPE_CHECKING:
    from collections.abc import Iterable


def schema_breaches(schema: Any, table: pd.DataFrame, name: str) -> tuple[Breach, ...]:
    """Return what a schema finds wrong with a table.

    Parameters
    ----------
    schema : object
        Its ``validate`` raises an error that has ``failure_cases``, as `pandera.errors.SchemaErrors` has.
    table : DataFrame
        As it was read; its index tells the place of each row in the file.
    name : str
        What the schema is called.

    Raises
    ------
    DataError
        The schema cannot be asked.
    """
    try:
        schema.validate(table.copy(), lazy=True)
    except Exception as error:  # the user's own checks may raise anything
        cases = getattr(error, "failure_cases", None)
        if not isinstance(cases, pd.DataFrame):
            text = str(error).strip().splitlines()[0] if str(error).strip() else ""
            raise DataError(f"data.expect: {name} raised {type(error).__name__}: {text}") from error
        return tuple(_breach(table, key, group) for key, group in _grouped(cases))
    return ()


def _grouped(cases: pd.DataFrame) -> Iterable[tuple[tuple[str, str], pd.DataFrame]]:
    """Yield the failures of one check on one column together, in the order in which they were found."""
    names = cases["column"].astype(object).where(cases["column"].notna(), "")
    # Of a column that is missing the case is its name, and the schema's own name stands where the column's should.
    absent = cases["check"].astype(str) == "column_in_dataframe"
    names = names.where(~absent, cases["failure_case"].astype(object))
    keys = list(zip(names.map(str), cases["check"].map(str), strict=True))
    for key in dict.fromkeys(keys):
        yield key, cases[[k == key for k in keys]]


def _breach(table: pd.DataFrame, key: tuple[str, str], group: pd.DataFrame) -> Breach:
    name, check = key
    column = name if name in table.columns else None
    place = f"columns.{name}.{check}" if name else check
    if check == "column_in_dataframe":
        return Breach(f"columns.{name}", "the data has no such column", name, "a column")
    rows = [int(label) for label in group["index"] if _is_place(label, table)]
    if not rows:
        found = f"{group['failure_case'].iloc[0]!s} found"
        return Breach(place, found[:200], column, check)
    values = group["failure_case"].tolist()
    examples = tuple((row + 1, as_plain(value)) for row, value in zip(rows[:SHOWN], values, strict=False))
    return Breach(place, f"the value breaks {check}", column, check, len(set(rows)), len(table), examples)


def _is_place(label: Any, table: pd.DataFrame) -> bool:
    return label is not None and not pd.isna(label) and label in table.index
