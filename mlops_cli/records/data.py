"""Data: tables and their versions, what is expected of them, what they look like, what differs between two."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy as np
    import pandas as pd

    from mlops_cli.records.audit import AuditHead
    from mlops_cli.records.base import Change, Kind, Notice
    from mlops_cli.records.runs import RunRecord


@dataclass(frozen=True)
class Breach:
    """A rule of ``data.expect`` that a table breaks."""

    key: str  # the rule as the config spells it, below data.expect: columns.age.max
    found: str  # in words
    column: str | None = None  # None where the rule is of the table or of several columns
    expected: Any = ""  # as the rule says it: a text, a number, a list …
    count: int | None = None  # rows that break it; None where the rule is not of single rows
    rows: int = 0  # of the table
    examples: tuple[tuple[int, Any], ...] = ()  # the first such rows, counted from 1, and what they hold as JSON has it
    is_warning: bool = False  # severity: warn


@dataclass(frozen=True)
class CheckedData:
    """A table, held against what is expected of it."""

    source: str
    rows: int
    columns: int
    rules: int
    breaches: tuple[Breach, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing is broken that must hold."""
        return all(breach.is_warning for breach in self.breaches)


@dataclass(frozen=True)
class Dates:
    """How the dates of a column are written, so that other rows are read alike; None is what no value has shown."""

    day_first: bool | None = None  # 31/12/2020
    zoned: bool | None = None  # with a zone or an offset from UTC


@dataclass(frozen=True)
class Column:
    """One column as it was read."""

    name: str
    dtype: str
    kind: Kind
    missing: int = 0
    unique: int | None = None
    dates: Dates | None = None  # of dates
    categories: str | None = None  # of categories: the dtype of their values


@dataclass(frozen=True)
class DatasetVersion:
    """What a run saw: the sha256 of the whole content with its schema."""

    version: str
    rows: int
    columns: tuple[Column, ...]
    target: str | None = None
    source: str = ""
    sha256: str = ""  # of the file that was read, see `sha256_of_files`; nothing where it was none, or a large one

    @property
    def schema(self) -> dict[str, str]:
        """Column name → dtype, in order."""
        return {c.name: c.dtype for c in self.columns}


def sha256_of_files(digests: Iterable[str]) -> str:
    """Return what tells the content of files: the sha256 of the one that there is; of several that of theirs.

    Parameters
    ----------
    digests : iterable of str
        The sha256 of each, in any order.
    """
    found = sorted(digests)
    return found[0] if len(found) == 1 else hashlib.sha256("".join(found).encode()).hexdigest() if found else ""


@dataclass(frozen=True)
class DatasetFile:
    """One file of a named data set."""

    path: str  # inside what was added, with /
    sha256: str
    size: int  # bytes


@dataclass(frozen=True)
class NamedDataset:
    """One version of a named data set: files that never change, and how they are read."""

    name: str
    number: int
    files: tuple[DatasetFile, ...]
    is_folder: bool
    option: str  # of the config's group ``data``: csv, parquet …
    table: DatasetVersion  # as a reader finds it: rows, columns, and the version that runs record
    read: Mapping[str, Any] = field(default_factory=dict)  # what the reader is handed
    origin: str = ""  # where it was added from
    added: str = ""  # ISO 8601 with offset
    note: str = ""
    key: str | None = None  # the column that tells rows apart
    audit: AuditHead | None = None  # of the log when it was added

    @property
    def digest(self) -> str:
        """The sha256 of all paths and contents."""
        lines = sorted(f"{file.sha256} {file.path}\n" for file in self.files)
        return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()

    @property
    def sha256(self) -> str:
        """What a run that reads these files from elsewhere records of them."""
        return sha256_of_files(file.sha256 for file in self.files)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def has_folder(self) -> bool:
        """Whether its files lie in a folder: one that was added, or the files of a glob."""
        return self.is_folder or len(self.files) > 1

    @property
    def ref(self) -> str:
        """How it is called: ``titanic@3``."""
        return f"{self.name}@{self.number}"


