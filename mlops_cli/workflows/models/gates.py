"""The gates of a version, each computed: one that fails hides no other, and one that cannot be computed has failed."""

from __future__ import annotations

import warnings
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mlops_cli.analysis import gates, gates_of_people
from mlops_cli.config.workspace import trusted_workspace
from mlops_cli.errors import ConfigError, DataError, MlopsError, did_you_mean
from mlops_cli.records import NAMED_DATASET, GateResult
from mlops_cli.store.datasets import Datasets
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.registry import Registry
from mlops_cli.store.registry.checking import certain_handover
from mlops_cli.workflows.applying.model import registered
from mlops_cli.workflows.data.versions import held_out_version
from mlops_cli.workflows.models.champion import champion_gate, trained_on
from mlops_cli.workflows.models.judged import or_unknown
from mlops_cli.workflows.silence import silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd

    from mlops_cli.analysis.fairness import Rows
    from mlops_cli.records import DataGate, FairnessGate, Gates, HandoverGate, LatencyGate, MetricBound
    from mlops_cli.workflows.applying.model import SavedModel
    from mlops_cli.workflows.models.judged import Case, Judged


def judge(case: Case, wanted: Gates) -> tuple[GateResult, ...]:
    """Return what came of each gate, in the order in which they are declared; before them that it does not open."""
    with warnings.catch_warnings(), silent():
        warnings.simplefilter("ignore")
        found = _opening(case.version)
        found += [gate for bound in wanted.metrics for gate in _metric(bound, case.version)]
        found += [] if wanted.champion is None else [champion_gate(wanted.champion, case)]
        for number, spec in enumerate(wanted.fairness):
            found += _fairness(spec, "fairness" if len(wanted.fairness) == 1 else f"fairness[{number}]", case.version)
        found += [] if wanted.latency is None else _latency(wanted.latency, case.version)
        found += [] if wanted.max_mb is None else [_size(wanted.max_mb, case.version)]
        found += [] if wanted.data is None else _data(wanted.data, case.version)
        found += [] if wanted.approval is None else [gates_of_people.approval_gate(wanted.approval, case.status)]
        found += [] if wanted.handover is None else _handover(wanted.handover, case.version)
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


def _metric(bound: MetricBound, version: Judged) -> list[GateResult]:
    def compute() -> list[GateResult]:
        version.require_known(bound.metric)
        return gates.metric_gates(bound, version.version.record)

    return or_unknown(compute, lambda why: gates.metric_gates(bound, version.version.record, fault=why))


# --- groups of rows ----------------------------------------------------------------------------------------------


def _fairness(spec: FairnessGate, place: str, version: Judged) -> list[GateResult]:
    from mlops_cli.analysis.fairness import by_group, fairness_gates, unknown_fairness

    def compute() -> Iterable[GateResult]:
        rows, column, on = _of_run(spec, version) if spec.data is None else _of_data(spec, version, spec.data)
        groups = by_group(column, _score(spec.metric, version, rows), spec.min_rows)
        return fairness_gates(spec, place, groups, on)

    return or_unknown(compute, lambda why: unknown_fairness(spec, place, why))


def _of_data(spec: FairnessGate, version: Judged, data: str) -> tuple[Rows, pd.Series[Any], str]:
    """Return labelled rows, the group of each, and what they are called."""
    found = version.rows(data)
    if spec.group not in found.table:
        raise DataError(f"{data} has no column '{spec.group}'", hint=did_you_mean(spec.group, map(str, found.table)))
    return found, found.table[spec.group], f"{len(found.X):,} rows of {data}; {trained_on(version, found).text}"


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
    return or_unknown(
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
    found = or_unknown(
        lambda: gates.warning_gates(spec, record, version.spec.data.accept),
        lambda why: [gates.unknown("data.warnings", "none", why)],
    )
    if spec.verify:
        found += or_unknown(lambda: [_verified(version)], lambda why: [gates.unknown("data.verify", "unchanged", why)])
    if spec.expect:
        found += or_unknown(lambda: [_expected(version)], lambda why: [gates.unknown("data.expect", "held", why)])
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


# --- people ------------------------------------------------------------------------------------------------------


def _handover(spec: HandoverGate, version: Judged) -> list[GateResult]:
    ref, registry = version.version.ref, Registry(WorkspacePaths(version.workspace.root))
    now = datetime.now().astimezone()
    return or_unknown(
        lambda: gates_of_people.handover_gates(spec, certain_handover(registry, version.version), ref, now),
        lambda why: [gates.unknown("handover", "answered", why)],
    )
