"""Tables of polars as tables of pandas, which all else here works on. Does not import polars: who has one has it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mlops_cli.errors import DataError


def is_polars(value: Any) -> bool:
    """Whether it is a DataFrame or a LazyFrame of polars."""
    kind = type(value)
    return kind.__module__.partition(".")[0] == "polars" and kind.__name__ in {"DataFrame", "LazyFrame"}


def from_polars(frame: Any) -> pd.DataFrame:
    """Return a table of polars as one of pandas, as if it had been written to Parquet and read from there.

    Categories and enums are categories, dates are dates; whole numbers and booleans with gaps stay what they are, in
    pandas' nullable dtypes, for floats would round the large ones.

    Parameters
    ----------
    frame : polars.DataFrame or polars.LazyFrame
        A lazy one is collected.

    Raises
    ------
    DataError
        It cannot be collected, or holds what has no form in pandas.
    """
    try:
        collected = frame.collect() if hasattr(frame, "collect") else frame
        return _from_arrow(collected.to_arrow())
    except Exception as error:  # a lazy frame is a program, of the user's own functions too
        first = next(iter(str(error).strip().splitlines()), "")
        raise DataError(f"the polars table cannot be read: {type(error).__name__}: {first}") from error


def loaded(table: Any, name: str) -> pd.DataFrame:
    """Return what a data source has loaded as a table of pandas.

    Raises
    ------
    DataError
        It is no table.
    """
    if is_polars(table):
        return from_polars(table)
    if isinstance(table, pd.DataFrame):
        return table
    wanted = "a DataFrame of pandas or polars"
    raise DataError(f"data source {name}: load() must return {wanted}. Got {type(table).__name__} instead.")


def _from_arrow(table: Any) -> pd.DataFrame:
    import pyarrow as pa

    kinds = {pa.int8(): pd.Int8Dtype(), pa.int16(): pd.Int16Dtype(), pa.int32(): pd.Int32Dtype()}
    kinds |= {pa.int64(): pd.Int64Dtype(), pa.uint8(): pd.UInt8Dtype(), pa.uint16(): pd.UInt16Dtype()}
    kinds |= {pa.uint32(): pd.UInt32Dtype(), pa.uint64(): pd.UInt64Dtype(), pa.bool_(): pd.BooleanDtype()}
    gaps = [name for name in table.column_names if table.schema.field(name).type in kinds and table[name].null_count]
    rest: pd.DataFrame = table.drop_columns(gaps).to_pandas()
    kept: pd.DataFrame = table.select(gaps).to_pandas(types_mapper=kinds.get)
    return pd.DataFrame(pd.concat([rest, kept], axis=1)[table.column_names])
