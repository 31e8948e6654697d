"""A table whose every part can be mapped into memory: text too, of which workers would each get a copy otherwise.

joblib maps NumPy arrays, and pandas keeps text in Arrow's buffers: those are handed over as arrays, and made into
columns again around the mapped bytes, without a copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class PackedText:
    """A column of text as arrays: which rows are there, where each text begins, and all texts in a row."""

    dtype: Any
    length: int
    buffers: tuple[np.ndarray[Any, Any] | None, ...]


@dataclass(frozen=True)
class PackedTable:
    """A table, with its columns of text apart."""

    rest: pd.DataFrame
    texts: dict[str, PackedText]
    order: tuple[str, ...]


def pack(table: pd.DataFrame) -> PackedTable:
    """Return a table in parts that can be mapped."""
    texts = {name: _pack_text(table[name]) for name in table.columns if _is_arrow_text(table[name].dtype)}
    return PackedTable(table.drop(columns=list(texts)), texts, tuple(table.columns))


def unpack(packed: PackedTable) -> pd.DataFrame:
    """Return the table that was packed."""
    import pandas as pd

    if not packed.texts:
        return packed.rest
    texts = {name: pd.Series(_unpack_text(text), packed.rest.index) for name, text in packed.texts.items()}
    return pd.concat([packed.rest, pd.DataFrame(texts)], axis=1)[list(packed.order)]


def _is_arrow_text(dtype: Any) -> bool:
    import pandas as pd

    return isinstance(dtype, pd.StringDtype) and dtype.storage == "pyarrow"


def _pack_text(column: pd.Series[Any]) -> PackedText:
    import pyarrow as pa

    whole = pa.array(column.array).cast(pa.large_string())
    array = pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole
    if array.offset:
        array = pa.concat_arrays([array, array[:0]])  # its own buffers, from the first byte on
    buffers = tuple(None if b is None else np.frombuffer(b, dtype=np.uint8) for b in array.buffers())
    return PackedText(column.dtype, len(array), buffers)


def _unpack_text(text: PackedText) -> Any:
    import pyarrow as pa

    buffers = [None if b is None else pa.py_buffer(b) for b in text.buffers]
    return text.dtype.__from_arrow__(pa.Array.from_buffers(pa.large_string(), text.length, buffers))
