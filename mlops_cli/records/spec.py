"""What a config says, checked and frozen: `ExperimentSpec` and its sections."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mlops_cli.records.base import Task
from mlops_cli.records.promotion import Gates
from mlops_cli.records.watching import DriftSpec, RetrainSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_cli.records.base import Direction


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


REPEATED = ("script", "command", "env")
"""Stand for the target of the model of a task without a table: what is done in its place."""


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
class SampleSpec:
    """How many rows of a table are read; they are drawn by lot, without replacement."""

    size: int | float  # an int counts rows; a float up to 1 is a share of them
    seed: int = 0


@dataclass(frozen=True)
class DataSpec:
    """Where the data is and what its columns are for."""

    source: ComponentSpec  # _target_ and what that source takes: path, read, …
    target: str | None = None
    positive: Any = None  # the class that binary metrics look for; the greater one when not given
    id: str | None = None
    drop: tuple[str, ...] = ()  # names or globs
    features: tuple[str, ...] | None = None  # names or globs; None is all that have no other use
    columns: tuple[str, ...] | None = None  # names or globs: what is read beside the columns of roles; None is all
    sample: SampleSpec | None = None  # None reads every row
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
    repetitions: int = 1  # of a task without a table, each with a seed of its own: they stand where splits do


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
    TRAINING_CURVE = "training_curve"
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
    tracker: ComponentSpec | None = None  # where else the run is told of; no part of what it computes
    tags: Mapping[str, str] = field(default_factory=dict)
    promotion: Gates = field(default_factory=Gates)  # what a version of it must pass; no part of what it computes
    drift: DriftSpec = field(default_factory=DriftSpec)  # what of new data is to be said aloud
    retrain: RetrainSpec = field(default_factory=RetrainSpec)  # when a version of it is made anew
    config: Mapping[str, Any] = field(default_factory=dict)  # the plain resolved mapping that this was read from

    @property
    def has_table(self) -> bool:
        """Whether it learns from a table."""
        return self.task is None or self.task.has_table


@dataclass(frozen=True)
class Explanation:
    """Where the value of a config key came from."""

    key: str
    value: Any
    origins: Sequence[tuple[str, Any]]  # (file or command line, value), the last one wins
