"""What the results of all trials rest on: the metrics, and the facts that go into every fingerprint."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.components.assemble import NETWORKS, Assembly
from mlops_cli.components.metrics import positive_class, resolve_metrics
from mlops_cli.config.declared import SECTIONS
from mlops_cli.config.flat import texts
from mlops_cli.config.schema import ROLE_KEYS
from mlops_cli.execution.job import Scoring
from mlops_cli.planning.plan import Basis
from mlops_cli.records import Metric, MetricSpec, Notice, Task
from mlops_cli.store.provenance import versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.planning.plan import Point
    from mlops_cli.records import ExperimentSpec
    from mlops_cli.workflows.data.load import Loaded

COMPUTING = ("mlops-cli", "numpy", "pandas", "scikit-learn", "scipy")
"""Distributions that every result depends on."""

DISTRIBUTIONS = {
    "sklearn": "scikit-learn",
    "imblearn": "imbalanced-learn",
    "umap": "umap-learn",
    "category_encoders": "category-encoders",
    "feature_engine": "feature-engine",
}
"""Distributions whose packages have other names."""

LABELS_ALONE = {True: ("accuracy", "f1"), False: ("accuracy", "f1_macro")}
"""The usual metrics of two and of more classes that need no probability."""


def scoring_of(
    spec: ExperimentSpec, loaded: Loaded, found: Sequence[Point], trust: tuple[str, ...]
) -> tuple[Scoring, list[Notice]]:
    """Return how trials are scored, and what is worth saying of it."""
    metrics, positive = spec.evaluation.metrics, spec.data.positive
    if loaded.task is not Task.CLASSIFICATION or loaded.train.y is None:
        return Scoring(metrics, None, positive), []
    classes = tuple(np.unique(loaded.train.y).tolist())
    if len(classes) == 2:
        positive = positive_class(classes, positive)
    silent = _without_scores(loaded, found, trust) if not metrics else None
    if silent is None:
        return Scoring(metrics, classes, positive), []
    names = LABELS_ALONE[len(classes) == 2]
    text = f"{silent} gives classes alone, so the usual metrics that need more are left out: {', '.join(names)} remain"
    return Scoring(tuple(map(MetricSpec, names)), classes, positive), [Notice("fewer-metrics", text)]


def _without_scores(loaded: Loaded, found: Sequence[Point], trust: tuple[str, ...]) -> str | None:
    """Return the name of a model that gives neither probabilities nor a decision function."""
    for point in found:
        model = type(Assembly(point.spec, loaded.task, loaded.train.features, trust).model())
        # Asked of the class: a stack knows what its last model gives only when it is fitted.
        if not (hasattr(model, "predict_proba") or hasattr(model, "decision_function")):
            return model.__name__
    return None


def basis_of(
    spec: ExperimentSpec, loaded: Loaded, found: Sequence[Point], scoring: Scoring, workspace: Workspace
) -> Basis:
    """Return the metrics in order, and what results depend on besides each trial's own config."""
    resolved = resolve_metrics(
        scoring.metrics,
        task=loaded.task,
        classes=scoring.classes,
        positive=scoring.positive,
        trust=workspace.trust,
        has_target=loaded.train.y is not None,
    )
    facts = {
        "data": loaded.train.version.version,
        "roles": _roles(spec),
        "test": _test_facts(spec, loaded),
        "python": list(sys.version_info[:2]),
        "versions": versions(distributions([_computing(spec), *(p.config for p in found)])),
        "metric_settings": repr(scoring.metrics),
    }
    positive = scoring.positive if scoring.classes is not None and len(scoring.classes) == 2 else None
    return Basis(loaded.task, tuple(Metric(m.name, m.direction) for m in resolved), positive, facts)


def _roles(spec: ExperimentSpec) -> dict[str, Any]:
    """Return what the config says of the roles of columns; for where the data is stands its content's own hash."""
    data = spec.config.get("data")
    kept = set(ROLE_KEYS) - {"expect", "accept", "columns", "sample"}
    return {k: v for k, v in data.items() if k in kept} if isinstance(data, dict) else {}


def _test_facts(spec: ExperimentSpec, loaded: Loaded) -> list[Any]:
    """Return what the held-out rows are: a share of the data, or the content of a file wherever it is."""
    share = None if isinstance(spec.evaluation.test, str) else spec.evaluation.test
    return [share, loaded.test.version.version if loaded.test is not None else None]


BEHIND = {
    NETWORKS: ("torch", "skorch"),
    "mlops_cli.components.reinforcement.sb3.": ("torch", "stable-baselines3"),
    "mlops_cli.components.boosters.XGB": ("xgboost", "xgboost-cpu"),
    "mlops_cli.components.boosters.LightGBM": ("lightgbm",),
    "mlops_cli.components.boosters.CatBoost": ("catboost",),
    "xgboost.": ("xgboost-cpu",),
}
"""Distributions that compute what components of some names do; of those that stand for each other one is installed."""


def distributions(config: Any) -> set[str]:
    """Return the distributions that the targets in a config come from, and those that all depend on."""
    names = set(_targets(config))
    packages = {name.partition(".")[0] for name in names}
    for begin, behind in BEHIND.items():
        if any(name.startswith(begin) for name in names):
            packages |= set(behind)
    return {*COMPUTING, *(DISTRIBUTIONS.get(p, p) for p in packages - {"mlops_cli"})}


def _targets(config: Any) -> Iterator[str]:
    if isinstance(config, dict):
        for key, value in config.items():
            if key == "_target_":
                yield from map(str, value.values() if isinstance(value, dict) else [value])
            else:
                yield from _targets(value)
    elif isinstance(config, list):
        for value in config:
            yield from _targets(value)


def own_modules(found: Sequence[Point], spec: ExperimentSpec, trust: tuple[str, ...]) -> set[str]:
    """Return the user's own modules that an experiment names: a change in another one changes nothing here."""
    # Any text may name a function, as func: mine.squash does: a module too many costs less than one too few.
    named = {*texts([_computing(spec), *(p.config for p in found)])}
    named |= {str(m.component.target) for m in spec.evaluation.metrics if m.component is not None}
    tops = {name.partition(":")[0].partition(".")[0] for name in named}  # an environment is my_envs:Grid-v0
    return tops & {name.partition(".")[0] for name in trust}


def _computing(spec: ExperimentSpec) -> dict[str, Any]:
    """Return a config without what changes no result."""
    return {key: value for key, value in spec.config.items() if key not in {*SECTIONS, "tracker"}}


def with_code(basis: Basis, code: Mapping[str, str]) -> Basis:
    """Return the basis with the hashes of the user's own code among its facts."""
    return replace(basis, facts={**basis.facts, "code": dict(code)})
