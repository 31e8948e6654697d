"""What is known of a run's trials while they end: counts, the winner, what was said. Does not grow with the sweep."""

from __future__ import annotations

import bisect
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mlops_cli.analysis.aggregate import best, front
from mlops_cli.records import Counts, TrialState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.execution.underway import Finished
    from mlops_cli.records import ErrorInfo, Notice, Plan, TrialResult

SHOWN_TRIALS = 8


@dataclass
class Progress:
    """The trials so far; the one thing here that changes while a run goes."""

    plan: Plan
    states: Counter[TrialState] = field(default_factory=Counter)
    reused: int = 0
    best: TrialResult | None = None
    front: list[TrialResult] = field(default_factory=list)
    predictions: tuple[Mapping[str, Any], ...] = ()  # of the best trial alone
    _failed: TrialResult | None = None  # the first one by number
    _said: dict[Notice, list[int]] = field(default_factory=dict)  # the first trials that each was said of
    _often: Counter[Notice] = field(default_factory=Counter)

    @property
    def done(self) -> int:
        """How many trials have ended."""
        return self.states.total()

    def take(self, finished: Finished) -> None:
        """Note a finished trial."""
        result, plan = finished.result, self.plan
        self.states[result.state] += 1
        self.reused += result.reused is not None
        if best([*([self.best] if self.best else []), result], plan.primary, plan.direction) is result:
            self.best, self.predictions = result, finished.predictions
        if plan.objectives:
            self.front = front([*self.front, result], [(name, plan.direction_of(name)) for name in plan.objectives])
        if result.state.has_failed:
            self._failed = min(filter(None, [self._failed, result]), key=lambda r: r.trial)
        for notice in result.notices:
            self._often[notice] += 1
            bisect.insort(self._said.setdefault(notice, []), result.trial)
            del self._said[notice][SHOWN_TRIALS:]

    @property
    def error(self) -> ErrorInfo | None:
        """Why the first trial that failed did so."""
        return None if self._failed is None else self._failed.error

    def counts(self, planned: int | None = None) -> Counts:
        """Return how the trials ended; of ``planned`` ones, where not all have."""
        lost = self.states[TrialState.LOST]
        return Counts(
            trials=max(planned or 0, self.done),
            completed=self.states[TrialState.COMPLETED],
            failed=self.states[TrialState.FAILED] + lost,
            pruned=self.states[TrialState.PRUNED],
            reused=self.reused,
            lost=lost,
        )

    def warnings(self, *, exact: bool) -> list[Notice]:
        """Return what libraries warned of during trials: each thing once, with the trials that it concerns.

        Of threads it is not known which trial a warning comes from: then it is not ``exact``.
        """
        ordered = sorted(self._said, key=lambda notice: (self._said[notice][0], notice.code, notice.message))
        return [self._of_trials(notice, exact=exact) for notice in ordered]

    def _of_trials(self, notice: Notice, *, exact: bool) -> Notice:
        text = re.sub(r" *\(status=\d+\)", "", notice.message).rstrip(" :.")
        if exact and self.done > 1:
            first, often = self._said[notice], self._often[notice]
            shown = ", ".join(map(str, first)) + (" …" if often > len(first) else "")
            text += f" (in {often} of {self.done} trials: {shown})"
        if notice.code == "not-converged":
            text += "; give it more iterations, as by model.max_iter=5000, or scale the features"
        return replace(notice, message=text)
