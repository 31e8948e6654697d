"""``mlops monitor log``: a batch of new data held against a model, and kept with what was found and predicted."""

from __future__ import annotations

import hashlib
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_cli.errors import StoreError, UsageError
from mlops_cli.records import Action, Batch, Notice, Task
from mlops_cli.store.audit import AuditLog, this_user
from mlops_cli.store.batches import Batches
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.values import stamp
from mlops_cli.workflows.applying.incoming import opened
from mlops_cli.workflows.watching.alerts import send
from mlops_cli.workflows.watching.drift import DriftOptions, held_against
from mlops_cli.workflows.watching.keeping import Keeping

if TYPE_CHECKING:
    import pandas as pd

    from mlops_cli.records import DriftReport, ModelVersion
    from mlops_cli.workflows.applying.incoming import Opened
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
    name = _name(asked.name, data)
    model = opened(ref, workspace=workspace, allow_pickle=asked.drift.allow_pickle)
    version = _version(model, ref)
    home = model.workspace
    found, checked = _logged(
        Batches(WorkspacePaths(home.root), version.name), model, version, _Asked(asked, data, name)
    )
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


def _version(model: Opened, ref: str) -> ModelVersion:
    saved = model.saved
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


def _logged(kept: Batches, model: Opened, version: ModelVersion, asked: _Asked) -> tuple[Logged, Checked]:
    """Check a batch, its predictions written down on the way, and keep it, unless it is there."""
    with kept.changing(), kept.draft() as draft:
        keeping = _keeping(draft.predictions, model, asked.options)
        with nullcontext() if keeping is None else keeping.writing():
            checked = held_against(model, asked.data, asked.options.drift, keeping)
        column = None if keeping is None else keeping.id
        content = _content(checked.report, draft.predictions, column)
        if (same := _same(kept, version.number, content)) is not None:
            return Logged(same, is_new=False), checked
        batch = _batch(kept.new_id(), version, asked.name, checked.report, column, content)
        AuditLog(kept.workspace).append(Action.WATCHED, version.ref, _details(batch))
        kept.settle(draft, batch)
    return Logged(batch, is_new=True, notices=() if keeping is None else _unjoined(keeping)), checked


def _keeping(place: Path, model: Opened, options: LogOptions) -> Keeping | None:
    """Return where answers are written down; None of models to whose answers no label is joined."""
    if model.spec.data.forecast is not None or model.model.signature.task is Task.CLUSTERING:
        return None
    return Keeping(place, model, options.id)


def _batch(id_: str, version: ModelVersion, name: str, report: DriftReport, column: str | None, content: str) -> Batch:
    return Batch(
        id=id_,
        model=version.name,
        number=version.number,
        name=name,
        report=report,
        logged=stamp(),
        by=this_user(),
        id_column=column,
        labels=report.data if report.labelled else None,
        labelled=report.labelled,
        metrics=report.metrics,
        content=content,
    )


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


def _unjoined(keeping: Keeping) -> tuple[Notice, ...]:
    """Say why labels that come later could not be joined."""
    if keeping.failed:
        why = f"no predictions are kept, and labels that come later cannot be joined: {keeping.failed}"
        return (Notice("no-predictions", why),)
    if keeping.id is not None:
        return ()
    text = "no column tells the rows apart, and labels that come later cannot be joined; --id COLUMN names one"
    return (Notice("no-id", text),)


def _content(report: DriftReport, predictions: Path, column: str | None) -> str:
    """Return the sha256 of what a batch holds: the columns that the model takes, and the ids."""
    digest = hashlib.sha256(report.version.encode())
    if column is not None:
        import pandas as pd

        ids = pd.read_parquet(predictions, columns=[column])[column].astype("str")
        digest.update(pd.util.hash_pandas_object(ids, index=False).to_numpy().tobytes())
    return digest.hexdigest()
