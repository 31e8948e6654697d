"""Parquet, Feather and ORC files batch by batch, with no more of their columns than are wanted."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mlops_cli.components.sources.options import first_line
from mlops_cli.components.tables import with_plain_labels
from mlops_cli.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa

    from mlops_cli.contracts import Wanted

_ROWS = 2**16
"""Rows of a batch of a parquet file."""


def parquet_pieces(path: Path, wanted: Wanted) -> Iterator[pd.DataFrame] | None:
    """Return the wanted columns of a parquet file in pieces; None where its names are not those of the table."""
    import pyarrow.parquet as pq

    def pieces(columns: list[str]) -> Iterator[Any]:
        with pq.ParquetFile(path) as file:
            if wanted.sample is None and not wanted.is_passing:
                yield file.read(columns)
                return
            for group in range(file.num_row_groups):  # asked for all of them, pyarrow reads ahead as memory allows
                yield from file.iter_batches(_ROWS, row_groups=[group], columns=columns)

    with _told(path, "parquet"):
        return _framed(path, "parquet", _chosen(pq.read_schema(path), wanted), pieces)


def feather_pieces(path: Path, wanted: Wanted) -> Iterator[pd.DataFrame] | None:
    """Return the wanted columns of a Feather file in pieces; None where it is of the old form."""
    import pyarrow as pa

    def pieces(columns: list[str]) -> Iterator[Any]:
        with pa.memory_map(str(path)) as source:
            schema = pa.ipc.open_file(source).schema
            options = pa.ipc.IpcReadOptions(included_fields=[schema.get_field_index(n) for n in columns])
            file = pa.ipc.open_file(source, options=options)
            yield from (file.get_batch(i) for i in range(file.num_record_batches))

    with _told(path, "Feather"), pa.memory_map(str(path)) as source:
        try:
            schema = pa.ipc.open_file(source).schema
        except pa.ArrowInvalid:
            return None
        return _framed(path, "Feather", _chosen(schema, wanted), pieces)


def orc_pieces(path: Path, wanted: Wanted) -> Iterator[pd.DataFrame] | None:
    """Return the wanted columns of an ORC file in pieces; None where its names are not those of the table."""
    from pyarrow import orc

    def pieces(columns: list[str]) -> Iterator[Any]:
        file = orc.ORCFile(path)
        yield from (file.read_stripe(i, columns=columns) for i in range(file.nstripes))

    with _told(path, "ORC"):
        return _framed(path, "ORC", _chosen(orc.ORCFile(path).schema, wanted), pieces)


def _chosen(schema: pa.Schema, wanted: Wanted) -> list[str] | None:
    """Return the wanted columns; None where pandas makes other names of those in the file, as of numbers or levels."""
    levels = (schema.pandas_metadata or {}).get("index_columns", ())
    if any(isinstance(level, dict) and level.get("name") is not None for level in levels):
        return None  # a named level that counts the rows is written down nowhere else
    names = list(with_plain_labels(schema.empty_table().to_pandas()).columns)
    return wanted.names(names) if {*names} <= {*schema.names} else None


def _framed(path: Path, what: str, chosen: list[str] | None, pieces: Any) -> Iterator[pd.DataFrame] | None:
    if chosen is None:
        return None

    def frames() -> Iterator[pd.DataFrame]:
        with _told(path, what):
            for piece in pieces(chosen):
                table = with_plain_labels(piece.to_pandas())
                yield table if list(table.columns) == chosen else table[chosen]

    return frames()


@contextmanager
def _told(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, TypeError, KeyError) as error:  # pyarrow's errors are ValueErrors
        raise DataError(f"{path}: cannot be read as {what}: {first_line(error)}", hint="is it whole?") from error
