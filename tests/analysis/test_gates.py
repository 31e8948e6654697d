"""Each gate both ways, against numbers that were reckoned by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mlops_cli.analysis.bootstrap import RESAMPLES
from mlops_cli.analysis.fairness import RATES, by_group, fairness_gates, rate_of, scorer_of, unknown_fairness
from mlops_cli.analysis.gates import (
    Gain,
    Timed,
    champion_by_splits,
    champion_gate,
    expectation_gate,
    latency_gates,
    metric_gates,
    percentile,
    size_gate,
    verified_gate,
    warning_gates,
)
from mlops_cli.analysis.gates_of_people import approval_gate
from mlops_cli.analysis.paired_rows import paired_gain
from mlops_cli.components.metrics import resolve_metrics
from mlops_cli.errors import DataError
from mlops_cli.records import (
    Approval,
    ApprovalGate,
    ChampionGate,
    Contender,
    DataGate,
    Dataset,
    DatasetVersion,
    Direction,
    FairnessGate,
    LatencyGate,
    MetricBound,
    MetricSpec,
    MetricSummary,
    ModelStatus,
    Notice,
    RunRecord,
    RunStatus,
    SignOff,
    SplitsInfo,
    Task,
)

RECORD = RunRecord(
    id="x/20260101-000000-abcdef",
    path=Path("x"),
    experiment="x",
    status=RunStatus.COMPLETED,
    started="2026-01-01T00:00:00+00:00",
    metrics={
        "auc": MetricSummary(0.8, 0.1, (0.7, 0.9), (0.7, 0.8, 0.9), test=0.75),
        "loss": MetricSummary(0.5, None, None, (0.5,)),
    },
)


def passed(gates):
    return [gate.passed for gate in gates]


# --- metrics -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bound", "expected"),
    [
        (MetricBound("auc", least=0.8), [True]),  # a bound is allowed itself
        (MetricBound("auc", least=0.81), [False]),
        (MetricBound("auc", most=0.8, least=0.79), [True, True]),
        (MetricBound("auc", most=0.79), [False]),
        (MetricBound("auc", least_ci=0.7), [True]),
        (MetricBound("auc", least_ci=0.71), [False]),
        (MetricBound("auc", most_ci=0.9), [True]),
        (MetricBound("auc", most_ci=0.89), [False]),
        (MetricBound("auc", held_out=True, least=0.75), [True]),
        (MetricBound("auc", held_out=True, least=0.76), [False]),
    ],
)
def test_a_metric_is_held_against_its_bounds(bound, expected):
    assert passed(metric_gates(bound, RECORD)) == expected


def test_a_gate_says_what_was_wanted_and_found_and_how():
    (gate,) = metric_gates(MetricBound("auc", held_out=True, least=0.76), RECORD)
    assert (gate.gate, gate.wanted, gate.found, gate.detail) == (
        "metrics.auc.test.min",
        "≥ 0.76",
        "0.75",
        "on held-out rows",
    )


@pytest.mark.parametrize(
    ("bound", "why"),
    [
        (MetricBound("acu", least=0.1), "its run has no acu; did you mean 'auc'?"),
        (MetricBound("loss", held_out=True, most=9.0), "its run held no rows out"),
        (MetricBound("loss", most_ci=9.0), "mean over 1 split: too few for an interval"),
    ],
)
def test_a_metric_that_is_not_known_fails_and_says_why(bound, why):
    (gate,) = metric_gates(bound, RECORD)
    assert not gate.passed
    assert gate.found == "not known"
    assert why in gate.detail


def test_a_mean_that_is_no_number_fails():
    broken = replace(RECORD, metrics={"auc": MetricSummary(math.nan, None, None, (math.nan,))})
    assert passed(metric_gates(MetricBound("auc", least=0.0), broken)) == [False]


# --- the champion, split by split --------------------------------------------------------------------------------


def contender(name, scores, *, digest="same", direction=Direction.MAXIMIZE):
    summary = MetricSummary(float(np.mean(scores)), None, None, tuple(scores))
    return Contender(
        name=name,
        label=name,
        run=name,
        trial=0,
        metrics={"auc": summary},
        directions={"auc": direction},
        params={},
        primary="auc",
        splits=SplitsInfo(digest, len(scores), 0.25),
    )


BASE = [0.80, 0.82, 0.79, 0.81, 0.83]
BETTER = [0.85, 0.86, 0.85, 0.85, 0.88]
"""Better by 0.05, 0.04, 0.06, 0.04, 0.05: by 0.048 on average."""


def judged(spec, first=BASE, other=BETTER, **how):
    return champion_by_splits(spec, "auc", contender("x/1", first, **how), contender("x/2", other, **how))


def test_the_interval_of_the_gain_is_that_of_the_corrected_t_test():
    gate = judged(ChampionGate(confidence=0.9))
    differences = np.subtract(BETTER, BASE)
    error = differences.std(ddof=1) * math.sqrt(1 / 5 + 0.25)
    half = stats.t.ppf(0.95, 4) * error
    assert gate.passed
    assert gate.found == f"0.858 against 0.81: +0.048 ({0.048 - half:+.4g} … {0.048 + half:+.4g}), better"


@pytest.mark.parametrize(
    ("margin", "expected"),
    # The lower end at 95 % is 0.048 - 2.776 * 0.00837 * sqrt(0.45) = 0.0324.
    [(0.0, True), (0.032, True), (0.033, False)],
)
def test_a_version_must_be_better_by_more_than_the_margin_and_noise(margin, expected):
    assert judged(ChampionGate(margin=margin)).passed is expected


def test_less_is_better_where_the_metric_is_a_loss():
    assert not judged(ChampionGate(), direction=Direction.MINIMIZE).passed
    assert judged(ChampionGate(), BETTER, BASE, direction=Direction.MINIMIZE).passed


NOISE = [0.82, 0.80, 0.80, 0.80, 0.83]


def test_noise_does_not_beat_the_champion_and_is_named():
    strict, lenient = judged(ChampionGate(), other=NOISE), judged(ChampionGate(at_least=True), other=NOISE)
    assert (strict.passed, lenient.passed) == (False, False)
    assert judged(ChampionGate(at_least=True, margin=0.03), other=NOISE).passed
    assert strict.found.endswith("no more than noise")


def test_being_worse_by_more_than_noise_is_not_at_least_as_good():
    assert not judged(ChampionGate(at_least=True), BETTER, BASE).passed
    assert not judged(ChampionGate(at_least=True, margin=0.063), BETTER, BASE).passed  # 0.048 + 0.0156 is the end
    assert judged(ChampionGate(at_least=True, margin=0.064), BETTER, BASE).passed


def test_rows_that_are_too_few_to_tell_do_not_show_that_a_version_is_not_worse():
    gain = Gain(-0.25, -0.5, 0.0)
    assert not champion_gate(ChampionGate(at_least=True, margin=0.02), "", gain, "").passed
    assert champion_gate(ChampionGate(at_least=True, margin=0.5), "", gain, "").passed


def test_the_very_same_scores_are_as_good_and_no_better():
    assert not judged(ChampionGate(), BASE, BASE).passed
    assert judged(ChampionGate(at_least=True), BASE, BASE).passed


@pytest.mark.parametrize(
    ("first", "other", "why"),
    [
        ([0.8], [0.9], "one split leaves no spread"),
        ([0.5, 0.5, 0.5], [0.75, 0.75, 0.75], "the very same difference on every split"),
    ],
)
def test_without_a_spread_nothing_is_proved(first, other, why):
    gate = judged(ChampionGate(at_least=True), first, other)
    assert not gate.passed
    assert why in gate.detail


def test_scores_on_other_splits_are_not_paired():
    gate = champion_by_splits(ChampionGate(), "auc", contender("x/1", BASE), contender("x/2", BETTER, digest="another"))
    assert not gate.passed
    assert "split differently" in gate.detail
    assert "champion.data" in gate.detail


# --- the champion, row by row ------------------------------------------------------------------------------------


def accuracy_of(hits):
    """Return accuracy as a function of how often each row is there."""
    return lambda counts: counts @ hits / counts.sum(axis=1)


def rows_hit(share, rows=200, seed=0):
    return (np.random.default_rng(seed).random(rows) < share).astype(float)


def test_the_paired_bootstrap_equals_a_direct_one():
    a, b = rows_hit(0.6), rows_hit(0.8, seed=1)
    drawn = np.random.default_rng(0).integers(0, 200, (RESAMPLES, 200))
    direct = np.percentile([b[rows].mean() - a[rows].mean() for rows in drawn], [5, 95])
    found = paired_gain(accuracy_of(a), accuracy_of(b), Direction.MAXIMIZE, 200, confidence=0.9)
    assert found.value == pytest.approx(b.mean() - a.mean(), abs=1e-12)
    assert (found.low, found.high) == pytest.approx(tuple(direct), abs=1e-12)


def test_of_a_loss_the_gain_is_how_much_less_it_is():
    a, b = rows_hit(0.6), rows_hit(0.8, seed=1)
    up = paired_gain(accuracy_of(a), accuracy_of(b), Direction.MAXIMIZE, 200)
    down = paired_gain(accuracy_of(1 - a), accuracy_of(1 - b), Direction.MINIMIZE, 200)
    assert (down.value, down.low, down.high) == pytest.approx((up.value, up.low, up.high), abs=1e-12)


def test_pairing_sees_what_two_intervals_would_not():
    a = rows_hit(0.7)
    b = a.copy()
    b[np.flatnonzero(a == 0)[:8]] = 1  # right on eight rows more, and wrong on none
    found = paired_gain(accuracy_of(a), accuracy_of(b), Direction.MAXIMIZE, 200)
    assert found.low > 0
    alone = 1.96 * math.sqrt(0.7 * 0.3 / 200)
    assert found.value < alone


def test_groups_are_drawn_whole():
    a, b = np.repeat(rows_hit(0.5, 20), 10), np.repeat(rows_hit(0.7, 20, seed=1), 10)
    rows = paired_gain(accuracy_of(a), accuracy_of(b), Direction.MAXIMIZE, 200)
    groups = paired_gain(accuracy_of(a), accuracy_of(b), Direction.MAXIMIZE, 200, groups=np.repeat(np.arange(20), 10))
    assert groups.high - groups.low > 2 * (rows.high - rows.low)


def test_a_score_that_is_mostly_undefined_has_no_interval():
    def undefined(counts):
        return np.full(len(counts), np.nan)

    with pytest.raises(DataError, match="not defined on 1,000 of 1,000 draws"):
        paired_gain(accuracy_of(rows_hit(0.5)), undefined, Direction.MAXIMIZE, 200)


# --- fairness ----------------------------------------------------------------------------------------------------


class Echo:
    """A model that says what stands in its one column."""

    classes_ = np.array(["no", "yes"])

    def predict(self, X):
        return X["said"].to_numpy()

    def __sklearn_is_fitted__(self):
        return True

    def __sklearn_tags__(self):
        from sklearn.dummy import DummyClassifier
        from sklearn.utils import get_tags

        return get_tags(DummyClassifier())


# Of f: 3 of 4 rows that are yes are found, 1 of 2 that are no is said to be yes; of m: 1 of 2, and 0 of 2.
TABLE = pd.DataFrame(
    {
        "sex": list("ffffff") + list("mmmm") + [None],
        "y": ["yes"] * 4 + ["no"] * 2 + ["yes"] * 2 + ["no"] * 2 + ["no"],
        "said": ["yes", "yes", "yes", "no", "yes", "no", "yes", "no", "no", "no", "no"],
    }
)
BY_HAND = {
    "recall": {"f": 3 / 4, "m": 1 / 2},
    "precision": {"f": 3 / 4, "m": 1.0},
    "accuracy": {"f": 4 / 6, "m": 3 / 4},
    "selection_rate": {"f": 4 / 6, "m": 1 / 4},
    "false_positive_rate": {"f": 1 / 2, "m": 0.0},
    "false_negative_rate": {"f": 1 / 4, "m": 1 / 2},
}


def rows_of(table, weights=None):
    return Dataset(table[["said"]], table["y"].to_numpy(), (), DatasetVersion("", len(table), ()), weights=weights)


def scored(metric, table=TABLE, weights=None):
    data = rows_of(table, weights)
    if metric in RATES:
        return rate_of(Echo(), data, metric, "yes")
    return scorer_of(Echo(), data, resolve_metrics([MetricSpec(metric)], Task.CLASSIFICATION, ["no", "yes"])[0])


@pytest.mark.parametrize("metric", BY_HAND)
def test_a_metric_within_each_group_is_what_a_hand_reckons(metric):
    found = by_group(TABLE["sex"], scored(metric), 2)
    assert dict(found.scores) == pytest.approx(BY_HAND[metric])
    assert (dict(found.rows), dict(found.too_few)) == ({"f": 6, "m": 4}, {"missing": 1})
    low, high = sorted(BY_HAND[metric].values())
    assert found.difference == pytest.approx(high - low)
    assert found.ratio == pytest.approx(low / high)


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"max_difference": 0.25}, [True]),
        ({"max_difference": 0.24}, [False]),
        ({"min_ratio": 0.66}, [True]),
        ({"min_ratio": 0.67}, [False]),
        ({"max_difference": 0.1, "min_ratio": 0.5}, [False, True]),
    ],
)
def test_groups_must_not_be_further_apart_than_the_bounds(bounds, expected):
    groups = by_group(TABLE["sex"], scored("recall"), 2)
    found = list(fairness_gates(FairnessGate("sex", "recall", **bounds), "fairness", groups, "11 rows"))
    assert passed(found) == expected
    assert found[0].detail == (
        "recall by sex on 11 rows: m 0.5 (4 rows), f 0.75 (6 rows); too few rows to count: missing (1)"
    )


def test_rows_count_by_their_weights():
    weights = np.array([3.0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1])
    assert by_group(TABLE["sex"], scored("recall", weights=weights), 2).scores["f"] == pytest.approx(5 / 6)
    assert by_group(TABLE["sex"], scored("selection_rate", weights=weights), 2).scores["f"] == pytest.approx(6 / 8)


def test_a_group_without_a_positive_row_has_no_recall_rather_than_0():
    table = TABLE[TABLE["sex"].notna()].assign(y=["yes"] * 6 + ["no"] * 4)
    for metric in ("recall", "false_negative_rate"):
        with pytest.raises(DataError, match=r"not defined within m \(4 rows\)") as raised:
            by_group(table["sex"], scored(metric, table), 2)
        assert "zero_division" not in str(raised.value)
        assert "set to" not in str(raised.value)


def test_one_group_alone_cannot_be_compared():
    with pytest.raises(DataError, match="1 of 3 groups of sex have 5 rows; two are needed"):
        by_group(TABLE["sex"], scored("recall"), 5)


def test_groups_are_told_apart_by_their_values_and_not_by_how_they_are_shown():
    long = "a district whose name is far longer than any table is wide: "
    values = [f"{long}north", f"{long}south", "missing", None, 1, "1"]
    found = by_group(pd.Series(values * 2, dtype=object), lambda places: float(places[0]), 2)
    assert list(found.scores.values()) == [0, 1, 2, 4, 5, 3]
    assert list(found.scores) == [f"{long[:40]}…", f"{long[:40]}… (2)", "missing", "1", "1 (2)", "missing (2)"]
    assert set(found.rows.values()) == {2}


def test_groups_that_are_all_0_differ_by_nothing_and_have_no_ratio():
    nothing = by_group(TABLE["sex"], lambda _: 0.0, 2)
    assert (nothing.difference, nothing.ratio) == (0.0, None)
    spec = FairnessGate("sex", "recall", max_difference=0.1, min_ratio=0.8)
    difference, ratio = fairness_gates(spec, "fairness", nothing, "11 rows")
    assert (difference.passed, ratio.passed, ratio.found) == (True, False, "not known")
    assert "f 0 (6 rows)" in ratio.detail
    assert "0 to 0 is no ratio" in ratio.detail


def test_negative_scores_have_no_ratio():
    below = by_group(TABLE["sex"], lambda rows: -float(len(rows)), 2)
    (gate,) = fairness_gates(FairnessGate("sex", "r2", min_ratio=0.1), "fairness", below, "11 rows")
    assert not gate.passed
    assert "negative numbers have no ratio" in gate.detail


def test_an_unknown_fairness_fails_by_each_of_its_bounds():
    found = unknown_fairness(FairnessGate("sex", "recall", 0.1, 0.8), "fairness[1]", "no such column")
    assert [(gate.gate, gate.passed) for gate in found] == [
        ("fairness[1].max_difference", False),
        ("fairness[1].min_ratio", False),
    ]


# --- time, room, data, people ------------------------------------------------------------------------------------


def test_percentiles_are_values_that_were_measured():
    values = [i / 100 for i in range(1, 101)]
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile([7.0], 0.99)) == (0.5, 0.99, 7.0)


def test_time_is_bounded_in_milliseconds_and_loading_is_apart():
    timed = Timed([0.001] * 98 + [0.2, 0.3], load_s=5.0, rows=1, machine="here, 2 cores")
    found = latency_gates(LatencyGate(p50_ms=1.0, p99_ms=199.0), timed)
    assert [(gate.gate, gate.passed, gate.found) for gate in found] == [
        ("latency.p50_ms", True, "1 ms"),
        ("latency.p99_ms", False, "200 ms"),
    ]
    assert found[0].detail == "100 warm calls of 1 row, here and now: here, 2 cores; loaded in 5 s, which is apart"


def test_size_is_bounded_in_millions_of_bytes():
    assert size_gate(50, 50_000_000, "").passed
    assert not size_gate(50, 50_100_000, "").passed


LEAK = replace(RECORD, warnings=(Notice("target-leak", "x tells y"), Notice("not-converged", "…")))


@pytest.mark.parametrize(
    ("spec", "record", "accepted", "expected"),
    [
        (DataGate(("target-leak",)), LEAK, (), [False]),
        (DataGate(("imbalance",)), LEAK, (), [True]),
        (DataGate(no_warnings=True), LEAK, (), [False]),
        (DataGate(no_warnings=True), RECORD, (), [True]),
        (DataGate(("target-leak",)), RECORD, ("target-leak",), [False]),  # the run kept it from being said
        (DataGate(("imbalance",)), RECORD, ("target-leak",), [True]),
        (DataGate(verify=True), LEAK, (), []),
    ],
)
def test_warnings_of_the_run_fail_the_gate(spec, record, accepted, expected):
    assert passed(warning_gates(spec, record, accepted)) == expected


def test_rules_must_be_declared_and_have_held():
    broken = replace(RECORD, warnings=(Notice("expectation", "age has 3"),))
    assert expectation_gate(2, RECORD, ()).passed
    assert not expectation_gate(0, RECORD, ()).passed
    assert not expectation_gate(2, broken, ()).passed
    assert not expectation_gate(2, RECORD, ("expectation",)).passed


def test_data_must_be_as_it_was():
    assert verified_gate((), "x@1").passed
    assert not verified_gate(["a.csv: its content has changed"], "x@1").passed


def signed(*words):
    verdicts = {"+": Approval.APPROVED, "-": Approval.REJECTED}
    return ModelStatus(sign_offs=tuple(SignOff(word[1:], "", verdicts[word[0]]) for word in words))


@pytest.mark.parametrize(
    ("words", "count", "expected"),
    [
        ((), 1, False),
        (("+ann",), 1, True),
        (("+ann",), 2, False),
        (("+ann", "+ann"), 2, False),  # one person twice is one person
        (("+ann", "+bob"), 2, True),
        (("+eve",), 1, False),
        (("+ann", "-ann"), 1, False),  # of each the last word counts
        (("-ann", "+ann"), 1, True),
    ],
)
def test_those_who_are_named_must_have_approved(words, count, expected):
    assert approval_gate(ApprovalGate(("ann", "bob"), count), signed(*words)).passed is expected
