"""New data read once, part by part, each column counted against what is kept of training; no more is held than that.

Nothing that differs from the training data ends it: a column that is gone or of another type is left out and told.
"""

from __future__ import annotations

import hashlib
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from mlops_cli.analysis.tallies import ColumnTally
from mlops_cli.components.sources.chunks import chunks
from mlops_cli.components.tables import conform
from mlops_cli.errors import DataError, nearest
from mlops_cli.records import Kind
from mlops_cli.workflows.applying.incoming import incoming, written
from mlops_cli.workflows.watching.answering import Answering

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence

    from mlops_cli.records import Column, ColumnReference, PredictedSample, Reference
    from mlops_cli.workflows.applying.incoming import Opened
    from mlops_cli.workflows.data.tables import HowRead
    from mlops_cli.workflows.watching.keeping import Keeping

_LONGEST = 40
_SHOWN = 5


@dataclass(frozen=True)
class NewData:
    """What was found of new data."""

    called: str
    version: str
    rows: int
    columns: Mapping[str, ColumnReference]  # those that could be counted
    outputs: Mapping[str, ColumnReference]
    target: ColumnReference | None
    labelled: int  # rows with a target
    sample: PredictedSample | None
    absent: Mapping[str, int]  # column → rows of files without it
    broken: Mapping[str, str]  # column → why it cannot be read as in training
    extra: tuple[str, ...]  # columns that training did not have
    unanswered: str = ""  # why the model could not predict these rows
    unread: str = ""  # why the target could not be read
    said: tuple[str, ...] = ()  # what the model warned of


def read_new(
    data: str | pd.DataFrame,
    model: Opened,
    before: Reference,
    how: HowRead,
    keeping: Keeping | None = None,
    *,
    exact: bool = False,
) -> NewData:
    """Read new data and count it.

    Parameters
    ----------
    data : str or DataFrame
        A file, an address, a glob, a folder, a version of a data set; or a table.
    model : Opened
        The model, which is asked about each row that it can take.
    before : Reference
        What is kept of the training data.
    how : HowRead
        How the data is read otherwise than the training data was.
    keeping : Keeping, optional
        Where each answer of the model is written down.
    exact : bool
        Keep every value.

    Raises
    ------
    DataError
        It cannot be read at all, has no rows, or none of the columns that the model takes.
    """
    reading = _Reading(model, before, keeping, exact=exact)
    if not isinstance(data, str):
        plain = data.rename(columns=lambda name: str(name).strip()).reset_index(drop=True)
        chosen = plain[reading.wanted(list(plain.columns))]
        return reading.through([chosen] if len(chosen) else [], "the table")
    new = incoming(data, model.spec, how, model.workspace)
    with new.told():
        source = written(new.source, model.spec, reading.known, reading.as_text())
        pieces: Generator[pd.DataFrame] = chunks(source, reading.wanted)
        with closing(pieces):
            return reading.through(pieces, new.called)


