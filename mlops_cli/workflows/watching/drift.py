"""``mlops drift``: how far new data is from what a model was trained on, and whether that is more than chance."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

from mlops_cli.analysis import drift_words as say
from mlops_cli.analysis.drift import Pair, bounds_of, judge, most_moved
from mlops_cli.config.declared import of_owner, of_run
from mlops_cli.config.drift import SECTION, read_drift
from mlops_cli.errors import UsageError, did_you_mean, nearest
from mlops_cli.records import Drifted, DriftKind, DriftReport, DriftSpec, Notice
from mlops_cli.store.layout import RunPaths, VersionPaths
from mlops_cli.views.text import plural
from mlops_cli.workflows.applying.incoming import opened
from mlops_cli.workflows.data.tables import HowRead
from mlops_cli.workflows.watching.metrics import Compared, Draws, metric_drift
from mlops_cli.workflows.watching.reading import NewData, listed, read_new
from mlops_cli.workflows.watching.trained import Trained, trained_on

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from mlops_cli.analysis.drift import Judged
    from mlops_cli.records import ColumnDrift, ColumnReference, DriftBounds, Reference
    from mlops_cli.workflows.applying.incoming import Opened
    from mlops_cli.workflows.applying.model import SavedModel
    from mlops_cli.workflows.watching.keeping import Keeping


@dataclass(frozen=True)
class DriftOptions:
    """How new data is compared.

    Parameters
    ----------
    alpha : float, optional
        The level of all tests, in place of what is declared.
    psi : float, optional
        The population stability index from which a column has drifted, likewise.
    exact : bool
        Compare with the very training rows, read again, and keep every value.
    declared : DriftSpec, optional
        What counts as drift, in place of what is declared of the model.
    resamples : int
        How often rows are drawn again for the intervals of metrics; 0 computes none, and then no metric drifts.
    seed : int
        Of the draws.
    allow_pickle : bool
        Open a model that is a pickle, which can run any code.
    how : HowRead
        How the input is read, where it is not read as the training data was.
    """

    alpha: float | None = None
    psi: float | None = None
    exact: bool = False
    declared: DriftSpec | None = None
    resamples: int = 1000
    seed: int = 0
    allow_pickle: bool = False
    how: HowRead = field(default_factory=HowRead)


@dataclass(frozen=True)
class Checked:
    """A check for drift."""

    report: DriftReport
    spec: DriftSpec  # what counted as drift, and who is told
    model: Opened


def drift(
    ref: str,
    data: str | pd.DataFrame,
    options: DriftOptions | None = None,
    *,
    workspace: str | Path | None = None,
) -> Checked:
    """Hold new data against what a model was trained on.

    Parameters
    ----------
    ref : str
        A model: ``titanic/3``, ``titanic@champion``, a run.
    data : str or DataFrame
        A file, an address, a glob, a folder of parts, or a version of a data set; or a table. Has the target or not.
    options : DriftOptions, optional
        How they are compared.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    DataError
        The data cannot be read at all, or there is nothing that it could be compared with.
    StoreError
        There is no such model, or its files are not those that were recorded.
    ConfigError
        What counts as drift is declared wrongly.
    """
    asked = options or DriftOptions()
    return held_against(opened(ref, workspace=workspace, allow_pickle=asked.allow_pickle), data, asked)


def held_against(
    model: Opened, data: str | pd.DataFrame, asked: DriftOptions, keeping: Keeping | None = None
) -> Checked:
    """Hold new data against what an opened model was trained on, as `drift` does, and write down what it says.

    Parameters
    ----------
    model : Opened
        The model.
    data : str or DataFrame
        New data.
    asked : DriftOptions
        How they are compared.
    keeping : Keeping, optional
        Where each answer is written down.

    Raises
    ------
    DataError, StoreError, ConfigError
        As `drift`.
    """
    spec = _settled(declared_drift(model) if asked.declared is None else asked.declared, asked)
    before = trained_on(model, exact=asked.exact)
    after = read_new(data, model, before.reference, asked.how, keeping, exact=asked.exact)
    report = _report(model, before, after, spec, Draws(asked.resamples, asked.seed))
    return Checked(report, spec, model)


# --- what counts as drift ----------------------------------------------------------------------------------------


def declared_drift(model: Opened) -> DriftSpec:
    """Return what is declared of a model: in ``configs/drift/NAME.yaml``, else in its run's own config.

    Raises
    ------
    ConfigError
        It is declared wrongly.
    """
    saved = model.saved
    name = saved.record.experiment if saved.version is None else saved.version.name
    found = of_owner(model.workspace, SECTION, name, read_drift)
    return of_run(_config(saved), SECTION, read_drift) if found is None else found


def _config(saved: SavedModel) -> Path:
    return RunPaths(saved.record.path).config if saved.version is None else VersionPaths(saved.version.path).config


def _settled(spec: DriftSpec, asked: DriftOptions) -> DriftSpec:
    """Return what is declared, with what the command says in its place."""
    said = {name: value for name in ("alpha", "psi") if (value := getattr(asked, name)) is not None}
    if asked.alpha is not None and not 0 < asked.alpha < 1:
        raise UsageError(f"alpha is between 0 and 1. Got {asked.alpha} instead.", hint="--alpha 0.01")
    if asked.psi is not None and not asked.psi >= 0:
        raise UsageError(f"psi is at least 0. Got {asked.psi} instead.", hint="--psi 0.1")
    if not said:
        return spec

    def told(bounds: DriftBounds) -> DriftBounds:
        return replace(bounds, **said)

    return replace(
        spec,
        bounds=told(spec.bounds),
        columns={name: told(bounds) for name, bounds in spec.columns.items()},
        predictions=None if spec.predictions is None else told(spec.predictions),
    )


# --- the report --------------------------------------------------------------------------------------------------


def _report(model: Opened, before: Trained, after: NewData, spec: DriftSpec, draws: Draws) -> DriftReport:
    reference = before.reference
    judged = _all_judged(reference, after, spec)
    compared = _metrics(model, before, after, spec, draws)
    schema = _schema(after, spec, model.spec.data.target) if spec.schema else []
    named = {c.name for c in reference.columns}
    unread = tuple(dict.fromkeys(one.subject for one in schema if one.subject in named))
    columns = most_moved(one.drift for one in judged.features)
    moved, said = _of_features(judged.features, columns, unread, spec)
    findings = (
        *schema,
        *moved,
        *(found for one in (*judged.outputs, *judged.target) for found in one.findings),
        *(Drifted(DriftKind.METRIC, m.metric, f"{m.metric} {say.metric(m)}") for m in compared.metrics if m.drifted),
        *_unanswered(model, after, spec),
    )
    return DriftReport(
        model=model.saved.label,
        data=after.called,
        version=after.version,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        reference=before.called,
        rows=after.rows,
        reference_rows=reference.rows,
        columns=columns,
        predictions=most_moved(one.drift for one in judged.outputs),
        metrics=compared.metrics,
        labelled=after.labelled,
        findings=findings,
        notices=(*before.notices, *_notices(model, before, after, spec), *said, *compared.notices, *_alone(judged)),
        target=next((one.drift for one in judged.target), None),
        unread=unread,
        judged=after.rows >= spec.min_rows,
    )


@dataclass(frozen=True)
class _AllJudged:
    """What is wrong with each column, judged together."""

    features: list[Judged]
    outputs: list[Judged]
    target: list[Judged]  # one at most


def _all_judged(before: Reference, after: NewData, spec: DriftSpec) -> _AllJudged:
    pairs = (
        _pairs(before.columns, after.columns, spec),
        _outputs(before.predictions, after.outputs, spec),
        _target(before.target, after.target, spec),
    )
    judged = iter(judge([pair for part in pairs for pair in part], spec.min_rows))
    return _AllJudged(*(list(islice(judged, len(part))) for part in pairs))


def _pairs(before: tuple[ColumnReference, ...], after: Mapping[str, ColumnReference], spec: DriftSpec) -> list[Pair]:
    watched = [c for c in before if c.name in after and c.name not in spec.ignore]
    return [Pair(c, after[c.name], bounds_of(spec, c.name)) for c in watched]


def _outputs(before: tuple[ColumnReference, ...], after: Mapping[str, ColumnReference], spec: DriftSpec) -> list[Pair]:
    bounds = spec.predictions
    if bounds is None:
        return []
    return [Pair(c, after[c.name], bounds, DriftKind.PREDICTIONS) for c in before if c.name in after]


def _target(before: ColumnReference | None, after: ColumnReference | None, spec: DriftSpec) -> list[Pair]:
    """Return the target; that it is missing in some rows means that they are not labelled yet, and nothing else."""
    if before is None or after is None or before.name in spec.ignore:
        return []
    return [Pair(before, after, bounds_of(spec, before.name), gaps=False)]


def _of_features(
    judged: list[Judged], ordered: tuple[ColumnDrift, ...], unread: Sequence[str], spec: DriftSpec
) -> tuple[list[Drifted], list[Notice]]:
    """Return what is found of features, those that moved most first; nothing where too few of them have drifted."""
    findings = {one.drift.shift.column: one.findings for one in judged}
    found = [finding for column in ordered for finding in findings[column.shift.column]]
    drifted = {*unread, *(column.shift.column for column in ordered if column.drifted)}
    features = {*unread, *findings}
    if not found or len(drifted) / len(features) >= spec.share:
        return found, []
    text = f"{len(drifted)} of {plural(len(features), 'feature')} drifted, below the share of {say.percent(spec.share)}"
    return [], [Notice("below-share", text)]


def _schema(after: NewData, spec: DriftSpec, target: str | None) -> list[Drifted]:
    found = [
        Drifted(DriftKind.SCHEMA, name, f"lacks '{name}'{_where(rows, after.rows)}{_instead(name, after.extra)}")
        for name, rows in after.absent.items()
    ]
    found += [
        Drifted(DriftKind.SCHEMA, name, f"{name}: the column is of another type: {why}")
        for name, why in after.broken.items()
    ]
    found += [Drifted(DriftKind.SCHEMA, str(target), after.unread)] if after.unread else []
    return [one for one in found if one.subject not in spec.ignore]


def _where(rows: int, total: int) -> str:
    return "" if rows == total else f" in {rows:,} of {plural(total, 'row')}"


def _instead(name: str, extra: Sequence[str]) -> str:
    close = nearest(name, extra)
    return "" if close is None else f"; has '{close}', which is like it"


def _unanswered(model: Opened, after: NewData, spec: DriftSpec) -> list[Drifted]:
    """Return that the model cannot take the rows, where no column that is gone or unreadable says so already."""
    if not after.unanswered or after.absent or after.broken or spec.predictions is None or not _can_tell(model):
        return []
    output = model.model.signature.output
    return [Drifted(DriftKind.PREDICTIONS, output, f"the model cannot predict this data: {after.unanswered}")]


def _can_tell(model: Opened) -> bool:
    return hasattr(model.model.pipeline, "predict")


def _metrics(model: Opened, before: Trained, after: NewData, spec: DriftSpec, draws: Draws) -> Compared:
    if before.reference.sample is None or after.sample is None:
        return Compared()
    return metric_drift(model, before.reference.sample, after.sample, spec, draws)


# --- what is to be said ------------------------------------------------------------------------------------------


def _notices(model: Opened, before: Trained, after: NewData, spec: DriftSpec) -> list[Notice]:
    found = [*model.notices]
    if after.rows < spec.min_rows:
        are = f"{plural(after.rows, 'row')} {'is' if after.rows == 1 else 'are'}"
        text = f"{are} fewer than min_rows: {spec.min_rows}, and nothing is judged but the columns"
        found.append(Notice("too-few-rows", text))
    if after.unanswered:
        found.append(Notice("not-predicted", f"the model cannot predict this data: {after.unanswered}"))
    if model.spec.data.forecast is not None:
        text = "of a forecast the columns that it is made from and the target are compared, not what it predicts"
        found.append(Notice("forecast", text))
    if after.extra:
        found.append(Notice("columns-new", f"training did not have {listed(after.extra)}"))
    sample = after.sample
    if sample is not None and sample.of > sample.rows:
        text = f"metrics are of {sample.rows:,} of the {sample.of:,} rows with a target, drawn by lot"
        found.append(Notice("metrics-sampled", text))
    found += [Notice("model-warning", text) for text in after.said]
    return [*found, *_unknown(before, spec)]


def _alone(judged: _AllJudged) -> list[Notice]:
    """Say what it may mean that predictions have moved and nothing that they are made from."""
    features, outputs = (any(one.drift.drifted for one in part) for part in (judged.features, judged.outputs))
    if features or not outputs:
        return []
    text = "predictions have moved and no column has: of rows that a model was trained on it is surer than of others"
    return [Notice("predictions-alone", text)]


def _unknown(before: Trained, spec: DriftSpec) -> list[Notice]:
    """Say which columns are declared and not there."""
    reference = before.reference
    known = [*(c.name for c in reference.columns), *([reference.target.name] if reference.target else [])]
    declared = dict.fromkeys([*spec.columns, *spec.ignore])
    return [
        Notice("no-such-column", f"drift names '{name}', which is no column of training; {did_you_mean(name, known)}")
        for name in declared
        if name not in known
    ]
