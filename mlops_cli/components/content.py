"""The sha256 of a table's whole content: the same for the same names, dtypes and values, whatever holds them.

The bytes hashed per column: its name, its dtype, then numbers as little-endian bytes with one NaN, texts as their
lengths (-1 where missing) and their UTF-8 bytes, categories as their values and codes. To change any of it, raise
`_FORMAT`: versions are compared across years.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mlops_cli.components.tables import dtype_name, is_nested

if TYPE_CHECKING:
    import numpy.typing as npt

_FORMAT = b"mlops-dataset-1"


def content_hash(table: pd.DataFrame) -> str:
    """Return the sha256 of a normalised table, in hexadecimal."""
    digest = hashlib.sha256(_FORMAT)
    _add(digest, np.array([len(table), table.shape[1]], dtype="<i8"))
    for name, column in table.items():
        _add_text(digest, str(name))
        _add_column(digest, column)
    return digest.hexdigest()


def _add_column(digest: Any, column: pd.Series) -> None:
    _add_text(digest, dtype_name(column))
    if isinstance(column.dtype, pd.CategoricalDtype):
        categories = column.cat.categories.to_series()
        _add_text(digest, f"ordered={column.cat.ordered} categories={len(categories)}")
        _add_column(digest, categories)
        _add(digest, column.cat.codes.to_numpy(dtype="<i8"))
    elif isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
        _add(digest, _canonical(column.to_numpy()))
    elif isinstance(column.dtype, np.dtype) and column.dtype.kind == "M":
        _add(digest, column.to_numpy().view("i8").astype("<i8", copy=False))
    elif dtype_name(column) == "str":
        _add_texts(digest, column)
    else:
        _add_objects(digest, column)


def _canonical(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the values in little-endian order, with one NaN for all of its bit patterns."""
    if values.dtype.kind == "b":
        return values.view("u1")
    out = values.astype(values.dtype.newbyteorder("<"), copy=False)
    if out.dtype.kind != "f":
        return out
    missing = np.isnan(out)
    return np.where(missing, np.array(np.nan, out.dtype), out) if missing.any() else out


def _add_texts(digest: Any, column: pd.Series) -> None:
    try:
        texts = pa.array(column, type=pa.large_string(), from_pandas=True)
    except (pa.ArrowException, UnicodeError):  # text that is not valid Unicode
        _add_objects(digest, column)
        return
    if isinstance(texts, pa.ChunkedArray):
        texts = pa.concat_arrays(texts.chunks) if texts.num_chunks else pa.array([], pa.large_string())
    _add(digest, np.asarray(pc.fill_null(pc.binary_length(texts), -1)).astype("<i8", copy=False))
    _add(digest, _text_bytes(texts.drop_null()))


def _text_bytes(texts: pa.Array) -> memoryview:
    """Return the bytes of texts that lie end to end in Arrow's buffer."""
    _, offsets, data = texts.buffers()
    if not len(texts) or data is None:
        return memoryview(b"")
    ends = np.frombuffer(offsets, dtype="<i8")[[texts.offset, texts.offset + len(texts)]]
    return memoryview(data)[ends[0] : ends[1]]


def _add_objects(digest: Any, column: pd.Series) -> None:
    nested = is_nested(column)
    for value in column:
        is_missing = value is None or (not nested and pd.isna(value))
        _add_text(digest, "missing" if is_missing else f"{type(value).__name__}:{value!r}")


def _add_text(digest: Any, text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    digest.update(len(data).to_bytes(8, "little"))
    digest.update(data)


def _add(digest: Any, values: npt.NDArray[Any] | memoryview) -> None:
    digest.update(np.ascontiguousarray(values).data if isinstance(values, np.ndarray) else values)
