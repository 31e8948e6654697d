"""Is one model better than another on the very same rows, or was it luck of the rows: the paired bootstrap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.analysis.bootstrap import MOST_UNDEFINED, RESAMPLES, resampled
from mlops_cli.analysis.gates import Gain
from mlops_cli.errors import DataError
from mlops_cli.records import Direction

if TYPE_CHECKING:
    from mlops_cli.analysis.bootstrap import Statistic

    Array = np.ndarray[Any, Any]


def paired_gain(
    champion: Statistic,
    version: Statistic,
    direction: Direction,
    rows: int,
    *,
    groups: Array | None = None,
    confidence: float = 0.95,
) -> Gain:
    """Return how much better a version is than the champion on the same rows.

    Rows are drawn with replacement, `RESAMPLES` times and the same ones for both; the interval is where the middle of
    the differences lies (percentile bootstrap).

    Parameters
    ----------
    champion, version : callable
        The score of each as a function of how often each row is there: shape (some, rows) → (some,).
    direction : Direction
        Which end of the score is good.
    rows : int
        How many there are.
    groups : array of shape (rows,), optional
        Rows of one group are drawn together.
    confidence : float
        Share of the differences that the interval holds.

    Raises
    ------
    DataError
        The score is not defined on too many of the draws.

    References
    ----------
    B. Efron, R. Tibshirani. An Introduction to the Bootstrap. Chapman and Hall, 1993, chapters 13 and 16.
    """
    sign = 1 if direction is Direction.MAXIMIZE else -1

    def gain(counts: Array) -> Array:
        return np.asarray(sign * (version(counts) - champion(counts)))

    values = resampled({"gain": gain}, rows, groups=groups, resamples=RESAMPLES)["gain"].values
    once = np.ones((1, rows))
    return _gain(values, (float(champion(once)[0]), float(version(once)[0])), sign, confidence)


def change(
    before: tuple[Statistic, int, Array | None],
    after: tuple[Statistic, int, Array | None],
    direction: Direction,
    confidence: float = 0.95,
) -> Gain:
    """Return how much better a model is on some rows than it is on others.

    Parameters
    ----------
    before, after : tuple
        Its score as a function of how often each row is there, how many rows there are, and their groups or None: the
        rows of each side are drawn for themselves.
    direction : Direction
        Which end of the score is good.
    confidence : float
        Share of the differences that the interval holds.

    Raises
    ------
    DataError
        The score is not defined on too many of the draws.
    """
    sign = 1 if direction is Direction.MAXIMIZE else -1
    drawn = [
        resampled({"score": statistic}, rows, groups=groups, resamples=RESAMPLES, seed=seed)["score"].values
        for seed, (statistic, rows, groups) in enumerate((before, after))
    ]
    first, last = (float(statistic(np.ones((1, rows)))[0]) for statistic, rows, _ in (before, after))
    return _gain(sign * (drawn[1] - drawn[0]), (first, last), sign, confidence)


def _gain(values: Array, scores: tuple[float, float], sign: int, confidence: float) -> Gain:
    known = values[np.isfinite(values)]
    if len(known) < (1 - MOST_UNDEFINED) * len(values):
        raise DataError(f"it is not defined on {len(values) - len(known):,} of {len(values):,} draws of the rows")
    low, high = np.percentile(known, [50 * (1 - confidence), 50 * (1 + confidence)])
    return Gain(sign * (scores[1] - scores[0]), float(low), float(high), scores)
