"""Where an engine's trials come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mlops_cli.execution.job import Candidate
    from mlops_cli.records import TrialResult


@dataclass(frozen=True)
class KnownTrial:
    """A trial whose result is there already, and how many splits it has."""

    result: TrialResult
    splits: int


class Source(Protocol):
    """Where trials come from, in the order of their numbers."""

    def take(self) -> Candidate | KnownTrial | None:
        """Return the next trial, or its result where that is known already; None where there is no more."""
        ...

    def learn(self, result: TrialResult) -> None:
        """Take note of a trial that has ended; called in the order of the numbers, and only if trials depend on it."""
        ...
