"""Distributions in little memory: exact where all values are kept, near where not, however the values come in parts."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp, wasserstein_distance

from mlops_cli.analysis.histograms import histogram
from mlops_cli.analysis.reference import KNOTS
from mlops_cli.analysis.shifts import shift, shift_between
from mlops_cli.analysis.tallies import ColumnTally, NumberTally, column_reference, on_same_knots, quantiles, steps_of
from mlops_cli.records import ComparedBy, Kind

RNG = np.random.default_rng(3)


def tallied(before, after, kind=Kind.NUMERIC, *, parts=1, knots=KNOTS, exact=False):
    """Return a column before and after, the latter counted in parts."""
    kept = column_reference(pd.Series(before), "x", kind, knots=knots)
    tally = ColumnTally(kept, exact=exact)
    for part in np.array_split(np.arange(len(after)), parts):
        tally.add(pd.Series(after).iloc[part].reset_index(drop=True))
    return kept, tally.found()


def draws(count, *, mean=0.0, digits=None):
    values = RNG.normal(mean, 1, count)
    return values if digits is None else values.round(digits)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (draws(1500), draws(900, mean=0.3)),
        (draws(20_000, digits=2), draws(30_000, mean=0.1, digits=2)),
        (draws(60), draws(40, mean=1)),
        (RNG.integers(0, 5, 400), RNG.integers(0, 6, 300)),
        (RNG.exponential(size=800), RNG.exponential(size=800) * 3 + 50),  # all beyond what training had
        (np.r_[np.zeros(300), draws(100)], np.r_[np.zeros(100), draws(300)]),
    ],
    ids=["continuous", "with ties", "few rows", "few values", "beyond", "heavy at zero"],
)
def test_what_is_computed_of_tallies_is_what_scipy_says_of_the_rows(before, after):
    found = shift_between(*tallied(before, after, parts=3))
    whole = shift(pd.Series(before, name="x"), pd.Series(after, name="x"), Kind.NUMERIC)
    assert found.test == whole.test
    assert found.statistic == pytest.approx(whole.statistic, rel=1e-12)
    assert found.p == pytest.approx(whole.p, rel=1e-9)
    assert found.psi == pytest.approx(whole.psi, rel=1e-12)
    assert found.distance == pytest.approx(wasserstein_distance(before, after) / np.std(before, ddof=1), rel=1e-9)
    if found.test == "ks":
        assert found.statistic == pytest.approx(ks_2samp(before, after).statistic, rel=1e-12)


@pytest.mark.parametrize("moved", [0.0, 0.05, 1.0, 20.0])
def test_a_large_column_is_told_by_its_knots_to_within_the_weight_between_two(moved):
    before, after = draws(50_000), draws(60_000) * 1.1 + moved
    found = shift_between(*tallied(before, after, parts=4))
    assert abs(found.statistic - ks_2samp(before, after, method="asymp").statistic) <= 1 / KNOTS
    assert found.distance == pytest.approx(wasserstein_distance(before, after) / before.std(ddof=1), abs=2 / KNOTS)
    assert found.psi == pytest.approx(shift(pd.Series(before), pd.Series(after), Kind.NUMERIC).psi, rel=1e-9)


def test_kolmogorov_and_smirnov_are_exact_where_training_had_few_values_however_many_are_new():
    before, after = draws(1900), draws(80_000, mean=0.02)
    kept, seen = tallied(before, after, parts=3)
    assert kept.steps.is_exact
    assert not seen.steps.is_exact
    found = shift_between(kept, seen)
    assert found.statistic == pytest.approx(ks_2samp(before, after, method="asymp").statistic, rel=1e-12)
    expected = wasserstein_distance(before, after) / before.std(ddof=1)
    assert found.distance == pytest.approx(expected, abs=1e-3)


@given(
    st.lists(st.integers(-30, 30), min_size=1, max_size=80),
    st.lists(st.integers(1, 79), max_size=4),
    st.sampled_from([None, 5]),
)
@settings(max_examples=60)
def test_the_parts_in_which_numbers_come_make_no_difference(values, cuts, most):
    numbers = np.array(values) / 4
    whole, parted = (NumberTally(np.array([-5.0, 0.0, 2.5]), most) for _ in range(2))
    whole.add(numbers)
    for part in np.split(numbers, sorted(cut for cut in cuts if cut < len(numbers))):
        parted.add(part)
    a, b = whole.steps(), parted.steps()
    for name in ("knots", "equal", "between", "sums", "mean", "std", "low", "high"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-9, atol=1e-12)
    assert a.total == len(numbers)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=200), st.sampled_from([10, 20, 50]))
@settings(max_examples=60)
def test_knots_are_values_of_the_column_and_count_all_of_it(values, knots):
    numbers = np.array(values)
    steps = steps_of(numbers, knots)
    assert set(steps.knots) <= set(numbers + 0.0)
    assert (steps.total, steps.low, steps.high) == (len(numbers), numbers.min(), numbers.max())
    assert steps.between[0] == steps.between[-1] == 0
    assert steps.sums.sum() + (steps.knots * steps.equal).sum() == pytest.approx(numbers.sum(), rel=1e-9, abs=1e-6)
    if not steps.is_exact:
        assert steps.between.max() <= np.ceil(len(numbers) / knots)


def test_quantiles_of_a_tally_are_near_those_of_the_rows():
    values = RNG.exponential(size=40_000)
    kept, seen = tallied(values, values * 2)
    shares = np.array([0.0, 0.05, 0.5, 0.95, 1.0])
    assert quantiles(kept.steps, shares) == pytest.approx(np.quantile(values, shares), rel=0.02, abs=1e-4)
    assert quantiles(seen.steps, shares)[:4] == pytest.approx(np.quantile(values * 2, shares)[:4], rel=0.02, abs=1e-3)


def test_a_tally_holds_no_more_than_its_knots_of_a_column_without_end():
    kept = column_reference(pd.Series(draws(10_000)), "x", Kind.NUMERIC, knots=KNOTS)
    tally = ColumnTally(kept)
    for _ in range(5):
        tally.add(pd.Series(draws(30_000)))
    assert len(tally.found().steps.knots) == len(kept.steps.knots) <= KNOTS + 1


# --- categories --------------------------------------------------------------------------------------------------


def test_categories_are_spelled_alike_whatever_holds_them():
    before = pd.Series([True, False, True] * 20)
    after = pd.Series([1.0, 0.0, np.nan] * 20)  # as pandas has booleans among which some are missing
    kept, seen = tallied(before, after, Kind.BOOLEAN)
    assert (dict(kept.words.counts), dict(seen.words.counts)) == ({"True": 40, "False": 20}, {"True": 20, "False": 20})
    assert (seen.rows, seen.missing) == (60, 20)


def test_categories_are_compared_as_the_rows_are():
    before, after = (pd.Series(RNG.choice(list("abcdef"), n, p=p), name="x") for n, p in (
        (700, [0.4, 0.3, 0.2, 0.1, 0, 0]), (500, [0.3, 0.3, 0.2, 0.1, 0.08, 0.02])))  # fmt: skip
    found = shift_between(*tallied(before, after, Kind.CATEGORICAL, parts=4))
    whole = shift(before, after, Kind.CATEGORICAL)
    assert found == whole
    assert found.new == ("e", "f")


def test_names_and_texts_are_not_kept_but_for_their_lengths():
    names = [f"passenger {i}" for i in range(400)]
    kept = column_reference(pd.Series(names), "name", Kind.CATEGORICAL)
    assert (kept.by, kept.words) == (ComparedBy.LENGTH, None)
    assert set(kept.steps.knots) == {11, 12, 13}
    prose = column_reference(pd.Series(["a b c", "", None]), "note", Kind.TEXT)
    assert (prose.missing, prose.steps.total) == (2, 1)


def test_more_categories_than_are_kept_are_compared_by_their_lengths():
    many = pd.Series([f"c{i % 300}" for i in range(3000)])
    assert column_reference(many, "x", Kind.CATEGORICAL, words=200).by is ComparedBy.LENGTH
    assert column_reference(many, "x", Kind.CATEGORICAL, words=400).by is ComparedBy.CATEGORIES


def test_new_categories_without_end_are_counted_as_one():
    kept = column_reference(pd.Series(["a", "b"] * 100), "x", Kind.CATEGORICAL)
    tally = ColumnTally(kept)
    tally.add(pd.Series([f"new{i}" for i in range(15_000)]))
    words = tally.found().words
    assert (len(words.counts), words.others, words.total) == (10_000, 5000, 15_000)
    assert shift_between(kept, tally.found()).distance == pytest.approx(1.0)


# --- drawn -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [300, 30_000])
def test_a_histogram_counts_every_value_once(count):
    drawn = histogram(*tallied(draws(count), draws(count, mean=2)))
    assert (sum(drawn.before), sum(drawn.after)) == pytest.approx((1, 1))
    assert len(drawn.edges) == len(drawn.before) + 1


def test_the_parts_of_a_histogram_are_near_those_of_the_rows():
    before, after = draws(40_000), draws(40_000, mean=0.5)
    drawn = histogram(*tallied(before, after))
    for values, shares in ((before, drawn.before), (after, drawn.after)):
        counted = np.histogram(np.clip(values, drawn.edges[0], drawn.edges[-1]), drawn.edges)[0] / len(values)
        assert shares == pytest.approx(counted, abs=2e-3)


def test_few_numbers_and_categories_are_drawn_one_by_one():
    numbers = histogram(*tallied([1, 1, 2, 3], [1, 2, 4, 4]))
    assert (numbers.labels, numbers.before, numbers.after) == (
        ("1", "2", "3", "4"), (0.5, 0.25, 0.25, 0.0), (0.25, 0.25, 0.0, 0.5))  # fmt: skip
    many = [f"c{i}" for i in range(30)] * 4
    words = histogram(*tallied(many, many, Kind.CATEGORICAL))
    assert len(words.labels) == 13
    assert words.labels[-1] == "(all others)"
    assert sum(words.after) == pytest.approx(1)


def test_a_column_of_one_value_is_drawn():
    drawn = histogram(*tallied([5.0] * 40, [5.0] * 20 + [5.5] * 20))
    assert drawn.labels == ("5", "5.5")


def test_both_sides_are_counted_by_the_same_knots():
    a, b = on_same_knots(steps_of(np.array([1.0, 2.0])), steps_of(np.array([2.0, 3.0])))
    assert a.knots.tolist() == b.knots.tolist() == [1, 2, 3]
    assert (a.equal.tolist(), b.equal.tolist()) == ([1, 1, 0], [0, 1, 1])
