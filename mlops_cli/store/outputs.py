"""Tables written piece by piece, in any form that data sources read; a file appears whole or not at all.

Values are written as they are, also those that a spreadsheet would take for a formula: whoever joins the rows to others
needs them unchanged. A workbook keeps such text as text.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import math
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from mlops_cli.errors import DataError, MissingExtraError, UsageError, did_you_mean
from mlops_cli.store.csv_lines import header_line, lines_of
from mlops_cli.store.files import replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pandas as pd

    Write = Callable[[pd.DataFrame], None]
    Opened = Callable[[BinaryIO], AbstractContextManager[Write]]

MOST_SHEET_ROWS = 1_048_576
"""Rows of an Excel sheet, its header too."""

_GZIP_LEVEL = 6


@dataclass(frozen=True)
class Form:
    """In which form a table is written."""

    name: str  # csv, tsv, parquet …
    packed: str | None = None  # gz, bz2, xz, zst

    @property
    def is_text(self) -> bool:
        """Whether values are kept as text, without types."""
        return self.name in {"csv", "tsv"}


CSV, JSON = Form("csv"), Form("json")


def form_of(path: Path) -> Form:
    """Return the form that a file's name asks for.

    Raises
    ------
    UsageError
        It asks for none, or for one that is not packed so.
    """
    suffixes = [s.lower() for s in PurePath(path).suffixes]
    packed = suffixes.pop()[1:] if suffixes and suffixes[-1][1:] in _PACKERS else None
    suffix = suffixes[-1] if suffixes else ""
    if suffix not in _SUFFIXES:
        hint = did_you_mean(suffix, [*_SUFFIXES, *(f".csv.{name}" for name in _PACKERS)], limit=20)
        raise UsageError(f"'{path.name}' does not end in the name of a form that can be written", hint=hint)
    form = Form(_SUFFIXES[suffix], packed)
    if packed is not None and form.name not in _PACKABLE:
        raise UsageError(f"{suffix} files are not packed as .{packed}", hint=f"name it *{suffix}")
    return form


def check_place(path: Path, *, force: bool = False) -> None:
    """Refuse a place that is taken.

    Raises
    ------
    UsageError
        There is something that is no file, or a file and not ``force``.
    """
    try:
        found = path.stat()
    except OSError:  # nothing is there, or the disk will say so when it is written
        return
    if not stat.S_ISREG(found.st_mode):
        what = "a folder" if stat.S_ISDIR(found.st_mode) else "no file"
        raise UsageError(f"{path} is {what}", hint="-o FILE.csv, or -o - for stdout")
    if not force:
        raise UsageError(f"{path} is there already", hint="--force overwrites it")


@contextmanager
def table_file(path: Path, form: Form) -> Iterator[Write]:
    """Give a function that adds rows to a file, which takes its place when the block ends well.

    Raises
    ------
    StoreError
        The disk refuses.
    DataError
        Rows do not suit those before them, or the form.
    """
    with replacing(path) as file, _packing(file, form.packed) as stream, _FORMS[form.name](stream) as write:
        yield write


@contextmanager
def table_stream(stream: BinaryIO, form: Form = CSV) -> Iterator[Write]:
    """Give a function that adds rows to a stream, which is left open."""
    with _FORMS[form.name](stream) as write:
        yield write


# --- text --------------------------------------------------------------------------------------------------------


@contextmanager
def _csv(stream: BinaryIO, separator: str = ",") -> Iterator[Write]:
    begun = False

    def write(table: pd.DataFrame) -> None:
        nonlocal begun
        if not begun:
            stream.write(header_line(table, separator))
        begun = True
        stream.write(lines_of(table, separator))

    yield write


def _tsv(stream: BinaryIO) -> AbstractContextManager[Write]:
    return _csv(stream, "\t")


@contextmanager
def _json_lines(stream: BinaryIO) -> Iterator[Write]:
    def write(table: pd.DataFrame) -> None:
        stream.write("".join(f"{record}\n" for record in _records(table)).encode("utf-8", "surrogatepass"))

    yield write


@contextmanager
def _json(stream: BinaryIO) -> Iterator[Write]:
    begun = False

    def write(table: pd.DataFrame) -> None:
        nonlocal begun
        stream.write((",\n" if begun else "[\n").encode())
        stream.write(",\n".join(_records(table)).encode("utf-8", "surrogatepass"))
        begun = True

    yield write
    stream.write(b"\n]\n" if begun else b"[]\n")


def _records(table: pd.DataFrame) -> Iterator[str]:
    """Yield each row as a JSON object; what is missing or not finite is null."""
    names = [json.dumps(str(name), ensure_ascii=False) for name in table.columns]
    columns = [[_in_json(value) for value in column.astype(object)] for _, column in table.items()]
    for row in zip(*columns, strict=True):
        yield "{" + ", ".join(f"{name}: {value}" for name, value in zip(names, row, strict=True)) + "}"


def _in_json(value: Any) -> str:
    if value is None or value != value or (isinstance(value, float) and not math.isfinite(value)):  # noqa: PLR0124
        return "null"
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, str | bool | int | float):
        return json.dumps(plain, ensure_ascii=False, allow_nan=False)
    return "null" if _is_missing(plain) else json.dumps(_text(plain), ensure_ascii=False)


def _text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _is_missing(value: Any) -> bool:
    import pandas as pd

    return value is pd.NA or value is pd.NaT


# --- columns -----------------------------------------------------------------------------------------------------


@contextmanager
def _arrow(opened: Callable[[Any], Any]) -> Iterator[Write]:
    """Give a function that hands tables on to a writer of Arrow's, all with the types of the first."""
    import pyarrow as pa

    schema: Any = None
    writer: Any = None

    def write(table: pd.DataFrame) -> None:
        nonlocal schema, writer
        if schema is None:
            schema = _schema(table)
            writer = opened(schema)
        try:
            rows = pa.Table.from_pandas(table, schema, preserve_index=False)
        except (pa.ArrowException, TypeError) as error:
            raise DataError(
                f"a column holds values of another type than in the rows before: {str(error).splitlines()[0]}",
                hint="-o OUT.csv takes any",
            ) from error
        writer.write(rows)

    try:
        yield write
    finally:
        if writer is not None:
            writer.close()


