"""Feather, ORC and text of fixed widths, each read by pandas."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from mlops_cli.components.sources import opening
from mlops_cli.components.sources.from_files import FileSource
from mlops_cli.components.sources.options import checked_options, first_line, refused_option
from mlops_cli.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


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


@dataclass(frozen=True)
class FixedWidthSource(FileSource):
    """Text whose columns are found by their place in the line, compressed or not.

    Parameters
    ----------
    path : str, Path or list of these
        As `FileSource`.
    read : mapping, optional
        Options handed to `pandas.read_fwf`: ``widths``, ``colspecs``, ``names``, ``header`` …
    """

    read: Mapping[str, Any] | None = field(default_factory=dict)

    SUFFIXES: ClassVar[tuple[str, ...]] = (".txt", ".dat", ".fwf")

    def __post_init__(self) -> None:
        checked_options(pd.read_fwf, {k: v for k, v in (self.read or {}).items() if k not in _CSV_TOO})
        checked_options(pd.read_csv, {k: v for k, v in (self.read or {}).items() if k in _CSV_TOO})

    def _load_file(self) -> pd.DataFrame:
        path = Path(str(self.path))
        opening.check_file(path)
        compression = opening.compression_of(path)
        with opening.open_binary(path, compression) as file:
            opening.check_head(path, file.read(4096), (self.read or {}).get("encoding"))
        try:
            with opening.open_binary(path, compression) as file:
                table: pd.DataFrame = pd.read_fwf(file, **_plain(self.read))
        except UnicodeError:
            raise opening.bad_encoding(path, compression, (self.read or {}).get("encoding") or "utf-8") from None
        except (ValueError, TypeError, IndexError) as error:
            raise refused_option(error, "read_fwf") from error
        return _with_rows(path, table)


_CSV_TOO = frozenset({"header", "names", "skiprows", "na_values", "dtype", "encoding", "decimal", "thousands", "nrows"})


def _plain(read: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the options with the tuples that pandas wants and YAML has not."""
    options = dict(read or {})
    if isinstance(options.get("colspecs"), list):
        options["colspecs"] = [tuple(pair) if isinstance(pair, list) else pair for pair in options["colspecs"]]
    return options


def _read(reader: Callable[..., Any], path: Path, read: Mapping[str, Any] | None, what: str) -> pd.DataFrame:
    opening.check_file(path)
    with path.open("rb") as file:
        head = file.read(64)
    try:
        return _with_rows(path, reader(path, **(read or {})))
    except (OSError, ValueError, TypeError, KeyError) as error:  # pyarrow's errors are ValueErrors
        opening.check_head(path, head, "utf-16")
        raise DataError(f"{path}: cannot be read as {what}: {first_line(error)}", hint="is it whole?") from error


def _with_rows(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    if table.empty:
        raise DataError(f"{path}: has no rows", hint="write or download it again")
    return table
