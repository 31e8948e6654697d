"""Delimited text: CSV and its relatives, plain or compressed.

pandas' C engine parses; this file makes its silences and its tracebacks into one line that names the mend.
"""

from __future__ import annotations

import codecs
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import pandas as pd

from mlops_cli.components.numerals import check_marks, way_of
from mlops_cli.components.sources import inspection, opening
from mlops_cli.components.sources.dates import date_columns, with_dates
from mlops_cli.components.sources.from_files import FileSource
from mlops_cli.components.sources.gleaning import gleaned
from mlops_cli.components.sources.layout import (
    Layout,
    check_layout,
    check_names,
    layout_of_file,
)
from mlops_cli.components.sources.options import (
    as_written,
    checked_options,
    first_line,
    is_numbered,
    options_of,
    refused_option,
    with_texts,
)
from mlops_cli.components.sources.pieces import Separators, comes_in_pieces, is_large, may_skip_columns, rows_of_piece
from mlops_cli.components.sources.ragged import check_index, ragged, refuse_long_rows, refuse_short_rows, width_of
from mlops_cli.components.sources.stacking import KindsDifferError, Part
from mlops_cli.components.wanted import portion_of
from mlops_cli.errors import ConfigError, DataError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mlops_cli.components.sources.gathering import File
    from mlops_cli.contracts import Portion, Wanted
    from mlops_cli.records import Notice

