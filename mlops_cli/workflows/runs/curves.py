"""Scores of a run's winner under other circumstances: fewer training rows, other parameters, shuffled columns.

On the run's own splits, with its own Pipeline and scorer, so that the numbers are comparable with those of the run.
"""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.components.metrics import evaluate
from mlops_cli.errors import ConfigError, DataError, did_you_mean
from mlops_cli.records import Task
from mlops_cli.views.plots.fitted import NOISE
from mlops_cli.views.plots.style import UnsuitableError
from mlops_cli.workflows.running.refit import refit
from mlops_cli.workflows.silence import silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.components.metrics import ResolvedMetric
    from mlops_cli.execution.job import Indices
    from mlops_cli.records import Dataset, Trial
    from mlops_cli.workflows.running.prepare import Prepared
    from mlops_cli.workflows.runs.material import Material

    Array = np.ndarray[Any, Any]

SHARES = (0.1, 0.325, 0.55, 0.775, 1.0)
"""Of the training rows: scikit-learn's own points of a learning curve."""

MOST_ROWS = 2_000
MOST_FEATURES = 100
REPEATS = 5

MOST_PREDICTIONS = 200_000
"""Rows that are predicted in all while features are shuffled: a slow model over many features gets fewer rows."""


FEW_ROWS = 20_000
"""Up to here more threads cost more than they bring, where each fit or prediction is one of very many."""


