"""What is known of a run's trials while they end: counts, the winner, what was said. Does not grow with the sweep."""

from __future__ import annotations

import bisect
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mlops_cli.analysis.aggregate import best, front, without_numbers
from mlops_cli.execution.fitting import MORE_ITERATIONS
from mlops_cli.records import Counts, Notice, TrialState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.execution.underway import Finished
    from mlops_cli.records import ErrorInfo, Plan, TrialResult

SHOWN_TRIALS = 8

MOST_SAID = 50
"""Different warnings that a record holds; of more it says that there were."""

OTHERS = Notice("library-warning", "libraries gave further warnings: they are in trials.jsonl")


@dataclass
class _Said:
    """A warning as it was said first, and of which trials."""

    first: Notice
    trials: list[int] = field(default_factory=list)  # the first ones by number
    often: int = 0

    def add(self, trial: int, notice: Notice) -> None:
        """Note one more trial, in whatever order they end."""
        if self.first != OTHERS and (not self.trials or trial < self.trials[0]):
            self.first = notice
        bisect.insort(self.trials, trial)
        del self.trials[SHOWN_TRIALS:]
        self.often += 1


def _kind(notice: Notice) -> Notice:
    """Return a warning without its numbers: those that differ in numbers alone are one."""
    return Notice(notice.code, without_numbers(notice.message))


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
    _said: dict[Notice, _Said] = field(default_factory=dict)  # by the text without its numbers

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
        kinds = {_kind(notice): notice for notice in reversed(result.notices)}
        for kind, notice in kinds.items():
            self._heard(kind, notice).add(result.trial, notice)

    def note(self, notice: Notice) -> None:
        """Note a warning of which it is not known what trial it comes from."""
        self._heard(_kind(notice), notice)

    def _heard(self, kind: Notice, notice: Notice) -> _Said:
        if kind not in self._said and len(self._said) >= MOST_SAID:
            kind = notice = OTHERS
        return self._said.setdefault(kind, _Said(notice))

    @property
    def error(self) -> ErrorInfo | None:
        """Why the first trial that failed did so."""
        return None if self._failed is None else self._failed.error

    def counts(self, planned: int | None = None) -> Counts:
        """Return how the trials ended; of ``planned`` ones, where not all have."""
        return Counts.of(self.states, reused=self.reused, planned=planned or 0)

    def warnings(self) -> list[Notice]:
        """Return what libraries warned of during trials: each thing once, with the trials that it concerns."""
        ordered = sorted(self._said.values(), key=lambda said: (said.trials[:1], said.first.code, said.first.message))
        return [self._worded(said) for said in ordered]

    def _worded(self, said: _Said) -> Notice:
        text = said.first.message.removesuffix(MORE_ITERATIONS).rstrip(" :.")
        if said.trials and self.done > 1:
            shown = ", ".join(map(str, said.trials)) + (" …" if said.often > len(said.trials) else "")
            text += f" (in {said.often} of {self.done} trials: {shown})"
        if said.first.code == "not-converged":
            text += MORE_ITERATIONS
        return replace(said.first, message=text)
