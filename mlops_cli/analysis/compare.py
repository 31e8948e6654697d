"""Is one trial better than another, or was it luck: their scores paired split by split, and tested.

Refuses to pair what was parted or scored differently, and says what differs. Pure and plain Python, for quick commands.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import replace
from typing import TYPE_CHECKING

from mlops_cli.analysis.pairable import known_share, obstacle, shared_metrics, split_alike, work_alike
from mlops_cli.analysis.student import critical_value, two_sided_p
from mlops_cli.records import Comparison, PairedDifference, Pairing, TrialState, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mlops_cli.records import Contender, Direction, RunRecord, TrialResult

LEVEL = 0.05
"""A difference that chance alone would give less often than this counts as one."""

_ROUNDING = 1e-12
"""Scores that are closer than this share of them differ by the order of a sum alone."""


def compare(contenders: Sequence[Contender], metric: str | None = None) -> Comparison:
    """Return each contender against the first one.

    Parameters
    ----------
    contenders : sequence of Contender
        At least two.
    metric : str, optional
        Compare by this one alone; by all that two contenders share where it is not given.

    Returns
    -------
    Comparison
        With several pairs, the p of each metric are adjusted by Holm's method; intervals are each pair's own.

    References
    ----------
    C. Nadeau, Y. Bengio. Inference for the Generalization Error. Machine Learning 52, 2003.
    S. Holm. A Simple Sequentially Rejective Multiple Test Procedure. Scandinavian Journal of Statistics 6, 1979.
    """
    first, *others = contenders
    pairings = _adjusted([_pairing(first, other, metric) for other in others])
    if metric is None:
        return Comparison(first, tuple(pairings), _primary(contenders))
    pairings = [replace(pairing, other=_only(metric, pairing.other)) for pairing in pairings]
    return Comparison(_only(metric, first), tuple(pairings), metric)


def _only(metric: str, contender: Contender) -> Contender:
    return replace(contender, metrics={n: summary for n, summary in contender.metrics.items() if n == metric})


def _primary(contenders: Sequence[Contender]) -> str:
    """Return the first one's primary metric if all have it; else the first metric that all have."""
    common = [name for name in contenders[0].metrics if all(name in other.metrics for other in contenders)]
    return next((c.primary for c in contenders if c.primary in common), common[0] if common else contenders[0].primary)


def _pairing(first: Contender, other: Contender, metric: str | None) -> Pairing:
    refused, share = obstacle(first, other, metric), known_share(first)
    if refused or share is None:
        return Pairing(other, refused=refused)
    names = [name for name in shared_metrics(first, other) if metric in {None, name}]
    return Pairing(
        other,
        tuple(
            paired(name, first.directions[name], first.metrics[name].splits, other.metrics[name].splits, share)
            for name in names
        ),
    )


def paired(
    metric: str, direction: Direction, first: Sequence[float], other: Sequence[float], test_share: float
) -> PairedDifference:
    """Return how much better ``other`` is than ``first`` by their scores on the same splits.

    The corrected resampled t-test: training sets overlap, so that scores of splits are not independent, and the
    variance of their mean difference is ``(1/k + test_share)`` of their variance in place of ``1/k``.

    Parameters
    ----------
    metric : str
        Its name.
    direction : Direction
        Which end of it is good.
    first, other : sequence of float
        Shape (k,): one score per split, in the same order.
    test_share : float
        Test rows per training row of a split.

    Returns
    -------
    PairedDifference
        Without interval and p where there is no variance to judge by: one split, or the very same difference on each.

    Examples
    --------
    >>> from mlops_cli.records import Direction
    >>> found = paired("accuracy", Direction.MAXIMIZE, [0.90, 0.92, 0.91], [0.95, 0.96, 0.97], test_share=0.5)
    >>> round(found.difference, 3), round(found.p, 3), str(found.verdict)
    (0.05, 0.032, 'better')
    """
    differences = [b - a for a, b in zip(first, other, strict=True)]
    count, mean = len(differences), sum(differences) / len(differences)
    rounding = _ROUNDING * max(map(abs, [*first, *other]))
    result = PairedDifference(metric, direction, mean, None, None, count, Verdict.UNKNOWN)
    if not math.isfinite(mean) or not math.isfinite(test_share):
        return result
    if all(abs(d) <= rounding for d in differences):
        return replace(result, difference=0.0, verdict=Verdict.SAME)
    spread = statistics.stdev(differences) if count > 1 else 0.0
    if spread <= rounding:
        return result
    error = spread * math.sqrt(1 / count + test_share)
    half = critical_value(LEVEL, count - 1) * error
    return judged(replace(result, ci95=(mean - half, mean + half)), two_sided_p(mean / error, count - 1))


def judged(found: PairedDifference, p: float) -> PairedDifference:
    """Return a difference with its p and the verdict that follows from it."""
    if p >= LEVEL:
        return replace(found, p=p, verdict=Verdict.NOISE)
    return replace(found, p=p, verdict=Verdict.BETTER if found.direction.better(found.difference, 0) else Verdict.WORSE)


# --- several pairs -----------------------------------------------------------------------------------------------


def _adjusted(pairings: Sequence[Pairing]) -> list[Pairing]:
    """Return the pairings with the p of each metric adjusted for how many there are."""
    by_metric: dict[str, list[tuple[int, float]]] = {}
    for number, pairing in enumerate(pairings):
        for found in pairing.differences:
            if found.p is not None:
                by_metric.setdefault(found.metric, []).append((number, found.p))
    adjusted: dict[tuple[int, str], float] = {}
    for metric, tested in by_metric.items():
        values = holm([p for _, p in tested])
        adjusted |= {(number, metric): p for (number, _), p in zip(tested, values, strict=True)}
    return [replace(pairing, differences=_with_p(number, pairing, adjusted)) for number, pairing in enumerate(pairings)]


def _with_p(number: int, pairing: Pairing, adjusted: Mapping[tuple[int, str], float]) -> tuple[PairedDifference, ...]:
    return tuple(
        judged(found, adjusted[number, found.metric]) if found.p is not None else found for found in pairing.differences
    )


def holm(values: Sequence[float]) -> list[float]:
    """Return p values adjusted for their number by Holm's method, in the same order.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(values)), key=values.__getitem__)
    adjusted, least = [0.0] * len(values), 0.0
    for place, number in enumerate(order):
        least = max(least, min(1.0, values[number] * (len(values) - place)))
        adjusted[number] = least
    return adjusted


# --- the winner of a sweep ---------------------------------------------------------------------------------------


def lead(record: RunRecord, trials: Iterable[TrialResult]) -> tuple[int, PairedDifference] | None:
    """Return the number of a run's second best trial, and how much better the best one is.

    None where they do not compare: there is no second one, or it was split differently or did something else.
    """
    primary = record.primary or ""
    scored = [t for t in trials if t.state is TrialState.COMPLETED and t.scores.get(primary)]
    best = next((t for t in scored if record.best is not None and t.trial == record.best.trial), None)
    if best is None or record.splits is None or record.direction is None or len(scored) < 2:
        return None
    sign = -1 if record.direction.better(1, 0) else 1
    second = min((t for t in scored if t is not best), key=lambda t: (sign * t.mean(primary), t.trial))
    alike = split_alike(best.params, second.params) and work_alike(best.params, second.params)
    if not alike or len(best.scores[primary]) != len(second.scores[primary]):
        return None
    scores = second.scores[primary], best.scores[primary]
    return second.trial, paired(primary, record.direction, *scores, record.splits.test_share)
