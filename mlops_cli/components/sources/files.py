"""Typed files: parquet, JSON, JSON lines and Excel, each read by pandas with its errors made into one line."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from mlops_cli.components.numerals import check_marks, way_of
from mlops_cli.components.sources import inspection, opening
from mlops_cli.components.sources.batches import parquet_pieces
from mlops_cli.components.sources.from_files import FileSource, with_rows
from mlops_cli.components.sources.layout import check_names
from mlops_cli.components.sources.options import (
    as_written,
    checked_options,
    first_line,
    options_of,
    refused_option,
    with_texts,
)
from mlops_cli.components.tables import with_plain_labels
from mlops_cli.components.wanted import portion_of
from mlops_cli.errors import ConfigError, DataError, MissingExtraError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping

    from mlops_cli.contracts import Portion, Wanted
    from mlops_cli.records import Notice


_HEAD, _PIECE = 2**16, 2**24
"""Bytes of a file of JSON lines: those by which the length of a line is known, and those of a piece."""


@dataclass(frozen=True)
class ParquetSource(FileSource):
    """A parquet file, several, or a folder of them.

    A folder with parts in folders named ``column=value`` gives those columns too.

    Parameters
    ----------
    path : str, Path or list of these
        As `FileSource`.
    read : mapping, optional
        Options handed to `pandas.read_parquet`: ``columns``, ``filters`` …
    """

    read: Mapping[str, Any] | None = field(default_factory=dict)

    SUFFIXES: ClassVar[tuple[str, ...]] = (".parquet", ".pq")

    def __post_init__(self) -> None:
        checked_options(pd.read_parquet, self.read)

    def load(self) -> pd.DataFrame:
        """Return the table.

        Raises
        ------
        DataError
            It is no parquet file, is cut off, or has no rows; or parts do not agree.
        """
        return self._load_file() if self._is_partitioned else super().load()

    def load_less(self, wanted: Wanted) -> Portion:
        """Return the wanted rows and columns; a folder in which folders are named for a column is read whole."""
        return portion_of(self.load(), wanted) if self._is_partitioned else super().load_less(wanted)

    def pieces(self, wanted: Wanted) -> Generator[pd.DataFrame]:
        """Yield the wanted columns of all rows; a folder in which folders are named for a column comes in one piece."""
        yield from [self.load_less(wanted).table] if self._is_partitioned else super().pieces(wanted)

    @property
    def _is_partitioned(self) -> bool:
        """Whether parts lie in folders named ``column=value``, which are columns too."""
        is_one = isinstance(self.path, str | Path) and self.source_column is None
        path = Path(str(self.path))
        return is_one and path.is_dir() and any(p.is_dir() for p in path.glob("*=*"))

    def _pieces(self, wanted: Wanted) -> Iterator[pd.DataFrame]:
        path = Path(str(self.path))
        opening.check_file(path)
        _check_parquet_size(path)
        pieces = None if self.read else parquet_pieces(path, wanted)
        return super()._pieces(wanted) if pieces is None else pieces

    def _load_file(self) -> pd.DataFrame:
        path = Path(str(self.path))
        opening.check_file(path, directory_ok=True)
        _check_parquet_size(path)
        try:
            table = pd.read_parquet(path, **(self.read or {}))
        except (OSError, ValueError, TypeError, KeyError) as error:  # pyarrow's errors are ValueErrors
            raise DataError(
                f"{path}: cannot be read as parquet: {first_line(error)}", hint="is it a whole parquet file?"
            ) from error
        return with_rows(path, table)

    def inspect(self, table: pd.DataFrame) -> list[Notice]:
        """Return what text columns show of being numbers or dates."""
        return inspection.of_texts(table)


@dataclass(frozen=True)
class JsonSource(FileSource):
    """A JSON file: a list of records, or what ``read.orient`` says. Values keep the types that they are written in.

    Parameters
    ----------
    path : str, Path or list of these
        As `FileSource`; compressed by its extension.
    read : mapping, optional
        Options handed to `pandas.read_json`: ``orient``, ``encoding`` …
    """

    read: Mapping[str, Any] | None = field(default_factory=dict)

    SUFFIXES: ClassVar[tuple[str, ...]] = (".json",)

    def __post_init__(self) -> None:
        checked_options(pd.read_json, self.read)

    def _load_file(self) -> pd.DataFrame:
        path = Path(str(self.path))
        options = {**_json_defaults(), **(self.read or {})}
        opening.check_file(path)
        compression = opening.compression_of(path, options.pop("compression", "infer"))
        _check_json_head(path, compression)
        try:
            with opening.open_binary(path, compression) as file:
                table = pd.read_json(file, **options)
        except UnicodeError:
            raise opening.bad_encoding(path, compression, options.get("encoding") or "utf-8") from None
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise _bad_json(path, compression, options, error) from error
        if not all(isinstance(name, str) for name in table.columns):
            raise DataError(f"{path}: is JSON but not a table", hint='expected [{"column": value, …}, …]')
        return with_rows(path, table)


@dataclass(frozen=True)
class JsonLinesSource(JsonSource):
    """A file with one JSON object per line.

    Parameters
    ----------
    path : str, Path or list of these
        As `FileSource`; compressed by its extension.
    read : mapping, optional
        Options handed to `pandas.read_json` beside ``lines: true``.
    """

    SUFFIXES: ClassVar[tuple[str, ...]] = (".jsonl", ".ndjson")

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "read", {"lines": True, **(self.read or {})})

    def _pieces(self, wanted: Wanted) -> Iterator[pd.DataFrame]:
        path, options = Path(str(self.path)), {**_json_defaults(), **(self.read or {})}
        compression = opening.compression_of(path, options.pop("compression", "infer"))
        if (
            not wanted.is_passing
            or not options["lines"]
            or "nrows" in options
            or not opening.is_opened_here(compression)
        ):
            yield from super()._pieces(wanted)
            return
        opening.check_file(path)
        _check_json_head(path, compression)
        yield from _pieces_of_lines(path, compression, options, wanted)


@dataclass(frozen=True)
class ExcelSource(FileSource):
    """A sheet of an Excel file.

    Parameters
    ----------
    path : str, Path or list of these
        As `FileSource`.
    read : mapping, optional
        Options handed to `pandas.read_excel`: ``sheet_name``, ``skiprows``, ``header`` …
    as_text : tuple of str, optional
        Columns whose values are kept as text.
    """

    read: Mapping[str, Any] | None = field(default_factory=dict)
    as_text: tuple[str, ...] = ()

    SUFFIXES: ClassVar[tuple[str, ...]] = (".xlsx", ".xls", ".xlsm")

    def __post_init__(self) -> None:
        options = checked_options(pd.read_excel, self.read)
        if "sheet_name" in options and not isinstance(options["sheet_name"], (str, int)):
            raise ConfigError("must be the name or number of one sheet", key="data.read.sheet_name")

    def reading_as_text(self, names: Iterable[str]) -> ExcelSource:
        """Return the same source that reads these columns as text."""
        return replace(self, as_text=(*self.as_text, *names))

    def _load_file(self) -> pd.DataFrame:
        path = Path(str(self.path))
        opening.check_file(path)
        _check_excel(path)
        options = with_texts(self.read or {}, self.as_text)
        table = self._sheet(path, options)
        if way := way_of(options):
            check_marks(path, self._sheet(path, as_written(options, object)), table, way)
        if "names" not in options and options.get("header", 0) == 0:
            table = self._checked_names(path, table, options)
        return with_rows(path, table.rename(columns=lambda n: n.strip() if isinstance(n, str) else n))

    def _inspect_file(self, table: pd.DataFrame) -> list[Notice]:
        """Return what text columns show of being numbers or dates."""
        return inspection.of_texts(table, inspection.Reading(options_of(pd.read_excel), self.read or {}))

    def _sheet(self, path: Path, options: Mapping[str, Any]) -> pd.DataFrame:
        try:
            with pd.ExcelFile(path) as book:
                wanted = options.get("sheet_name", 0)
                if isinstance(wanted, str) and wanted not in book.sheet_names:
                    names = [str(n) for n in book.sheet_names]
                    raise ConfigError(
                        f"{path} has no sheet '{wanted}'", key="data.read.sheet_name", hint=did_you_mean(wanted, names)
                    )
                table: pd.DataFrame = pd.read_excel(book, **options)
                return table
        except ImportError:
            raise MissingExtraError("openpyxl", "excel", "reading Excel files") from None
        except (zipfile.BadZipFile, KeyError, OSError) as error:
            raise DataError(f"{path}: cannot be read as an Excel file: {first_line(error)}") from error
        except (ValueError, TypeError) as error:
            raise refused_option(error, "read_excel") from error

    def _checked_names(self, path: Path, table: pd.DataFrame, options: Mapping[str, Any]) -> pd.DataFrame:
        """Return the table without its empty nameless columns; pandas renames repeated and blank names."""
        if "usecols" in options or "index_col" in options:
            return table
        first = {k: v for k, v in options.items() if k in {"sheet_name", "skiprows"}}
        raw = self._sheet(path, {**first, "header": None, "nrows": 1, "dtype": str})
        cells: list[Any] = list(raw.iloc[0].fillna("")) if len(raw) else []
        header = tuple(str(c) for c in cells)[: table.shape[1]]
        is_empty = {i for i in range(table.shape[1]) if table.iloc[:, i].isna().all()}
        check_names(path, header, frozenset(is_empty))
        kept = [i for i in range(table.shape[1]) if i not in is_empty or (i < len(header) and header[i].strip())]
        return table.iloc[:, kept]


def _check_parquet_size(path: Path) -> None:
    """Refuse a file whose runs of equal values would fill the memory."""
    if path.is_dir():
        if not any(path.rglob("*.parquet")):
            raise DataError(f"{path}: the folder holds no .parquet files", hint="data.path: a parquet file")
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        with path.open("rb") as file:
            head = file.read(64)
        if not head.startswith(b"PAR1"):
            opening.check_head(path, head, None)
        raise DataError(
            f"{path}: is not a whole parquet file: {first_line(error)}", hint="write or download it again"
        ) from error
    values = metadata.num_rows * metadata.num_columns
    if 8 * values > max(opening.MAX_EXPANDED, opening.MAX_RATIO * path.stat().st_size):
        raise DataError(
            f"{path}: holds {values:,} values in {path.stat().st_size:,} bytes: refused as a decompression bomb",
            hint="write it without the columns that hold one value",
        )


def _json_defaults() -> dict[str, Any]:
    """Return the options that leave values as they are written; pandas 2 needs one more."""
    options: dict[str, Any] = {"dtype": False, "precise_float": True}
    return options if int(pd.__version__.split(".", 1)[0]) >= 3 else {**options, "convert_dates": False}


def _pieces_of_lines(
    path: Path, compression: str | None, options: Mapping[str, Any], wanted: Wanted
) -> Iterator[pd.DataFrame]:
    """Yield the wanted columns of a file of JSON lines; those of its first piece, for nobody knows of more by then."""
    chosen: list[str] | None = None
    with opening.open_binary(path, compression) as file:
        lines = file.read(_HEAD).splitlines() or [b""]
    rows = max(1, _PIECE * len(lines) // sum(len(line) + 1 for line in lines))
    try:
        with opening.open_binary(path, compression) as file, pd.read_json(file, chunksize=rows, **options) as pieces:
            for piece in pieces:
                plain = with_plain_labels(piece)
                chosen = wanted.names(list(plain.columns)) if chosen is None else chosen
                yield plain.reindex(columns=chosen)
    except UnicodeError:
        raise opening.bad_encoding(path, compression, options.get("encoding") or "utf-8") from None
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise _bad_json(path, compression, options, error) from error


def _check_json_head(path: Path, compression: str | None) -> None:
    with opening.open_binary(path, compression) as file:
        head = file.read(4096)
    opening.check_head(path, head, None)
    if not head.strip():
        raise DataError(f"{path}: the file is blank", hint="write or download it again")


def _bad_json(path: Path, compression: str | None, options: Mapping[str, Any], error: Exception) -> DataError:
    """Say where the JSON breaks, which pandas does not; or that it is no table."""
    with opening.open_binary(path, compression) as file:
        text = file.read().decode(options.get("encoding") or "utf-8", errors="replace")
    if options.get("lines"):
        return _bad_line(path, text, error)
    try:
        json.loads(text)
    except json.JSONDecodeError as found:
        if found.msg == "Extra data" and text[found.pos :].lstrip().startswith(("{", "[")):
            return DataError(f"{path}: has one JSON value per line", hint="`data: jsonl`")
        where = f"line {found.lineno} column {found.colno}"
        return DataError(f"{path}: is not valid JSON: {found.msg} at {where}", hint="is the file cut off?")
    except RecursionError:
        return DataError(f"{path}: is nested too deeply for a table", hint='expected [{"column": value, …}, …]')
    return DataError(
        f"{path}: is JSON but not a table ({first_line(error)})",
        hint='expected [{"column": value, …}, …], or say its form: `data.read.orient`',
    )


def _bad_line(path: Path, text: str, error: Exception) -> DataError:
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            is_object = not line.strip() or isinstance(json.loads(line), dict)
        except (json.JSONDecodeError, RecursionError):
            return DataError(
                f"{path}: line {number} is not valid JSON", hint="one JSON object per line; else `data: json`"
            )
        if not is_object:
            return DataError(f"{path}: line {number} is not a JSON object", hint='expected {"column": value, …}')
    return DataError(f"{path}: cannot be read as JSON lines: {first_line(error)}")


def _check_excel(path: Path) -> None:
    """Refuse what is no workbook, and one that expands absurdly."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile:
        if path.suffix.lower() == ".xlsx":
            raise DataError(f"{path}: is not an Excel file", hint="is it CSV under another name? `data: csv`") from None
        return  # an old .xls, which pandas hands to another reader
    if size > opening.MAX_EXPANDED and size > opening.MAX_RATIO * path.stat().st_size:
        raise DataError(f"{path}: expands to {size // 2**20} MiB: refused as a decompression bomb")