def one_thread() -> Any:
    """Keep OpenMP and linear algebra to one thread: for many small batches, waiting for busy cores is all the cost."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1)


def _threads_for(prepared: Prepared) -> Any:
    return one_thread() if prepared.dataset.rows <= FEW_ROWS else nullcontext()


def learning_scores(material: Material) -> tuple[list[int], Array, Array]:
    """Return training rows, and the scores on training and on test rows, each of shape (sizes, splits).

    Sizes at which some split cannot be fitted, as when a class is missing, are left out.

    Raises
    ------
    UnsuitableError
        That is so of all sizes.
    """
    prepared, trial = material.prepared, material.winner
    splits = prepared.maker.splits_of(trial)
    found, reason = [], ""
    for share in SHARES:
        parts = [(_some(train, share, prepared, number), test) for number, (train, test) in enumerate(splits)]
        try:
            with _threads_for(prepared):
                scores = [_scores(prepared, trial, part) for part in parts]
        except Exception as error:  # noqa: BLE001 - whatever an estimator says of too few rows
            reason = f"{type(error).__name__}: {error}"
            continue
        found.append((round(np.mean([len(train) for train, _ in parts])), *zip(*scores, strict=True)))
    if not found:
        raise UnsuitableError(f"no part of the training rows could be fitted: {reason}")
    sizes, train, test = zip(*found, strict=True)
    return list(sizes), np.array(train), np.array(test)


def _some(train: Indices, share: float, prepared: Prepared, number: int) -> Indices:
    """Return a share of the training rows, drawn by lot; where rows come in the order of time, the latest."""
    size = max(2, round(share * len(train)))
    if size >= len(train):
        return train
    if prepared.job.in_time:
        return train[-size:]
    lot = np.random.default_rng([prepared.spec.trial.seed, number]).permutation(len(train))
    return train[np.sort(lot[:size])]


def validation_scores(material: Material, key: str, values: Sequence[Any]) -> tuple[Array, Array]:
    """Return the scores on training and test rows, each of shape (values, splits), with a parameter of the winner set.

    Raises
    ------
    ConfigError
        There is no such parameter.
    UnsuitableError
        A value cannot be fitted.
    """
    prepared, best = material.prepared, material.winner
    found = []
    for value in values:
        try:
            trial = prepared.trial(best.number, {**best.params, key: value})
            with _threads_for(prepared):
                scores = [_scores(prepared, trial, part) for part in prepared.maker.splits_of(trial)]
        except (ConfigError, DataError):
            raise
        except Exception as error:
            text = " ".join(str(error).split())
            raise UnsuitableError(f"{key}={value} cannot be fitted: {type(error).__name__}: {text}") from error
        found.append(tuple(zip(*scores, strict=True)))
    train, test = zip(*found, strict=True)
    return np.array(train), np.array(test)


def _scores(prepared: Prepared, trial: Trial, rows: tuple[Indices, Indices]) -> tuple[float, float]:
    """Return the primary metric on training and on test rows of a model that is fitted on the training rows."""
    model = refit(prepared, trial, rows[0]).model
    train, test = (_score(prepared, model, part) for part in rows)
    return train, test


def _score(prepared: Prepared, model: Any, rows: Indices) -> float:
    data, metric = prepared.dataset, primary(prepared)
    y = None if data.y is None else data.y[rows]
    weights = None if data.weights is None else data.weights[rows]
    with warnings.catch_warnings(), silent():
        warnings.simplefilter("ignore")
        return evaluate([metric], model, data.X.iloc[rows], y, weights)[0][metric.name]


def primary(prepared: Prepared) -> ResolvedMetric:
    """Return the primary metric, ready to score."""
    found: ResolvedMetric = next(m for m in prepared.job.resolved_metrics if m.name == prepared.plan.primary)
    return found


# --- features ----------------------------------------------------------------------------------------------------


def shuffled_drops(material: Material) -> tuple[dict[str, list[float]], str]:
    """Return how much worse the model is by the primary metric where a feature is shuffled, and on which rows.

    On the held-out rows, where there are any; else on the first split's test rows, by a model that has not seen them.
    At most `MOST_ROWS` rows, drawn by lot with the run's seed, `REPEATS` times; see `MOST_PREDICTIONS` too.

    Raises
    ------
    UnsuitableError
        The run is of clusters, or there are more than `MOST_FEATURES` features.
    """
    material.require(Task.CLASSIFICATION, Task.REGRESSION)
    prepared, held = material.prepared, material.prepared.loaded.test
    if len(prepared.dataset.features) > MOST_FEATURES:
        raise UnsuitableError(f"{len(prepared.dataset.features)} features are too many; at most {MOST_FEATURES}")
    if held is not None:
        return drops_of(prepared, material.model, held), "held-out rows"
    train, test = prepared.maker.splits_of(material.winner)[0]
    return drops_of(prepared, refit(prepared, material.winner, train).model, prepared.dataset, test), "one split"


def drops_of(
    prepared: Prepared, model: Any, data: Dataset, rows: Indices | None = None, *, most: int = MOST_ROWS,
    repeats: int = REPEATS
) -> dict[str, list[float]]:  # fmt: skip
    """Return, of each feature, how much worse a model is by the primary metric where it is shuffled.

    Parameters
    ----------
    prepared : Prepared
        The run.
    model : Pipeline
        Fitted.
    data : Dataset
        Where the rows are.
    rows : array of int, optional
        Their positions; all of them where not given.
    most : int
        Of more rows so many are drawn by lot.
    repeats : int
        How often each is shuffled.
    """
    from sklearn.inspection import permutation_importance

    seed = prepared.spec.trial.seed
    most = min(most, max(100, MOST_PREDICTIONS // (repeats * len(data.X.columns))))
    chosen = _drawn(np.arange(data.rows) if rows is None else rows, most, seed)
    y = None if data.y is None else data.y[chosen]
    metric = primary(prepared)
    with warnings.catch_warnings(), silent(), one_thread():
        warnings.simplefilter("ignore")
        found = permutation_importance(
            model,
            data.X.iloc[chosen],
            y,
            scoring=metric.scorer,
            n_repeats=repeats,
            random_state=prepared.spec.trial.seed,
        )
    return {str(name): values.tolist() for name, values in zip(data.X.columns, found.importances, strict=True)}


def _drawn(rows: Indices, most: int, seed: int) -> Indices:
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def leading_features(material: Material, most: int = 6) -> list[str]:
    """Return the features that matter most to the model, by a quick look at how much worse it is without each."""
    prepared = material.prepared
    names = list(prepared.dataset.X.columns)
    if len(names) <= most or prepared.dataset.y is None or len(names) > MOST_FEATURES:
        return names[:most]
    drops = drops_of(prepared, material.model, prepared.dataset, most=300, repeats=2)
    return sorted(names, key=lambda name: -float(np.mean(drops[str(name)])))[:most]


def dependence_of(material: Material, keys: Sequence[str] = ()) -> tuple[Any, Any, list[str], Any]:
    """Return what partial dependence is drawn of: the model, rows without gaps in the features, the features, a class.

    Raises
    ------
    UnsuitableError
        A feature is unknown, or the model predicts no classes or numbers.
    """
    material.require(Task.CLASSIFICATION, Task.REGRESSION)
    prepared, model = material.prepared, material.model
    names = [str(name) for name in prepared.dataset.X.columns]
    for key in keys:
        if key not in names:
            raise UnsuitableError(f"'{key}' is no feature", hint=did_you_mean(key, names))
    chosen = list(keys) or leading_features(material)
    rows = _drawn(np.arange(prepared.dataset.rows), MOST_ROWS, prepared.spec.trial.seed)
    X = prepared.dataset.X.iloc[rows].dropna(subset=chosen)
    # a grid over whole numbers has values between them
    X = X.astype({name: float for name in chosen if getattr(X[name].dtype, "kind", "O") in "iu"})
    return model, X, chosen, model.classes_[-1] if material.record.task is Task.CLASSIFICATION else None


def silhouettes(material: Material) -> tuple[Array, Array, str]:
    """Return the silhouette of rows in the space that the clusters were made in, their clusters, and which rows.

    Noise has none, and is no cluster that others could lie near to.

    Raises
    ------
    UnsuitableError
        The run is not of clusters, or there is only one.
    """
    from sklearn.metrics import silhouette_samples

    material.require(Task.CLUSTERING)
    model, X = material.model, material.prepared.dataset.X
    with warnings.catch_warnings(), silent():
        warnings.simplefilter("ignore")
        space = model[:-1].transform(X) if len(model) > 1 else X
        labels = np.asarray(getattr(model[-1], "labels_", None) if not hasattr(model, "predict") else model.predict(X))
        rows = _drawn(np.arange(len(X)), MOST_ROWS, material.prepared.spec.trial.seed)
        labels = labels[rows]
        inside = labels != NOISE
        number = len(np.unique(labels[inside]))
        if not 2 <= number < inside.sum():
            noise = "" if inside.all() else f", {len(labels) - inside.sum():,} of them noise"
            raise UnsuitableError(f"clusters in {len(labels):,} rows{noise}: {number}; there must be two or more")
        values = np.full(len(labels), np.nan)
        kept = rows[inside]
        values[inside] = silhouette_samples(space.iloc[kept] if hasattr(space, "iloc") else space[kept], labels[inside])
    shown = "" if len(rows) == len(X) else f", {len(rows):,} of {len(X):,} shown"
    return values, labels, f", fitted on all rows{shown}"
