"""``mlops monitor log``: a batch of new data held against a model, and kept with what was found and predicted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_cli.errors import DataError, StoreError, UsageError
from mlops_cli.records import Action, Batch, Notice, Task
from mlops_cli.store.audit import AuditLog, this_user
from mlops_cli.store.batches import Batches
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.values import stamp
from mlops_cli.workflows.applying.asking import PredictOptions
from mlops_cli.workflows.applying.model import find_model
from mlops_cli.workflows.watching.alerts import send
from mlops_cli.workflows.watching.drift import DriftOptions, drift

if TYPE_CHECKING:
    import pandas as pd

    from mlops_cli.records import DriftReport, ModelVersion
    from mlops_cli.store.layout import BatchPaths
    from mlops_cli.workflows.watching.drift import Checked

_LONGEST_NAME = 200


@dataclass(frozen=True)
class LogOptions:
    """How a batch is kept.

    Parameters
    ----------
    name : str, optional
        What it is called; as its file where not given.
    id : str, optional
        The column that tells rows apart, by which labels are joined later; as in training where not given.
    drift : DriftOptions
        How it is held against the training data.
    alerts : bool
        Tell whoever is declared to be told.
    """

    name: str | None = None
    id: str | None = None
    drift: DriftOptions = field(default_factory=DriftOptions)
    alerts: bool = True


@dataclass(frozen=True)
class Logged:
    """A batch that was logged, now or before."""

    batch: Batch
    is_new: bool
    notices: tuple[Notice, ...] = ()  # what is to be said beside the report: alerts that were not sent, and the like


def log_batch(
    ref: str, data: str | pd.DataFrame, options: LogOptions | None = None, *, workspace: str | Path | None = None
) -> Logged:
    """Hold a batch of new data against a model, and keep what was found and predicted.

    The same content for the same version is kept once: logged again, it changes nothing and tells nobody.

    Parameters
    ----------
    ref : str
        A registered version: ``titanic/3``, ``titanic@champion``, ``titanic``.
    data : str or DataFrame
        A file, an address, a glob, a folder of parts, or a version of a data set; or a table.
    options : LogOptions, optional
        How it is kept.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    DataError
        The data cannot be read.
    UsageError
        A run is meant, which has no batches.
    StoreError
        There is no such model, or the disk refuses.
    """
    asked = options or LogOptions()
    version = _version(ref, workspace)
    name = _name(asked.name, data)
    checked = drift(version.ref, data, asked.drift, workspace=workspace)
    home = checked.model.workspace
    found = _kept(Batches(WorkspacePaths(home.root), version.name), version, checked, _Asked(asked, data, name))
    if not found.is_new or not asked.alerts:
        return found
    told = send(checked.report, checked.spec.alerts, home, see=f"mlops monitor show {version.name}")
    return replace(found, notices=(*found.notices, *told))


# --- one batch ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Asked:
    options: LogOptions
    data: str | pd.DataFrame
    name: str


def _version(ref: str, workspace: str | Path | None) -> ModelVersion:
    saved = find_model(ref, workspace=workspace)
    if saved.version is None:
        message = f"{saved.label} is a run, and batches are kept with registered models"
        raise UsageError(message, hint=f"mlops models register {ref} --name NAME")
    return saved.version


def _name(asked: str | None, data: str | pd.DataFrame) -> str:
    """Return what a batch is called."""
    from mlops_cli.components.sources.secrets import masked

    name = asked if asked is not None else Path(masked(data)).name if isinstance(data, str) else "table"
    if not name.strip() or len(name) > _LONGEST_NAME:
        raise UsageError(f"--name is 1 to {_LONGEST_NAME} characters long. Got {len(name)} instead.")
    return name


def _kept(kept: Batches, version: ModelVersion, checked: Checked, asked: _Asked) -> Logged:
    """Keep a batch, unless it is there."""
    report = checked.report
    with kept.changing(), kept.draft() as draft:
        column, notices = _predictions(draft, checked, asked)
        content = _content(report, draft, column)
        if (same := _same(kept, version.number, content)) is not None:
            return Logged(same, is_new=False)
        batch = Batch(
            id=kept.new_id(),
            model=version.name,
            number=version.number,
            name=asked.name,
            report=report,
            logged=stamp(),
            by=this_user(),
            id_column=column,
            labels=report.data if report.labelled else None,
            labelled=report.labelled,
            metrics=report.metrics,
            content=content,
        )
        AuditLog(kept.workspace).append(Action.WATCHED, version.ref, _details(batch))
        kept.settle(draft, batch)
    return Logged(batch, is_new=True, notices=notices)


def _details(batch: Batch) -> dict[str, object]:
    report = batch.report
    return {
        "batch": batch.id,
        "name": batch.name,
        "data": report.data,
        "version": report.version,
        "rows": report.rows,
        "drifted": report.drifted,
        "findings": len(report.findings),
    }


def _same(kept: Batches, number: int, content: str) -> Batch | None:
    for batch in reversed(kept.ids()):
        try:
            if kept.content_of(batch) == (number, content):
                return kept.read(batch)
        except StoreError:  # a damaged one is said by those who read it
            continue
    return None


def _predictions(draft: BatchPaths, checked: Checked, asked: _Asked) -> tuple[str | None, tuple[Notice, ...]]:
    """Write what the model says of each row, and return the column that tells them apart."""
    model, options = checked.model, asked.options
    if model.spec.data.forecast is not None or model.model.signature.task is Task.CLUSTERING:
        return None, ()
    try:
        _write(draft.predictions, checked, asked)
    except DataError as error:
        if options.id is not None and "not-predicted" not in {notice.code for notice in checked.report.notices}:
            raise
        draft.predictions.unlink(missing_ok=True)
        why = f"no predictions are kept, and labels that come later cannot be joined: {error.message}"
        return None, (Notice("no-predictions", why),)
    column = options.id or model.model.signature.id
    if column is not None and column in _columns(draft.predictions):
        return column, ()
    text = "no column tells the rows apart, and labels that come later cannot be joined; --id COLUMN names one"
    return None, (Notice("no-id", text),)


def _write(place: Path, checked: Checked, asked: _Asked) -> None:
    from mlops_cli.store.outputs import form_of, table_file
    from mlops_cli.workflows.applying.predict import predict, predicted

    model, options, data = checked.model, asked.options, asked.data
    signature, target = model.model.signature, model.spec.data.target
    proba = signature.classes is not None and hasattr(model.model.pipeline, "predict_proba")
    keep = (str(target),) if target is not None and checked.report.labelled else ()
    drifting = options.drift
    wanted = PredictOptions(proba, keep=keep, id=options.id, allow_pickle=drifting.allow_pickle, how=drifting.how)
    label, root = model.saved.label, model.workspace.root
    if isinstance(data, str):
        predict(label, data, place, wanted, workspace=root)
        return
    table = predicted(label, data, wanted, workspace=root)
    with table_file(place, form_of(place)) as write:
        write(table.reset_index(drop=True))


def _columns(path: Path) -> list[str]:
    import pyarrow.parquet as pq

    return list(pq.read_schema(path).names)


def _content(report: DriftReport, draft: BatchPaths, column: str | None) -> str:
    """Return the sha256 of what a batch holds: the columns that the model takes, and the ids."""
    digest = hashlib.sha256(report.version.encode())
    if column is not None:
        import pandas as pd

        ids = pd.read_parquet(draft.predictions, columns=[column])[column].astype("str")
        digest.update(pd.util.hash_pandas_object(ids, index=False).to_numpy().tobytes())
    return digest.hexdigest()
