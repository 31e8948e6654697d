"""One table of many pieces that come one after the other: what is wanted of each is kept, and the rest forgotten.

A column gets the dtype that it has where everything is read at once, whatever rows were kept of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlops_cli.components.sources.stacking import KindsDifferError, Part, check_columns, kind_of
from mlops_cli.components.wanted import Lot
from mlops_cli.contracts import Portion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    from mlops_cli.contracts import Wanted

_LARGE = "whole numbers beyond 2^63"


def gleaned(pieces: Iterable[Part], wanted: Wanted | None = None) -> Portion:
    """Return the wanted rows of pieces that have the wanted columns, as one table.

    Parameters
    ----------
    pieces : iterable of Part
        In the order of the rows; each is let go before the next one is asked for.
    wanted : Wanted, optional
        Which rows; all where not given.

    Raises
    ------
    DataError
        A piece has other columns than the first.
    KindsDifferError
        A column holds numbers in one piece and text in another.
    """
    lot = _lot_of(wanted)
    columns: dict[str, _Column] = {}
    places: list[npt.NDArray[np.int64]] = []
    rows = 0
    for piece, before in _with_places(pieces):
        rows, kept = before + len(piece.table), piece.table
        if lot is not None:
            chosen = lot.candidates(len(piece.table))
            places.append(before + chosen)
            kept = piece.table.iloc[chosen]
        for name in columns or piece.table.columns:
            columns.setdefault(name, _Column()).add(piece.called, piece.table[name], kept[name])
    if differing := {str(name): c.kinds for name, c in columns.items() if len(c.kinds) > 1}:
        raise KindsDifferError(differing)
    drawn = None if lot is None else lot.drawn()
    # Each column is let go as it is put together, so that no more than one of them is there twice.
    whole = {name: columns[name].whole(drawn) for name in list(columns)}
    return Portion(
        pd.DataFrame(whole, copy=False), rows, np.arange(rows) if drawn is None else np.concatenate(places)[drawn]
    )


def _lot_of(wanted: Wanted | None) -> Lot | None:
    return None if wanted is None or wanted.sample is None else Lot(wanted.sample)


def _with_places(pieces: Iterable[Part]) -> Iterator[tuple[Part, int]]:
    """Yield the pieces, with how many rows came before each."""
    first, before = None, 0
    for piece in pieces:
        first = first or Part(piece.called, piece.table.iloc[:0])
        check_columns(first, piece)
        yield piece, before
        before += len(piece.table)


@dataclass
class _Column:
    """What was kept of a column, and what the whole of it holds."""

    parts: list[pd.Series] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)  # what it holds → the first piece that does
    dtypes: dict[Any, None] = field(default_factory=dict)  # of the pieces that hold something, in order
    has_gaps: bool = False  # a piece holds nothing

    def add(self, called: str, column: pd.Series, kept: pd.Series) -> None:
        """Take note of what a piece holds, and keep the rows that are wanted."""
        if len(self.parts) == 1:
            self.parts[0] = self.parts[0].copy()
        # By itself it can be let go while others of the same piece are still needed; of one piece all is needed anyway.
        self.parts.append(kept.copy() if self.parts else kept)
        kind = kind_of(column)
        if kind is None:
            self.has_gaps = True
            return
        self.dtypes.setdefault(column.dtype)
        self.kinds.setdefault(kind, called)
        if {np.dtype("int64"), np.dtype("uint64")} <= self.dtypes.keys():  # their common dtype would be a float
            self.kinds.setdefault(_LARGE, called)

    def whole(self, drawn: npt.NDArray[np.int64] | None) -> pd.Series:
        """Return the rows that were kept as one column, and let them go."""
        dtype = self._dtype()
        parts = [p if dtype is None or p.dtype == dtype else p.astype(dtype) for p in self.parts]
        self.parts.clear()
        whole: pd.Series = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0].reset_index(drop=True)
        return whole if drawn is None or len(drawn) == len(whole) else whole.iloc[drawn].reset_index(drop=True)

    def _dtype(self) -> Any:
        """Return the dtype of the whole column; None where joining the parts gives it."""
        dtypes: list[Any] = list(self.dtypes)
        if dtypes and all(isinstance(d, np.dtype) and d.kind in "iuf" for d in dtypes):
            return np.result_type(*dtypes, *([np.float64] if self.has_gaps else []))
        if dtypes and all(isinstance(d, pd.CategoricalDtype) for d in dtypes):
            return _union(dtypes)
        if len(dtypes) != 1:
            return None
        return np.dtype(object) if dtypes[0] == np.dtype(bool) and self.has_gaps else dtypes[0]


def _union(dtypes: list[Any]) -> Any:
    if len(dtypes) == 1:
        return dtypes[0]
    categories = dict.fromkeys(value for dtype in dtypes for value in dtype.categories)
    return pd.CategoricalDtype(list(categories), ordered=all(d.ordered for d in dtypes))
