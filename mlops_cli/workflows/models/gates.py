"""The gates of a version, each computed: one that fails hides no other, and one that cannot be computed has failed."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.analysis import gates
from mlops_cli.config.workspace import trusted_workspace
from mlops_cli.errors import ConfigError, DataError, MlopsError, did_you_mean
from mlops_cli.records import CHAMPION, NAMED_DATASET, GateResult, MetricSpec
from mlops_cli.store.datasets import Datasets
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.workflows.applying.model import registered
from mlops_cli.workflows.data.versions import held_out_version
from mlops_cli.workflows.silence import silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import pandas as pd

    from mlops_cli.analysis.fairness import Rows
    from mlops_cli.components.metrics import ResolvedMetric
    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import (
        ChampionGate,
        DataGate,
        ExperimentSpec,
        FairnessGate,
        Gates,
        LatencyGate,
        MetricBound,
        ModelStatus,
        ModelVersion,
    )
    from mlops_cli.workflows.applying.incoming import Opened
    from mlops_cli.workflows.applying.labelled import Labelled
    from mlops_cli.workflows.applying.model import Model, SavedModel
    from mlops_cli.workflows.data.load import Loaded


@dataclass(frozen=True)
class Judged:
    """A version that may be promoted; what several gates need of it is made once, when the first of them asks."""

    version: ModelVersion
    workspace: Workspace
    allow_pickle: bool = False

    @cached_property
    def spec(self) -> ExperimentSpec:
        """The experiment that it is of."""
        from mlops_cli.workflows.applying.incoming import config_of

        return config_of(registered(self.version))

    @cached_property
    def model(self) -> Model:
        """The model itself."""
        return registered(self.version).open(allow_pickle=self.allow_pickle)

    @cached_property
    def opened(self) -> Opened:
        """The model with its config."""
        from mlops_cli.workflows.applying.incoming import Opened

        return Opened(registered(self.version), self.model, self.spec, self.workspace)

    @cached_property
    def loaded(self) -> Loaded:
        """The very rows that its run saw."""
        from mlops_cli.workflows.data.seen_rows import rows_of_run

        return rows_of_run(self.spec, self.version.record, self.workspace)

    def rows(self, data: str) -> Labelled:
        """Return labelled rows as it takes them; a relative path starts from the workspace."""
        from mlops_cli.workflows.applying.labelled import labelled
        from mlops_cli.workflows.data.tables import HowRead

        place = self.workspace.root / Path(data).expanduser()
        return labelled(str(place) if place.exists() else data, self.opened, HowRead())

    def metric(self, name: str) -> ResolvedMetric:
        """Return a metric, as its run means it where that has one of the name."""
        from mlops_cli.components.metrics import resolve_metrics

        own = {metric.name: metric for metric in self.spec.evaluation.metrics}
        signature = self.opened.model.signature
        wanted = [own.get(name, MetricSpec(name))]
        positive = self.spec.data.positive
        self.require_known(name)
        return resolve_metrics(wanted, signature.task, signature.classes, positive, self.workspace.trust)[0]

    def require_known(self, name: str) -> None:
        """Refuse a function of the run's own under the name of a known metric: the run would say what is asked of it.

        Raises
        ------
        DataError
            It is one.
        """
        from mlops_cli.components.metric_names import metric_names

        for metric in self.spec.evaluation.metrics:
            if metric.name == name and metric.component is not None and name in metric_names():
                target = metric.component.target
                raise DataError(f"{self.version.ref} means a function of its own by {name}: {target}")


@dataclass(frozen=True)
class Case:
    """Who is to be promoted over whom."""

    version: Judged
    status: ModelStatus
    champion: Judged | None
    alias: str = CHAMPION
    fault: str = ""  # why the champion cannot be read


def judge(case: Case, wanted: Gates) -> tuple[GateResult, ...]:
    """Return what came of each gate, in the order in which they are declared; before them that it does not open."""
    with warnings.catch_warnings(), silent():
        warnings.simplefilter("ignore")
        found = _opening(case.version)
        found += [gate for bound in wanted.metrics for gate in _metric(bound, case.version)]
        found += [] if wanted.champion is None else [_champion(wanted.champion, case)]
        for number, spec in enumerate(wanted.fairness):
            found += _fairness(spec, "fairness" if len(wanted.fairness) == 1 else f"fairness[{number}]", case.version)
        found += [] if wanted.latency is None else _latency(wanted.latency, case.version)
        found += [] if wanted.max_mb is None else [_size(wanted.max_mb, case.version)]
        found += [] if wanted.data is None else _data(wanted.data, case.version)
        found += [] if wanted.approval is None else [gates.approval_gate(wanted.approval, case.status)]
    return tuple(found)


def closed(saved: SavedModel, *, allow_pickle: bool) -> str:
    """Return why a model may not be opened here; nothing where it may."""
    if saved.paths.joblib.name in saved.hashes and not allow_pickle:
        return "its model is a pickle and was not opened; --allow-pickle opens it"
    try:
        trusted_workspace(saved.paths.root)
    except ConfigError as error:
        return f"its model was not opened: {error}"
    return ""


def _opening(version: Judged) -> list[GateResult]:
    """Return a gate that has failed where a model cannot be opened: nobody declares that, and no version does without.

    Of one that may not be opened here nobody knows: `closed` says so, and those gates fail that need the model.
    """
    if closed(registered(version.version), allow_pickle=version.allow_pickle):
        return []
    try:
        version.model  # noqa: B018 - kept for the gates that need it
    except MlopsError as error:
        return [GateResult("model", passed=False, wanted="opens", found="does not", detail=str(error))]
    return []


def _or_unknown(
    compute: Callable[[], Iterable[GateResult]], otherwise: Callable[[str], Sequence[GateResult]]
) -> list[GateResult]:
    """Return gates, or why they cannot be computed: whatever a model, a metric or data may raise."""
    try:
        return list(compute())
    except MlopsError as error:
        return list(otherwise(str(error)))
    except Exception as error:  # noqa: BLE001 - a gate that cannot be computed has failed, and hides no other
        said = " ".join(str(error).split())
        return list(otherwise(f"{type(error).__name__}: {said}" if said else type(error).__name__))


def _metric(bound: MetricBound, version: Judged) -> list[GateResult]:
    def compute() -> list[GateResult]:
        version.require_known(bound.metric)
        return gates.metric_gates(bound, version.version.record)

    return _or_unknown(compute, lambda why: gates.metric_gates(bound, version.version.record, fault=why))


# --- the champion ------------------------------------------------------------------------------------------------


def _champion(spec: ChampionGate, case: Case) -> GateResult:
    own = case.version.version.record.primary or ""
    metric = spec.metric or (case.champion.version.record.primary if case.champion else None) or own
    if case.fault:
        return gates.unknown("champion", f"{metric} better", case.fault)
    if case.champion is None:
        detail = f"no version has @{case.alias}"
        return GateResult("champion", passed=True, wanted=f"{metric} better", found="no champion yet", detail=detail)
    wanted = gates.champion_wanted(spec, metric, case.champion.version.ref)
    if spec.metric is None and metric != own:
        why = f"that is what {case.champion.version.ref} is ranked by, and {case.version.version.ref} by {own}"
        return gates.unknown("champion", wanted, f"{why}: champion.metric says which")
    compute = _by_splits if spec.data is None else _by_rows
    champion = case.champion
    (found,) = _or_unknown(
        lambda: [compute(spec, metric, champion, case.version)], lambda why: [gates.unknown("champion", wanted, why)]
    )
    return found


def _by_splits(spec: ChampionGate, metric: str, champion: Judged, version: Judged) -> GateResult:
    from mlops_cli.workflows.runs.compare import contender_of

    for side in (champion, version):
        side.require_known(metric)
    sides = [contender_of(side.version.ref, side.version.record) for side in (champion, version)]
    return gates.champion_by_splits(spec, metric, sides[0], sides[1])


def _by_rows(spec: ChampionGate, metric: str, champion: Judged, version: Judged) -> GateResult:
    from mlops_cli.analysis.bootstrap import RESAMPLES
    from mlops_cli.analysis.paired_rows import paired_gain
    from mlops_cli.workflows.applying.evaluate import statistic_for

    data = spec.data or ""
    first, other = (side.rows(data) for side in (champion, version))
    _require_same(first, other, champion, version)
    champion.require_known(metric)
    score, size = version.metric(metric), len(other.X)
    gain = paired_gain(
        statistic_for(champion.opened, first, score),
        statistic_for(version.opened, other, score),
        score.direction,
        size,
        groups=other.groups,
        confidence=spec.confidence,
    )
    drawn = "rows" if other.groups is None else f"groups of {other.by}"
    how = f"both on the same {size:,} rows of {data}, {drawn} drawn {RESAMPLES:,} times"
    trained = [_trained_on(side, rows) for side, rows in ((champion, first), (version, other))]
    wanted = gates.champion_wanted(spec, metric, champion.version.ref)
    found = gates.champion_gate(spec, wanted, gain, "; ".join([how, *(text for text, _ in trained)]))
    if not (spec.unseen and trained[1][1]):
        return found
    why = f"{found.found}; but {version.version.ref} has learned from {trained[1][1]:,} of these rows"
    return replace(found, passed=False, found=why)


def _require_same(first: Labelled, other: Labelled, champion: Judged, version: Judged) -> None:
    """Refuse to pair rows that the two read otherwise."""
    import numpy as np

    targets = [side.opened.model.signature.output for side in (champion, version)]
    if targets[0] != targets[1]:
        raise DataError(f"{champion.version.ref} predicts {targets[0]}, {version.version.ref} {targets[1]}")
    if first.y is None or other.y is None:
        raise DataError("a clustering has no target, and so nothing to be better at on the same rows")
    if not np.array_equal(first.y, other.y):
        raise DataError(f"{champion.version.ref} and {version.version.ref} read other rows of {other.version.source}")


def _trained_on(side: Judged, rows: Labelled) -> tuple[str, int]:
    """Return how many of the rows a model has seen in training, in words too, or why nobody knows.

    One that went on learning from another version has seen what that one had.
    """
    from mlops_cli.workflows.data.seen_rows import seen_in_training
    from mlops_cli.workflows.models.ancestors import ancestors, goes_on_from

    before, gap = ancestors(side.version, goes_on_from, side.workspace)
    who = f"{side.version.ref}{', with what it goes on from,' if before or gap else ''}"
    try:
        counts = [seen_in_training(one.loaded, rows) for one in (side, *(Judged(v, side.workspace) for v in before))]
    except MlopsError as error:
        gap = error.message
    if gap:
        return f"whether {who} was trained on any of them is not known: {gap}", 0
    seen = min(sum(counts), len(rows.X))
    return f"{who} was trained on {f'{seen:,}' if seen else 'none'} of them", seen


# --- groups of rows ----------------------------------------------------------------------------------------------


def _fairness(spec: FairnessGate, place: str, version: Judged) -> list[GateResult]:
    from mlops_cli.analysis.fairness import by_group, fairness_gates, unknown_fairness

    def compute() -> Iterable[GateResult]:
        rows, column, on = _of_run(spec, version) if spec.data is None else _of_data(spec, version, spec.data)
        groups = by_group(column, _score(spec.metric, version, rows), spec.min_rows)
        return fairness_gates(spec, place, groups, on)

    return _or_unknown(compute, lambda why: unknown_fairness(spec, place, why))


def _of_data(spec: FairnessGate, version: Judged, data: str) -> tuple[Rows, pd.Series[Any], str]:
    """Return labelled rows, the group of each, and what they are called."""
    found = version.rows(data)
    if spec.group not in found.table:
        raise DataError(f"{data} has no column '{spec.group}'", hint=did_you_mean(spec.group, map(str, found.table)))
    return found, found.table[spec.group], f"{len(found.X):,} rows of {data}; {_trained_on(version, found)[0]}"


def _of_run(spec: FairnessGate, version: Judged) -> tuple[Rows, pd.Series[Any], str]:
    """Return the rows that its run held out."""
    import pandas as pd

    from mlops_cli.components.dataset import column_named

    test = version.loaded.test
    if test is None:
        raise DataError("its run held no rows out", hint="name labelled rows by fairness.data")
    is_role = test.roles.get("group") == spec.group
    column = pd.Series(test.groups, name=spec.group) if is_role else column_named(test, spec.group)
    if column is None:
        known = [c.name for c in test.version.columns]
        raise DataError(f"'{spec.group}' is no column of the data", hint=did_you_mean(spec.group, known))
    return test, column, f"the {test.rows:,} rows that its run held out"


def _score(name: str, version: Judged, rows: Rows) -> Callable[[Any], float]:
    from mlops_cli.analysis.fairness import RATES, rate_of, scorer_of
    from mlops_cli.components.metrics import positive_class

    opened = version.opened
    if name not in RATES:
        return scorer_of(opened.model.pipeline, rows, version.metric(name))
    classes = opened.model.signature.classes or ()
    if len(classes) != 2:
        raise DataError(f"{name} is of two classes; {opened.model.signature.output} has {len(classes) or 'none'}")
    return rate_of(opened.model.pipeline, rows, name, positive_class(classes, version.spec.data.positive))


# --- time and room -----------------------------------------------------------------------------------------------


def _latency(spec: LatencyGate, version: Judged) -> list[GateResult]:
    from mlops_cli.workflows.applying.latency import timed

    def compute() -> Iterable[GateResult]:
        X, saved = version.loaded.train.X, version.opened.saved
        return gates.latency_gates(spec, timed(saved, X, spec.rows, allow_pickle=version.allow_pickle))

    asked = (("p50_ms", spec.p50_ms), ("p99_ms", spec.p99_ms))
    return _or_unknown(
        compute,
        lambda why: [
            gates.unknown(f"latency.{word}", f"≤ {gates.number(most)} ms", why, most)
            for word, most in asked
            if most is not None
        ],
    )


def _size(max_mb: float, version: Judged) -> GateResult:
    saved = registered(version.version)
    sizes = [(saved.paths.root / name).stat().st_size for name in saved.hashes]
    return gates.size_gate(max_mb, sum(sizes), f"{len(sizes)} files of the model, as they lie on disk")


# --- the data ----------------------------------------------------------------------------------------------------


def _data(spec: DataGate, version: Judged) -> list[GateResult]:
    record = version.version.record
    found = _or_unknown(
        lambda: gates.warning_gates(spec, record, version.spec.data.accept),
        lambda why: [gates.unknown("data.warnings", "none", why)],
    )
    if spec.verify:
        found += _or_unknown(lambda: [_verified(version)], lambda why: [gates.unknown("data.verify", "unchanged", why)])
    if spec.expect:
        found += _or_unknown(lambda: [_expected(version)], lambda why: [gates.unknown("data.expect", "held", why)])
    return found


def _verified(version: Judged) -> GateResult:
    """Hold the data against what the run saw: by its content, and what is a named data set byte by byte too."""
    found, spec = version.loaded, version.spec
    held_out = held_out_version(spec.evaluation.test, spec.data.source, version.workspace)
    datasets = Datasets(WorkspacePaths(version.workspace.root))
    sources = [source for source in (spec.data.source, held_out) if source and source.target == NAMED_DATASET]
    named = [datasets.find(source.params["name"], source.params["version"]) for source in sources]
    faults = [f"{item.ref}: {fault}" for item in named for fault in datasets.faults(item)]
    versions = [item for item in (found.train.version, found.test_version) if item is not None]
    return gates.verified_gate(faults, " and ".join(f"{item.source}, {item.version[:12]}" for item in versions))


def _expected(version: Judged) -> GateResult:
    from mlops_cli.analysis.expect import count_of

    data = version.spec.data
    return gates.expectation_gate(count_of(data.expect), version.version.record, data.accept)
