"""The points of a sweep, composed → the plan: what will be run, and nothing that depends on having run it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import ConfigError
from mlops_cli.planning.fingerprint import combined, fingerprint
from mlops_cli.records import Plan, Trial

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_cli.records import ExperimentSpec, Metric, Task, TrialSpec


@dataclass(frozen=True)
class Candidate:
    """A point with what config composed of it."""

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


def make_plan(spec: ExperimentSpec, candidates: Sequence[Candidate], basis: Basis) -> Plan:
    """Return the plan: the candidates in order, each with its number and fingerprint.

    Raises
    ------
    ConfigError
        The primary metric is none of the metrics, or there is nothing to run.
    """
    names = [m.name for m in basis.metrics]
    primary = spec.evaluation.primary or names[0]
    if primary not in names:
        raise ConfigError(
            f"'{primary}' is none of the metrics", key="evaluation.primary", hint=f"allowed: {', '.join(names)}"
        )
    if not candidates:
        raise ConfigError("the sweep has no point", key="sweep.space", hint="give each key at least one value")
    shared = {**basis.facts, "task": str(basis.task), "metrics": names}
    trials = tuple(
        Trial(number, dict(c.params), c.spec, fingerprint({**shared, "config": c.config}))
        for number, c in enumerate(candidates)
    )
    run_facts = {"experiment": spec.name, "primary": primary}
    return Plan(
        experiment=spec.name,
        task=basis.task,
        trials=trials,
        metrics=basis.metrics,
        primary=primary,
        fingerprint=combined((t.fingerprint for t in trials), run_facts),
        positive=basis.positive,
    )
