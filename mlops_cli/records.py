"""The frozen records that pass between the stages: what each stage knows of the others is written here.

YAML → `ExperimentSpec` → `Plan` → `TrialResult`s → `RunRecord` → views. Nothing here reads, computes or prints, and
nothing mutates what another made: a changed record is a new one (`dataclasses.replace`).
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pandas as pd

SCHEMA_VERSION = 1
"""The version of every JSON file that the store writes."""


class Task(StrEnum):
    """What is learned."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"
    CLUSTERING = "clustering"


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


# --- what a config says ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ComponentSpec:
    """An object to be built: ``_target_`` and its parameters.

    ``target`` is a dotted name, or one such name per task for options like ``model=random_forest`` that mean the
    classifier or the regressor as the task asks. Parameters may hold further specs, in lists and mappings too.
    """

    target: str | Mapping[str, str]
    params: Mapping[str, Any] = field(default_factory=dict)
    partial: bool = False  # Hydra's _partial_: the callable itself, with its parameters bound

    def target_for(self, task: Task | None) -> str | None:
        """Return the dotted name for ``task``; None where this component has none for it."""
        if isinstance(self.target, str):
            return self.target
        return self.target.get(str(task)) if task is not None else None


NAMED_DATASET = "dataset"
"""Stands for the target of a source where a version of a named data set is meant, which says itself how it is read."""


def is_named_dataset(source: Mapping[str, Any]) -> bool:
    """Whether a source of a config is a version of a named data set: it says a name and no class."""
    return source.get("_target_") is None and source.get("name") is not None


def of_task(values: Mapping[str, Any], task: Task | None) -> dict[str, Any]:
    """Return parameters by dotted key without those that only another task has.

    Examples
    --------
    >>> of_task({"model.C": 1, "model._target_.regression": "sklearn.svm.SVR"}, Task.CLASSIFICATION)
    {'model.C': 1}
    """
    others = set(Task) - {task} if task is not None else set()
    return {key: value for key, value in values.items() if key.rpartition(".")[2] not in others}


@dataclass(frozen=True)
class TransformSpec:
    """One named step: a component and the columns that it acts on; the other columns pass through."""

    name: str
    component: ComponentSpec
    columns: tuple[str, ...] = ("all",)  # kinds, names or globs


@dataclass(frozen=True)
class ForecastSpec:
    """What a row of a series sees of the past, and how many rows ahead of it. All counts are of rows."""

    horizons: tuple[int, ...] = (1,)  # several: a row for each of them
    lags: tuple[int, ...] = ()  # how far back from the row itself
    differences: tuple[int, ...] = ()  # between the latest value that is known and one so far before that
    windows: tuple[int, ...] = ()  # of the latest values that are known
    stats: tuple[str, ...] = ("mean",)  # of each window
    by: tuple[str, ...] = ()  # columns that tell series apart
    known: tuple[str, ...] = ()  # columns that are known in advance
    past: tuple[str, ...] = ()  # columns of which the past is seen, as of the target
    calendar: tuple[str, ...] = ()  # parts of the row's own time
    cycles: tuple[str, ...] = ()  # likewise, as points on a circle


@dataclass(frozen=True)
class DataSpec:
    """Where the data is and what its columns are for."""

    source: ComponentSpec  # _target_ and what that source takes: path, read, …
    target: str | None = None
    positive: Any = None  # the class that binary metrics look for; the greater one when not given
    id: str | None = None
    drop: tuple[str, ...] = ()  # names or globs
    features: tuple[str, ...] | None = None  # names or globs; None is all that have no other use
    group: str | None = None
    weight: str | None = None
    time: str | None = None
    dtypes: Mapping[str, str] = field(default_factory=dict)  # column → dtype or kind
    expect: Mapping[str, Any] = field(default_factory=dict)
    accept: tuple[str, ...] = ()  # codes of notices that are known, and said no more
    missing_target: str = "error"  # or drop: leave rows without a target out
    forecast: ForecastSpec | None = None  # of a series: what each row sees of the past