@dataclass(frozen=True)
class Dataset:
    """Data in memory, with each column in its role. Rows agree by position in all parts."""

    X: pd.DataFrame  # shape (rows, features); a clean RangeIndex
    y: np.ndarray[Any, Any] | None  # shape (rows,); labels as they came, or float64
    features: tuple[Column, ...]
    version: DatasetVersion
    ids: pd.Series[Any] | None = None
    groups: np.ndarray[Any, Any] | None = None
    weights: np.ndarray[Any, Any] | None = None
    times: pd.Series[Any] | None = None
    extra: Mapping[str, pd.Series[Any]] = field(default_factory=dict)  # columns that a split asks for by name
    roles: Mapping[str, str] = field(default_factory=dict)  # id, group, weight, time → the column's name
    made: tuple[str, ...] = ()  # of a forecast: columns of ``X`` and ``extra`` that were made of each row's past
    notices: tuple[Notice, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.X)


@dataclass(frozen=True)
class ColumnProfile:
    """One column as a reader of the data would want it described."""

    name: str
    dtype: str
    kind: Kind
    role: str  # feature, target, id, group, weight, time
    count: int  # values that are not missing
    missing: int
    unique: int | None = None
    mean: float | None = None
    std: float | None = None
    quantiles: tuple[float, ...] = ()  # least, 5 %, 25 %, 50 %, 75 %, 95 %, greatest; of numbers and times
    edges: tuple[float, ...] = ()  # of a histogram; times as seconds since 1970
    counts: tuple[int, ...] = ()  # values between two edges
    top: tuple[tuple[str, int], ...] = ()  # the most frequent values of a column that is not numeric
    association: float | None = None  # with the target, from 0 to 1


@dataclass(frozen=True)
class DataProfile:
    """What a run's training data looked like."""

    rows: int
    columns: tuple[ColumnProfile, ...]
    left_out: int = 0  # columns past the most that are described
    sampled: int | None = None  # rows behind all but counts, means and extremes, where not all


@dataclass(frozen=True)
class Ties:
    """How strongly columns go with each other, from 0 to 1."""

    columns: tuple[str, ...]
    pairs: Mapping[tuple[int, int], float] = field(default_factory=dict)  # places of columns, the lesser one first
    left_out: int = 0  # columns past the most that are compared, and texts
    sampled: int | None = None  # rows behind them, where not all


@dataclass(frozen=True)
class Shift:
    """How far the values of one column have moved between two tables."""

    column: str
    kind: Kind
    test: str = ""  # ks (Kolmogorov-Smirnov), chi2 or fisher; nothing where there is too little to test
    statistic: float | None = None  # of fisher the odds ratio, which may be infinite
    p: float | None = None  # adjusted by Benjamini and Hochberg over all columns
    distance: float | None = None  # Wasserstein, in standard deviations of the first; of categories, total variation
    psi: float | None = None  # population stability index
    missing: tuple[float, float] = (0.0, 0.0)  # shares
    new: tuple[str, ...] = ()  # categories that only the second has
    gone: tuple[str, ...] = ()  # categories that only the first has
    psi_by_chance: float | None = None  # what psi would come to, on average, were the rows of both sides shuffled


@dataclass(frozen=True)
class RowDiff:
    """Which rows came, went and changed between two tables."""

    key: str | None  # the column that tells rows apart; without one a changed row is one that went and one that came
    added: int = 0
    removed: int = 0
    changed: int = 0
    cells: Mapping[str, int] = field(default_factory=dict)  # column → rows in which its value changed
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # added, removed, changed → the first keys


@dataclass(frozen=True)
class DataDiff:
    """What differs between two tables."""

    a: str
    b: str
    rows: tuple[int, int]
    columns: tuple[Change, ...]  # added, removed, or of another type
    by_row: RowDiff
    shifts: tuple[Shift, ...]  # of the columns that both have
    lost_key: str | None = None  # what tells rows apart in one of them, and is no column of the other


@dataclass(frozen=True)
class DatasetSummary:
    """A named data set: all its versions."""

    name: str
    versions: tuple[NamedDataset, ...]  # the first one first
    tags: Mapping[str, int]


@dataclass(frozen=True)
class DatasetPage:
    """A version with what there is to know of it."""

    version: NamedDataset
    tags: tuple[str, ...]
    numbers: tuple[int, ...]  # of all versions of its data set
    runs: tuple[RunRecord, ...]  # that read it, or the same content from elsewhere; the newest first
    models: Mapping[str, str] = field(default_factory=dict)  # registered versions that were made from it → its role
