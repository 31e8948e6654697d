"""A plan and what came of it: trials, scores, `RunRecord`, and which runs are meant."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_cli.records.base import SCHEMA_VERSION, TrialState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np

    from mlops_cli.records.audit import AuditHead
    from mlops_cli.records.base import Direction, ErrorInfo, Notice, RunStatus, Task
    from mlops_cli.records.comparing import PairedDifference
    from mlops_cli.records.data import DataProfile, DatasetVersion
    from mlops_cli.records.spec import TrialSpec


@dataclass(frozen=True)
class Trial:
    """One candidate, ready to be run."""

    number: int
    params: Mapping[str, Any]  # the swept keys alone
    spec: TrialSpec
    fingerprint: str = ""


@dataclass(frozen=True)
class Metric:
    """A metric: its name and its good end."""

    name: str
    direction: Direction | None  # None where neither end is the good one: nothing is ranked by it


@dataclass(frozen=True)
class Plan:
    """What will be run, and nothing that depends on having run it. Its trials are made as they are needed."""

    experiment: str
    task: Task
    metrics: tuple[Metric, ...]
    primary: str
    objectives: tuple[str, ...] = ()  # where there are several: a front of trials, none of which beats another in all
    total: int | None = 1  # trials; None where only trying tells how many points the space has
    splits: int = 1  # of each trial; the most where they differ
    fingerprint: str = ""
    positive: Any = None  # of two classes, the one that metrics look for

    @property
    def ranked_by(self) -> tuple[str, ...]:
        """The metrics that trials are judged by: the objectives, or the primary one alone."""
        return self.objectives or (self.primary,)

    @property
    def direction(self) -> Direction:
        """The good end of the primary metric."""
        return self.direction_of(self.primary)

    def direction_of(self, metric: str) -> Direction:
        """Return the good end of a metric that trials are ranked by."""
        return next(m.direction for m in self.metrics if m.name == metric and m.direction is not None)


@dataclass(frozen=True)
class Curve:
    """What was measured while one fit went on: a value for each step, of one or several quantities."""

    unit: str  # what a step is: epoch, iteration, episode, step
    steps: tuple[int, ...]  # ascending
    values: Mapping[str, tuple[float | None, ...]]  # quantity → one for each step; None where it was not measured


@dataclass(frozen=True)
class SplitScore:
    """What one worker returns: one trial on one split."""

    trial: int
    split: int
    scores: Mapping[str, float] = field(default_factory=dict)
    fit_s: float = 0.0
    score_s: float = 0.0
    predictions: Mapping[str, np.ndarray[Any, Any]] | None = None  # column → values, in the order of the test rows
    curve: Curve | None = None  # of a fit that goes step by step
    notices: tuple[Notice, ...] = ()
    error: ErrorInfo | None = None


@dataclass(frozen=True)
class TrialResult:
    """A line of the journal."""

    trial: int
    state: TrialState
    params: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, tuple[float, ...]] = field(default_factory=dict)  # metric → one score per split
    fit_s: float = 0.0
    score_s: float = 0.0
    fingerprint: str = ""
    error: ErrorInfo | None = None
    notices: tuple[Notice, ...] = ()
    steps: tuple[float, ...] = ()  # of a pruned sweep: the primary metric at each step that the trial reached
    reused: str | None = None  # the run that it was computed in, where that is another one
    curves: Mapping[int, Curve] = field(default_factory=dict)  # by split; kept in a file of their own

    def mean(self, metric: str) -> float:
        """Return the mean of a metric over the splits; NaN where there is none."""
        values = self.scores.get(metric, ())
        return sum(values) / len(values) if values else float("nan")

    def std(self, metric: str) -> float | None:
        """Return the standard deviation of a metric over the splits, with ddof=1; None where there is none."""
        import statistics  # most that load records need no spread

        values = self.scores.get(metric, ())
        return statistics.stdev(values) if len(values) > 1 and all(map(math.isfinite, values)) else None


@dataclass(frozen=True)
class MetricSummary:
    """A metric of one trial with its spread."""

    mean: float
    std: float | None  # with ddof=1; None for a single split
    ci95: tuple[float, float] | None  # of the mean, corrected for overlapping training sets
    splits: tuple[float, ...]
    test: float | None = None  # on the held-out rows


@dataclass(frozen=True)
class SplitsInfo:
    """How rows were parted for a trial: scores of trials with the same digest can be compared split by split."""

    digest: str  # sha256 of the rows of each part by their place, and of what is to be predicted (else of the data)
    count: int
    test_share: float  # test rows per training row, on average
    rows: int | None = None  # that there are to be parted, where that was written down


@dataclass(frozen=True)
class Baseline:
    """A forecast that needs no model, scored on the rows that the best trial was scored on."""

    name: str  # in words: the value of 12 rows before
    about: str  # why this one, and of how many rows it is another
    metrics: Mapping[str, MetricSummary]
    difference: PairedDifference | None = None  # how much more the best trial scores, by the primary metric


@dataclass(frozen=True)
class Counts:
    """How the trials of a run ended."""

    trials: int = 0
    completed: int = 0
    failed: int = 0
    pruned: int = 0
    reused: int = 0
    lost: int = 0

    @property
    def ended(self) -> int:
        """How many trials are over, however they ended."""
        return self.completed + self.failed + self.pruned

    @classmethod
    def of(cls, states: Counter[TrialState], *, reused: int = 0, planned: int = 0) -> Counts:
        """Return the counts of trials that have ended, of ``planned`` ones where not all have.

        Lost ones are failures too.
        """
        lost = states[TrialState.LOST]
        return cls(
            trials=max(planned, states.total()),
            completed=states[TrialState.COMPLETED],
            failed=states[TrialState.FAILED] + lost,
            pruned=states[TrialState.PRUNED],
            reused=reused,
            lost=lost,
        )

    @classmethod
    def of_results(cls, results: Sequence[TrialResult], planned: int = 0) -> Counts:
        """Return the counts of trials, each given once."""
        reused = sum(result.reused is not None for result in results)
        return cls.of(Counter(result.state for result in results), reused=reused, planned=planned)


@dataclass(frozen=True)
class GitState:
    """The code's place in git; all None outside a repository."""

    commit: str | None = None
    dirty: bool | None = None


