"""What is kept of training data and of what a model said of it, so that new data can be held against both. Pure.

No row of the features is kept, only how each column is distributed. Of targets and predictions some rows are, without
their features: metrics cannot be computed of less.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlops_cli.analysis.tallies import column_reference, sorted_words, words_of
from mlops_cli.records import ColumnReference, ComparedBy, Kind, PredictedSample, Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mlops_cli.records import Column

    Array = np.ndarray[Any, Any]

PREDICTION, PROBA = "prediction", "proba_"

KNOTS = 2000
"""Values of a column that are kept; with more columns fewer, so that a wide table's reference stays small."""
LEAST_KNOTS = 50
_ALL_KNOTS = 400_000

WORDS = 20_000
"""Categories of a column that are kept; with more columns fewer."""

MOST_CLASSES = 10
"""Classes up to which the probability of each is watched."""

SAMPLE = 10_000
"""Rows whose target and prediction are kept."""


def knots_for(columns: int) -> int:
    """Return how many values are kept of each of so many columns; a multiple of 10.

    Examples
    --------
    >>> knots_for(12), knots_for(1000), knots_for(100_000)
    (2000, 400, 50)
    """
    return max(LEAST_KNOTS, min(KNOTS, _ALL_KNOTS // max(columns, 1) // 10 * 10))


def columns_of(
    table: Mapping[str, pd.Series[Any]], columns: Iterable[Column], *, exact: bool = False
) -> tuple[ColumnReference, ...]:
    """Return what is kept of the columns of a table.

    Parameters
    ----------
    table : mapping of str to Series
        By name, in the form of the training data.
    columns : iterable of Column
        Those that count.
    exact : bool
        Keep every value.
    """
    chosen = list(columns)
    texts = sum(c.kind in {Kind.CATEGORICAL, Kind.BOOLEAN} for c in chosen)
    words = min(WORDS, _ALL_KNOTS // max(texts, 1))
    knots = None if exact else knots_for(len(chosen))
    return tuple(column_reference(table[c.name], c.name, c.kind, knots=knots, words=words) for c in chosen)


def outputs_of(
    said: Mapping[str, Array], task: Task, classes: Sequence[Any] | None, positive: Any, *, exact: bool = False
) -> tuple[ColumnReference, ...]:
    """Return how a model's answers are distributed.

    Parameters
    ----------
    said : mapping
        ``prediction``, and ``proba_CLASS`` where there are probabilities; each of shape (rows,).
    task : Task
        What it does.
    classes : sequence, optional
        That it knows.
    positive : object
        Of two classes the one whose probability is watched.
    exact : bool
        Keep every value.
    """
    knots = None if exact else KNOTS
    answers = pd.Series(said[PREDICTION])
    if task is Task.REGRESSION:
        return (column_reference(answers, PREDICTION, Kind.NUMERIC, knots=knots),)
    labels = labels_of(answers, PREDICTION)
    named = [f"{PROBA}{label}" for label in watched_classes(classes, positive)]
    shares = [column_reference(shown_share(said[n]), n, Kind.NUMERIC, knots=knots) for n in named if n in said]
    return (labels, *shares)


def labels_of(labels: pd.Series[Any], name: str) -> ColumnReference:
    """Return how often each class occurs."""
    words, missing = sorted_words(words_of(labels, Kind.CATEGORICAL)), int(labels.isna().sum())
    by = ComparedBy.CATEGORIES
    return ColumnReference(name, Kind.CATEGORICAL, str(labels.dtype), by, len(labels), missing, None, words)


def shown_share(probabilities: Array) -> pd.Series[Any]:
    """Return probabilities in whole percent.

    Tests of order see no sizes: that one model says 0.0001 where another says 0.00001, as those of two splits do, would
    be as much to them as any other change.
    """
    return pd.Series(np.round(probabilities, 2))


def watched_classes(classes: Sequence[Any] | None, positive: Any) -> tuple[Any, ...]:
    """Return the classes whose probabilities are watched: of two one, of many none."""
    if classes is None or len(classes) > MOST_CLASSES:
        return ()
    return (positive,) if len(classes) == 2 else tuple(classes)


def sampled(whole: PredictedSample, seed: int, rows: int = SAMPLE) -> PredictedSample:
    """Return some rows, the same ones for the same seed."""
    if whole.rows <= rows:
        return replace(whole, of=whole.rows)
    chance = np.random.default_rng(seed)
    places = np.sort(chance.permutation(whole.rows)[:rows])

    def taken(part: Array | None) -> Any:
        return None if part is None else part[places]

    return PredictedSample(
        whole.truth[places],
        whole.prediction[places],
        taken(whole.proba),
        taken(whole.weights),
        taken(whole.groups),
        whole.rows,
    )


def places_of(labels: Array, classes: Sequence[Any]) -> Array:
    """Return the place of each label among the classes, as floats; -1 of one that is none of them."""
    place = {label: float(number) for number, label in enumerate(classes)}
    return np.array([place.get(label, -1.0) for label in labels.tolist()], dtype="float64")