@dataclass(frozen=True)
class MetricSpec:
    """A metric by name, or a user's own by ``_target_``."""

    name: str
    component: ComponentSpec | None = None
    direction: Direction | None = None  # None: known from the name
    response: str = "predict"  # of a user's own metric: predict, predict_proba, decision_function


@dataclass(frozen=True)
class EvaluationSpec:
    """How trials are scored."""

    metrics: tuple[MetricSpec, ...] = ()  # empty: the task's usual ones
    primary: str | None = None  # None: the first metric
    test: float | str | None = None  # a share of the rows, or a path; None holds nothing out


@dataclass(frozen=True)
class TrialSpec:
    """All that may differ between the trials of one run."""

    model: ComponentSpec
    transforms: tuple[TransformSpec, ...] = ()
    target_transform: ComponentSpec | None = None
    calibration: ComponentSpec | None = None
    threshold: float | str | None = None  # a probability, or the metric to choose it by; None leaves predict as it is
    split: ComponentSpec = field(default_factory=lambda: ComponentSpec("sklearn.model_selection.KFold"))
    seed: int = 0


class DimensionKind(StrEnum):
    """How a swept key takes its values."""

    CHOICE = "choice"
    INTERVAL = "interval"


@dataclass(frozen=True)
class Dimension:
    """One swept key: its choices in order, or an interval."""

    key: str
    kind: DimensionKind
    choices: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    integer: bool = False
    log: bool = False
    is_group: bool = False  # the choices are options of a config group

    @property
    def is_finite(self) -> bool:
        """Whether all its values can be listed."""
        return self.kind is DimensionKind.CHOICE


@dataclass(frozen=True)
class SamplerSpec:
    """What chooses the points of a sweep: a name (grid, random, tpe, gp, cmaes, qmc), or a sampler of Optuna's."""

    name: str = "grid"
    params: Mapping[str, Any] = field(default_factory=dict)
    target: str | None = None  # the dotted name of a class, where the name is "custom"

    @property
    def learns(self) -> bool:
        """Whether a later point may depend on how earlier ones did."""
        return self.name not in {"grid", "random", "qmc"}


@dataclass(frozen=True)
class PrunerSpec:
    """What stops trials that do badly: none, wilcoxon, halving or hyperband."""

    name: str = "none"
    over: str = "splits"  # or rows: a growing share of the training rows, on all splits
    factor: int = 3  # of halving: one trial in so many goes on, with so many times the work
    least: float | None = None  # what a trial gets first: splits, or a share of the rows
    p_threshold: float = 0.1  # of wilcoxon

    @property
    def prunes(self) -> bool:
        """Whether it ever stops a trial."""
        return self.name != "none"


@dataclass(frozen=True)
class SweepSpec:
    """What is tried: a union of subspaces, each the product of its dimensions."""

    sampler: SamplerSpec = field(default_factory=SamplerSpec)
    trials: int | None = None
    subspaces: tuple[tuple[Dimension, ...], ...] = ()
    pruner: PrunerSpec = field(default_factory=PrunerSpec)
    constraint: str | None = None  # over the keys of a point: those where it is false are never tried
    objectives: tuple[str, ...] = ()  # metrics to be good at together; empty: the primary one alone
    warm_start: str | None = None  # a run whose trials the sampler is told before its first point
    patience: int | None = None  # trials without a better one, after which no more are begun
    timeout: float | None = None  # seconds after which no more trials are begun
    window: int = 8  # trials under way at once, where later ones depend on earlier ones; whatever the workers

    @property
    def is_sweep(self) -> bool:
        """Whether there is anything to try."""
        return any(self.subspaces)

    @property
    def in_order(self) -> bool:
        """Whether a trial depends on how the trials before it did."""
        return self.sampler.learns or self.pruner.prunes or self.patience is not None


