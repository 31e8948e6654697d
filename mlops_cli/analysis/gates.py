"""What must hold of a version before it is promoted, gate by gate: from numbers that others have taken.

A gate that cannot be computed has failed, and says why. Knows nothing of files, and loads nothing slow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlops_cli.analysis.compare import LEVEL, compare
from mlops_cli.analysis.student import critical_value
from mlops_cli.errors import did_you_mean
from mlops_cli.records import Direction, GateResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from mlops_cli.records import (
        ChampionGate,
        Contender,
        DataGate,
        LatencyGate,
        MetricBound,
        MetricSummary,
        PairedDifference,
        RunRecord,
    )

MEGABYTE = 1_000_000

REMEMBERED = "champion.before"
"""The gate on the rows of before: asked by retraining, and declared by nobody."""


def unknown(gate: str, wanted: str, why: str, bound: float | None = None) -> GateResult:
    """Return a gate that cannot be computed, which counts as failed."""
    return GateResult(gate, passed=False, wanted=wanted, found="not known", detail=why, bound=bound)


def within(
    gate: str, value: float | None, *, least: float | None = None, most: float | None = None, unit: str = "", how: str
) -> GateResult:
    """Return a gate that holds a number against one bound, which is allowed itself.

    Examples
    --------
    >>> within("size.max_mb", 51.2, most=50, unit=" MB", how="on disk").found
    '51.2 MB'
    """
    bound = least if least is not None else most
    wanted = f"{'≥' if least is not None else '≤'} {number(bound)}{unit}"
    if value is None or math.isnan(value):
        return unknown(gate, wanted, how, bound)
    passed = (least is None or value >= least) and (most is None or value <= most)
    kept = value if math.isfinite(value) else None  # JSON has no infinity
    return GateResult(gate, passed, wanted, f"{number(value)}{unit}", how, kept, bound)


def number(value: float | None) -> str:
    """Return a number with four significant digits, or more where it is large."""
    if value is None:
        return "not known"
    return f"{value:,.0f}" if 10_000 <= abs(value) < math.inf else f"{value:.4g}"


# --- metrics of its own run --------------------------------------------------------------------------------------


def metric_gates(bound: MetricBound, record: RunRecord, *, fault: str = "") -> list[GateResult]:
    """Return a gate for each thing that is wanted of one metric; each has failed where a fault says why."""
    summary = None if fault else record.metrics.get(bound.metric)
    ends = summary.ci95 if summary is not None else None
    mean = None if summary is None else summary.test if bound.held_out else summary.mean
    low, high = ends if ends is not None else (None, None)
    how, of_interval = fault or _how_scored(bound, summary, record), fault or _how_spread(bound, summary, record)
    place = f"metrics.{bound.name}"
    least = (("min", bound.least, mean, how), ("min_ci", bound.least_ci, low, of_interval))
    most = (("max", bound.most, mean, how), ("max_ci", bound.most_ci, high, of_interval))
    return [
        *(within(f"{place}.{word}", x, least=limit, how=text) for word, limit, x, text in least if limit is not None),
        *(within(f"{place}.{word}", x, most=limit, how=text) for word, limit, x, text in most if limit is not None),
    ]


def _how_scored(bound: MetricBound, summary: MetricSummary | None, record: RunRecord) -> str:
    if summary is None:
        return f"its run has no {bound.metric}; {did_you_mean(bound.metric, record.metrics)}"
    if not bound.held_out:
        return _over_splits(summary)
    return "on held-out rows" if summary.test is not None else "its run held no rows out: evaluation.test=0.2 does"


def _how_spread(bound: MetricBound, summary: MetricSummary | None, record: RunRecord) -> str:
    if summary is None:
        return _how_scored(bound, summary, record)
    if summary.ci95 is None:
        return f"{_over_splits(summary)}: too few for an interval"
    return f"end of the 95 % interval of the {_over_splits(summary)}"


def _over_splits(summary: MetricSummary) -> str:
    count = len(summary.splits)
    return f"mean over {count} split{'' if count == 1 else 's'}"


# --- against the champion ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Gain:
    """How much better a version is than another one, so that more is better whatever the metric."""

    value: float
    low: float  # of the interval at the confidence that is asked for
    high: float
    scores: tuple[float, float] | None = None  # of the other one and of the version itself, as the metric has them


def champion_wanted(spec: ChampionGate, metric: str, champion: str) -> str:
    """Return in words what is wanted of a version beside the champion."""
    by = f" by more than {number(spec.margin)}" if spec.margin else ""
    beyond = f"{by}, beyond noise at {spec.confidence:.0%}" if by else f", beyond noise at {spec.confidence:.0%}"
    return f"{metric} {'not worse' if spec.at_least else 'better'} than {champion}{beyond}"


def champion_gate(spec: ChampionGate, wanted: str, gain: Gain, how: str) -> GateResult:
    """Return the gate, by an interval of how much better the version is.

    Better is an interval that lies above the margin as a whole. Not worse is one that does not reach below minus the
    margin (non-inferiority): rows that are too few to tell show nothing, and so they do not pass.
    """
    bound = 0 - spec.margin if spec.at_least else spec.margin
    passed = gain.low >= bound if spec.at_least else gain.low > bound
    return GateResult("champion", passed, wanted, _gained(gain), how, gain.value, bound, (gain.low, gain.high))


def _gained(gain: Gain) -> str:
    """Return in words how much better a version is: both scores, the difference with its interval, what that means.

    Examples
    --------
    >>> _gained(Gain(0.02, -0.01, 0.05, scores=(0.81, 0.83)))
    '0.83 against 0.81: +0.02 (-0.01 … +0.05), no more than noise'
    """
    both = "" if gain.scores is None else f"{number(gain.scores[1])} against {number(gain.scores[0])}: "
    is_noise = gain.low <= 0 <= gain.high and gain.low < gain.high
    word = "no more than noise" if is_noise else "better" if gain.low > 0 else "worse" if gain.high < 0 else "equal"
    return f"{both}{gain.value:+.4g} ({gain.low:+.4g} … {gain.high:+.4g}), {word}"


def remembering_gate(metric: str, champion: str, fall: Gain, kept: Gain, how: str) -> GateResult:
    """Return the gate on the rows of before, of a champion that falls on the new ones.

    Parameters
    ----------
    metric : str
        By which both are compared.
    champion : str
        Its reference.
    fall : Gain
        Of the champion, from the rows of before to the new ones.
    kept : Gain
        Of the version over the champion, on the rows of before.
    how : str
        On which rows.
    """
    fell = f"{champion} itself fell from {number(fall.scores[0])} to {number(fall.scores[1])}" if fall.scores else ""
    passed = kept.high >= 0
    mend = "; has the world changed? --forget or forget: true in its policy promotes it; else see to the new labels"
    return GateResult(
        REMEMBERED,
        passed,
        f"{metric} not worse than {champion} on the rows of before, as that is worse on the new ones",
        f"{_gained(kept)}; {fell}",
        how if passed else f"{how}{mend}",
        kept.value,
        0.0,
        (kept.low, kept.high),
    )


def champion_by_splits(spec: ChampionGate, metric: str, champion: Contender, version: Contender) -> GateResult:
    """Return the gate by the scores of both on the same splits: the corrected resampled t-test.

    References
    ----------
    C. Nadeau, Y. Bengio. Inference for the Generalization Error. Machine Learning 52, 2003.
    """
    wanted = champion_wanted(spec, metric, champion.name)
    (pairing,) = compare([champion, version], metric).pairings
    if pairing.refused:
        return unknown("champion", wanted, f"{pairing.refused}; or name labelled rows by champion.data")
    found = pairing.differences[0]
    gain = gain_of(found, spec.confidence)
    if gain is None:
        why = "one split" if found.splits == 1 else "the very same difference on every split"
        return unknown("champion", wanted, f"{why} leaves no spread to judge by; name labelled rows by champion.data")
    scores = (champion.metrics[metric].mean, version.metrics[metric].mean)
    return champion_gate(spec, wanted, replace(gain, scores=scores), _how_paired(found, champion, version))


def gain_of(found: PairedDifference, confidence: float) -> Gain | None:
    """Return a paired difference as a gain with its interval at a confidence; None where it has none."""
    if found.verdict is Verdict.SAME:
        return Gain(0.0, 0.0, 0.0)
    if found.ci95 is None:
        return None
    degrees = found.splits - 1
    error = (found.ci95[1] - found.ci95[0]) / 2 / critical_value(LEVEL, degrees)
    half = critical_value(1 - confidence, degrees) * error
    value = found.difference if found.direction is Direction.MAXIMIZE else -found.difference
    return Gain(value, value - half, value + half)


def _how_paired(found: PairedDifference, champion: Contender, version: Contender) -> str:
    chosen = [f"{c.name} is the best of {c.chosen_from} trials" for c in (version, champion) if c.chosen_from > 1]
    by_these = f"; {' and '.join(chosen)} by such scores, which flatters it" if chosen else ""
    return f"paired over the same {found.splits} splits, corrected t-test{by_these}"


# --- time and room -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Timed:
    """How long a model took."""

    calls: Sequence[float]  # seconds of each, after those that warmed it up
    load_s: float
    rows: int  # predicted at once
    machine: str


def latency_gates(spec: LatencyGate, timed: Timed) -> list[GateResult]:
    """Return a gate for each percentile that is bounded."""
    each = f"{len(timed.calls):,} warm calls of {timed.rows:,} row{'' if timed.rows == 1 else 's'}"
    how = f"{each}, here and now: {timed.machine}; loaded in {timed.load_s:.2g} s, which is apart"
    asked = ((0.5, "p50_ms", spec.p50_ms), (0.99, "p99_ms", spec.p99_ms))
    return [
        within(f"latency.{word}", 1000 * percentile(timed.calls, share), most=most, unit=" ms", how=how)
        for share, word, most in asked
        if most is not None
    ]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the least value that so large a share of all does not exceed (nearest rank).

    Examples
    --------
    >>> percentile([4, 1, 3, 2], 0.5), percentile([4, 1, 3, 2], 0.99)
    (2, 4)
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def size_gate(max_mb: float, size: int, what: str) -> GateResult:
    """Return the gate on the bytes of a model."""
    return within("size.max_mb", size / MEGABYTE, most=max_mb, unit=" MB", how=what)


# --- the data ----------------------------------------------------------------------------------------------------


def warning_gates(spec: DataGate, record: RunRecord, accepted: Collection[str]) -> Iterator[GateResult]:
    """Yield the gate on what its run said of the data.

    Parameters
    ----------
    spec : DataGate
        What is wanted.
    record : RunRecord
        Of the run.
    accepted : collection of str
        Codes that the run's own config keeps from being said: of those nobody knows.
    """
    if not (spec.warnings or spec.no_warnings):
        return
    wanted = "none at all" if spec.no_warnings else f"none of {', '.join(spec.warnings)}"
    bad = [notice for notice in record.warnings if spec.no_warnings or notice.code in spec.warnings]
    silent = sorted(code for code in accepted if spec.no_warnings or code in spec.warnings)
    if bad:
        codes = ", ".join(dict.fromkeys(notice.code for notice in bad))
        yield GateResult("data.warnings", passed=False, wanted=wanted, found=codes, detail=bad[0].message)
    elif silent:
        yield unknown("data.warnings", wanted, f"data.accept of its run keeps {', '.join(silent)} from being said")
    else:
        yield GateResult("data.warnings", passed=True, wanted=wanted, found="none", detail="as its run said them")


def expectation_gate(rules: int, record: RunRecord, accepted: Collection[str]) -> GateResult:
    """Return the gate on the rules of ``data.expect``: a run that breaks one which must hold does not complete."""
    wanted, broken = "rules that held", [n for n in record.warnings if n.code == "expectation"]
    if not rules:
        return unknown("data.expect", wanted, "its run expected nothing of the data: data.expect declares rules")
    if broken:
        return GateResult("data.expect", passed=False, wanted=wanted, found="broken", detail=broken[0].message)
    if "expectation" in accepted:
        return unknown("data.expect", wanted, "data.accept of its run keeps expectation from being said")
    held = "1 rule held" if rules == 1 else f"{rules} rules held"
    return GateResult("data.expect", passed=True, wanted=wanted, found=held, detail="when it ran")


def verified_gate(faults: Sequence[str], called: str) -> GateResult:
    """Return the gate on whether the data is still what the run saw."""
    found = "as its run saw it" if not faults else "changed"
    return GateResult("data.verify", not faults, "unchanged", found, faults[0] if faults else f"{called}, read again")
