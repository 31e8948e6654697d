"""Where a model came from, and what was made from a run, a version of data, or a commit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.records.data import DatasetVersion, NamedDataset
    from mlops_cli.records.models import ModelVersion
    from mlops_cli.records.runs import RunRecord

TRAINING = "training"
HELD_OUT = "held out"


@dataclass(frozen=True)
class DataOrigin:
    """Data that a run read, where it came from, and what else was made from it."""

    role: str  # training, held out
    version: DatasetVersion
    named: tuple[NamedDataset, ...] = ()  # the versions of data sets that were read
    removed: tuple[str, ...] = ()  # those of them that are no longer there: titanic@3
    alike: tuple[str, ...] = ()  # versions of data sets with the same content, where none was read
    places: tuple[str, ...] = ()  # files, addresses, queries that it came from first; no secrets
    kept: str = ""  # as what it can be seen again: titanic@3, snapshot 3fa9c1d2e8b7; nothing: the source alone has it
    runs: int = 0  # that read the same content, this one too
    models: Mapping[str, str] = field(default_factory=dict)  # versions made from the same content → their role for it


@dataclass(frozen=True)
class Lineage:
    """Where a registered version came from."""

    version: ModelVersion
    aliases: tuple[str, ...] = ()
    is_run_there: bool = True  # else its record is in the version alone
    data: tuple[DataOrigin, ...] = ()
    siblings: tuple[str, ...] = ()  # other versions that were registered from the same run

    @property
    def run(self) -> RunRecord:
        """The run that made it, as it was then."""
        return self.version.record


@dataclass(frozen=True)
class Descent:
    """What was made from something."""

    of: str  # titanic@3, the id of a run, a commit
    kind: str  # data, run, commit
    runs: tuple[RunRecord, ...] = ()  # the newest first
    models: tuple[ModelVersion, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)  # of data: each version → what it was to it