_SAMPLE_ROWS, _SAMPLE_CELLS = 10_000, 500_000
# With one of these, rows and columns are counted otherwise.
_OF_PLACES = frozenset({"skiprows", "skipfooter", "header", "names", "nrows", "comment", "index_col", "usecols"})


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

    def _stacked(self, files: Sequence[File]) -> pd.DataFrame:
        asked = (self.read or {}).get("parse_dates")
        layout = self._of(files[0])._layout() if asked else None
        columns = date_columns(asked, layout.names or layout.header if layout is not None else None)
        if not columns:
            return super()._stacked(files)
        read = {k: v for k, v in (self.read or {}).items() if k != "parse_dates"}
        table = replace(self, read=read).reading_as_text(columns)._stacked(files)
        return with_dates(table, columns, self.read or {})

    def _load_file(self) -> pd.DataFrame:
        """Return the table of one file, its layout checked."""
        path = self._place
        opening.check_file(path)
        layout = self._layout()
        if layout is not None:
            check_layout(path, layout)
        if layout is not None and comes_in_pieces(self._options, layout) and is_large(path, self._compression):
            return self._of_pieces(layout)
        with self._told():
            table = _read(path, _as_text_options(self._options, layout, self.as_text), cut="error")
        if way := way_of(self._options):
            check_marks(path, self._raw(self._options.get("nrows")), table, way)
        check_index(path, table, self._options, layout)
        table = self._named(table, layout)
        if table.empty:
            raise _no_rows(path)
        if layout is not None and self.short_rows == "error":
            self._check_short_rows(table, layout)
        return table

    def load_less(self, wanted: Wanted) -> Portion:
        """Return the wanted rows and columns; the dates of a column are read of all its rows."""
        return portion_of(self.load(), wanted) if "parse_dates" in (self.read or {}) else super().load_less(wanted)

    def _pieces(self, wanted: Wanted) -> Iterator[pd.DataFrame]:
        """Yield the rows of one file in order, with the wanted columns, in pieces where its options allow it."""
        path = self._place
        opening.check_file(path)
        layout = self._layout()
        if layout is None or not comes_in_pieces(self._options, layout):
            yield from super()._pieces(wanted)
            return
        check_layout(path, layout)
        with self._told():
            head = _read(path, {**self._options, "nrows": 0})
        names = [str(name).strip() for name in head.columns]
        yield from self._chunks(layout, names, wanted.names(names))

    def _of_pieces(self, layout: Layout) -> pd.DataFrame:
        """Return the table of one file, of which the parser holds no more than a piece at a time."""
        called = str(self.path)
        try:
            return gleaned(Part(called, piece) for piece in self._chunks(layout)).table
        except KindsDifferError as error:
            differing = list(error.columns)
        # As pandas has it of the whole: a column with some text is text as it is written.
        return gleaned(Part(called, piece) for piece in self.reading_as_text(differing)._chunks(layout)).table

    def _chunks(
        self, layout: Layout, names: Sequence[str] = (), chosen: list[str] | None = None
    ) -> Iterator[pd.DataFrame]:
        """Yield the rows in order, with some columns or all, after checking names; ragged lines are refused."""
        path, options = self._place, _as_text_options(self._options, layout, self.as_text)
        check_index(path, pd.DataFrame(), options, layout)
        if layout.header and layout.names is None:
            check_names(path, layout.header)
        counted = None
        if chosen is not None and len(chosen) < len(names) and may_skip_columns(options, layout):
            needed = {*chosen, names[-1]}  # a row that is too short shows in the last column
            options["usecols"] = [place for place, name in enumerate(names) if name in needed]
            counted = Separators(layout.separator, options.get("quotechar") or '"')
        rows, has_gaps = int(layout.header is not None), False
        with (
            self._told(),
            _readable(path, options, counted) as (place, plain),
            pd.read_csv(place, **plain, chunksize=rows_of_piece(layout)) as pieces,
        ):
            for piece in pieces:
                rows, has_gaps = rows + len(piece), has_gaps or bool(piece.iloc[:, -1].hasnans)
                yield _stripped(piece) if chosen is None else piece.rename(columns=lambda n: str(n).strip())[chosen]
        if rows == int(layout.header is not None):
            raise _no_rows(path)
        if has_gaps and self.short_rows == "error":
            refuse_short_rows(path, self._options, layout)
        if counted is not None and counted.count != rows * (width_of(layout) - 1):
            refuse_long_rows(path, self._options, layout)

    def _inspect_file(self, table: pd.DataFrame) -> list[Notice]:
        """Return what the raw text of the first rows shows and the parsed table hides."""
        layout = self._layout()
        header = layout.header if layout is not None and layout.names is None else None
        padded = inspection.padded_names(header or ())
        raw = self._sample(table, layout)
        reading = inspection.Reading(options_of(pd.read_csv), self.read or {}, raw)
        return [*padded, *inspection.of_raw_texts(table, reading), *inspection.of_texts(table, reading)]

    @property
    def _place(self) -> Path:
        return Path(str(self.path))

    @property
    def _compression(self) -> str | None:
        return opening.compression_of(self._place, (self.read or {}).get("compression", "infer"))

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
            return layout_of_file(path, file, options)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Make pandas' tracebacks into one line that names the mend."""
        path = self._place
        try:
            yield
        except UnicodeError:
            encoding = (self.read or {}).get("encoding") or "utf-8"
            raise opening.bad_encoding(path, self._compression, encoding) from None
        except pd.errors.EmptyDataError:
            raise DataError(f"{path}: has no columns (the file is blank)", hint="write it again") from None
        except pd.errors.ParserWarning:
            raise DataError(
                f"{path}: rows have more values than there are columns, and `data.read.index_col: false` drops them",
                hint="name every column",
            ) from None
        except pd.errors.ParserError as error:
            raise ragged(path, error) from error
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
        return _stripped(table)

    def _check_short_rows(self, table: pd.DataFrame, layout: Layout) -> None:
        """Refuse rows with too few fields; only missing values in the last column can come from them."""
        if "usecols" not in self._options and not table.columns.empty and table.iloc[:, -1].hasnans:
            refuse_short_rows(self._place, self._options, layout)

    def _sample(self, table: pd.DataFrame, layout: Layout | None) -> pd.DataFrame:
        """Return the first rows and the last ones, with every value as it is written: a file may change on its way."""
        asked = self._options.get("nrows")
        rows = max(100, min(_SAMPLE_ROWS, _SAMPLE_CELLS // max(table.shape[1], 1)))
        raw = self._raw(rows if asked is None else min(rows, asked), table.columns)
        raw = raw.rename(columns=lambda name: str(name).strip())
        last = self._last(raw, layout, min(rows, len(table) - rows), len(table))
        return raw if last is None else pd.concat([raw, last], ignore_index=True)

    def _last(self, first: pd.DataFrame, layout: Layout | None, rows: int, of: int) -> pd.DataFrame | None:
        """Return the last rows as the first ones were read; None where there are no more, or options forbid it."""
        if rows <= 0 or layout is None or not layout.header or _OF_PLACES & self._options.keys():
            return None
        names = [name.strip() for name in layout.header]
        options = {**as_written(self._options, str), "header": None, "names": names, "skiprows": 1 + of - rows}
        try:
            return _read(self._place, {**options, "usecols": lambda name: name in first.columns})[list(first.columns)]
        except (pd.errors.EmptyDataError, pd.errors.ParserError):  # of a part, which has fewer rows than the whole
            return None

    def _raw(self, rows: int | None, columns: Iterable[Any] | None = None) -> pd.DataFrame:
        """Return the first rows, or all, of some columns or all, with every value as it is written."""
        options = as_written(self._options, str)
        if columns is not None and not {"usecols", "index_col"} & options.keys():
            options["usecols"] = _among(columns, are_numbers=is_numbered(options))
        if rows is not None and not options.get("skipfooter"):  # pandas takes only one of the two
            options["nrows"] = rows
        return _read(self._place, options)


def _check_encoding(encoding: Any) -> None:
    try:
        codecs.lookup(encoding or "utf-8")
    except (LookupError, TypeError):
        known = ("utf-8", "utf-16", "latin-1", "cp1252", "cp1250", "shift_jis", "gb18030")
        hint = did_you_mean(str(encoding), known)
        raise ConfigError(f"unknown encoding {encoding!r}", key="data.read.encoding", hint=hint) from None


def _read(path: Path, options: Mapping[str, Any], cut: Literal["error", "ignore"] = "ignore") -> pd.DataFrame:
    """Return what pandas reads; ``cut`` says what to do where ``index_col: false`` leaves values out."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Falling back", pd.errors.ParserWarning)
        warnings.filterwarnings(cut, "Length of header or names", pd.errors.ParserWarning)
        with _readable(path, options) as (place, plain):
            table: pd.DataFrame = pd.read_csv(place, **plain)
            return table


@contextmanager
def _readable(
    path: Path, options: Mapping[str, Any], counted: Separators | None = None
) -> Iterator[tuple[Path | IO[bytes], dict[str, Any]]]:
    """Give what pandas is to read, and with which options: the file, or what it decompresses to."""
    compression = opening.compression_of(path, options.get("compression", "infer"))
    if not opening.is_opened_here(compression) or (compression is None and counted is None):
        yield path, dict(options)
        return
    with opening.open_binary(path, compression) as file:
        yield (file if counted is None else counted.reading(file)), {**options, "compression": None}


def _among(columns: Iterable[Any], *, are_numbers: bool) -> Any:
    """Return what ``usecols`` takes for these columns; of a file without names pandas takes no function."""
    wanted = {str(name).strip() for name in columns}
    return sorted(int(n) for n in wanted if n.isdigit()) if are_numbers else lambda name: str(name).strip() in wanted


def _no_rows(path: Path) -> DataError:
    return DataError(f"{path}: has a header and no rows", hint="write or download it again")


def _stripped(table: pd.DataFrame) -> pd.DataFrame:
    return table.rename(columns=lambda name: name.strip() if isinstance(name, str) else name)


def _as_text_options(options: dict[str, Any], layout: Layout | None, as_text: tuple[str, ...]) -> dict[str, Any]:
    """Return the options with ``dtype: str`` for these columns, under the names that the file writes."""
    written = {n.strip(): n for n in layout.header or ()} if layout is not None else {}
    return with_texts(options, [written.get(name, name) for name in as_text])


def _column_places(header: tuple[str, ...], index_col: Any) -> list[int]:
    """Return the places in the header that become columns, not the index."""
    asked = index_col if isinstance(index_col, list) else [index_col]
    index = {i for i in asked if isinstance(i, int) and not isinstance(i, bool)}
    index |= {header.index(n) for n in asked if isinstance(n, str) and n in header}
    return [i for i in range(len(header)) if i not in index]
