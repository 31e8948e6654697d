"""The tables of a run for people and programs: ``trials.csv`` and the parquet files of predictions.

Knows the journal; does not know what the columns mean.
"""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_cli.store.files import damaged, read_bytes, replacing, write_file
from mlops_cli.store.journal import parse_line, whole_lines
from mlops_cli.store.values import encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

    import numpy as np
    import pandas as pd

    from mlops_cli.records import TrialResult

# What a spreadsheet takes for the beginning of a formula, the full-width forms too (OWASP, "CSV Injection").
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


# --- trials.csv --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Header:
    """The columns that the trials of a journal need together, and where the last line of each trial is."""

    params: tuple[str, ...]
    splits: Mapping[str, int]  # metric → the most splits that any trial has
    offsets: Mapping[int, int]  # trial → place in the journal

    def names(self) -> list[str]:
        """Return the column names in order."""
        names = ["trial", "state", *(f"params.{key}" for key in self.params)]
        for metric, splits in self.splits.items():
            names += [f"metrics.{metric}.mean", f"metrics.{metric}.std"]
            names += [f"metrics.{metric}.split{number}" for number in range(splits)]
        return [*names, "fit_s", "score_s", "error"]


def write_trials_csv(path: Path, journal: Path) -> None:
    """Write the journal as a flat table: one row per trial by number, the last try of each.

    The journal is read twice and never held whole, since it may have 100,000 lines. Text that a spreadsheet would
    take for a formula is preceded by ``'``.
    """
    header = _scan(journal)
    with replacing(path) as target:
        text = io.TextIOWrapper(target, encoding="utf-8", errors="backslashreplace", newline="")
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow([_cell(name) for name in header.names()])
        for result in _in_order(journal, header):
            rows.writerow(_row(result, header))
        text.flush()
        text.detach()


def _scan(journal: Path) -> _Header:
    params: dict[str, None] = {}
    splits: dict[str, int] = {}
    offsets: dict[int, int] = {}
    for count, offset, line in whole_lines(journal):
        result = parse_line(line, journal, count)
        params.update(dict.fromkeys(result.params))
        for metric, scores in result.scores.items():
            splits[metric] = max(splits.get(metric, 0), len(scores))
        offsets[result.trial] = offset
    return _Header(tuple(params), splits, offsets)


def _in_order(journal: Path, header: _Header) -> Iterator[TrialResult]:
    if not header.offsets:
        return
    with journal.open("rb") as file:
        for number in sorted(header.offsets):
            yield _result_at(file, header.offsets[number], journal)


def _result_at(file: BinaryIO, offset: int, journal: Path) -> TrialResult:
    file.seek(offset)
    return parse_line(file.readline(), journal, 0)


def _row(result: TrialResult, header: _Header) -> list[Any]:
    cells: list[Any] = [result.trial, str(result.state)]
    cells += [_cell(result.params[key]) if key in result.params else "" for key in header.params]
    for metric, splits in header.splits.items():
        scores = result.scores.get(metric, ())
        cells += [_number(result.mean(metric)), _number(_std(scores)), *map(_number, scores)]
        cells += [""] * (splits - len(scores))
    error = result.error.text if result.error else ""
    return [*cells, _number(result.fit_s), _number(result.score_s), _cell(error)]


def _std(scores: tuple[float, ...]) -> float:
    if len(scores) < 2:
        return math.nan
    mean = math.fsum(scores) / len(scores)
    return math.sqrt(math.fsum((score - mean) ** 2 for score in scores) / (len(scores) - 1))


def _number(value: float) -> str:
    return repr(float(value)) if math.isfinite(value) else ""


def _cell(value: Any) -> str:
    """Return a parameter as YAML would say it, and text so that no spreadsheet computes it."""
    if isinstance(value, str):
        text = value.replace("\r\n", "\n").replace("\r", "\n")  # csv does not quote a lone carriage return
        return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return json.dumps(encode(value), ensure_ascii=False)


# --- any rows ----------------------------------------------------------------------------------------------------


def csv_text(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Return rows as CSV with a header; what a row lacks, and null, is empty.

    Parameters
    ----------
    rows : sequence of mappings
        Column → value.
    columns : sequence of str
        The columns, in order.
    """
    text = io.StringIO()
    written = csv.writer(text, lineterminator="\n")
    written.writerow([_cell(name) for name in columns])
    for row in rows:
        written.writerow(["" if (value := row.get(name)) is None else _cell(value) for name in columns])
    return text.getvalue()


# --- predictions -------------------------------------------------------------------------------------------------


def write_predictions(path: Path, columns: Mapping[str, Sequence[Any] | np.ndarray[Any, Any] | pd.Series[Any]]) -> None:
    """Write columns of equal length as one parquet file, whole or not at all.

    Parameters
    ----------
    path : Path
        The file.
    columns : Mapping[str, sequence, np.ndarray or pd.Series]
        Name → values. Values of mixed type, such as ids that are numbers and text, are written as text.

    Raises
    ------
    StoreError
        The disk refuses.
    ValueError
        The columns differ in length.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns of different lengths: {lengths}")
    table = pa.table({name: _arrow(values) for name, values in columns.items()})
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer)
    write_file(path, buffer.getvalue().to_pybytes())


def _arrow(values: Any) -> Any:
    import pyarrow as pa

    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowException, TypeError):
        return pa.array([None if _is_missing(value) else str(value) for value in values], type=pa.string())


def _is_missing(value: Any) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def read_predictions(path: Path) -> pd.DataFrame:
    """Read a parquet file of predictions.

    Raises
    ------
    StoreError
        It is missing or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = read_bytes(path)
    try:
        frame: pd.DataFrame = pq.read_table(pa.BufferReader(data)).to_pandas()
    except pa.ArrowException as error:
        raise damaged(path, str(error)) from error
    return frame
