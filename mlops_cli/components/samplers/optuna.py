"""Optuna's samplers: tree-structured Parzen estimators, Gaussian processes, CMA-ES, quasi-random, and any other.

The study lies in memory alone. What a sampler learned is learned again by asking and telling the same in the same
order, which is how a run is resumed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from mlops_cli.components.samplers.listing import identity
from mlops_cli.components.samplers.parameters import Parameters
from mlops_cli.components.samplers.studies import blamed, frozen, make_study, quiet, require_packages
from mlops_cli.records import TrialState

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from optuna.trial import Trial

    from mlops_cli.components.samplers.drawing import Draws
    from mlops_cli.components.samplers.listing import Point
    from mlops_cli.records import Direction, SweepSpec

    Earlier = Sequence[tuple[Mapping[str, Any], Sequence[float]]]

_ASKED = 20
_UNCONDITIONAL = frozenset({"gp", "cmaes", "qmc"})


class OptunaSampler:
    """Gives the points that a sampler of Optuna's chooses, each once.

    Optuna chooses points again that were tried already, in small spaces often, and knows no constraint. It is asked
    again then, and told that such a trial failed, which it takes no account of. Where it insists, a point is drawn at
    random in its stead, from which it learns like from its own. A space that can be listed is so given to its end.

    Parameters
    ----------
    sweep : SweepSpec
        The space and the sampler.
    draws : Draws
        Knows which points may be given, and how many; draws points where the sampler insists.
    directions : sequence of Direction
        The good end of each objective.
    seed : int
        Of the sampler.
    earlier : sequence of (point, values)
        Told before the first point.
    trust : collection of str
        The modules that the workspace's owner trusts.
    """

    def __init__(
        self,
        sweep: SweepSpec,
        draws: Draws,
        *,
        directions: Sequence[Direction],
        seed: int,
        earlier: Earlier = (),
        trust: Collection[str] = (),
    ) -> None:
        require_packages(sweep.sampler)
        self._name = sweep.sampler.target or sweep.sampler.name
        self._objectives = len(directions)
        self._draws = draws
        self._learns = sweep.sampler.learns
        self._parameters = Parameters(sweep.subspaces, at_once=sweep.sampler.name in _UNCONDITIONAL)
        self._running: dict[int, Trial] = {}  # by our numbers: Optuna counts what was not given too
        self._number = 0
        with quiet():
            known = frozen(self._parameters, earlier if self._learns else (), self._objectives)
            self._study = make_study(sweep.sampler, known, directions=directions, seed=seed, trust=trust)

    @property
    def size(self) -> int | None:
        """How many points it will give; not known under a constraint."""
        return self._draws.size

    def ask(self) -> Mapping[str, Any] | None:
        """Return the next point.

        Raises
        ------
        ConfigError
            Not one was found that the constraint allows, or the sampler failed.
        """
        if self._draws.is_done:
            return None
        with quiet():
            trial, point = self._chosen() or self._drawn() or (None, None)
        if trial is None or point is None:
            return None
        self._draws.give(point)
        if self._learns:
            self._running[self._number] = trial
        self._number += 1
        return point

    def tell(self, number: int, state: TrialState, values: Sequence[float] | None) -> None:
        """Learn how a point did; of one that failed, that it is no longer under way."""
        trial = self._running.pop(number, None)
        if trial is None:
            return
        with quiet(), blamed(self._name):
            self._tell(trial, state, values)

    def _chosen(self) -> tuple[Trial, Point] | None:
        """Return a point of the sampler's own choice; None where it insists on what may not be given."""
        last = ""
        for _ in range(_ASKED):
            trial, point = self._next()
            if self._draws.allows(point):
                return trial, point
            self._refuse(trial)
            if identity(point) == last:
                return None
            last = identity(point)
        return None

    def _drawn(self) -> tuple[Trial, Point] | None:
        point = self._draws.fresh()
        if point is None:
            return None
        self._study.enqueue_trial(self._parameters.of(point) or {})
        return self._next()[0], point

    def _next(self) -> tuple[Trial, Point]:
        with blamed(self._name):
            trial = self._study.ask()
            point = self._parameters.suggest(trial)
            if not self._learns:  # a sequence goes on from what has ended, and all that matters is that it has
                self._study.tell(trial, [0.0] * self._objectives)
            return trial, point

    def _refuse(self, trial: Trial) -> None:
        from optuna.trial import TrialState as State

        if self._learns:
            with blamed(self._name):
                self._study.tell(trial, state=State.FAIL)

    def _tell(self, trial: Trial, state: TrialState, values: Sequence[float] | None) -> None:
        from optuna.trial import TrialState as State

        usable = values is not None and len(values) == self._objectives and all(map(math.isfinite, values))
        if not usable or values is None:
            self._study.tell(trial, state=State.FAIL)
        elif state is TrialState.COMPLETED:
            self._study.tell(trial, list(values))
        elif state is TrialState.PRUNED and self._objectives == 1:
            trial.report(values[0], step=1)
            self._study.tell(trial, state=State.PRUNED)
        else:
            self._study.tell(trial, state=State.FAIL)
