"""Dates of a table of several files: parsed once they are together, for one part may not show its day and month."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


def date_columns(asked: Any, names: Sequence[str] | None) -> list[str]:
    """Return which columns ``read.parse_dates`` names; none where it names no columns.

    Parameters
    ----------
    asked : Any
        As the config has it: a list of names and places.
    names : sequence of str, optional
        Of the columns in the file, where they are known.

    Examples
    --------
    >>> date_columns(["day", 2], ["id", "day", "until "]), date_columns(True, None)
    (['day', 'until'], [])
    """
    if not isinstance(asked, list | tuple) or not all(isinstance(a, str | int) for a in asked):
        return []
    known = dict(enumerate(n.strip() for n in names or ()))
    return [known.get(a, str(a)) if isinstance(a, int) else a.strip() for a in asked]


def with_dates(table: pd.DataFrame, columns: Sequence[str], options: Mapping[str, Any]) -> pd.DataFrame:
    """Return the table with these columns as dates, read from text as pandas reads them of one file.

    Parameters
    ----------
    table : DataFrame
        Of all parts.
    columns : sequence of str
        As `date_columns` returned them.
    options : mapping
        ``dayfirst`` and ``date_format`` of the reader.

    Raises
    ------
    ConfigError
        There is no such column.
    """
    for name in columns:
        if name not in table.columns:
            hint = did_you_mean(str(name), map(str, table.columns))
            raise ConfigError(f"no column '{name}'", key="data.read.parse_dates", hint=hint)
    return table.assign(**{name: _parsed(table[name], options) for name in columns})


def _parsed(column: pd.Series, options: Mapping[str, Any]) -> pd.Series:
    import pandas as pd

    form = options.get("date_format")
    if isinstance(form, Mapping):
        form = form.get(column.name)
    try:
        return pd.to_datetime(column, format=form, dayfirst=bool(options.get("dayfirst")))
    except (ValueError, TypeError):  # as read_csv, which leaves a column as text that holds something else
        return column
