"""What a version must pass before it is promoted: as ``promotion`` in a config says it, or a file of its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MetricBound:
    """What a metric of the version's own run must keep to."""

    metric: str
    held_out: bool = False  # the score on held-out rows, else the mean over the splits
    least: float | None = None
    most: float | None = None
    least_ci: float | None = None  # of the lower end of the mean's 95 % interval
    most_ci: float | None = None  # of its upper end

    @property
    def name(self) -> str:
        """How the YAML spells it."""
        return f"{self.metric}.test" if self.held_out else self.metric


@dataclass(frozen=True)
class ChampionGate:
    """How much better than the champion a version must be."""

    metric: str | None = None  # None: the primary one of its run
    data: str | None = None  # labelled rows for both; None: the splits that both were scored on
    margin: float = 0.0  # in units of the metric
    confidence: float = 0.95
    at_least: bool = False  # it is enough to be shown not to be worse by more than the margin
    unseen: bool = False  # on rows that the version has learned from it shows nothing
    no_twins: bool = False  # nor on such that equal them, whatever their ids


@dataclass(frozen=True)
class FairnessGate:
    """How far a metric may differ between groups of rows."""

    group: str  # a column
    metric: str
    max_difference: float | None = None  # between the greatest and the least
    min_ratio: float | None = None  # of the least to the greatest
    data: str | None = None  # labelled rows; None: those that the run held out
    min_rows: int = 30  # of a group that counts


@dataclass(frozen=True)
class LatencyGate:
    """How long a prediction may take."""

    rows: int = 1  # predicted at once
    p50_ms: float | None = None
    p99_ms: float | None = None


@dataclass(frozen=True)
class DataGate:
    """What must hold of the data that a version was made from."""

    warnings: tuple[str, ...] = ()  # codes that its run must not have
    no_warnings: bool = False  # of any code
    verify: bool = False  # it is still, byte by byte, what the run saw
    expect: bool = False  # rules are declared, and held


@dataclass(frozen=True)
class ApprovalGate:
    """Who must have approved."""

    by: tuple[str, ...]
    count: int = 1  # of them


@dataclass(frozen=True)
class HandoverGate:
    """What the model's owner must have answered."""

    questions: tuple[str, ...] = ()  # their keys; none named: all that must be answered
    max_age: float | None = None  # seconds since they were


@dataclass(frozen=True)
class Gates:
    """All that is declared."""

    metrics: tuple[MetricBound, ...] = ()
    champion: ChampionGate | None = None
    fairness: tuple[FairnessGate, ...] = ()
    latency: LatencyGate | None = None
    max_mb: float | None = None  # of the model's files
    data: DataGate | None = None
    approval: ApprovalGate | None = None
    handover: HandoverGate | None = None

    def __bool__(self) -> bool:
        """Whether anything is."""
        return self != Gates()


@dataclass(frozen=True)
class RolledBack:
    """An alias that was given back to the version that had it before."""

    model: str
    alias: str
    to: int
    before: int | None  # None where nobody had it any more
    skipped: tuple[str, ...] = ()  # versions that had it in between and cannot have it again, with why
