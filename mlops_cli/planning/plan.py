"""An experiment and what its results rest on → the plan, and the fingerprint of each trial."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import ConfigError
from mlops_cli.planning.fingerprint import fingerprint
from mlops_cli.records import Plan, Trial

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.records import ExperimentSpec, Metric, Task, TrialSpec


@dataclass(frozen=True)
class Point:
    """A point of the search space with what config composed of it."""

    params: Mapping[str, Any]
    spec: TrialSpec
    config: Mapping[str, Any]  # the plain mapping behind ``spec``, for the fingerprint


@dataclass(frozen=True)
class Basis:
    """What the results of all trials depend on besides their own config."""

    task: Task
    metrics: tuple[Metric, ...]
    positive: Any = None
    facts: Mapping[str, Any] = field(default_factory=dict)  # data version, own code, versions

    @property
    def shared(self) -> dict[str, Any]:
        """The facts that go into the fingerprint of every trial."""
        return {**self.facts, "task": str(self.task), "metrics": [m.name for m in self.metrics]}

    def trial(self, number: int, point: Point) -> Trial:
        """Return the trial of a point, with its fingerprint."""
        return Trial(number, dict(point.params), point.spec, fingerprint({**self.shared, "config": point.config}))


def make_plan(spec: ExperimentSpec, basis: Basis, base: Point, *, splits: int, sweep: Mapping[str, Any]) -> Plan:
    """Return the plan, without how many trials it has: the sampler knows that, once it is told what the plan says.

    Parameters
    ----------
    spec : ExperimentSpec
        What is asked.
    basis : Basis
        What all results depend on.
    base : Point
        A point of the space, or the only one.
    splits : int
        How many splits a trial has.
    sweep : mapping
        What determines which points are tried: the space, the sampler, what stops it. Empty without a sweep.

    Raises
    ------
    ConfigError
        The primary metric or an objective is none of the metrics, or has no good end.
    """
    ends = {m.name: m.direction for m in basis.metrics}
    names = [*ends]
    objectives = spec.sweep.objectives
    primary = spec.evaluation.primary or (objectives[0] if objectives else names[0])
    for name, key in [(primary, "evaluation.primary"), *((o, "sweep.objectives") for o in objectives)]:
        if name not in names:
            raise ConfigError(f"'{name}' is none of the metrics", key=key, hint=f"allowed: {', '.join(names)}")
        if ends[name] is None:
            hint = f"evaluation.metrics: {{{name}: maximize}} or {{{name}: minimize}}"
            raise ConfigError(f"which end of '{name}' is the good one is not known", key=key, hint=hint)
    facts = {"experiment": spec.name, "primary": primary, "config": base.config, "sweep": dict(sweep)}
    return Plan(
        experiment=spec.name,
        task=basis.task,
        metrics=basis.metrics,
        primary=primary,
        objectives=objectives if len(objectives) > 1 else (),
        total=None,
        splits=splits,
        fingerprint=fingerprint({**basis.shared, **facts}),
        positive=basis.positive,
    )
