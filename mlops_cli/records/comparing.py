"""Runs beside each other: who is compared, what comes of it, and the page that tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mlops_cli.records.base import RunStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mlops_cli.records.base import Change, Direction, Task
    from mlops_cli.records.data import DatasetVersion
    from mlops_cli.records.runs import MetricSummary, RunContents, SplitsInfo


@dataclass(frozen=True)
class Contender:
    """One side of a comparison: a trial of a run, with its scores."""

    name: str  # how it is called beside the others: A, B, C
    label: str  # the run's id, with #N where the trial is not the run's best
    run: str
    trial: int
    metrics: Mapping[str, MetricSummary]
    directions: Mapping[str, Direction]
    params: Mapping[str, Any]
    primary: str = ""
    splits: SplitsInfo | None = None
    data: DatasetVersion | None = None
    setting: Mapping[str, Any] = field(default_factory=dict)  # config keys besides params that say what is scored how
    status: RunStatus = RunStatus.COMPLETED  # of its run
    chosen_from: int = 1  # completed trials of which it was the best by the scores that are compared
    task: Task | None = None  # of its run


class Verdict(StrEnum):
    """What a paired difference comes to."""

    BETTER = "better"
    WORSE = "worse"
    NOISE = "noise"  # no evidence of a difference
    SAME = "same"  # equal on every split
    UNKNOWN = "unknown"  # one split, or the very same difference on every split: no variance to judge it by


@dataclass(frozen=True)
class PairedDifference:
    """How much better a contender is than another one by one metric, over the same splits."""

    metric: str
    direction: Direction
    difference: float  # the mean over the splits of the other one's score minus the first one's
    ci95: tuple[float, float] | None
    p: float | None  # of the corrected resampled t-test; adjusted by Holm's method where there are several pairs
    splits: int
    verdict: Verdict


@dataclass(frozen=True)
class Pairing:
    """One contender against the first one."""

    other: Contender
    differences: tuple[PairedDifference, ...] = ()
    refused: str = ""  # why nothing can be paired, with the mend


@dataclass(frozen=True)
class Comparison:
    """Several contenders, each against the first one."""

    first: Contender
    pairings: tuple[Pairing, ...]
    primary: str
    repeated: tuple[str, ...] = ()  # who was named twice, a sentence each


@dataclass(frozen=True)
class RunDiff:
    """What differs between two runs, and nothing that does not, by section in the order in which it is shown."""

    a: str
    b: str
    sections: Mapping[str, tuple[Change, ...]]  # params, scores, data, columns, code, packages, environment, config


@dataclass(frozen=True)
class Report:
    """One run, or several beside each other, as a page tells of them."""

    runs: tuple[RunContents, ...]
    made: str  # ISO 8601 with offset
    comparison: Comparison | None = None
    refused: str = ""  # why several runs cannot be compared


class Agreement(StrEnum):
    """How far what was computed twice is the same."""

    IDENTICAL = "identical"  # bit for bit
    EQUAL = "equal"  # within the tolerance
    DIFFERENT = "different"

    @classmethod
    def least(cls, found: Iterable[Agreement]) -> Agreement:
        """Return the one that is furthest from identical; of none, identical."""
        return max(found, key=list(cls).index, default=cls.IDENTICAL)


@dataclass(frozen=True)
class Agreeing:
    """One thing that was computed twice: a trial, a table of predictions."""

    what: str
    agreement: Agreement
    difference: float | None = None  # the largest one, as a share of the largest value beside it; None of other things
    detail: str = ""  # where it is, or what else is another
    params: Mapping[str, Any] = field(default_factory=dict)  # of a trial


@dataclass(frozen=True)
class Rerun:
    """A run made again from its own record, and held against the first."""

    first: str  # the run, or the registered version
    again: str
    tolerance: float
    trials: tuple[Agreeing, ...]
    parts: tuple[Agreeing, ...] = ()  # the winner, its held-out scores and predictions, what the model predicts
    changed: tuple[str, ...] = ()  # what is another since the first, a sentence each
    notes: tuple[str, ...] = ()  # what was not compared, and why

    @property
    def agreement(self) -> Agreement:
        """The least of all."""
        return Agreement.least(part.agreement for part in (*self.trials, *self.parts))
