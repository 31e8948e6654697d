"""The words that all records share: tasks, states, directions, kinds of columns, and things said aloud."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

SCHEMA_VERSION = 1
"""The version of every JSON file that the store writes."""


class Task(StrEnum):
    """What is learned."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"
    CLUSTERING = "clustering"
    REINFORCEMENT = "reinforcement"
    SCRIPT = "script"

    @property
    def has_table(self) -> bool:
        """Whether it learns from a table, whose rows are split; else it is repeated, with another seed each time."""
        return self not in {Task.REINFORCEMENT, Task.SCRIPT}


class RunStatus(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will be computed for it."""
        return self in {RunStatus.COMPLETED, RunStatus.FAILED}


class TrialState(StrEnum):
    """How a trial ended."""

    COMPLETED = "completed"
    FAILED = "failed"  # it raised
    LOST = "lost"  # killed, timed out, out of memory
    PRUNED = "pruned"

    @property
    def has_failed(self) -> bool:
        """Whether something went wrong with it."""
        return self in {TrialState.FAILED, TrialState.LOST}


class Direction(StrEnum):
    """Which end of a metric is the good one."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"

    def better(self, a: float, b: float) -> bool:
        """Whether the score ``a`` is strictly better than ``b``."""
        return a > b if self is Direction.MAXIMIZE else a < b


class Kind(StrEnum):
    """What a column holds; the words that ``columns:`` selects by."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    TEXT = "text"
    DATETIME = "datetime"
    BOOLEAN = "boolean"


@dataclass(frozen=True)
class Notice:
    """Something said aloud about the data or the run: a stable code and a sentence with the mend."""

    code: str
    message: str
    column: str | None = None  # that it is said of, where it is one; not written down


@dataclass(frozen=True)
class ErrorInfo:
    """Why something failed, as text: exceptions with their own constructors do not survive pickling."""

    type: str
    message: str
    traceback: str = ""

    @property
    def text(self) -> str:
        """The whole message after its type."""
        return f"{self.type}: {self.message}"

    @property
    def headline(self) -> str:
        r"""The error in one line: its type, and the first line of its message where there is one.

        Examples
        --------
        >>> ErrorInfo("ValueError", "\nC must be positive\nnot -1").headline, ErrorInfo("AssertionError", "").headline
        ('ValueError: C must be positive', 'AssertionError')
        """
        lines = self.message.strip().splitlines()
        return f"{self.type}: {lines[0]}" if lines else self.type


@dataclass(frozen=True)
class Change:
    """A key whose value differs between two runs; ``found`` says which of them have it at all."""

    key: str
    a: Any
    b: Any
    found: tuple[bool, bool] = (True, True)
