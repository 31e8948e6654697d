"""Delimited text: CSV and its relatives, plain or compressed.

pandas' C engine parses; this file makes its silences and its tracebacks into one line that names the mend.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from mlops_cli.components.sources import inspection, opening
from mlops_cli.components.sources.from_files import FileSource
from mlops_cli.components.sources.layout import (
    Layout,
    check_layout,
    check_names,
    layout_of,
    plain_lines,
    split_lines,
)
from mlops_cli.components.sources.options import checked_options, first_line, refused_option
from mlops_cli.errors import ConfigError, DataError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlops_cli.records import Notice

_HEAD = 2**16
_RAGGED = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")
_PARSED_ONLY = ("dtype", "na_values", "parse_dates", "date_format", "converters", "thousands", "decimal", "nrows")
"""Options that a sample of the raw texts must not take."""
_SAMPLE_ROWS, _SAMPLE_CELLS = 10_000, 500_000


@dataclass(frozen=True)
class CsvSource(FileSource):
    r"""A delimited text file, compressed or not (by its extension: gz, bz2, zip, xz, zst).

    Parameters
    ----------
    path : str, Path or list of these
        As `FileSource`.
    read : mapping, optional
        Options handed to `pandas.read_csv`: ``sep``, ``header``, ``names``, ``na_values``, ``decimal``, ``encoding`` …
    short_rows : {"error", "fill"}
        What to do with rows that have fewer fields than the header: refuse them, or fill them with missing values.
    as_text : tuple of str, optional
        Columns whose values are kept as they are written, so that ``007`` stays ``007``.
    """

    read: Mapping[str, Any] | None = field(default_factory=dict)
    short_rows: str = "error"
    as_text: tuple[str, ...] = ()

    SUFFIXES: ClassVar[tuple[str, ...]] = (".csv", ".tsv", ".txt")

    def __post_init__(self) -> None:
        options = checked_options(pd.read_csv, self.read)
        _check_encoding(options.get("encoding"))
        if self.short_rows not in {"error", "fill"}:
            raise ConfigError(f"must be 'error' or 'fill'. Got {self.short_rows!r} instead.", key="data.short_rows")

    def reading_as_text(self, names: Iterable[str]) -> CsvSource:
        """Return the same source that keeps these columns as they are written."""
        return replace(self, as_text=(*self.as_text, *names))

    def _load_file(self) -> pd.DataFrame:
        """Return the table of one file, its layout checked."""
        path = self._place
        opening.check_file(path)
        layout = self._layout()
        if layout is not None:
            check_layout(path, layout)
        table = self._parsed(_as_text_options(self._options, layout, self.as_text))
        _check_index(path, table, self._options, layout)
        table = self._named(table, layout)
        if table.empty:
            raise DataError(f"{path}: has a header and no rows", hint="write or download it again")
        if layout is not None and self.short_rows == "error":
            self._check_short_rows(table, layout)
        return table

    def _inspect_file(self, table: pd.DataFrame) -> list[Notice]:
        """Return what the raw text of the first rows shows and the parsed table hides."""
        layout = self._layout()
        header = layout.header if layout is not None and layout.names is None else None
        padded = inspection.padded_names(header or ())
        raw = self._sample(len(table.columns))
        return [*padded, *inspection.of_raw_texts(raw, table), *inspection.of_texts(table)]

    @property
    def _place(self) -> Path:
        return Path(str(self.path))

    @property
    def _options(self) -> dict[str, Any]:
        options = dict(self.read or {})
        separator = options.get("sep", options.get("delimiter", ","))
        if separator is None or (isinstance(separator, str) and len(separator) > 1 and separator != r"\s+"):
            options.setdefault("engine", "python")
        if options.get("engine", "c") == "c":
            options.setdefault("low_memory", False)  # else types are inferred chunk by chunk and mix in one column
        return options

    def _layout(self) -> Layout | None:
        path, options = self._place, self._options
        compression = opening.compression_of(path, options.get("compression", "infer"))
        if not opening.is_opened_here(compression):
            return None
        with opening.open_binary(path, compression) as file:
            head = file.read(_HEAD)
        encoding = options.get("encoding") or ("utf-8" if head[:2] not in {b"\xff\xfe", b"\xfe\xff"} else "utf-16")
        opening.check_head(path, head, encoding)
        text = head.decode(encoding, errors="replace").removeprefix("\ufeff")
        if len(head) == _HEAD:
            text = text[: text.rfind("\n") + 1]
        return layout_of(text, options)

    def _parsed(self, options: Mapping[str, Any]) -> pd.DataFrame:
        path = self._place
        try:
            return _read(path, options)
        except UnicodeError:
            compression = opening.compression_of(path, options.get("compression", "infer"))
            raise opening.bad_encoding(path, compression, options.get("encoding") or "utf-8") from None
        except pd.errors.EmptyDataError:
            raise DataError(f"{path}: has no columns (the file is blank)", hint="write it again") from None
        except pd.errors.ParserError as error:
            raise _ragged(path, error) from error
        except (LookupError, TypeError, ValueError) as error:
            if self.read:
                raise refused_option(error, "read_csv") from error
            raise DataError(f"{path}: cannot be read: {first_line(error)}") from error

    def _named(self, table: pd.DataFrame, layout: Layout | None) -> pd.DataFrame:
        """Return the table with its names stripped and empty nameless columns left out, or refuse its names."""
        if "usecols" not in self._options and layout is not None and layout.header and layout.names is None:
            columns = _column_places(layout.header, self._options.get("index_col"))
            begins_empty = table.head(1).isna().to_numpy().all(axis=0)  # only those may be empty all through
            gaps: list[int] = np.flatnonzero(begins_empty).tolist()
            is_empty = {columns[i] for i in gaps if i < len(columns) and table.iloc[:, i].isna().all()}
            unchecked = set(range(len(layout.header))) - set(columns) | is_empty
            check_names(self._place, layout.header, frozenset(unchecked))
            kept = [i for i, p in enumerate(columns) if p not in is_empty or layout.header[p].strip()]
            table = table.iloc[:, kept] if len(kept) < table.shape[1] else table
        return table.rename(columns=lambda name: name.strip() if isinstance(name, str) else name)

    def _check_short_rows(self, table: pd.DataFrame, layout: Layout) -> None:
        """Refuse rows with too few fields; only missing values in the last column can come from them."""
        if "usecols" in self._options or table.columns.empty or not table.iloc[:, -1].isna().any():
            return
        width = len(layout.header or layout.names or layout.rows[0])
        short = list(self._short_lines(layout.separator, width))
        if short:
            line, found = short[0]
            more = f", and {len(short) - 1} more lines likewise" if len(short) > 1 else ""
            raise DataError(
                f"{self.path}: line {line} has {found} fields where the header has {width}{more}",
                hint="complete the lines; or if their last values are missing: `data.short_rows: fill`",
            )

    def _short_lines(self, separator: str, width: int) -> Iterator[tuple[int, int]]:
        options = self._options
        path = self._place
        compression = opening.compression_of(path, options.get("compression", "infer"))
        with opening.open_binary(path, compression) as file:
            encoding = options.get("encoding") or "utf-8"
            lines = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")
            rows = split_lines(plain_lines(lines, options), separator, options)
            skipped = options.get("skiprows") or 0
            last = None if options.get("nrows") is None else options["nrows"] + skipped + 1
            ends = [(_line_number(rows, i) + skipped, len(row), "".join(row).strip()) for i, row in _rows(rows, last)]
        ends = ends[: len(ends) - (options.get("skipfooter") or 0)]
        yield from ((line, found) for line, found, text in ends if found < width and text)

    def _sample(self, columns: int) -> pd.DataFrame:
        """Return the first rows with every value as it is written."""
        options = {k: v for k, v in self._options.items() if k not in _PARSED_ONLY}
        asked = self._options.get("nrows")
        rows = max(100, min(_SAMPLE_ROWS, _SAMPLE_CELLS // max(columns, 1)))
        options |= {"dtype": str, "na_filter": False, "nrows": rows if asked is None else min(rows, asked)}
        if options.get("skipfooter"):
            del options["nrows"]  # pandas takes only one of the two
        raw = _read(self._place, options)
        return raw.rename(columns=lambda name: str(name).strip())


def _check_encoding(encoding: Any) -> None:
    try:
        codecs.lookup(encoding or "utf-8")
    except (LookupError, TypeError):
        known = ("utf-8", "utf-16", "latin-1", "cp1252", "cp1250", "shift_jis", "gb18030")
        hint = did_you_mean(str(encoding), known)
        raise ConfigError(f"unknown encoding {encoding!r}", key="data.read.encoding", hint=hint) from None


def _read(path: Path, options: Mapping[str, Any]) -> pd.DataFrame:
    compression = opening.compression_of(path, options.get("compression", "infer"))
    with warnings.catch_warnings():  # of lines that index_col: false cuts short, as was asked for
        warnings.simplefilter("ignore", pd.errors.ParserWarning)
        if compression is None or not opening.is_opened_here(compression):
            table: pd.DataFrame = pd.read_csv(path, **options)
            return table
        with opening.open_binary(path, compression) as file:
            return _read_from(file, options)


def _read_from(file: IO[bytes], options: Mapping[str, Any]) -> pd.DataFrame:
    table: pd.DataFrame = pd.read_csv(file, **{**options, "compression": None})
    return table


def _rows(rows: Iterator[list[str]], last: int | None) -> Iterator[tuple[int, list[str]]]:
    try:
        for number, row in enumerate(rows, start=1):
            if last is not None and number > last:
                return
            yield number, row
    except csv.Error:  # a field beyond the csv module's limit; pandas has read it
        return


def _line_number(rows: Any, number: int) -> int:
    """Return the line of the file where a row ends; a quoted value may span several."""
    return int(getattr(rows, "line_num", number))


def _as_text_options(options: dict[str, Any], layout: Layout | None, as_text: tuple[str, ...]) -> dict[str, Any]:
    """Return the options with ``dtype: str`` for these columns, under the names that the file writes."""
    given = options.get("dtype") or {}
    if not as_text or not isinstance(given, Mapping):
        return options
    written = {n.strip(): n for n in (layout.header or ()) if layout is not None} if layout is not None else {}
    names = {written.get(name, name): str for name in as_text}
    return {**options, "dtype": {**names, **given}}


def _column_places(header: tuple[str, ...], index_col: Any) -> list[int]:
    """Return the places in the header that become columns, not the index."""
    asked = index_col if isinstance(index_col, list) else [index_col]
    index = {i for i in asked if isinstance(i, int) and not isinstance(i, bool)}
    index |= {header.index(n) for n in asked if isinstance(n, str) and n in header}
    return [i for i in range(len(header)) if i not in index]


def _check_index(path: Path, table: pd.DataFrame, options: Mapping[str, Any], layout: Layout | None) -> None:
    """Refuse rows longer than the header, whose first fields pandas takes for an index without a word."""
    if "index_col" in options:
        return
    named, found = table.shape[1], table.shape[1]
    if layout is not None and layout.body and (layout.header or layout.names):
        named, found = len(layout.header or layout.names or ()), len(layout.body[0])
    elif not table.index.equals(pd.RangeIndex(len(table))):
        found += table.index.nlevels
    if found > named:
        raise DataError(
            f"{path}: rows have {found} fields where {named} columns are named",
            hint=_mend_of_names(layout),
        )


def _mend_of_names(layout: Layout | None) -> str:
    first = (layout.header or ("",))[0] if layout is not None else ""
    if first.lstrip().startswith(("#", "%")):
        return f"if the first lines are comments: `data.read.comment: '{first.lstrip()[0]}'`"
    return "name every column; or if each line merely ends in the separator: `data.read.index_col: false`"


def _ragged(path: Path, error: pd.errors.ParserError) -> DataError:
    match = _RAGGED.search(str(error))
    if match is not None:
        expected, line, found = match.groups()
        return DataError(
            f"{path}: line {line} has {found} fields where {expected} were expected",
            hint="quote the values that hold the separator, or check `data.read.sep`; "
            "`data.read.on_bad_lines: skip` leaves such lines out",
        )
    if "EOF inside string" in str(error):
        row = re.search(r"row (\d+)", str(error))
        where = f"in row {row[1]} " if row else ""
        return DataError(
            f"{path}: a quote opened {where}is never closed; is the file cut off?",
            hint="write the file again; or if quotes are plain characters: `data.read.quoting: 3`",
        )
    return DataError(f"{path}: cannot be parsed: {first_line(error)}", hint="check `data.read`")
