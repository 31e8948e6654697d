"""Whether a model serves groups of rows alike: one metric within each group, and how far apart they are."""

from __future__ import annotations

import itertools
import re
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mlops_cli.analysis.gates import number, unknown, within
from mlops_cli.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pandas as pd

    from mlops_cli.components.metrics import ResolvedMetric
    from mlops_cli.records import FairnessGate, GateResult

    Array = np.ndarray[Any, Any]

RATES = ("selection_rate", "false_positive_rate", "false_negative_rate")
"""What can be told of the positive class within a group besides the metrics of scikit-learn: recall, precision …"""

MISSING = "missing"
_SHOWN, _LONGEST = 6, 40


class Rows(Protocol):
    """Labelled rows in the form that a model takes; they agree by position."""

    @property
    def X(self) -> pd.DataFrame:  # noqa: N802 - as all call it
        """Shape (rows, features)."""

    @property
    def y(self) -> Array | None:
        """Shape (rows,)."""

    @property
    def weights(self) -> Array | None:
        """Shape (rows,)."""


@dataclass(frozen=True)
class Groups:
    """A metric within each group of rows."""

    scores: Mapping[str, float]
    rows: Mapping[str, int]
    too_few: Mapping[str, int] = field(default_factory=dict)  # groups that do not count, and their rows

    @property
    def difference(self) -> float:
        """Between the greatest and the least."""
        return max(self.scores.values()) - min(self.scores.values())

    @property
    def ratio(self) -> float | None:
        """Of the least to the greatest; None where all are 0, of which nobody knows, or one is negative."""
        least, greatest = min(self.scores.values()), max(self.scores.values())
        return None if least < 0 or greatest == 0 else least / greatest


def by_group(column: pd.Series[Any], score: Callable[[Array], float], min_rows: int) -> Groups:
    """Return a score within each group.

    Parameters
    ----------
    column : Series
        Shape (rows,): the group of each row; missing values are a group of their own.
    score : callable
        Of the places of a group's rows.
    min_rows : int
        Rows of a group that counts: of fewer, chance says more than the model.

    Raises
    ------
    DataError
        Fewer than two groups count, or the score of one is not defined.
    """
    codes, found = column.astype(object).factorize()
    codes = np.where(codes < 0, len(found), codes)  # missing values come last
    labels = _labels([*map(str, found), *([MISSING] if column.hasnans else [])])
    rows = dict(zip(labels, np.bincount(codes, minlength=len(labels)).tolist(), strict=True))
    counted = {label: np.flatnonzero(codes == i) for i, label in enumerate(rows) if rows[label] >= min_rows}
    too_few = {label: count for label, count in rows.items() if label not in counted}
    if len(counted) < 2:
        raise DataError(f"{len(counted)} of {len(rows)} groups of {column.name} have {min_rows} rows; two are needed")
    scores = {label: _scored(label, places, score) for label, places in counted.items()}
    return Groups(scores, {label: rows[label] for label in counted}, too_few)


def _labels(values: Sequence[str]) -> list[str]:
    """Return how groups are shown: long values are cut, and those that look alike then are numbered.

    Examples
    --------
    >>> _labels(["f", "missing", "missing"])
    ['f', 'missing', 'missing (2)']
    """
    shown: dict[str, None] = {}
    for value in values:
        label = text = value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"
        for place in itertools.count(2):
            if label not in shown:
                break
            label = f"{text} ({place})"
        shown[label] = None
    return list(shown)


def _scored(label: str, rows: Array, score: Callable[[Array], float]) -> float:
    from sklearn.exceptions import UndefinedMetricWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", UndefinedMetricWarning)  # else a recall of no positive row would be 0
        try:
            value = score(rows)
        except Exception as error:  # whatever a metric raises of a group's rows
            raise DataError(f"not defined within {label} ({len(rows):,} rows): {_why(error)}") from error
    if not np.isfinite(value):
        raise DataError(f"not defined within {label} ({len(rows):,} rows): it is {value}")
    return value


def _why(error: Exception) -> str:
    """Return why a metric is not defined, without what scikit-learn would put in its place and how to choose that.

    Examples
    --------
    >>> said = "Recall is ill-defined and being set to 0.0 due to no true samples. Use `zero_division` parameter to …"
    >>> _why(ValueError(said))
    'Recall is ill-defined due to no true samples.'
    """
    text = re.sub(r" and being set to \S+(?= )| Use `\w+` parameter.*", "", " ".join(str(error).split()))
    return text or type(error).__name__


