"""Which trials are stopped before they have all their splits: decided by how the trials before them did.

A trial is measured against a bar that is fixed when it begins, from trials that have ended by then in the order of
their numbers. So the same trials are stopped whatever the number of workers and in whatever order they end.
"""

from __future__ import annotations

import bisect
import math
import warnings
import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from mlops_cli.records import Direction, TrialState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.records import PrunerSpec, TrialResult

DEFAULT_RUNGS = 2
"""How many times halving multiplies the work where nothing is said about the least."""


@dataclass(frozen=True)
class Step:
    """How far a trial goes before it is looked at: its first so many splits, on a share of the training rows."""

    splits: int
    share: float = 1.0


class Bar(Protocol):
    """What one trial is measured against."""

    def verdict(self, step: int, scores: Sequence[float]) -> str | None:
        """Return why a trial is stopped after a step with these scores of its splits; None lets it go on."""
        ...


class Pruning(Protocol):
    """Decides which trials are stopped."""

    def steps(self, number: int, splits: int) -> tuple[Step, ...]:
        """Return the steps of a trial; the last one is all its splits on all rows."""
        ...

    def bar(self, number: int, splits: int) -> Bar:
        """Return what the trial is measured against, as things stand now."""
        ...

    def learn(self, result: TrialResult, splits: int) -> None:
        """Take note of a trial that has ended; called in the order of the numbers."""
        ...


def make_pruning(spec: PrunerSpec, primary: str, direction: Direction) -> Pruning:
    """Return what stops trials in the way that a config asks for."""
    if spec.name == "wilcoxon":
        return Wilcoxon(spec, primary, direction)
    if spec.name in {"halving", "hyperband"}:
        return Halving(spec, primary, direction)
    return Never()


def is_idle(spec: PrunerSpec, splits: int) -> bool:
    """Whether a pruner never looks at a trial of so many splits before it has them all."""
    if spec.name == "wilcoxon":
        return len(Wilcoxon(spec, "", Direction.MAXIMIZE).steps(0, splits)) == 1
    return spec.prunes and len(_rungs(spec, splits)) == 1


class Never:
    """Lets every trial have all its splits."""

    def steps(self, number: int, splits: int) -> tuple[Step, ...]:  # noqa: ARG002 - the protocol
        """Return the one step."""
        return (Step(splits),)

    def bar(self, number: int, splits: int) -> Bar:  # noqa: ARG002 - the protocol
        """Return a bar that everything clears."""
        return _Open()

    def learn(self, result: TrialResult, splits: int) -> None:
        """Take no note."""


class _Open:
    def verdict(self, step: int, scores: Sequence[float]) -> str | None:  # noqa: ARG002 - the protocol
        return None


# --- halving and hyperband ---------------------------------------------------------------------------------------