@dataclass(frozen=True)
class LauncherSpec:
    """Where trials run."""

    backend: str = "loky"
    n_jobs: int = -1
    trial_timeout: float | None = None  # seconds that one trial may take
    trial_memory: int | None = None  # bytes that one trial may hold
    address: str | None = None  # of a running cluster
    cluster: ComponentSpec | None = None  # a cluster to be started, such as dask_jobqueue.SLURMCluster
    options: Mapping[str, Any] = field(default_factory=dict)  # handed to the cluster that is started


class PlotName(StrEnum):
    """What can be drawn of a run; ``auto`` stands for all that suit it and cost little."""

    AUTO = "auto"
    CONFUSION_MATRIX = "confusion_matrix"
    ROC = "roc"
    PRECISION_RECALL = "precision_recall"
    CALIBRATION = "calibration"
    PREDICTION_ERROR = "prediction_error"
    RESIDUALS = "residuals"
    SILHOUETTE = "silhouette"
    SCORES = "scores"
    PERMUTATION_IMPORTANCE = "permutation_importance"
    PARTIAL_DEPENDENCE = "partial_dependence"
    LEARNING_CURVE = "learning_curve"
    VALIDATION_CURVE = "validation_curve"
    HISTORY = "history"
    TOP_TRIALS = "top_trials"
    PARALLEL_COORDINATES = "parallel_coordinates"
    SLICES = "slices"
    PARAM_IMPORTANCE = "param_importance"
    CONTOUR = "contour"


@dataclass(frozen=True)
class PlotSpec:
    """A plot that is asked for, and what it is to be of."""

    name: PlotName
    keys: tuple[str, ...] = ()  # of parameters, or the names of features
    values: tuple[Any, ...] = ()  # of the one parameter of a validation curve


@dataclass(frozen=True)
class ArtifactsSpec:
    """What is kept beside the scores."""

    keep: str = "best"  # best, none
    model_format: str = "skops"  # skops, joblib
    predictions: bool = True
    plots: tuple[PlotSpec, ...] = (PlotSpec(PlotName.AUTO),)  # empty: none


@dataclass(frozen=True)
class ExperimentSpec:
    """One resolved and checked experiment."""

    name: str
    data: DataSpec
    trial: TrialSpec
    description: str = ""
    task: Task | None = None  # None: look at the target
    evaluation: EvaluationSpec = field(default_factory=EvaluationSpec)
    sweep: SweepSpec = field(default_factory=SweepSpec)
    launcher: LauncherSpec = field(default_factory=LauncherSpec)
    artifacts: ArtifactsSpec = field(default_factory=ArtifactsSpec)
    tags: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)  # the plain resolved mapping that this was read from


# --- the data ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Notice:
    """Something said aloud about the data or the run: a stable code and a sentence with the mend."""

    code: str
    message: str


@dataclass(frozen=True)
class Breach:
    """A rule of ``data.expect`` that a table breaks."""

    key: str  # the rule as the config spells it, below data.expect: columns.age.max
    found: str  # in words
    column: str | None = None  # None where the rule is of the table or of several columns
    expected: str = ""
    count: int | None = None  # rows that break it; None where the rule is not of single rows
    rows: int = 0  # of the table
    examples: tuple[tuple[int, str], ...] = ()  # the first such rows, counted from 1, and what they hold
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
class Column:
    """One column as it was read."""

    name: str
    dtype: str
    kind: Kind
    missing: int = 0
    unique: int | None = None


@dataclass(frozen=True)
class DatasetVersion:
    """What a run saw: the sha256 of the whole content with its schema."""

    version: str
    rows: int
    columns: tuple[Column, ...]
    target: str | None = None
    source: str = ""

    @property
    def schema(self) -> dict[str, str]:
        """Column name → dtype, in order."""
        return {c.name: c.dtype for c in self.columns}


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

    @property
    def digest(self) -> str:
        """The sha256 of all paths and contents."""
        lines = sorted(f"{file.sha256} {file.path}\n" for file in self.files)
        return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()

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
    notices: tuple[Notice, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.X)


