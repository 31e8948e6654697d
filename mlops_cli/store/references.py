"""``reference.parquet``: what is kept of the data that a model was trained on; a row for each column.

To change the format: add a column or a key, and read old files without it as they were meant.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlops_cli.records import (
    SCHEMA_VERSION,
    ColumnReference,
    ComparedBy,
    Kind,
    PredictedSample,
    Reference,
    Steps,
    Words,
)
from mlops_cli.store.files import check_schema, damaged, read_bytes, sha256, write_file

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

_META = b"mlops"
_FEATURE, _TARGET, _OUTPUT, _SAMPLE = "feature", "target", "output", "sample"
_ENDS = ("mean", "std", "low", "high")
_STEPS = ("knots", "equal", "between", "sums")
_PARTS = ("truth", "prediction", "proba", "weights", "groups")


def write_reference(path: Path, reference: Reference) -> str:
    """Write a reference, whole or not at all, and return its sha256.

    Raises
    ------
    StoreError
        The disk refuses.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [_row(_FEATURE, column) for column in reference.columns]
    rows += [_row(_TARGET, reference.target)] if reference.target is not None else []
    rows += [_row(_OUTPUT, column) for column in reference.predictions]
    sample = reference.sample
    rows += [] if sample is None else [_part(name, sample) for name in _PARTS if getattr(sample, name) is not None]
    about = {
        "schema_version": SCHEMA_VERSION,
        "rows": reference.rows,
        "sampled_of": 0 if sample is None else sample.of,
        "said": dict(reference.said),
    }
    schema = _schema().with_metadata({_META: json.dumps(about).encode()})
    buffer = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), buffer, compression="zstd")
    data = buffer.getvalue().to_pybytes()
    write_file(path, data)
    return sha256(data)


def read_reference(path: Path, expected: str | None = None) -> Reference:
    """Read what `write_reference` wrote.

    Parameters
    ----------
    path : Path
        The file.
    expected : str, optional
        Its sha256, as it was recorded.

    Raises
    ------
    StoreError
        It is missing, damaged, another than was recorded, or written by a newer version of this tool.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = read_bytes(path)
    if expected is not None and sha256(data) != expected:
        raise damaged(path, "its sha256 is not the one that was recorded")
    try:
        table = pq.read_table(pa.BufferReader(data))
        about = json.loads((table.schema.metadata or {})[_META])
        check_schema(about, path)
        return _reference(table.to_pylist(), about)
    except (pa.ArrowException, KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(path, f"not what is kept of training data: {error!r}") from error


def _schema() -> Any:
    import pyarrow as pa

    numbers = pa.list_(pa.float64())
    words = {name: pa.string() for name in ("role", "name", "kind", "dtype", "by")}
    counts = {name: pa.int64() for name in ("rows", "missing", "width")}
    return pa.schema(
        [
            *words.items(),
            *counts.items(),
            *((name, pa.float64()) for name in _ENDS),
            *((name, numbers) for name in (*_STEPS, "values", "counts")),
            ("words", pa.list_(pa.string())),
        ]
    )


def _row(role: str, column: ColumnReference) -> dict[str, Any]:
    made: dict[str, Any] = {
        "role": role,
        "name": _plain(column.name),
        "kind": str(column.kind),
        "dtype": column.dtype,
        "by": str(column.by),
        "rows": column.rows,
        "missing": column.missing,
    }
    if column.steps is not None:
        made |= {name: getattr(column.steps, name) for name in (*_STEPS, *_ENDS)}
    if column.words is not None:
        words = column.words
        made |= {"words": [_plain(word) for word in words.counts], "counts": [float(n) for n in words.counts.values()]}
    return made


def _plain(text: str) -> str:
    """Return text that UTF-8 can hold."""
    return text.encode("utf-8", "backslashreplace").decode()


def _part(name: str, sample: PredictedSample) -> dict[str, Any]:
    values = getattr(sample, name)
    width = values.shape[1] if values.ndim == 2 else 1
    return {"role": _SAMPLE, "name": name, "width": width, "values": values.ravel()}


def _reference(rows: list[dict[str, Any]], about: dict[str, Any]) -> Reference:
    def of(role: str) -> tuple[ColumnReference, ...]:
        return tuple(_column(row) for row in rows if row["role"] == role)

    parts = {row["name"]: _array(row["values"]) for row in rows if row["role"] == _SAMPLE}
    widths = {row["name"]: row["width"] for row in rows if row["role"] == _SAMPLE}
    if "proba" in parts:
        parts["proba"] = parts["proba"].reshape(-1, widths["proba"])
    sample = PredictedSample(**parts, of=int(about["sampled_of"])) if parts else None
    target = next(iter(of(_TARGET)), None)
    return Reference(int(about["rows"]), of(_FEATURE), target, of(_OUTPUT), sample, about.get("said") or {})


def _column(row: dict[str, Any]) -> ColumnReference:
    steps = words = None
    if row["knots"] is not None:
        ends = {name: float("nan") if row[name] is None else row[name] for name in _ENDS}
        knots, equal, between, sums = (_array(row[name]) for name in _STEPS)
        steps = Steps(knots, equal, between, sums, **ends)
    if row["words"] is not None:
        counts = {word: int(count) for word, count in zip(row["words"], row["counts"], strict=True)}
        words = Words(counts)
    by = ComparedBy(row["by"])
    return ColumnReference(row["name"], Kind(row["kind"]), row["dtype"], by, row["rows"], row["missing"], steps, words)


def _array(values: list[float]) -> np.ndarray[Any, Any]:
    import numpy as np

    return np.asarray(values, dtype="float64")