@dataclass
class Halving:
    """Successive halving without waiting: of the trials that reached a rung, the best one in ``factor`` goes on.

    Hyperband deals the trials out over brackets, whose first rungs differ, by a hash of their numbers: a config that
    needs much work to show itself has then a chance too.

    References
    ----------
    L. Li et al. A System for Massively Parallel Hyperparameter Tuning. MLSys 2020.
    L. Li et al. Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization. JMLR 18, 2018.
    """

    spec: PrunerSpec
    primary: str
    direction: Direction
    # By bracket and rung, best first, turned so that less is better.
    _reached: dict[tuple[int, int], list[float]] = field(default_factory=lambda: defaultdict(list))

    def steps(self, number: int, splits: int) -> tuple[Step, ...]:
        """Return the rungs of the trial's bracket."""
        rungs = _rungs(self.spec, splits)
        return rungs[self._bracket(number, len(rungs)) :]

    def _bracket(self, number: int, rungs: int) -> int:
        """Return where a trial begins; of hyperband each bracket gets about the same work."""
        if self.spec.name == "halving":
            return 0
        weights = [math.ceil(rungs * self.spec.factor ** (rungs - 1 - b) / (rungs - b)) for b in range(rungs)]
        place = zlib.crc32(str(number).encode()) % sum(weights)
        return next(b for b in range(rungs) if place < sum(weights[: b + 1]))

    def bar(self, number: int, splits: int) -> Bar:
        """Return the score to be reached at each rung."""
        rungs = len(_rungs(self.spec, splits))
        bracket = self._bracket(number, rungs)
        return _Rungs(self, tuple(self._threshold(bracket, step) for step in range(rungs - bracket)))

    def _threshold(self, bracket: int, step: int) -> tuple[float, int] | None:
        """Return the score of the last one that goes on, and of how many; None where all do."""
        known = self._reached[bracket, step]
        go_on = max(1, (len(known) + 1) // self.spec.factor)
        return (self._turned(known[go_on - 1]), len(known)) if len(known) >= go_on else None

    def learn(self, result: TrialResult, splits: int) -> None:
        """Take note of what a trial had at each rung that it reached."""
        rungs = len(_rungs(self.spec, splits))
        bracket = self._bracket(result.trial, rungs)
        for step, value in enumerate(self._values(result, splits)):
            if math.isfinite(value):
                bisect.insort(self._reached[bracket, step], self._turned(value))

    def _values(self, result: TrialResult, splits: int) -> Sequence[float]:
        if result.steps or self.spec.over == "rows":
            return result.steps
        scores = result.scores.get(self.primary, ())  # of another run, which pruned nothing
        counts = [step.splits for step in self.steps(result.trial, splits)]
        return [sum(scores[:count]) / count for count in counts if count <= len(scores)]

    def _turned(self, value: float) -> float:
        return -value if self.direction is Direction.MAXIMIZE else value


@dataclass(frozen=True)
class _Rungs:
    """The thresholds of one trial."""

    pruning: Halving
    thresholds: tuple[tuple[float, int] | None, ...]

    def verdict(self, step: int, scores: Sequence[float]) -> str | None:
        threshold = self.thresholds[step]
        value = sum(scores) / len(scores)
        if threshold is None or not self.pruning.direction.better(threshold[0], value):
            return None
        factor, (bound, known) = self.pruning.spec.factor, threshold
        return f"{self.pruning.primary} {value:.6g} is not among the best 1 in {factor} of {known + 1} ({bound:.6g})"


def _rungs(spec: PrunerSpec, splits: int) -> tuple[Step, ...]:
    if spec.over == "rows":
        share = spec.least if spec.least is not None else float(spec.factor) ** -DEFAULT_RUNGS
        return (*(Step(splits, s) for s in _grown(share, spec.factor, 1.0)), Step(splits))
    first = max(1, round(spec.least if spec.least is not None else 1))
    return (*(Step(round(s)) for s in _grown(first, spec.factor, splits)), Step(splits))


def _grown(first: float, factor: int, end: float) -> list[float]:
    """Return the sizes from the first one on, each ``factor`` times the one before, that are smaller than the end."""
    sizes = []
    while first < end * (1 - 1e-9):
        sizes.append(first)
        first *= factor
    return sizes


# --- wilcoxon ----------------------------------------------------------------------------------------------------


@dataclass
class Wilcoxon:
    """Stops a trial that is worse than the best one so far on the same splits, by Wilcoxon's signed-rank test.

    References
    ----------
    F. Wilcoxon. Individual Comparisons by Ranking Methods. Biometrics Bulletin 1, 1945.
    """

    spec: PrunerSpec
    primary: str
    direction: Direction
    _best: tuple[float, ...] = ()

    def steps(self, number: int, splits: int) -> tuple[Step, ...]:  # noqa: ARG002 - the protocol
        """Return a step for each split from the first at which the test can tell anything."""
        first = math.floor(math.log2(1 / self.spec.p_threshold)) + 1  # n scores give no p below 2 ** -n
        return tuple(Step(count) for count in range(min(first, splits), splits + 1))

    def bar(self, number: int, splits: int) -> Bar:  # noqa: ARG002 - the protocol
        """Return the best trial so far."""
        return _Rival(self, self._best, self.steps(0, splits))

    def learn(self, result: TrialResult, splits: int) -> None:  # noqa: ARG002 - the protocol
        """Take note of a trial that is better than all before it."""
        scores = result.scores.get(self.primary, ())
        if result.state is TrialState.COMPLETED and (
            not self._best or self.direction.better(_mean(scores), _mean(self._best))
        ):
            self._best = scores


@dataclass(frozen=True)
class _Rival:
    pruning: Wilcoxon
    best: tuple[float, ...]
    steps: tuple[Step, ...]

    def verdict(self, step: int, scores: Sequence[float]) -> str | None:
        count = self.steps[step].splits
        if len(self.best) < count or not self.pruning.direction.better(_mean(self.best[:count]), _mean(scores)):
            return None
        p = _p_worse([a - b for a, b in zip(scores, self.best, strict=False)], self.pruning.direction)
        if p >= self.pruning.spec.p_threshold:
            return None
        return f"{self.pruning.primary} {_mean(scores):.6g} is worse than the best so far, p = {p:.3g} (Wilcoxon)"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _p_worse(differences: Sequence[float], direction: Direction) -> float:
    """Return how likely differences at least as bad are, where the two are equally good."""
    from scipy.stats import wilcoxon

    alternative = "less" if direction is Direction.MAXIMIZE else "greater"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of few samples and of ties
        return float(wilcoxon(differences, alternative=alternative, zero_method="zsplit").pvalue)
