"""Scores of many resamples at once: the usual metrics as functions of how often each row is there.

They are scikit-learn's metrics with `sample_weight`, for a matrix of weights. Whoever uses one checks that on all rows
it gives the metric's own value, and computes it one resample after the other where it does not.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Array = np.ndarray[Any, Any]
    Statistic = Callable[[Array], Array]


_MOST_CELLS = 50_000_000
"""Cells of confusion matrices, one for each row, that are held."""


def statistic_of(
    metric: str, truth: Array, responses: Mapping[str, Array], classes: Sequence[Any] | None, positive: Any = None
) -> Statistic | None:
    """Return a metric as a function of weights, shape (resamples, rows) → (resamples,); None where it is not known.

    Parameters
    ----------
    metric : str
        scikit-learn's name: ``f1_macro``, ``neg_log_loss``; the value is as its scorer has it.
    truth : array of shape (rows,)
        The target.
    responses : mapping
        ``predict``, ``predict_proba``, ``decision_function`` of these rows.
    classes : sequence, optional
        In the order of the columns of ``predict_proba``.
    positive : object, optional
        Of two classes, the one that is looked for.
    """
    if classes is None:
        return _of_quantities(metric, truth, responses.get("predict"))
    labels = list(classes)
    rates = _rates_of(metric, labels, positive)
    if rates is not None and "predict" in responses and len(labels) ** 2 * len(truth) <= _MOST_CELLS:
        return partial(_from_confusion, cells=_cells(truth, responses["predict"], labels), rates=rates)
    return _of_probabilities(metric, truth, responses, labels, positive)


def _mean(weights: Array, values: Array) -> Array:
    return np.asarray(weights @ values / weights.sum(axis=1))


def _negative_mean(weights: Array, values: Array) -> Array:
    return -_mean(weights, values)


# --- quantities --------------------------------------------------------------------------------------------------

_LOSSES: Mapping[str, Callable[[Array, Array], Array]] = {
    "neg_mean_absolute_error": lambda y, p: np.abs(y - p),
    "neg_mean_squared_error": lambda y, p: (y - p) ** 2,
    "neg_root_mean_squared_error": lambda y, p: (y - p) ** 2,
    "neg_mean_absolute_percentage_error": lambda y, p: np.abs(y - p) / np.maximum(np.abs(y), np.finfo(float).eps),
}


def _of_quantities(metric: str, truth: Array, predicted: Array | None) -> Statistic | None:
    if predicted is None:
        return None
    if metric == "r2":
        return partial(_r2, truth=truth - truth.mean(), errors=(truth - predicted) ** 2)
    if metric not in _LOSSES:
        return None
    losses = _LOSSES[metric](truth, predicted)
    if metric == "neg_root_mean_squared_error":
        return lambda weights: -np.sqrt(_mean(weights, losses))
    return partial(_negative_mean, values=losses)


def _r2(weights: Array, truth: Array, errors: Array) -> Array:
    total = weights @ truth**2 - (weights @ truth) ** 2 / weights.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(total > 0, 1 - (weights @ errors) / total, np.nan)


# --- classes -----------------------------------------------------------------------------------------------------


def _cells(truth: Array, predicted: Array, labels: Sequence[Any]) -> Array:
    """Return in which cell of the confusion matrix each row is, as 0 and 1; shape (rows, classes²)."""
    size = len(labels)
    cell = size * _places(truth, labels) + _places(predicted, labels)
    return np.asarray(cell[:, None] == np.arange(size**2), dtype="float64")


def _places(values: Array, labels: Sequence[Any]) -> Array:
    place = {label: number for number, label in enumerate(labels)}
    return np.array([place.get(value, len(labels) ** 2) for value in values.tolist()])


def _from_confusion(weights: Array, cells: Array, rates: Callable[[Array], Array]) -> Array:
    size = round(cells.shape[1] ** 0.5)
    with np.errstate(divide="ignore", invalid="ignore"):
        return rates((weights @ cells).reshape(-1, size, size))


def _rates_of(metric: str, labels: Sequence[Any], positive: Any) -> Callable[[Array], Array] | None:
    """Return a metric of confusion matrices, shape (resamples, true class, predicted class)."""
    whole = {"accuracy": _accuracy, "balanced_accuracy": _balanced_accuracy, "matthews_corrcoef": _correlation}
    if metric in whole:
        return whole[metric]
    name, _, average = metric.partition("_")
    if name not in _BY_CLASS or average not in {"", "macro", "micro", "weighted"}:
        return None
    if average:
        return partial(_averaged, score=_BY_CLASS[name], average=average)
    return partial(_of_one, score=_BY_CLASS[name], place=labels.index(positive)) if positive in labels else None


def _counts(tables: Array) -> tuple[Array, Array, Array]:
    """Return how many rows of each class are hit, how many are said to be of it, and how many are."""
    return np.diagonal(tables, axis1=1, axis2=2), tables.sum(axis=1), tables.sum(axis=2)


def _share(part: Array, whole: Array) -> Array:
    return np.where(whole > 0, part / whole, 0.0)


_BY_CLASS: Mapping[str, Callable[[Array, Array, Array], Array]] = {
    "precision": lambda hit, said, _true: _share(hit, said),
    "recall": lambda hit, _said, true: _share(hit, true),
    "f1": lambda hit, said, true: _share(2 * hit, said + true),
    "jaccard": lambda hit, said, true: _share(hit, said + true - hit),
}


def _accuracy(tables: Array) -> Array:
    hit, _, true = _counts(tables)
    return np.asarray(hit.sum(axis=1) / true.sum(axis=1))


def _balanced_accuracy(tables: Array) -> Array:
    hit, _, true = _counts(tables)
    return np.asarray(np.nanmean(hit / true, axis=1))


def _correlation(tables: Array) -> Array:
    hit, said, true = _counts(tables)
    total = tables.sum(axis=(1, 2))
    both = hit.sum(axis=1) * total - (said * true).sum(axis=1)
    spread = np.sqrt((total**2 - (said**2).sum(axis=1)) * (total**2 - (true**2).sum(axis=1)))
    return _share(both, spread)


def _of_one(tables: Array, score: Callable[[Array, Array, Array], Array], place: int) -> Array:
    return np.asarray(score(*_counts(tables))[:, place])


def _averaged(tables: Array, score: Callable[[Array, Array, Array], Array], average: str) -> Array:
    hit, said, true = _counts(tables)
    if average == "micro":
        return score(hit.sum(axis=1), said.sum(axis=1), true.sum(axis=1))
    weights = true if average == "weighted" else (said + true > 0).astype(float)
    return np.asarray((score(hit, said, true) * weights).sum(axis=1) / weights.sum(axis=1))


# --- probabilities -----------------------------------------------------------------------------------------------


def _of_probabilities(
    metric: str, truth: Array, responses: Mapping[str, Array], labels: Sequence[Any], positive: Any
) -> Statistic | None:
    if metric in {"roc_auc", "average_precision"}:
        return _of_ranks(metric, truth, responses, labels, positive)
    proba, places = responses.get("predict_proba"), _places(truth, labels)
    if proba is None or proba.shape[1:] != (len(labels),) or (places >= len(labels)).any():
        return None
    if metric == "roc_auc_ovr":
        parts = [_area(proba[:, k], places == k) for k in range(len(labels))]
        return lambda weights: np.mean([part(weights) for part in parts], axis=0)
    losses = _LOSSES_OF_PROBABILITIES.get(metric)
    return None if losses is None else partial(_negative_mean, values=losses(proba, places))


def _log_losses(proba: Array, places: Array) -> Array:
    said = proba[np.arange(len(proba)), places] / proba.sum(axis=1)
    return np.asarray(-np.log(np.clip(said, np.finfo(proba.dtype).eps, None)))


def _squares(proba: Array, places: Array) -> Array:
    """Return the Brier score of each row; of two classes that of one of them, as is usual."""
    size = proba.shape[1]
    return np.asarray(((proba - np.eye(size)[places]) ** 2).sum(axis=1) / (2 if size == 2 else 1))


_LOSSES_OF_PROBABILITIES = {"neg_log_loss": _log_losses, "neg_brier_score": _squares}


def _of_ranks(
    metric: str, truth: Array, responses: Mapping[str, Array], labels: Sequence[Any], positive: Any
) -> Statistic | None:
    if len(labels) != 2 or positive not in labels:
        return None
    place = labels.index(positive)
    scores = responses.get("decision_function")
    if scores is not None:
        scores = scores if place == 1 else -scores
    elif "predict_proba" in responses:
        scores = responses["predict_proba"][:, place]
    if scores is None or np.ndim(scores) != 1:
        return None
    is_positive = _places(truth, labels) == place
    return _area(scores, is_positive) if metric == "roc_auc" else _precision(scores, is_positive)


def _ranked(scores: Array, is_positive: Array) -> Callable[[Array], tuple[Array, Array]]:
    """Return weights → the weight of positive and of other rows at each distinct score, the greatest first."""
    order = np.argsort(-scores, kind="stable")
    begins = np.flatnonzero(np.r_[True, np.diff(scores[order]) != 0])
    hits, others = is_positive[order].astype(float), (~is_positive[order]).astype(float)

    def ranked(weights: Array) -> tuple[Array, Array]:
        sorted_ = weights[:, order]
        return np.add.reduceat(sorted_ * hits, begins, axis=1), np.add.reduceat(sorted_ * others, begins, axis=1)

    return ranked


def _area(scores: Array, is_positive: Array) -> Statistic:
    """Return the area under the ROC curve: how often a positive row ranks above another, a tie counting half."""
    ranked = _ranked(scores, is_positive)

    def area(weights: Array) -> Array:
        hits, others = ranked(weights)
        above = np.cumsum(hits, axis=1) - hits / 2
        pairs = hits.sum(axis=1) * others.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(pairs > 0, (above * others).sum(axis=1) / pairs, np.nan)

    return area


def _precision(scores: Array, is_positive: Array) -> Statistic:
    """Return the average precision: the precision at each score, by how much recall grows there."""
    ranked = _ranked(scores, is_positive)

    def precision(weights: Array) -> Array:
        hits, others = ranked(weights)
        found = np.cumsum(hits, axis=1)
        said = found + np.cumsum(others, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((hits * _share(found, said)).sum(axis=1) / hits.sum(axis=1))

    return precision
