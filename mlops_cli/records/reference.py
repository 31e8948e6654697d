"""What is kept of the data that a model was trained on, so that new data can be held against it without it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt

    from mlops_cli.records.base import Kind

    Numbers = npt.NDArray[np.float64]


class ComparedBy(StrEnum):
    """What of a column's values is counted."""

    NUMBERS = "numbers"  # of times the seconds since 1970
    CATEGORIES = "categories"
    LENGTH = "length"  # of texts and names, whose values are not kept


@dataclass(frozen=True, eq=False)
class Steps:
    """How numbers are distributed: how many equal each of some of them, the knots, and how many lie between."""

    knots: Numbers  # increasing, shape (knots,)
    equal: Numbers  # how many equal each, shape (knots,)
    between: Numbers  # how many lie below the first, between two, above the last; shape (knots + 1,)
    sums: Numbers  # of those, shape (knots + 1,)
    mean: float = float("nan")
    std: float = float("nan")  # with ddof=1
    low: float = float("nan")
    high: float = float("nan")

    @property
    def total(self) -> int:
        """How many numbers there are."""
        return int(self.equal.sum() + self.between.sum())

    @property
    def is_exact(self) -> bool:
        """Whether every value is a knot."""
        return not self.between.any()


@dataclass(frozen=True)
class Words:
    """How often each category occurs."""

    counts: Mapping[str, int] = field(default_factory=dict)
    others: int = 0  # rows of new data with categories that are new and too many to be named

    @property
    def total(self) -> int:
        """How many values there are."""
        return sum(self.counts.values()) + self.others


@dataclass(frozen=True, eq=False)
class ColumnReference:
    """One column, or one output of a model, without its rows."""

    name: str
    kind: Kind
    dtype: str
    by: ComparedBy
    rows: int
    missing: int
    steps: Steps | None = None
    words: Words | None = None


@dataclass(frozen=True, eq=False)
class PredictedSample:
    """The targets of some rows, and what a model that had not seen them said: what metrics are computed of.

    Classes are told by their places in the signature of the model, -1 where it does not know them.
    """

    truth: Numbers  # shape (rows,)
    prediction: Numbers
    proba: Numbers | None = None  # shape (rows, classes)
    weights: Numbers | None = None
    groups: Numbers | None = None  # which rows belong together
    of: int = 0  # rows that it was drawn from

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.truth)


@dataclass(frozen=True, eq=False)
class Reference:
    """``reference.parquet``: the data that a model was trained on, column by column, and what the model said of it."""

    rows: int
    columns: tuple[ColumnReference, ...]
    target: ColumnReference | None = None
    predictions: tuple[ColumnReference, ...] = ()
    sample: PredictedSample | None = None
    said: Mapping[str, Any] = field(default_factory=dict)  # how it was made: knots, whence the predictions
