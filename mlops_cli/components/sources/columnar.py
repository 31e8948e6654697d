"""Feather, ORC and text of fixed widths, each read by pandas."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from mlops_cli.components.numerals import check_marks, way_of
from mlops_cli.components.sources import inspection, opening
from mlops_cli.components.sources.batches import feather_pieces, orc_pieces
from mlops_cli.components.sources.from_files import FileSource, with_rows
from mlops_cli.components.sources.options import as_written, checked_options, first_line, refused_option, with_texts
from mlops_cli.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from mlops_cli.contracts import Wanted
    from mlops_cli.records import Notice


@dataclass(frozen=True)
class FeatherSource(FileSource):
    """A Feather (Arrow) file, or several.

    Parameters
    ----------
    path : str, Path or list of these
        As `FileSource`.
    read : mapping, optional
        Options handed to `pandas.read_feather`: ``columns`` …
    """

    read: Mapping[str, Any] | None = field(default_factory=dict)

    SUFFIXES: ClassVar[tuple[str, ...]] = (".feather", ".arrow")

    def __post_init__(self) -> None:
        checked_options(pd.read_feather, self.read)

    def _load_file(self) -> pd.DataFrame:
        return _read(pd.read_feather, Path(str(self.path)), self.read, "Feather")

    def _pieces(self, wanted: Wanted) -> Iterator[pd.DataFrame]:
        opening.check_file(Path(str(self.path)))
        pieces = None if self.read else feather_pieces(Path(str(self.path)), wanted)
        return super()._pieces(wanted) if pieces is None else pieces


@dataclass(frozen=True)
class OrcSource(FileSource):
    """An ORC file, or several.

    Parameters
    ----------
    path : str, Path or list of these
        As `FileSource`.
    read : mapping, optional
        Options handed to `pandas.read_orc`: ``columns`` …
    """

    read: Mapping[str, Any] | None = field(default_factory=dict)

    SUFFIXES: ClassVar[tuple[str, ...]] = (".orc",)

    def __post_init__(self) -> None:
        checked_options(pd.read_orc, self.read)

    def _load_file(self) -> pd.DataFrame:
        return _read(pd.read_orc, Path(str(self.path)), self.read, "ORC")

    def _pieces(self, wanted: Wanted) -> Iterator[pd.DataFrame]:
        opening.check_file(Path(str(self.path)))
        pieces = None if self.read else orc_pieces(Path(str(self.path)), wanted)
        return super()._pieces(wanted) if pieces is None else pieces


@dataclass(frozen=True)
class FixedWidthSource(FileSource):
    """Text whose columns are found by their place in the line, compressed or not.

    Parameters
    ----------
    path : str, Path or list of these
        As `FileSource`.
    read : mapping, optional
        Options handed to `pandas.read_fwf`: ``widths``, ``colspecs``, ``names``, ``header`` … Where none says how wide
        the columns are, all lines are looked at, unless ``infer_nrows`` says how many.
    as_text : tuple of str, optional
        Columns whose values are kept as they are written, so that ``007`` stays ``007``.
    """

    read: Mapping[str, Any] | None = field(default_factory=dict)
    as_text: tuple[str, ...] = ()

    SUFFIXES: ClassVar[tuple[str, ...]] = (".txt", ".dat", ".fwf")

    def __post_init__(self) -> None:
        checked_options(pd.read_fwf, {k: v for k, v in (self.read or {}).items() if k not in _CSV_TOO})
        checked_options(pd.read_csv, {k: v for k, v in (self.read or {}).items() if k in _CSV_TOO})

    def reading_as_text(self, names: Iterable[str]) -> FixedWidthSource:
        """Return the same source that keeps these columns as they are written."""
        return replace(self, as_text=(*self.as_text, *names))

    def _load_file(self) -> pd.DataFrame:
        path = Path(str(self.path))
        opening.check_file(path)
        compression = opening.compression_of(path)
        with opening.open_binary(path, compression) as file:
            opening.check_head(path, file.read(4096), (self.read or {}).get("encoding"))
        try:
            with opening.open_binary(path, compression) as file:
                table: pd.DataFrame = pd.read_fwf(file, **with_texts(_plain(self.read), self.as_text))
            if way := way_of(self.read or {}):
                with opening.open_binary(path, compression) as file:
                    check_marks(path, pd.read_fwf(file, **as_written(_plain(self.read), str)), table, way)
        except UnicodeError:
            raise opening.bad_encoding(path, compression, (self.read or {}).get("encoding") or "utf-8") from None
        except (ValueError, TypeError, IndexError) as error:
            raise refused_option(error, "read_fwf") from error
        return with_rows(path, table)

    def _inspect_file(self, table: pd.DataFrame) -> list[Notice]:
        """Return what text columns show of being numbers or dates."""
        return inspection.of_texts(table, inspection.Reading(_CSV_TOO, self.read or {}))


_CSV_TOO = frozenset({"header", "names", "skiprows", "na_values", "dtype", "encoding", "decimal", "thousands", "nrows"})


def _plain(read: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the options with the tuples that pandas wants and YAML has not."""
    # pandas looks at 100 lines, and cuts a digit off what is wider later
    options = {"infer_nrows": sys.maxsize, **(read or {})}
    if isinstance(options.get("colspecs"), list):
        options["colspecs"] = [tuple(pair) if isinstance(pair, list) else pair for pair in options["colspecs"]]
    return options


def _read(reader: Callable[..., Any], path: Path, read: Mapping[str, Any] | None, what: str) -> pd.DataFrame:
    opening.check_file(path)
    with path.open("rb") as file:
        head = file.read(64)
    try:
        return with_rows(path, reader(path, **(read or {})))
    except (OSError, ValueError, TypeError, KeyError) as error:  # pyarrow's errors are ValueErrors
        opening.check_head(path, head, "utf-16")
        raise DataError(f"{path}: cannot be read as {what}: {first_line(error)}", hint="is it whole?") from error
