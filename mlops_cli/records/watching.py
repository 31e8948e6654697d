"""A model watched and renewed: what counts as drift, what was found, batch by batch, and when it is made anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.records.base import Direction, Notice, RunStatus
    from mlops_cli.records.data import Shift
    from mlops_cli.records.models import Promotion

# --- what counts as drift ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DriftBounds:
    """What of one column is drift: a change that chance does not explain, and that is large enough to matter."""

    alpha: float = 0.01  # the level of the tests, whose p is adjusted for their number
    psi: float = 0.1  # from which population stability index on …
    distance: float = 0.2  # … or which distance: Wasserstein in standard deviations, total variation of categories
    missing: float = 0.05  # from which change of the share of missing values on
    new: float = 0.01  # from which share of rows with categories on that training did not have


@dataclass(frozen=True)
class Alert:
    """Where a finding is sent: one of these."""

    command: str | None = None  # run by the shell, with the finding as JSON on its standard input
    file: str | None = None  # a line of JSON is appended
    webhook: str | None = None  # an address that JSON is posted to; may be ${oc.env:NAME}, which is never written down
    always: bool = False  # when nothing was found too


@dataclass(frozen=True)
class DriftSpec:
    """The section ``drift`` of an experiment, or ``configs/drift/NAME.yaml``."""

    bounds: DriftBounds = field(default_factory=DriftBounds)
    columns: Mapping[str, DriftBounds] = field(default_factory=dict)  # those that are judged by their own
    ignore: tuple[str, ...] = ()  # columns that may be as they like
    share: float = 0.0  # of the features that must have drifted before this is a finding; 0: one is enough
    predictions: DriftBounds | None = field(default_factory=DriftBounds)  # None: they are not judged
    metrics: Mapping[str, float] = field(default_factory=dict)  # metric → from how much worse on; empty: the primary, 0
    schema: bool = True  # whether a column that is missing or of another type is a finding
    min_rows: int = 30  # below which nothing is judged but the schema
    alerts: tuple[Alert, ...] = ()


# --- what was found ----------------------------------------------------------------------------------------------


class DriftKind(StrEnum):
    """What a finding is about."""

    SCHEMA = "schema"
    MISSING = "missing"
    CATEGORIES = "categories"
    DISTRIBUTION = "distribution"
    PREDICTIONS = "predictions"
    METRIC = "metric"


@dataclass(frozen=True)
class Drifted:
    """Something that has drifted."""

    kind: DriftKind
    subject: str  # a column, a metric, an output
    message: str  # one sentence, with the numbers

    @property
    def sentence(self) -> str:
        """What has drifted and how, where the message does not say it by itself."""
        is_named = self.kind is DriftKind.SCHEMA or self.message.startswith(self.subject)
        return self.message if is_named else f"{self.subject}: {self.message}"


@dataclass(frozen=True)
class Histogram:
    """The same parts of a column's values before and after, as they are drawn."""

    labels: tuple[str, ...]  # of categories; empty for numbers
    edges: tuple[float, ...]  # of numbers, one more than there are parts; empty for categories
    before: tuple[float, ...]  # share of the rows in each part
    after: tuple[float, ...]
    is_time: bool = False  # the edges are seconds since 1970


@dataclass(frozen=True)
class ColumnDrift:
    """One column, or one output of the model, before and after."""

    shift: Shift
    drifted: bool
    new_share: float = 0.0  # of the rows, whose category training did not have
    histogram: Histogram | None = None
    before: Mapping[str, float] = field(default_factory=dict)  # mean, std, min, p5, p50, p95, max of numbers
    after: Mapping[str, float] = field(default_factory=dict)

    @property
    def psi_beyond_chance(self) -> float | None:
        """The stability index less what chance brings, and 0 where the test finds no more than that.

        The index itself grows with the number of categories and shrinks with that of rows, and so batches and columns
        cannot be held against each other by it.
        """
        psi, p = self.shift.psi, self.shift.p
        if psi is None:
            return None
        is_more = self.drifted or (p is not None and p < DriftBounds.alpha)
        return max(0.0, psi - (self.shift.psi_by_chance or 0.0)) if is_more else 0.0


@dataclass(frozen=True)
class MetricDrift:
    """A metric on the rows that training was judged by, and on the new ones."""

    metric: str
    direction: Direction
    before: float
    after: float
    change: float  # after - before
    ci95: tuple[float, float] | None  # of the change, by bootstrap of both sides
    drifted: bool


