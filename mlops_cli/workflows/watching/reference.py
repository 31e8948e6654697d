"""What a run keeps of its training data beside the model, and the same computed again of the very rows."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlops_cli.analysis.reference import KNOTS, PREDICTION, PROBA, columns_of, labels_of, outputs_of, places_of, sampled
from mlops_cli.analysis.tallies import column_reference
from mlops_cli.components.dataset import column_named
from mlops_cli.components.metrics import positive_class
from mlops_cli.records import Kind, PredictedSample, Reference, Task
from mlops_cli.store.references import write_reference
from mlops_cli.workflows.silence import silent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_cli.records import Column, ColumnReference, Dataset, ExperimentSpec
    from mlops_cli.store.layout import RunPaths
    from mlops_cli.workflows.data.load import Loaded
    from mlops_cli.workflows.running.prepare import Prepared

    Array = np.ndarray[Any, Any]

OUT_OF_FOLD, REFIT = "rows that the model had not seen", "the rows that it was fitted on"


def keep_reference(
    prepared: Prepared, parts: Sequence[Mapping[str, Any]], model: Any, paths: RunPaths
) -> dict[str, str]:
    """Write down what the training data was like, and what the model said of it.

    Parameters
    ----------
    prepared : Prepared
        The run.
    parts : sequence of mapping
        The out-of-fold predictions of the winner: predictions of rows that it was fitted on are too sure.
    model : estimator
        The winner, refitted; asked only where it finds clusters, of which those of each split have names of their own.
    paths : RunPaths
        Where.

    Returns
    -------
    dict of str to str
        The file's name → its sha256.
    """
    loaded, spec, classes = prepared.loaded, prepared.spec, prepared.job.scoring.classes
    said = clusters(model, loaded.train) if loaded.task is Task.CLUSTERING else joined(parts)
    made = made_of(loaded, spec, said, classes)
    return {paths.reference.name: write_reference(paths.reference, made)}


def made_of(
    loaded: Loaded,
    spec: ExperimentSpec,
    said: Mapping[str, Array],
    classes: Sequence[Any] | None,
    *,
    exact: bool = False,
) -> Reference:
    """Return what there is to keep of some training rows.

    Parameters
    ----------
    loaded : Loaded
        The rows.
    spec : ExperimentSpec
        What they are for.
    said : mapping
        ``row``, ``prediction`` and ``proba_CLASS``, as a run has them of rows out of fold; may be empty.
    classes : sequence, optional
        That the model knows.
    exact : bool
        Keep every value.
    """
    dataset, positive = loaded.train, None
    if classes is not None and len(classes) == 2:
        positive = positive_class(classes, spec.data.positive)
    rows = np.sort(np.unique(loaded.train_rows, return_index=True)[1])  # a forecast has each once for each horizon
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        columns = columns_of(_columns(dataset, spec, rows), _watched(dataset, spec), exact=exact)
        target = _target(dataset, loaded.task, rows, exact=exact)
        predicted = said if spec.data.forecast is None else {}
        outputs = outputs_of(predicted, loaded.task, classes, positive, exact=exact) if predicted else ()
    sample = _sample(dataset, predicted, classes, spec.trial.seed) if predicted and dataset.y is not None else None
    whence = REFIT if loaded.task is Task.CLUSTERING else OUT_OF_FOLD
    return Reference(len(rows), columns, target, outputs, sample, {"predictions": whence} if outputs else {})


# --- features and target -----------------------------------------------------------------------------------------


def _watched(dataset: Dataset, spec: ExperimentSpec) -> tuple[Column, ...]:
    """Return the columns that count: the features; of a forecast those that they are made of, but for the time."""
    forecast = spec.data.forecast
    if forecast is None:
        return dataset.features
    names = dict.fromkeys((*forecast.by, *forecast.known, *forecast.past))
    known = {c.name: c for c in dataset.version.columns}
    return tuple(known[n] for n in names if n in known and column_named(dataset, n) is not None)


def _columns(dataset: Dataset, spec: ExperimentSpec, rows: Array) -> dict[str, pd.Series[Any]]:
    found = {c.name: column_named(dataset, c.name) for c in _watched(dataset, spec)}
    whole = len(rows) == dataset.rows
    return {name: column if whole else column.iloc[rows] for name, column in found.items() if column is not None}


def _target(dataset: Dataset, task: Task, rows: Array, *, exact: bool) -> ColumnReference | None:
    if dataset.y is None or task is Task.CLUSTERING:
        return None
    name = str(dataset.version.target)
    if task is Task.REGRESSION:
        knots = None if exact else KNOTS
        return column_reference(pd.Series(dataset.y[rows]), name, Kind.NUMERIC, knots=knots)
    return labels_of(pd.Series(dataset.y[rows]), name)


# --- predictions -------------------------------------------------------------------------------------------------


def joined(parts: Sequence[Mapping[str, Any]]) -> dict[str, Array]:
    """Return the predictions of all splits; of a row that several splits test, the first."""
    if not parts:
        return {}
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    first = np.unique(whole["row"], return_index=True)[1]
    return {name: values[first] for name, values in whole.items()}


def clusters(model: Any, dataset: Dataset) -> dict[str, Array]:
    """Return the clusters that a model puts its own rows into; nothing where it cannot tell."""
    if not hasattr(model, "predict"):
        return {}
    with warnings.catch_warnings(), silent():
        warnings.simplefilter("ignore")
        return {"row": np.arange(dataset.rows), PREDICTION: np.asarray(model.predict(dataset.X))}


def _sample(
    dataset: Dataset, said: Mapping[str, Array], classes: Sequence[Any] | None, seed: int
) -> PredictedSample | None:
    if dataset.y is None:
        return None
    rows = said["row"]
    groups = None if dataset.groups is None else pd.factorize(pd.Series(dataset.groups[rows]).astype(object))[0]
    whole = predicted_rows(dataset.y[rows], said, classes)
    weights = None if dataset.weights is None else np.asarray(dataset.weights[rows], dtype="float64")
    codes = None if groups is None else groups.astype("float64")
    return sampled(replace(whole, weights=weights, groups=codes), seed)


def predicted_rows(y: Array, said: Mapping[str, Array], classes: Sequence[Any] | None) -> PredictedSample:
    """Return targets beside what was predicted, classes as their places."""
    if classes is None:
        return PredictedSample(np.asarray(y, dtype="float64"), np.asarray(said[PREDICTION], dtype="float64"))
    named = [f"{PROBA}{label}" for label in classes]
    proba = np.column_stack([said[name] for name in named]) if all(n in said for n in named) else None
    return PredictedSample(places_of(y, classes), places_of(said[PREDICTION], classes), proba)
