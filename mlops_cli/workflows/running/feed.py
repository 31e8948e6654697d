"""The trials of a sweep, one after another as they are asked for: from the sampler, or known already."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import ConfigError
from mlops_cli.execution.source import KnownTrial
from mlops_cli.records import ErrorInfo, TrialResult, TrialState
from mlops_cli.workflows.running.trials import UNSUITABLE, point_at

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_cli.contracts import Sampler
    from mlops_cli.execution.job import Candidate
    from mlops_cli.store.known import Known
    from mlops_cli.workflows.running.trials import Maker


class Feed:
    """The source of an engine's trials.

    Parameters
    ----------
    maker : Maker
        Makes a trial of a point.
    sampler : Sampler
        Gives the points.
    objectives : sequence of str
        The metrics that the sampler is told of.
    known : Known
        Results that are there already.
    """

    def __init__(self, maker: Maker, sampler: Sampler, objectives: Sequence[str], known: Known) -> None:
        self._maker = maker
        self._sampler = sampler
        self._objectives = objectives
        self._known = known
        self._number = 0

    def take(self) -> Candidate | KnownTrial | None:
        """Return the next trial, or its result where that is known already; None where there is no more."""
        params = self._sampler.ask()
        if params is None:
            return None
        number, self._number = self._number, self._number + 1
        try:
            trial = self._maker.trial(number, point_at(self._maker.composition, params))
        except ConfigError as problem:
            return KnownTrial(_not_composed(number, params, problem), 0)
        known = self._known.find(trial.fingerprint)
        if known is not None:
            return KnownTrial(replace(known, trial=number, params=trial.params), self._maker.count_splits(trial))
        made = self._maker.attempt(trial)
        return KnownTrial(made, 0) if isinstance(made, TrialResult) else made

    def learn(self, result: TrialResult) -> None:
        """Tell the sampler of a trial that has ended."""
        values = [result.mean(name) for name in self._objectives] if result.scores else None
        self._sampler.tell(result.trial, result.state, values)


class Only:
    """A source of one trial."""

    def __init__(self, candidate: Candidate) -> None:
        self._left = [replace(candidate, trial=replace(candidate.trial, number=0))]

    def take(self) -> Candidate | None:
        """Return the trial once."""
        return self._left.pop() if self._left else None

    def learn(self, result: TrialResult) -> None:
        """Take no note."""


def preview(maker: Maker, sampler: Sampler, most: int) -> list[tuple[Mapping[str, Any], str]]:
    """Return the first points of a sweep with their fingerprints, as far as they depend on no result."""
    found: list[tuple[Mapping[str, Any], str]] = []
    while len(found) < most and (params := sampler.ask()) is not None:
        point = point_at(maker.composition, params)
        found.append((params, maker.trial(len(found), point).fingerprint))
    return found


def _not_composed(number: int, params: Mapping[str, Any], problem: ConfigError) -> TrialResult:
    return TrialResult(number, TrialState.FAILED, dict(params), error=ErrorInfo(UNSUITABLE, str(problem)))