@dataclass(frozen=True)
class DriftReport:
    """What came of holding new data against what a model was trained on."""

    model: str  # titanic/3, or a run's id
    data: str  # what the new data is called
    version: str  # the sha256 of its content, as far as the model takes it
    at: str  # ISO 8601 in UTC
    reference: str  # what was held against: the profile of titanic/3, or the training data itself
    rows: int
    reference_rows: int
    columns: tuple[ColumnDrift, ...] = ()  # features, those that moved most first
    predictions: tuple[ColumnDrift, ...] = ()
    metrics: tuple[MetricDrift, ...] = ()
    labelled: int = 0  # rows with a target
    findings: tuple[Drifted, ...] = ()
    notices: tuple[Notice, ...] = ()
    target: ColumnDrift | None = None  # where the new data has it
    unread: tuple[str, ...] = ()  # features that the new data lacks, or that cannot be read as in training
    judged: bool = True  # whether there were rows enough for more than the columns to be judged

    @property
    def drifted(self) -> bool:
        """Whether anything was found."""
        return bool(self.findings)

    @property
    def verdict(self) -> str:
        """What came of it, in a few words."""
        return "drift found" if self.drifted else "no drift found" if self.judged else "too few rows to be judged"

    @property
    def features(self) -> tuple[str, ...]:
        """All features that were looked at, those that cannot be read first."""
        return tuple(dict.fromkeys([*self.unread, *(column.shift.column for column in self.columns)]))

    @property
    def drifted_features(self) -> tuple[str, ...]:
        """Those that have drifted, first those that cannot be read, then those that moved most."""
        return tuple(dict.fromkeys([*self.unread, *(c.shift.column for c in self.columns if c.drifted)]))


# --- a model over time -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Batch:
    """One batch of new data that a model was watched on: ``models/NAME/batches/ID/batch.json``."""

    id: str  # its time and a few letters
    model: str  # the name
    number: int  # of the version that answered
    name: str  # what the user calls it; the name of the file where not given
    report: DriftReport
    logged: str  # ISO 8601 in UTC
    by: str
    id_column: str | None = None  # by which labels that come later are joined
    labels: str | None = None  # where they came from
    labelled: int = 0
    metrics: tuple[MetricDrift, ...] = ()  # as of the last labels
    content: str = ""  # sha256 of what it holds: the same batch is kept once

    @property
    def ref(self) -> str:
        """The version that answered: ``titanic/3``."""
        return f"{self.model}/{self.number}"

    @property
    def drifted(self) -> bool:
        """Whether something has drifted, by what was found then or by labels that came later."""
        return self.report.drifted or any(metric.drifted for metric in self.metrics)

    @property
    def verdict(self) -> str:
        """What came of it, in a few words."""
        return "drift found" if self.drifted else self.report.verdict


# --- made anew ---------------------------------------------------------------------------------------------------


class RetrainOn(StrEnum):
    """Which rows a model is trained on when it is made anew."""

    ALL = "all"  # those of before, and the new ones
    NEW = "new"
    WINDOW = "window"  # the latest of all


@dataclass(frozen=True)
class MetricTrigger:
    """A metric of the latest labelled batch that calls for a new model: ``roc_auc < 0.8``."""

    metric: str
    below: bool
    bound: float


@dataclass(frozen=True)
class RetrainSpec:
    """The section ``retrain`` of an experiment, or ``configs/retrain/NAME.yaml``."""

    on_drift: bool = False  # when the latest batch drifted
    every: float | None = None  # seconds since the version was made
    metrics: tuple[MetricTrigger, ...] = ()
    data: str | None = None  # where new rows are: a path, an address, a data set; None: those of the recipe, read again
    rows: RetrainOn = RetrainOn.ALL
    window: str | None = None  # 10000 rows, or 90d of the data's time
    hold_out: float = 0.2  # share of the new rows that neither model learns from, and both are scored on
    sweep: str = "none"  # none: the champion's parameters; around them; or again as the experiment has it
    warm_start: bool = False
    promote: bool = True  # try to, through the gates
    forget: bool = False  # also what does worse than the champion on the rows of before: the world has changed
    alias: str = "champion"

    @property
    def has_trigger(self) -> bool:
        """Whether anything calls for a new model by itself."""
        return self.on_drift or self.every is not None or bool(self.metrics)


@dataclass(frozen=True)
class Retrained:
    """What came of ``mlops retrain``."""

    model: str
    needed: bool
    reasons: tuple[str, ...] = ()  # what called for it, or why nothing did
    before: str | None = None  # the version whose recipe it was
    data: str | None = None  # what the new data is called
    run: str | None = None
    status: RunStatus | None = None  # of the run
    version: str | None = None  # that was registered
    held_out: str | None = None  # the rows that both are compared on: snapshot:VERSION
    promotion: Promotion | None = None
    rows: Mapping[str, int] = field(default_factory=dict)  # before, new, changed, trained, held_out
    changed: Mapping[str, Any] = field(default_factory=dict)  # parameter → the new value, after a sweep
    notices: tuple[Notice, ...] = ()