# --- the plan ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trial:
    """One candidate, ready to be run."""

    number: int
    params: Mapping[str, Any]  # the swept keys alone
    spec: TrialSpec
    fingerprint: str = ""


@dataclass(frozen=True)
class Metric:
    """A metric that is ready to rank: its name and its good end."""

    name: str
    direction: Direction


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
        """Return the good end of a metric."""
        return next(m.direction for m in self.metrics if m.name == metric)


# --- results -----------------------------------------------------------------------------------------------------


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
class SplitScore:
    """What one worker returns: one trial on one split."""

    trial: int
    split: int
    scores: Mapping[str, float] = field(default_factory=dict)
    fit_s: float = 0.0
    score_s: float = 0.0
    predictions: Mapping[str, np.ndarray[Any, Any]] | None = None  # column → values, in the order of the test rows
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
    counts: Counts = field(default_factory=Counts)
    dataset: DatasetVersion | None = None
    test_dataset: DatasetVersion | None = None  # where the held-out rows have a source of their own
    git: GitState = field(default_factory=GitState)
    code: Mapping[str, str] = field(default_factory=dict)  # the user's own files that trials ran → sha256
    environment: Mapping[str, Any] = field(default_factory=dict)  # versions and host, never the environment's variables
    seed: int = 0
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
    schema_version: int = SCHEMA_VERSION

    @property
    def datasets(self) -> tuple[DatasetVersion, ...]:
        """All data that it read: what trials saw, and held-out rows that come from somewhere else."""
        return tuple(data for data in (self.dataset, self.test_dataset) if data is not None)


@dataclass(frozen=True)
class Signature:
    """What a model takes and gives."""

    inputs: tuple[Column, ...]
    task: Task
    output: str  # the target's name
    output_dtype: str
    classes: tuple[Any, ...] | None = None
    id: str | None = None


@dataclass(frozen=True)
class Query:
    """Which runs, in which order, and how many of them."""

    experiment: str | None = None
    where: str = ""  # in the language of `--where`
    sort: str = ""  # keys with commas between them; one with - before it is descending; empty: newest first
    limit: int | None = None
    offset: int = 0
    columns: tuple[str, ...] = ()  # keys to be checked, and told in full


# --- runs beside each other --------------------------------------------------------------------------------------


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
class Change:
    """A key whose value differs between two runs; ``found`` says which of them have it at all."""

    key: str
    a: Any
    b: Any
    found: tuple[bool, bool] = (True, True)


@dataclass(frozen=True)
class RunDiff:
    """What differs between two runs, and nothing that does not, by section in the order in which it is shown."""

    a: str
    b: str
    sections: Mapping[str, tuple[Change, ...]]  # params, scores, data, columns, code, packages, environment, config


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
    test: str = ""  # ks (Kolmogorov-Smirnov) or chi2; nothing where there is too little to test
    statistic: float | None = None
    p: float | None = None  # adjusted by Benjamini and Hochberg over all columns
    distance: float | None = None  # Wasserstein, in standard deviations of the first; of categories, total variation
    psi: float | None = None  # population stability index
    missing: tuple[float, float] = (0.0, 0.0)  # shares
    new: tuple[str, ...] = ()  # categories that only the second has
    gone: tuple[str, ...] = ()  # categories that only the first has


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


@dataclass(frozen=True)
class Report:
    """One run, or several beside each other, as a page tells of them."""

    runs: tuple[RunContents, ...]
    made: str  # ISO 8601 with offset
    comparison: Comparison | None = None
    refused: str = ""  # why several runs cannot be compared


# --- what happens while a run goes -------------------------------------------------------------------------------


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
class Explanation:
    """Where the value of a config key came from."""

    key: str
    value: Any
    origins: Sequence[tuple[str, Any]]  # (file or command line, value), the last one wins


@dataclass(frozen=True)
class Finding:
    """One thing that ``mlops doctor`` looked at."""

    check: str
    state: str  # ok, missing (optional), broken
    found: str
    mend: str = ""
