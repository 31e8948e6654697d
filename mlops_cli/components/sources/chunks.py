"""A source's rows piece by piece, for those who look at each row but once: no more than a piece is in memory.

Knows nothing of what is done with the rows.
"""

from __future__ import annotations

from contextlib import closing
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.components.frames import loaded
from mlops_cli.components.sources.from_files import FileSource
from mlops_cli.components.tables import with_plain_labels
from mlops_cli.contracts import Wanted
from mlops_cli.errors import DataError, MlopsError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    import pandas as pd

    from mlops_cli.contracts import DataSource


def chunks(source: DataSource, names: Callable[[Sequence[str]], list[str]]) -> Generator[pd.DataFrame]:
    """Yield all rows of some columns, in order.

    Parameters
    ----------
    source : DataSource
        What is read; one that cannot be read in pieces is yielded whole.
    names : callable
        All names → those that are wanted; called for each file, and may refuse them.

    Yields
    ------
    DataFrame
        At least one row; rows are numbered from 0 in each.

    Raises
    ------
    DataError
        It cannot be read: at its beginning, or when it comes to what is wrong.
    """
    wanted = Wanted(names, np.arange, is_passing=True)
    pieces = source.pieces(wanted) if isinstance(source, FileSource) else _whole(source, wanted)
    with closing(pieces):  # also where whoever asked for them gives up: files are open in between
        for piece in pieces:
            if len(piece):
                yield piece.reset_index(drop=True)


def is_among(place: Path, source: DataSource) -> bool:
    """Whether a file is one of those that a source reads, under whatever name."""
    if not isinstance(source, FileSource) or not place.exists():
        return False
    given = source.path if isinstance(source.path, list) else [str(source.path)]
    return any(_is_meant(place, str(item)) for item in given)


def _is_meant(place: Path, item: str) -> bool:
    folder = Path(item)
    if folder.is_dir():
        return place.resolve().is_relative_to(folder.resolve())
    found = [folder] if folder.exists() else map(Path, glob(item, recursive=True))  # noqa: PTH207 - it is absolute
    return any(place.samefile(path) for path in found)


def _whole(source: DataSource, wanted: Wanted) -> Generator[pd.DataFrame]:
    name = type(source).__name__
    try:
        table: Any = source.load()
    except MlopsError:
        raise
    except Exception as error:  # a user's own source may raise anything
        raise DataError(f"data source {name}: load() raised {type(error).__name__}: {error}") from error
    plain = with_plain_labels(loaded(table, name))
    yield plain[wanted.names(list(plain.columns))]
