"""Which columns of new data a model needs, which stand beside its predictions, and which are nobody's business."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from mlops_cli.components.tables import refuse_missing
from mlops_cli.errors import DataError, UsageError, did_you_mean
from mlops_cli.records import Column, Kind, Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

ALL = "all"
_MOST_SHOWN = 5


@dataclass
class Said:
    """What is to be said of the data, each thing once."""

    notices: list[Notice] = field(default_factory=list)

    def add(self, code: str, message: str) -> None:
        """Take note of something."""
        if Notice(code, message) not in self.notices:
            self.notices.append(Notice(code, message))


@dataclass(frozen=True)
class Carrying:
    """What is read of new data, and what of it stands beside the predictions.

    Parameters
    ----------
    inputs : tuple of Column
        What the model needs.
    trained : mapping
        Every column of the training data by its name.
    id : str, optional
        The column that tells rows apart.
    keep : tuple of str
        Names or globs; ``all`` is every column.
    needs_id : bool
        Whether the id has to be there.
    """

    inputs: tuple[Column, ...]
    trained: Mapping[str, Column] = field(default_factory=dict)
    id: str | None = None
    keep: tuple[str, ...] = ()
    needs_id: bool = False

    def as_text(self, present: Callable[[], Sequence[str]]) -> list[str]:
        """Return the columns to be read as they are written: what is carried, but for the numbers that a model takes.

        Parameters
        ----------
        present : callable
            Returns the columns that there are; called where that is not known without.
        """
        named = all(not _is_pattern(k) for k in self.keep)
        carried = [*self.keep] if named else self._kept(present())
        numbers = {c.name for c in self.inputs if c.kind in {Kind.NUMERIC, Kind.BOOLEAN}}
        return [n for n in [*([self.id] if self.id else []), *carried] if n not in numbers]

    def wanted(self, present: Sequence[str], said: Said) -> list[str]:
        """Return the columns that are read, in the order of the table.

        Raises
        ------
        DataError
            The model needs one that is not there.
        UsageError
            One that is to be carried is not there.
        """
        names = [str(name).strip() for name in present]
        refuse_missing(self.inputs, names)
        self._look_for_id(names, said)
        used = {*(c.name for c in self.inputs), *self._kept(names), *([self.id] if self.id in names else [])}
        extra = [n for n in names if n not in used and n not in self.trained]
        if extra:
            shown = ", ".join(f"'{n}'" for n in extra[:_MOST_SHOWN]) + (", …" if len(extra) > _MOST_SHOWN else "")
            said.add("columns-ignored", f"the model was not trained with {shown}")
        return [n for n in names if n in used]

    def of(self, part: pd.DataFrame, *, typed: bool) -> dict[str, pd.Series[Any]]:
        """Return the carried columns of some rows: the id first, then the others in their order.

        Parameters
        ----------
        part : DataFrame
            Rows as they were read.
        typed : bool
            Numbers that were read as text are numbers again, as in training.
        """
        first = [self.id] if self.id in part.columns else []
        names = [*first, *(n for n in self._kept(list(part.columns)) if n != self.id)]
        return {str(n): _typed(part[n], self.trained.get(str(n)), typed=typed) for n in names}

    def _kept(self, names: Sequence[str]) -> list[str]:
        found: set[str] = set()
        for asked in self.keep:
            matched = {asked} if asked in names else {n for n in names if _matches(n, asked)}
            if not matched:
                raise UsageError(f"--keep: the data has no column '{asked}'", hint=did_you_mean(asked, names))
            found |= matched
        return [n for n in names if n in found]

    def _look_for_id(self, names: Sequence[str], said: Said) -> None:
        if self.id is None or self.id in names:
            return
        if self.needs_id:
            raise DataError(f"the data has no column '{self.id}', the id", hint=did_you_mean(self.id, names))
        said.add("no-id", f"the data has no column '{self.id}', the id: the predictions stand in the order of the rows")


def refuse_taken(answers: Sequence[str], carried: Sequence[str]) -> None:
    """Refuse to carry a column of a prediction's name.

    Raises
    ------
    UsageError
        With the column.
    """
    for name in answers:
        if name in carried:
            raise UsageError(
                f"the data has a column '{name}', as the predictions are called", hint="--keep the others alone"
            )


def _is_pattern(asked: str) -> bool:
    return asked == ALL or any(c in asked for c in "*?[")


def _matches(name: str, asked: str) -> bool:
    return asked == ALL or fnmatchcase(name, asked)


def _typed(column: pd.Series[Any], trained: Column | None, *, typed: bool) -> pd.Series[Any]:
    """Return a carried column so that it looks the same whatever other rows are read with it."""
    from pandas.api import types as pdt

    dtype = "" if trained is None else trained.dtype
    is_whole = dtype.startswith(("int", "uint"))
    if pdt.is_string_dtype(column.dtype):
        return _as_numbers(column, dtype) if typed and (is_whole or dtype.startswith("float")) else column
    if not is_whole or not pdt.is_float_dtype(column.dtype) or not (column.dropna() % 1 == 0).all():
        return column
    return column.astype("Int64")  # numbers with gaps among them, which pandas has read as 3.0


def _as_numbers(column: pd.Series[Any], dtype: str) -> pd.Series[Any]:
    """Return text as numbers, as they were in training, where nothing is lost by it: 007 stays text."""
    import pandas as pd

    present = column.dropna()  # a gap would make floats of whole numbers, which hold 15 digits alone
    numbers = pd.to_numeric(present, errors="coerce")
    if numbers.isna().any():
        return column
    if dtype.startswith("float"):
        return numbers.astype("float64").reindex(column.index)
    try:
        whole = numbers.astype("UInt64" if dtype.startswith("uint") else "Int64")
    except (TypeError, ValueError, OverflowError):  # 2.5, or too large
        return column
    return whole.reindex(column.index) if (whole.astype("str") == present).all() else column
