"""What a model was trained on, as far as it is still known: what was kept of it, or the very rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.errors import DataError, MlopsError
from mlops_cli.records import Notice, Reference, Task
from mlops_cli.store.layout import RunPaths, VersionPaths
from mlops_cli.store.references import read_reference
from mlops_cli.store.tables import read_predictions
from mlops_cli.workflows.data.seen_rows import rows_of_run
from mlops_cli.workflows.watching.reference import clusters, made_of

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_cli.workflows.applying.incoming import Opened
    from mlops_cli.workflows.applying.model import SavedModel
    from mlops_cli.workflows.data.load import Loaded

    Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Trained:
    """What new data is held against."""

    reference: Reference
    called: str
    notices: tuple[Notice, ...] = ()


def trained_on(model: Opened, *, exact: bool = False) -> Trained:
    """Return what a model was trained on.

    Parameters
    ----------
    model : Opened
        The model.
    exact : bool
        Read the very rows again, and keep every value.

    Raises
    ------
    DataError
        Nothing was kept, or the exact rows are asked for, and they are not there any more.
    """
    kept = _kept(model.saved)
    if exact:
        return _by_rows(model, kept, exact=True)
    if kept is not None:
        return Trained(kept, f"the reference of {model.saved.label}", tuple(_without_predictions(kept, model)))
    try:
        made = _by_rows(model, None, exact=False)
    except MlopsError as error:
        text = f"{model.saved.label} was made before references were kept, and its training data cannot be read again"
        raise DataError(
            f"{text}: {error.message}", hint=f"mlops run config={model.saved.record.experiment} --force"
        ) from error
    text = "the model was made before references were kept, and so its training data was read again"
    return replace(made, notices=(Notice("no-reference", text), *made.notices))


def _kept(saved: SavedModel) -> Reference | None:
    """Return the reference that was kept; None where the model is older than they are."""
    path, recorded = _place(saved)
    if path.name not in recorded:
        return None
    return read_reference(path, recorded[path.name])


def _place(saved: SavedModel) -> tuple[Path, dict[str, str]]:
    if saved.version is None:
        return RunPaths(saved.record.path).reference, dict(saved.record.files)
    return VersionPaths(saved.version.path).reference, dict(saved.version.files)


def _without_predictions(kept: Reference, model: Opened) -> list[Notice]:
    if kept.predictions or model.spec.data.forecast is not None:
        return []
    text = (
        "the run kept no out-of-fold predictions (artifacts.predictions), so predictions and metrics are not compared"
    )
    return [Notice("no-predictions", text)]


def _by_rows(model: Opened, kept: Reference | None, *, exact: bool) -> Trained:
    """Return what the rows themselves are like; what the model said of them is what was kept of that."""
    loaded = rows_of_run(model.spec, model.saved.record, model.workspace)
    said = {} if kept is not None and not exact else _said(model, loaded)
    made = made_of(loaded, model.spec, said, model.model.signature.classes, exact=exact)
    if kept is not None:
        outputs = made.predictions or kept.predictions
        made = replace(made, predictions=outputs, sample=kept.sample or made.sample)
    return Trained(made, f"the training data of {model.saved.label}", tuple(_without_predictions(made, model)))


def _said(model: Opened, loaded: Loaded) -> dict[str, Array]:
    """Return the out-of-fold predictions of the run, by the rows as they were loaded; nothing where they are gone."""
    if loaded.task is Task.CLUSTERING:
        return clusters(model.model.pipeline, loaded.train)
    if model.spec.data.forecast is not None:
        return {}
    try:
        table = read_predictions(RunPaths(model.saved.record.path).predictions)
    except MlopsError:
        return {}
    table = table.drop_duplicates("row")
    place = {int(row): number for number, row in enumerate(loaded.train_rows.tolist())}
    at = np.array([place.get(int(row), -1) for row in table["row"].tolist()])
    table, at = table.iloc[np.argsort(at)], np.sort(at)
    answers = {
        n: table[n].to_numpy()[at >= 0] for n in table.columns if n == "prediction" or str(n).startswith("proba_")
    }
    return {"row": at[at >= 0], **{str(name): values for name, values in answers.items()}}