@dataclass(frozen=True)
class BestTrial:
    """The winner."""

    trial: int
    params: Mapping[str, Any]


@dataclass(frozen=True)
class ProcessInfo:
    """Who runs a run, so that a dead one is known from a live one."""

    pid: int
    host: str
    boot: str | None = None


@dataclass(frozen=True)
class RunRecord:
    """``run.json``: all that is known of a run but its trials."""

    id: str
    path: Path
    experiment: str
    status: RunStatus
    started: str  # ISO 8601 with offset
    task: Task | None = None
    primary: str | None = None
    direction: Direction | None = None
    directions: Mapping[str, Direction] = field(default_factory=dict)  # of every metric
    best: BestTrial | None = None
    objectives: tuple[str, ...] = ()  # where there are several
    front: tuple[int, ...] = ()  # then the trials that no other one beats in all of them
    metrics: Mapping[str, MetricSummary] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)  # all of the best trial's, by dotted key, swept or not
    splits: SplitsInfo | None = None  # of the best trial
    baselines: tuple[Baseline, ...] = ()  # of a forecast: the naive ones, the stronger one first
    counts: Counts = field(default_factory=Counts)
    dataset: DatasetVersion | None = None
    test_dataset: DatasetVersion | None = None  # where the held-out rows have a source of their own
    git: GitState = field(default_factory=GitState)
    code: Mapping[str, str] = field(default_factory=dict)  # the user's own files that trials ran → sha256
    environment: Mapping[str, Any] = field(default_factory=dict)  # versions and host, never the environment's variables
    seed: int | None = 0  # None where one that was made elsewhere does not say
    ended: str | None = None
    duration_s: float | None = None
    warnings: tuple[Notice, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    description: str = ""
    fingerprint: str = ""
    forced: bool = False  # nothing was taken from other runs, and nothing will be where it is resumed
    files: Mapping[str, str] = field(default_factory=dict)  # path inside the run → sha256, of what must not change
    process: ProcessInfo | None = None
    error: ErrorInfo | None = None  # what ended the run, where it was not a trial
    audit: AuditHead | None = None  # of the log when it ended
    schema_version: int = SCHEMA_VERSION

    @property
    def datasets(self) -> tuple[DatasetVersion, ...]:
        """All data that it read: what trials saw, and held-out rows that come from somewhere else."""
        return tuple(data for data in (self.dataset, self.test_dataset) if data is not None)


@dataclass(frozen=True)
class Tracked:
    """How one tracker was told of a run."""

    tracker: str  # as `mlops runs export --to` calls it
    at: str | None = None  # where it is to be seen: a URL or a path
    problem: str | None = None  # why it was not told, or not all, the last time
    keys: tuple[Mapping[str, Any], ...] = ()  # with which it was told all: of each place


@dataclass(frozen=True)
class Query:
    """Which runs, in which order, and how many of them."""

    experiment: str | None = None
    where: str = ""  # in the language of `--where`
    sort: str = ""  # keys with commas between them; one with - before it is descending; empty: newest first
    limit: int | None = None
    offset: int = 0
    columns: tuple[str, ...] = ()  # keys to be checked, and told in full


@dataclass(frozen=True)
class RunFile:
    """A file of a run."""

    path: str  # inside the run
    size: int  # bytes
    sha256: str | None = None  # where the run recorded it


@dataclass(frozen=True)
class RunContents:
    """All that there is of one run, read and ready to be shown."""

    record: RunRecord
    trials: tuple[TrialResult, ...]
    config: str = ""  # YAML, resolved
    overrides: tuple[str, ...] = ()  # what was asked on the command line
    diff: str = ""  # uncommitted changes
    log: str = ""
    profile: DataProfile | None = None
    profile_problem: str = ""  # why the profile that is there cannot be read
    plots: Mapping[str, bytes] = field(default_factory=dict)  # name → SVG
    undrawn: Mapping[str, str] = field(default_factory=dict)  # name of a plot that would suit → why it is not there
    files: tuple[RunFile, ...] = ()
    work: Mapping[str, Any] = field(default_factory=dict)  # what was done without a table, by dotted key; else nothing
