"""Models: what one takes and gives, its registered versions, who stands behind them, and what they must pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlops_cli.records.audit import AuditHead
    from mlops_cli.records.base import Direction, Notice, Task
    from mlops_cli.records.data import Column, DatasetVersion
    from mlops_cli.records.handover import Handover
    from mlops_cli.records.runs import RunFile, RunRecord

CHAMPION = "champion"
"""The alias that a bare name of a model means, and that promotion gives where no other is said."""


@dataclass(frozen=True)
class Signature:
    """What a model takes and gives."""

    inputs: tuple[Column, ...]
    task: Task
    output: str  # the target's name
    output_dtype: str
    classes: tuple[Any, ...] | None = None
    id: str | None = None


# --- the registry ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class ModelVersion:
    """``version.json``: a registered model, copied whole out of a run, which never changes."""

    name: str
    number: int
    path: Path
    created: str  # ISO 8601 with offset
    by: str  # who registered it
    record: RunRecord  # of the run that made it, as it was then
    files: Mapping[str, str]  # path inside the version → sha256
    size: int  # bytes of all of them
    audit: AuditHead | None = None  # of the log when it was registered

    @property
    def ref(self) -> str:
        """How it is called: ``titanic/3``."""
        return f"{self.name}/{self.number}"

    def __repr__(self) -> str:
        return f"ModelVersion({self.ref!r}, run={self.record.id!r})"


class Approval(StrEnum):
    """Where a version stands with the people who answer for it."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    ARCHIVED = "archived"


OUT_OF_USE = (Approval.REJECTED, Approval.ARCHIVED)
"""Where one of these is the last word on a version, it is given no alias, whatever its gates say."""


@dataclass(frozen=True)
class SignOff:
    """What one person said of a version."""

    by: str
    at: str
    verdict: Approval
    note: str = ""


@dataclass(frozen=True)
class ModelStatus:
    """What people say of a version; all of it may change."""

    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    sign_offs: tuple[SignOff, ...] = ()

    @property
    def approval(self) -> Approval:
        """The last word."""
        return self.sign_offs[-1].verdict if self.sign_offs else Approval.PENDING


@dataclass(frozen=True)
class AliasMove:
    """An alias that was given to another version, or taken away."""

    alias: str
    to: int | None
    before: int | None
    at: str
    by: str
    why: str = ""  # promotion, rollback, or nothing where it was set by hand
    override: str = ""  # the reason why gates that failed were passed over
    audit: AuditHead | None = None


@dataclass(frozen=True)
class Aliases:
    """``aliases.json`` of a model: what its versions are called, and what they were called before."""

    versions: Mapping[str, int] = field(default_factory=dict)  # alias → number
    moves: tuple[AliasMove, ...] = ()  # the first one first
    last: int = 0  # the highest number that was ever given

    def of(self, number: int) -> tuple[str, ...]:
        """Return the aliases of a version."""
        return tuple(sorted(alias for alias, to in self.versions.items() if to == number))

    def edited(self) -> dict[str, tuple[int | None, int | None]]:
        """Return the aliases that mean another version than their moves lead to, with both: somebody edited them."""
        moved = {move.alias: move.to for move in self.moves}
        pairs = {alias: (self.versions.get(alias), moved.get(alias)) for alias in sorted({*moved, *self.versions})}
        return {alias: pair for alias, pair in pairs.items() if pair[0] != pair[1]}


@dataclass(frozen=True, repr=False)
class RegisteredModel:
    """A model with all its versions."""

    name: str
    versions: tuple[ModelVersion, ...]  # the first one first
    aliases: Aliases
    statuses: Mapping[int, ModelStatus]

    def __repr__(self) -> str:
        return f"RegisteredModel({self.name!r}, versions={[version.number for version in self.versions]})"


@dataclass(frozen=True, repr=False)
class VersionPage:
    """All there is to know of a version."""

    version: ModelVersion
    aliases: tuple[str, ...]
    status: ModelStatus
    numbers: tuple[int, ...] = ()  # of all versions of the model
    files: tuple[RunFile, ...] = ()  # as they are now
    overridden: tuple[AliasMove, ...] = ()  # those by which it got an alias that it has, although gates had failed
    handover: Handover | None = None  # what its owner answered, for it or for an earlier version
    unread: str = ""  # why the answers cannot be read

    def __repr__(self) -> str:
        called = "".join(f", @{alias}" for alias in self.aliases)
        return f"VersionPage({self.version.ref!r}, {self.status.approval}{called})"


@dataclass(frozen=True)
class VersionCheck:
    """What came of reading a version again, byte by byte."""

    version: str  # titanic/3; or a model's name, for what its versions are called
    files: int
    size: int  # bytes that were read
    faults: tuple[str, ...]
    notes: tuple[str, ...] = ()  # what was not looked at, and why


# --- gates -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GateResult:
    """What came of one gate."""

    gate: str  # as the YAML spells it, below promotion: metrics.roc_auc.min
    passed: bool
    wanted: str
    found: str
    detail: str = ""  # how it was found: on which data, by which test
    value: float | None = None  # what was found, where that is one number
    bound: float | None = None  # what it was held against
    interval: tuple[float, float] | None = None  # of the value, where that is what was held against the bound


@dataclass(frozen=True)
class Promotion:
    """A version that was to be given an alias, and what its gates said."""

    version: str  # titanic/3
    alias: str
    before: str | None  # the version that had it
    gates: tuple[GateResult, ...]
    done: bool
    override: str = ""
    declared: str = ""  # where the gates are: a file of the workspace, or the run's own config; nothing: nowhere
    said: tuple[str, ...] = ()  # what else there is to know of how it went

    @property
    def passed(self) -> bool:
        """Whether no gate failed."""
        return all(gate.passed for gate in self.gates)


# --- predictions of new data -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Predicted:
    """What ``mlops predict`` wrote."""

    model: str  # titanic/3, or the id of a run
    data: str
    rows: int
    columns: tuple[str, ...]
    notices: tuple[Notice, ...] = ()
    path: Path | None = None  # None: stdout


# --- scores on new data ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ScoredMetric:
    """A metric of a model on labelled data."""

    value: float
    direction: Direction
    ci95: tuple[float, float] | None  # by bootstrap over rows, or over groups; None where there is too little
    std: float | None = None  # of the resamples


@dataclass(frozen=True)
class Evaluated:
    """What ``mlops evaluate`` found."""

    model: str  # titanic/3, or the id of a run
    data: DatasetVersion
    task: Task
    metrics: Mapping[str, ScoredMetric]
    primary: str
    resamples: int
    by: str = "rows"  # what was drawn again: rows, or the groups of a column
    warnings: tuple[Notice, ...] = ()