@dataclass
class _Reading:
    """One pass through new data; what it counts changes as it goes."""

    model: Opened
    before: Reference
    keeping: Keeping | None = None
    exact: bool = field(kw_only=True, default=False)

    def __post_init__(self) -> None:
        self.answering = Answering(self.model, self.before, self.keeping, exact=self.exact)
        self.known = self._columns()
        self.rows = 0
        self.present: dict[str, None] = {}
        self.absent: dict[str, int] = {}
        self.broken: dict[str, str] = {}
        self.extra: dict[str, None] = {}
        self.digests: dict[str, Any] = {}
        self.tallies = {c.name: ColumnTally(c, exact=self.exact) for c in self.before.columns}

    def _columns(self) -> tuple[Column, ...]:
        """Return the columns that are read as training had them: those that are counted, and those that it takes."""
        inputs = {c.name: c for c in self.model.inputs}
        trained = self.model.trained
        counted = {c.name: trained[c.name] for c in self.before.columns if c.name in trained}
        return tuple({**counted, **inputs}.values())

    def as_text(self) -> list[str]:
        """Return the columns beside these that are read as they are written."""
        data, trained = self.model.spec.data, self.model.trained
        texts = [n for n in (data.target, data.group) if n is not None and n in trained and trained[n].dtype == "str"]
        return texts if self.keeping is None else [*texts, *self.keeping.as_text()]

    def wanted(self, present: Sequence[str]) -> list[str]:
        """Return the columns of a file that are read; one at least, by which its rows are counted."""
        names = [str(name).strip() for name in present]
        used = {*(c.name for c in self.known), *self.answering.beside}
        used |= set() if self.keeping is None else self.keeping.wanted(names)
        self.present |= dict.fromkeys(names)
        self.extra |= dict.fromkeys(n for n in names if n not in used and n not in self.model.trained)
        return [n for n in names if n in used] or names[:1]

    def through(self, pieces: Iterable[pd.DataFrame], called: str) -> NewData:
        """Count all parts.

        Raises
        ------
        DataError
            There are no rows, or they are those of something else.
        """
        for piece in pieces:
            self._take(piece)
        if not self.rows:
            raise DataError("the data has no rows", hint="give at least one")
        if all(column.name in self._gone for column in self.known):
            raise self._foreign(called)
        counted = {n: t.found() for n, t in self.tallies.items() if n not in self.broken and n not in self._gone}
        answers = self.answering
        return NewData(
            called=called,
            version=self._version(),
            rows=self.rows,
            columns=counted,
            outputs=answers.outputs(),
            target=answers.target(),
            labelled=answers.labelled,
            sample=answers.sample(),
            absent=self.absent,
            broken=self.broken,
            extra=tuple(self.extra),
            unanswered=answers.refused,
            unread=answers.unread,
            said=tuple(answers.said),
        )

    def _foreign(self, called: str) -> DataError:
        """Return the error for data of which the model takes nothing."""
        needed, has = [column.name for column in self.known], list(self.present)
        text = f"none of the columns that {self.model.saved.label} takes is in {called}"
        alike = ((name, nearest(name, has)) for name in needed)
        close = next((f"'{found}' is like '{name}'" for name, found in alike if found is not None), None)
        hint = close or "is it the right file? --read says how one is read"
        return DataError(f"{text}: it has {listed(has)}, and {listed(needed)} are needed", hint=hint)

    @property
    def _gone(self) -> set[str]:
        return {name for name, rows in self.absent.items() if rows == self.rows}

    def _take(self, piece: pd.DataFrame) -> None:
        plain = piece.rename(columns=lambda name: str(name).strip()).reset_index(drop=True)
        for column in self.known:
            if column.name not in plain.columns:
                self.absent[column.name] = self.absent.get(column.name, 0) + len(plain)
        present = [c for c in self.known if c.name in plain.columns and c.name not in self.broken]
        found = self._conformed(plain, present)
        for name, column_ in found.items():
            if name in self.tallies:
                self.tallies[name].add(column_)
            self._digest(name, column_)
        self.answering.take(plain, found)
        self.rows += len(plain)

    def _conformed(self, plain: pd.DataFrame, columns: Sequence[Column]) -> dict[str, pd.Series[Any]]:
        """Return columns in the form of the training data; those that cannot be so are noted and left out."""
        if not columns:
            return {}
        try:
            whole = conform(plain, columns, self.model.spec.data.dtypes)
        except DataError:
            if len(columns) > 1:
                return {n: s for c in columns for n, s in self._conformed(plain[[c.name]], [c]).items()}
            self.broken[columns[0].name] = self._why(plain, columns[0])
            return {}
        return {c.name: whole[c.name] for c in columns}

    def _why(self, plain: pd.DataFrame, column: Column) -> str:
        """Return what the first row that cannot be read holds, wherever a part may have begun."""
        low, high = 0, len(plain)  # rows before `low` can be read, those before `high` cannot
        while high - low > 1:
            middle = (low + high) // 2
            try:
                conform(plain[[column.name]].iloc[low:middle], [column], self.model.spec.data.dtypes)
                low = middle
            except DataError:
                high = middle
        value = str(plain[column.name].iloc[low])
        shown = value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"
        return f"row {self.rows + low + 1:,} has '{shown}', and in training it held {_HELD[column.kind]}"

    def _digest(self, name: str, column: pd.Series[Any]) -> None:
        hashes = pd.util.hash_pandas_object(column, index=False, categorize=True).to_numpy()
        self.digests.setdefault(name, hashlib.sha256()).update(hashes.tobytes())

    def _version(self) -> str:
        whole = hashlib.sha256(f"{self.rows}".encode())
        for name, digest in sorted(self.digests.items()):
            whole.update(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest() + digest.digest())
        for name, why in sorted(self.broken.items()):
            whole.update(f"{name}: {why}".encode("utf-8", "surrogatepass"))
        return whole.hexdigest()


def listed(names: Sequence[str]) -> str:
    """Return the first of some names."""
    return ", ".join(f"'{name}'" for name in names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")


_HELD = {
    Kind.NUMERIC: "numbers",
    Kind.BOOLEAN: "true and false",
    Kind.DATETIME: "dates",
    Kind.CATEGORICAL: "categories",
    Kind.TEXT: "text",
}
