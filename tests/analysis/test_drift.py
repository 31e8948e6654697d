"""What counts as drift: no more false alarms than are stated, and what has moved is found."""

import numpy as np
import pandas as pd
import pytest

from mlops_cli.analysis.drift import Pair, judge
from mlops_cli.analysis.tallies import ColumnTally, column_reference
from mlops_cli.records import DriftBounds, DriftKind, Kind

ANY = {"psi": 0.0, "distance": 0.0, "missing": 0.0, "new": 0.0}
"""Bounds that every change reaches: then chance alone decides."""


def pair(before, after, kind, bounds):
    kept = column_reference(pd.Series(before), "x", kind, knots=200, words=5000)
    tally = ColumnTally(kept)
    tally.add(pd.Series(after))
    return Pair(kept, tally.found(), bounds)


def found(before, after, kind=Kind.NUMERIC, **bounds):
    """Return the kinds of what is found of one column."""
    (judged,) = judge([pair(before, after, kind, DriftBounds(**bounds))], 30)
    return {finding.kind for finding in judged.findings}


def table(rows, rng):
    """Columns of many kinds: with and without ties, skewed, rare, with gaps, of many categories, some ever new."""
    gaps = np.where(rng.random(rows) < 0.2, np.nan, rng.normal(size=rows))
    return {
        "normal": (rng.normal(size=rows), Kind.NUMERIC),
        "skewed": (rng.exponential(size=rows), Kind.NUMERIC),
        "counts": (rng.poisson(3, rows), Kind.NUMERIC),
        "rare": ((rng.random(rows) < 0.03).astype(int), Kind.NUMERIC),
        "gaps": (gaps, Kind.NUMERIC),
        "letters": (rng.choice(list("abcd"), rows), Kind.CATEGORICAL),
        "towns": (np.array([f"t{v}" for v in rng.zipf(1.4, rows)]), Kind.CATEGORICAL),
        "many": (np.array([f"m{v}" for v in rng.integers(0, 150, rows)]), Kind.CATEGORICAL),
    }


def alarms(rows, level, times, **bounds):
    """Return in which share of checks of data that has not moved anything is found."""
    rng, count = np.random.default_rng(11), 0
    for _ in range(times):
        before, after = table(rows[0], rng), table(rows[1], rng)
        used = DriftBounds(alpha=level, **bounds)
        judged = judge([pair(v, after[name][0], kind, used) for name, (v, kind) in before.items()], 30)
        count += any(one.findings for one in judged)
    return count / times


@pytest.mark.parametrize("rows", [(300, 300), (1000, 150), (150, 1000)], ids=str)
def test_chance_alone_finds_something_no_more_often_than_is_stated(rows):
    level, times = 0.05, 160
    noise = 2.6 * (level * (1 - level) / times) ** 0.5
    assert alarms(rows, level, times, **ANY) <= level + noise


def test_the_usual_bounds_leave_hardly_an_alarm_by_chance():
    assert alarms((400, 400), DriftBounds().alpha, 100) <= 0.03


def often(draw, kind=Kind.NUMERIC, times=30):
    """Return how often something is found of two columns that are drawn anew."""
    rng = np.random.default_rng(5)
    return np.mean([bool(found(*draw(rng), kind)) for _ in range(times)])


@pytest.mark.parametrize(
    ("draw", "kind"),
    [
        (lambda r: (r.normal(size=600), r.normal(0.4, 1, 600)), Kind.NUMERIC),
        (lambda r: (r.normal(size=600), r.normal(0, 2, 600)), Kind.NUMERIC),
        (lambda r: (r.normal(size=600), r.choice([-1.0, 1.0], 600) * r.normal(1, 0.2, 600)), Kind.NUMERIC),
        (
            lambda r: (r.choice(list("ab"), 600, p=[0.3, 0.7]), r.choice(list("ab"), 600, p=[0.7, 0.3])),
            Kind.CATEGORICAL,
        ),
        (lambda r: (r.choice(list("ab"), 600), np.where(r.random(600) < 0.05, "new", "a")), Kind.CATEGORICAL),
        (lambda r: (r.normal(size=600), np.where(r.random(600) < 0.15, np.nan, r.normal(size=600))), Kind.NUMERIC),
        (lambda r: (r.integers(0, 2, 600), (r.random(600) < 0.75).astype(int)), Kind.NUMERIC),
    ],
    ids=["mean", "spread", "shape", "swapped shares", "new category", "missing", "share of ones"],
)
def test_a_change_that_matters_is_found(draw, kind):
    assert often(draw, kind) >= 0.95


def test_each_kind_of_change_is_called_by_its_name():
    rng = np.random.default_rng(0)
    values = rng.normal(size=500)
    assert found(values, values + 1) == {DriftKind.DISTRIBUTION}
    assert found(values, np.where(rng.random(500) < 0.3, np.nan, values)) == {DriftKind.MISSING}
    words = rng.choice(list("abc"), 500)
    assert DriftKind.CATEGORIES in found(words, np.where(rng.random(500) < 0.1, "d", words), Kind.CATEGORICAL)


def test_a_change_that_is_certain_and_small_is_none():
    rng = np.random.default_rng(0)
    before, after = rng.normal(size=60_000), rng.normal(0.05, 1, 60_000)
    assert found(before, after) == set()
    assert found(before, after, distance=0.03) == {DriftKind.DISTRIBUTION}
    few = np.where(rng.random(60_000) < 0.02, np.nan, after)
    assert found(before, few) == set()
    assert found(before, few, missing=0.01) == {DriftKind.MISSING}


def test_a_change_that_is_large_and_may_be_chance_is_none():
    rng = np.random.default_rng(1)
    assert found(rng.normal(size=40), rng.normal(0.3, 1, 40)) == set()


def test_categories_that_are_ever_new_are_no_news():
    rng = np.random.default_rng(0)
    before, after = ([f"t{v}" for v in rng.integers(0, 400, 900)] for _ in range(2))
    (judged,) = judge([pair(before, after, Kind.CATEGORICAL, DriftBounds())], 30)
    assert judged.drift.new_share > 0.05
    assert judged.findings == ()


def test_below_the_least_rows_nothing_is_found():
    (judged,) = judge([pair(np.arange(500.0), np.arange(20) + 5000.0, Kind.NUMERIC, DriftBounds())], 30)
    assert judged.findings == ()
    assert not judged.drift.drifted


def test_missing_values_do_not_count_where_they_need_not():
    kept = pair(np.arange(200.0), np.r_[np.arange(100.0), np.full(100, np.nan)], Kind.NUMERIC, DriftBounds())
    (judged,) = judge([Pair(kept.before, kept.after, kept.bounds, gaps=False)], 30)
    assert DriftKind.MISSING not in {finding.kind for finding in judged.findings}


def test_a_column_without_any_value_is_no_fault():
    for before, after in (([np.nan] * 50, [1.0] * 50), ([1.0] * 50, [np.nan] * 50), ([np.nan] * 50, [np.nan] * 50)):
        (judged,) = judge([pair(before, after, Kind.NUMERIC, DriftBounds())], 30)
        assert judged.drift.histogram is None
        assert bool(judged.findings) == (before[0] != before[0]) ^ (after[0] != after[0])


def test_a_sentence_has_the_numbers():
    (judged,) = judge([pair([0.0, 1.0] * 100, [1.0, 2.0] * 100, Kind.NUMERIC, DriftBounds())], 30)
    (finding,) = judged.findings
    assert finding.message == "x: mean 0.5 → 1.5 (moved 1.99 std, PSI 8.52, χ² p < 0.001)"
