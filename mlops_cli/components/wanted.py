"""Which part of a table is wanted: the columns that a config names, and rows drawn by lot.

The same rows are drawn however the table is read: whole, or in pieces of which nobody knows how many will come.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.components.roles import SINGLE, check_column, matching
from mlops_cli.components.tables import with_plain_labels
from mlops_cli.contracts import Portion, Wanted
from mlops_cli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd

    from mlops_cli.records import DataSpec, SampleSpec

    Places = npt.NDArray[np.int64]


def wanted_of(spec: DataSpec) -> Wanted | None:
    """Return which part of its data an experiment wants; None where it is all."""
    if spec.columns is None and spec.sample is None:
        return None
    return Wanted(partial(_names, spec), partial(_places, spec.sample), spec.sample)


def portion_of(table: pd.DataFrame, wanted: Wanted) -> Portion:
    """Return the wanted part of a table that was read whole."""
    plain = with_plain_labels(table)
    places = wanted.places(len(plain))
    chosen = plain[wanted.names(list(plain.columns))]
    return Portion(chosen.iloc[places].reset_index(drop=True), len(plain), places)


def every_row(wanted: Wanted) -> Wanted:
    """Return what is wanted of the columns, with all rows."""
    return replace(wanted, places=partial(_places, None), sample=None)


def beside(wanted: Wanted, name: str) -> Wanted:
    """Return what is wanted of a table to which a column of that name is added afterwards."""

    def names(present: Sequence[str]) -> list[str]:
        if name in present:
            raise ConfigError(f"the data has a column '{name}' already", key="data.source_column", hint="another name")
        return [n for n in wanted.names([*present, name]) if n != name]

    return replace(wanted, names=names)


# --- columns -----------------------------------------------------------------------------------------------------


def _names(spec: DataSpec, present: Sequence[str]) -> list[str]:
    """Return the names of the columns to be read, in the table's order.

    What the config says of other columns is checked too: after reading, nobody could tell a slip from a column that was
    not read.
    """
    if spec.columns is None:
        return list(present)
    used = _used(spec)
    for key, name in (*used, *((f"data.dtypes.{name}", name) for name in spec.dtypes)):
        check_column(name, present, key)
    matching(spec.drop, present, "data.drop")
    found = {*matching(spec.columns, present, "data.columns"), *(name for _, name in used)}
    for pattern in spec.features or ():
        if not found.intersection(matching([pattern], present, "data.features")):
            hint = f"add '{pattern}' to data.columns, or leave it out of data.features"
            raise ConfigError(f"'{pattern}' is not among data.columns", key="data.features", hint=hint)
    return [name for name in present if name in found]


def _used(spec: DataSpec) -> list[tuple[str, str]]:
    """Return key and name of the columns that have a use besides being features."""
    single = [(f"data.{role}", name) for role in SINGLE if (name := getattr(spec, role)) is not None]
    if spec.forecast is None:
        return single
    of_series = [(key, name) for key in ("by", "known", "past") for name in getattr(spec.forecast, key)]
    return [*single, *((f"data.forecast.{key}", name) for key, name in of_series)]


# --- rows --------------------------------------------------------------------------------------------------------


def _places(sample: SampleSpec | None, rows: int) -> Places:
    if sample is None:
        return np.arange(rows)
    lot = Lot(sample)
    found = lot.candidates(rows)
    return found[lot.drawn()]


class Lot:
    """Draws rows from as many as come: each gets a number by chance, and those with the least numbers are drawn.

    Parameters
    ----------
    sample : SampleSpec
        How many, and the seed of the numbers.
    """

    def __init__(self, sample: SampleSpec) -> None:
        self._size = sample.size
        self._chance = np.random.default_rng(sample.seed)
        self._found: list[npt.NDArray[Any]] = []  # the numbers of the candidates so far
        self._least: list[npt.NDArray[Any]] = []  # those of all so far that do not exceed the bound
        self._bound = np.inf
        self.rows = 0

    def candidates(self, rows: int) -> Places:
        """Return which of the next rows may be drawn, as places among them."""
        numbers = self._chance.random(rows)
        self.rows += rows
        places = np.flatnonzero(numbers <= self._bounded(numbers))
        self._found.append(numbers[places])
        return places

    def drawn(self) -> Places:
        """Return which of all candidates are drawn, in their order."""
        numbers = np.concatenate([np.empty(0), *self._found])
        count = min(drawn_of(self._size, self.rows), len(numbers))
        if count == len(numbers):
            return np.arange(count)
        return np.sort(np.argpartition(numbers, count)[:count])

    def _bounded(self, numbers: npt.NDArray[Any]) -> float:
        """Return a number that those of the rows drawn in the end do not exceed."""
        if isinstance(self._size, int):
            self._least.append(numbers[numbers <= self._bound])
            if sum(map(len, self._least)) > 1.25 * self._size:  # often enough: it takes time
                least = np.partition(np.concatenate(self._least), self._size - 1)[: self._size]
                self._least, self._bound = [least], float(least.max())
            return self._bound
        # More than this share of all rows is wanted only where chance strays by eight standard deviations.
        rows = max(self.rows, 1)
        return float(self._size + 8 * (self._size / rows) ** 0.5 + 64 / rows)


def drawn_of(size: float, rows: int) -> int:
    """Return how many of so many rows are drawn, at least one.

    Examples
    --------
    >>> drawn_of(100, 20), drawn_of(0.25, 20), drawn_of(0.001, 20)
    (20, 5, 1)
    """
    return min(size, rows) if isinstance(size, int) else max(1, round(size * rows))