def _schema(table: pd.DataFrame) -> Any:
    """Return a table's types for Arrow; a column without any value is text."""
    import pyarrow as pa

    try:
        found = pa.Schema.from_pandas(table, preserve_index=False).remove_metadata()
    except (pa.ArrowException, TypeError) as error:
        raise DataError(
            f"a column holds values of several types: {str(error).splitlines()[0]}", hint="-o OUT.csv takes any"
        ) from error
    wide = (pa.types.is_null, pa.types.is_large_string)
    return pa.schema([pa.field(f.name, pa.string()) if any(is_(f.type) for is_ in wide) else f for f in found])


@contextmanager
def _parquet(stream: BinaryIO) -> Iterator[Write]:
    import pyarrow.parquet as pq

    with _arrow(lambda schema: pq.ParquetWriter(stream, schema)) as write:
        yield write


@contextmanager
def _feather(stream: BinaryIO) -> Iterator[Write]:
    import pyarrow as pa

    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with _arrow(lambda schema: pa.ipc.new_file(stream, schema, options=options)) as write:
        yield write


@contextmanager
def _orc(stream: BinaryIO) -> Iterator[Write]:
    from pyarrow import orc

    with _arrow(lambda _schema: orc.ORCWriter(stream)) as write:
        yield write


# --- a workbook --------------------------------------------------------------------------------------------------


@contextmanager
def _excel(stream: BinaryIO) -> Iterator[Write]:
    try:
        from openpyxl import Workbook
    except ImportError:
        raise MissingExtraError("openpyxl", "excel", "writing Excel files") from None
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet("predictions")
    count = 0

    def write(table: pd.DataFrame) -> None:
        nonlocal count
        if count + len(table) + 1 > MOST_SHEET_ROWS:
            raise DataError(f"an Excel sheet has no more than {MOST_SHEET_ROWS:,} rows", hint="-o OUT.csv")
        if not count:
            sheet.append([_cell(sheet, str(name)) for name in table.columns])
        for row in zip(*(column.astype(object) for _, column in table.items()), strict=True):
            sheet.append([_cell(sheet, value) for value in row])
        count += len(table)

    try:
        yield write
    except BaseException:
        sheet.close()  # rows go to a file of its own as they come
        raise
    book.save(stream)


def _cell(sheet: Any, value: Any) -> Any:
    """Return a value as a cell; text is text, also where it begins as a formula does."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if value is None or value != value or _is_missing(value):  # noqa: PLR0124 - not a number
        return None
    plain = value.item() if hasattr(value, "item") else value
    if not isinstance(plain, str):
        return plain if isinstance(plain, bool | int | float) else _text(plain)
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", plain))
    cell.data_type = "s"
    return cell


# --- packing -----------------------------------------------------------------------------------------------------


@contextmanager
def _packing(file: BinaryIO, packed: str | None) -> Iterator[BinaryIO]:
    if packed is None:
        yield file
        return
    with _PACKERS[packed](file) as stream:
        yield cast("BinaryIO", stream)


def _zstd(file: BinaryIO) -> Any:
    import pyarrow as pa

    return pa.CompressedOutputStream(file, "zstd")


_PACKERS: dict[str, Callable[[BinaryIO], Any]] = {
    # without a time, so that the same rows make the same file
    "gz": lambda file: gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0),
    "bz2": lambda file: bz2.BZ2File(file, "wb"),
    "xz": lambda file: lzma.LZMAFile(file, "wb"),  # noqa: SIM115 - whoever calls it does
    "zst": _zstd,
}

_FORMS: dict[str, Opened] = {
    "csv": _csv,
    "tsv": _tsv,
    "json": _json,
    "jsonl": _json_lines,
    "parquet": _parquet,
    "feather": _feather,
    "orc": _orc,
    "excel": _excel,
}

_PACKABLE = frozenset({"csv", "tsv", "json", "jsonl"})

_SUFFIXES = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".feather": "feather",
    ".arrow": "feather",
    ".orc": "orc",
    ".xlsx": "excel",
}
