"""Split scores → means with their spread, and the winner."""

from __future__ import annotations

import math
import re
import statistics
from typing import TYPE_CHECKING

from mlops_cli.analysis.student import critical_value
from mlops_cli.records import MetricSummary, TrialState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mlops_cli.records import Direction, TrialResult


UNBOUNDED = (-math.inf, math.inf)

_NUMBER = re.compile(r"0x[0-9a-fA-F]+|\d+(\.\d+)?(e[+-]?\d+)?")


def summarize(
    scores: Sequence[float],
    test_share: float,
    test: float | None = None,
    bounds: tuple[float, float] = UNBOUNDED,
) -> MetricSummary:
    """Return the mean of split scores with its spread.

    Parameters
    ----------
    scores : sequence of float
        One per split.
    test_share : float
        Test rows per training row of a split, on average.
    test : float, optional
        The score on held-out rows.
    bounds : tuple of float
        The least and the greatest value that the metric has.

    Returns
    -------
    MetricSummary
        ``std`` has ddof=1. ``ci95`` is the interval of the mean by the corrected resampled t-test: the variance is
        multiplied by ``1/k + test_share`` in place of ``1/k``, since training sets overlap. A t distribution knows
        no bounds, so the interval is cut where the metric ends.

    References
    ----------
    C. Nadeau, Y. Bengio. Inference for the Generalization Error. Machine Learning 52, 2003.

    Examples
    --------
    >>> summary = summarize([0.8, 0.9], test_share=1.0)
    >>> round(summary.mean, 3), round(summary.std, 3)
    (0.85, 0.071)
    """
    mean = sum(scores) / len(scores)
    if len(scores) < 2:
        return MetricSummary(mean, None, None, tuple(scores), test)
    std = statistics.stdev(scores)
    half = critical_value(0.05, len(scores) - 1) * std * math.sqrt(1 / len(scores) + test_share)
    low, high = min(bounds[0], mean), max(bounds[1], mean)  # whatever the bounds, the mean is inside
    return MetricSummary(mean, std, (max(mean - half, low), min(mean + half, high)), tuple(scores), test)


def summaries(
    result: TrialResult,
    test_share: float,
    test_scores: Mapping[str, float] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
) -> dict[str, MetricSummary]:
    """Return the summary of each metric of a trial; a metric that ``bounds`` leaves out has none."""
    held_out, known = test_scores or {}, bounds or {}
    return {
        name: summarize(values, test_share, held_out.get(name), known.get(name, UNBOUNDED))
        for name, values in result.scores.items()
    }


def best(results: Iterable[TrialResult], primary: str, direction: Direction) -> TrialResult | None:
    """Return the completed trial with the best mean of the primary metric; the lowest number where several have it.

    The choice does not depend on the order in which trials ended.
    """
    winner: TrialResult | None = None
    for result in results:
        if result.state is TrialState.COMPLETED and (winner is None or _beats(result, winner, primary, direction)):
            winner = result
    return winner


def _beats(a: TrialResult, b: TrialResult, primary: str, direction: Direction) -> bool:
    mean_a, mean_b = a.mean(primary), b.mean(primary)
    if mean_a == mean_b:
        return a.trial < b.trial
    return direction.better(mean_a, mean_b)


def front(results: Iterable[TrialResult], objectives: Sequence[tuple[str, Direction]]) -> list[TrialResult]:
    """Return the completed trials that no other one beats: none is as good in all objectives and better in one.

    Parameters
    ----------
    results : iterable of TrialResult
        The trials; of several with equal means all are on the front.
    objectives : sequence of (str, Direction)
        The metrics, each with its good end.

    Returns
    -------
    list of TrialResult
        By number.
    """
    kept: list[TrialResult] = []
    for result in results:
        if result.state is not TrialState.COMPLETED or any(dominates(k, result, objectives) for k in kept):
            continue
        kept = [k for k in kept if not dominates(result, k, objectives)] + [result]
    return sorted(kept, key=lambda r: r.trial)


def dominates(a: TrialResult, b: TrialResult, objectives: Sequence[tuple[str, Direction]]) -> bool:
    """Whether trial ``a`` is as good as ``b`` in all objectives, and better in one."""
    pairs = [(a.mean(name), b.mean(name), direction) for name, direction in objectives]
    return any(d.better(x, y) for x, y, d in pairs) and not any(d.better(y, x) for x, y, d in pairs)


def failures(results: Iterable[TrialResult]) -> list[tuple[str, tuple[TrialResult, ...]]]:
    """Return why trials failed: each kind of reason as its first trial said it, with its trials; most frequent first.

    Reasons that differ in numbers alone are one kind: a message may name the row, the value or the process.
    """
    kinds: dict[str, list[TrialResult]] = {}
    reasons: dict[str, str] = {}
    for result in results:
        if result.error is not None and result.state.has_failed:
            kind = without_numbers(result.error.headline)
            reasons.setdefault(kind, result.error.headline)
            kinds.setdefault(kind, []).append(result)
    found = [(reasons[kind], tuple(those)) for kind, those in kinds.items()]
    return sorted(found, key=lambda item: (-len(item[1]), item[0]))


def without_numbers(text: str) -> str:
    """Return a text with a mark in the place of each number; those that differ in numbers alone become the same.

    Examples
    --------
    >>> without_numbers("lost row 12 of 3.5e+04 at 0x7f3a")
    'lost row # of # at #'
    """
    return _NUMBER.sub("#", text)
