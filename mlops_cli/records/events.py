"""What happens while a workflow goes, and what it is told to whoever watches; what `mlops doctor` finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_cli.records.base import Notice

if TYPE_CHECKING:
    from mlops_cli.records.data import Dataset
    from mlops_cli.records.runs import Plan, RunRecord, TrialResult


@dataclass(frozen=True)
class RunStarted:
    """The plan is ready and the run directory exists."""

    record: RunRecord
    plan: Plan
    dataset: Dataset
    splits: int
    workers: int
    limit_s: float | None = None  # seconds after which no more trials begin


@dataclass(frozen=True)
class TrialFinished:
    """One more trial has ended."""

    result: TrialResult
    done: int
    total: int | None  # where it is known
    best: TrialResult | None
    front: int = 0  # trials that no other one beats in all objectives, where there are several


@dataclass(frozen=True)
class Stage:
    """A named step of a run begins: config, data, plan, predict, refit, save."""

    name: str
    detail: str = ""


@dataclass(frozen=True)
class SplitFinished:
    """One more fit of a trial on a split has ended, or will not be made."""

    done: int
    total: int | None  # where it is known
    known: int = 0  # of those done, how many were there already


Event = RunStarted | TrialFinished | SplitFinished | Stage | Notice
"""What a workflow tells whoever watches it."""


@dataclass(frozen=True)
class Finding:
    """One thing that ``mlops doctor`` looked at."""

    check: str
    state: str  # ok, missing (optional), broken
    found: str
    mend: str = ""