# --- what is scored ----------------------------------------------------------------------------------------------


def scorer_of(pipeline: Any, data: Rows, metric: ResolvedMetric) -> Callable[[Array], float]:
    """Return a function that scores a fitted pipeline on some rows by a metric."""
    from mlops_cli.components.metrics import evaluate

    def score(rows: Array) -> float:
        return evaluate([metric], pipeline, *_part(data, rows))[0][metric.name]

    return score


def rate_of(pipeline: Any, data: Rows, rate: str, positive: Any) -> Callable[[Array], float]:
    """Return a function that gives one of `RATES` on some rows.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted.
    data : Rows
        Labelled rows.
    rate : str
        ``selection_rate``: the share of rows that are predicted positive; ``false_positive_rate``: of those that are
        not positive; ``false_negative_rate``: the share of positive rows that are not predicted so.
    positive : object
        The positive class.
    """

    def score(rows: Array) -> float:
        X, y, weights = _part(data, rows)
        is_positive, chosen = np.asarray(y == positive), np.asarray(pipeline.predict(X) == positive)
        of = np.ones(len(rows), dtype=bool) if rate == "selection_rate" else is_positive
        of, hit = (~of, chosen) if rate == "false_positive_rate" else (of, chosen)
        hit = ~hit if rate == "false_negative_rate" else hit
        weights = np.ones(len(rows)) if weights is None else weights
        if not weights[of].sum():
            raise ValueError(f"no row is {'negative' if rate == 'false_positive_rate' else 'positive'}")
        return float(np.average(hit[of], weights=weights[of]))

    return score


def _part(data: Rows, rows: Array) -> tuple[pd.DataFrame, Array | None, Array | None]:
    y, weights = (None if values is None else values[rows] for values in (data.y, data.weights))
    return data.X.iloc[rows], y, weights


# --- the gates ---------------------------------------------------------------------------------------------------


def fairness_gates(spec: FairnessGate, place: str, groups: Groups, on: str) -> Iterator[GateResult]:
    """Yield a gate for each bound.

    Parameters
    ----------
    spec : FairnessGate
        What is wanted.
    place : str
        Where the YAML says it: ``fairness``, or ``fairness[1]`` of several.
    groups : Groups
        What was found.
    on : str
        On which rows.
    """
    how = f"{spec.metric} by {spec.group} on {on}: {_told(groups)}"
    if spec.max_difference is not None:
        yield within(f"{place}.max_difference", groups.difference, most=spec.max_difference, how=how)
    if spec.min_ratio is not None:
        ratio = groups.ratio
        none = "negative numbers have no ratio" if min(groups.scores.values()) < 0 else "0 to 0 is no ratio"
        why = how if ratio is not None else f"{how}: {none}; max_difference has a bound for them"
        yield within(f"{place}.min_ratio", ratio, least=spec.min_ratio, how=why)


def unknown_fairness(spec: FairnessGate, place: str, why: str) -> list[GateResult]:
    """Return the gates where they cannot be computed."""
    asked = (("max_difference", "≤", spec.max_difference), ("min_ratio", "≥", spec.min_ratio))
    return [
        unknown(f"{place}.{word}", f"{sign} {number(bound)}", f"{spec.metric} by {spec.group}: {why}", bound)
        for word, sign, bound in asked
        if bound is not None
    ]


def _told(groups: Groups) -> str:
    """Return the groups from the least to the greatest; of many, those at both ends."""
    ordered = sorted(groups.scores, key=lambda label: groups.scores[label])
    half = _SHOWN // 2
    shown: Sequence[str] = ordered if len(ordered) <= _SHOWN else [*ordered[:half], "…", *ordered[-half:]]
    told = ", ".join(
        label if label == "…" else f"{label} {number(groups.scores[label])} ({groups.rows[label]:,} rows)"
        for label in shown
    )
    if not groups.too_few:
        return told
    few = ", ".join(f"{label} ({rows})" for label, rows in list(groups.too_few.items())[:_SHOWN])
    return f"{told}; too few rows to count: {few}{', …' if len(groups.too_few) > _SHOWN else ''}"
