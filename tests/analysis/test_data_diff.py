"""What differs between two tables is told, and nothing else: rows, columns, values, distributions."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, fisher_exact, ks_2samp, wasserstein_distance

from mlops_cli.analysis.datadiff import data_diff
from mlops_cli.analysis.shifts import shift, shifts
from mlops_cli.components.tables import describe, normalise
from mlops_cli.errors import DataError
from mlops_cli.records import Change, Kind


def diff(a, b, key=None):
    a, b = normalise(a), normalise(b)
    return data_diff(("a", "b"), a, b, (describe(a, {}), describe(b, {})), key)


def table(**columns):
    return pd.DataFrame(columns)


def test_equal_tables_differ_in_nothing():
    one = table(id=[1, 2, 3], word=["x", None, "z"], size=[1.5, None, 2.0])
    found = diff(one, one.copy(), "id")
    assert found.columns == ()
    assert (found.by_row.added, found.by_row.removed, found.by_row.changed) == (0, 0, 0)
    assert all(s.distance in {0.0, None} for s in found.shifts)


def test_rows_by_key_are_added_removed_and_changed():
    before = table(id=[1, 2, 3], word=["x", "y", "z"], size=[1.0, 2.0, 3.0])
    after = table(id=[2, 3, 4], word=["y", "Z", "w"], size=[2.5, None, 4.0])
    found = diff(before, after, "id").by_row
    assert (found.added, found.removed, found.changed) == (1, 1, 2)
    assert found.cells == {"word": 1, "size": 2}
    assert found.examples == {"added": ("4",), "removed": ("1",), "changed": ("2", "3")}


def test_without_a_key_a_changed_row_went_and_came():
    before, after = table(a=[1, 1, 2]), table(a=[1, 2, 2, 3])
    found = diff(before, after).by_row
    assert (found.key, found.added, found.removed, found.changed) == (None, 2, 1, 0)


def test_the_form_in_which_a_value_is_held_is_no_change():
    before = table(id=[1, 2], size=pd.Series([1, 2]))
    after = table(id=[1.0, 2.0], size=pd.Series([1.0, 2.0]))
    found = diff(before, after, "id")
    assert found.by_row.changed == found.by_row.added == 0
    assert diff(table(size=[1, 2]), table(size=[1.0, 2.0])).by_row.added == 0


DAYS = pd.Series(pd.date_range("2024-01-01", periods=60))
FLAGS = pd.Series([True, False] * 30)
COUNTS = pd.Series(range(60))


@pytest.mark.parametrize(
    ("before", "value"),
    [
        (FLAGS, None),
        (FLAGS, "unknown"),
        (COUNTS, None),
        (COUNTS, "unknown"),
        (COUNTS, 1.5),
        (COUNTS + 0.5, "unknown"),
        (DAYS, pd.Timestamp("2024-01-07 13:00")),
        (DAYS, None),
        (COUNTS + 2**53, 2**53 + 8),
        (COUNTS.astype("category"), 3.5),
    ],
)
def test_one_value_of_another_form_changes_one_row(before, value):
    after = before.astype(object).where(before.index != 7, value)
    if isinstance(before.dtype, pd.CategoricalDtype):
        after = after.astype("float64").astype("category")
    a, b = table(id=range(60), x=before), table(id=range(60), x=after)
    by_key = diff(a, b, "id").by_row
    assert (by_key.changed, by_key.cells, by_key.examples) == (1, {"x": 1}, {"changed": ("7",)})
    by_content = diff(a, b).by_row
    assert (by_content.added, by_content.removed) == (1, 1)
    assert set(diff(a, b).shifts[0].gone) <= {"7", "False"}


def test_a_new_row_with_a_gap_changes_no_other():
    a, b = table(x=FLAGS), table(x=[*FLAGS, None])
    assert (diff(a, b).by_row.added, diff(a, b).by_row.removed) == (1, 0)


def test_keys_are_equal_whatever_holds_them():
    before, after = table(id=[1, 2, 3], x=[1, 2, 3]), table(id=["1", "2", "new"], x=[1, 5, 3])
    found = diff(before, after, "id").by_row
    assert found.examples == {"added": ("new",), "removed": ("3",), "changed": ("2",)}
    days = pd.Series(pd.date_range("2024-01-01", periods=3))
    found = diff(table(id=days, x=[1, 2, 3]), table(id=days.astype(str), x=[1, 2, 4]), "id").by_row
    assert (found.added, found.changed) == (0, 1)


def test_what_is_missing_is_not_an_empty_text():
    before, after = table(id=[1, 2], word=["", "x"]), table(id=[1, 2], word=[None, "x"])
    assert diff(before, after, "id").by_row.cells == {"word": 1}
    assert diff(before.drop(columns="id"), after.drop(columns="id")).by_row.added == 1


def test_columns_that_came_went_or_changed_their_type():
    found = diff(table(a=[1, 2], b=["x", "y"]), table(a=["one", "two"], c=[1.0, 2.5]))
    kinds = {change.key: change.found for change in found.columns}
    assert kinds == {"a": (True, True), "b": (True, False), "c": (False, True)}
    assert Change("b", "str", None, (True, False)) in found.columns


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (table(id=[1, 1], x=[1, 2]), table(id=[1, 2], x=[1, 2]), "repeats in 1 rows of the first table, '1' first"),
        (table(id=[1, 2], x=[1, 2]), table(id=[1, None], x=[1, 2]), "missing in 1 rows of the second table"),
        (table(id=[1, 2], x=[1, 2]), table(idd=[1, 2], x=[1, 2]), "the second table has no column 'id'"),
    ],
)
def test_a_key_that_tells_no_rows_apart_is_refused(a, b, message):
    with pytest.raises(DataError, match=message):
        diff(a, b, "id")


@given(st.lists(st.tuples(st.integers(-3, 3), st.sampled_from("xyz")), min_size=1, max_size=20), st.randoms())
def test_the_order_of_rows_is_no_difference(rows, random):
    one = pd.DataFrame(rows, columns=["n", "w"])
    shuffled = list(rows)
    random.shuffle(shuffled)
    found = diff(one, pd.DataFrame(shuffled, columns=["n", "w"])).by_row
    assert (found.added, found.removed) == (0, 0)


# --- distributions -----------------------------------------------------------------------------------------------

RNG = np.random.default_rng(0)
BEFORE = pd.Series(RNG.normal(size=400), name="x")
AFTER = pd.Series(RNG.normal(0.4, size=300), name="x")


def test_numbers_are_compared_as_scipy_compares_them():
    found = shift(BEFORE, AFTER, Kind.NUMERIC)
    tested = ks_2samp(BEFORE, AFTER, method="asymp")
    assert (found.test, found.statistic, found.p) == ("ks", tested.statistic, tested.pvalue)
    assert found.distance == pytest.approx(wasserstein_distance(BEFORE, AFTER) / BEFORE.std())
    edges = np.quantile(BEFORE, np.linspace(0.1, 0.9, 9), method="higher")
    shares = [np.bincount(np.searchsorted(edges, v, side="right"), minlength=10) / len(v) for v in (BEFORE, AFTER)]
    assert found.psi == pytest.approx(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def test_categories_are_compared_as_scipy_compares_them():
    before = pd.Series(["x"] * 40 + ["y"] * 60, name="w")
    after = pd.Series(["x"] * 70 + ["y"] * 25 + ["new"] * 20, name="w")
    found = shift(before, after, Kind.CATEGORICAL)
    tested = chi2_contingency([[0, 40, 60], [20, 70, 25]], correction=False)
    assert found.test == "chi2"
    assert found.p == pytest.approx(tested.pvalue)
    assert (found.new, found.gone) == (("new",), ())
    assert found.distance == pytest.approx(20 / 115 + (70 / 115 - 0.4))


def test_rare_categories_are_tested_together():
    before = pd.Series([f"c{i}" for i in range(50)] + ["x"] * 200)
    after = pd.Series([f"d{i}" for i in range(50)] + ["x"] * 200)
    found = shift(before, after, Kind.CATEGORICAL)
    assert found.p == pytest.approx(1.0)
    assert len(found.new) == 20


def draws(count, share, seed):
    return pd.Series((np.random.default_rng(seed).random(count) < share).astype(int), name="fraud")


def test_few_numbers_are_tested_by_how_often_each_occurs():
    before, after = draws(1000, 0.02, 0), draws(1000, 0.05, 1)
    found = shift(before, after, Kind.NUMERIC)
    counts = [np.bincount(column, minlength=2) for column in (before, after)]
    tested = chi2_contingency(counts, correction=False)
    assert (found.test, found.statistic, found.p) == ("chi2", tested.statistic, tested.pvalue)
    assert found.p < 0.01 < ks_2samp(before, after, method="asymp").pvalue
    assert found.distance == pytest.approx(wasserstein_distance(before, after) / before.std())
    shares = np.array(counts) / 1000
    assert found.psi == pytest.approx(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def found_share(draw, kind=Kind.NUMERIC, times=300):
    """Return how often two columns that are drawn anew are found to differ at a level of 5 %."""
    rng = np.random.default_rng(7)
    found = [shift(*map(pd.Series, draw(rng)), kind).p for _ in range(times)]
    return np.mean([p is not None and p < 0.05 for p in found])


def test_a_rare_class_that_became_less_rare_is_found():
    assert found_share(lambda rng: (rng.binomial(1, 0.02, 1000), rng.binomial(1, 0.05, 1000))) > 0.9


NULLS = {
    "few numbers": lambda rng: (rng.poisson(1, 200), rng.poisson(1, 300)),
    "0 and 1": lambda rng: (rng.binomial(1, 0.02, 1000), rng.binomial(1, 0.02, 1000)),
    "0 and very rarely 1": lambda rng: (rng.binomial(1, 0.002, 300), rng.binomial(1, 0.002, 3000)),
    "few rows": lambda rng: (rng.normal(size=8), rng.normal(size=8)),
    "few rows and many": lambda rng: (rng.normal(size=8), rng.normal(size=500)),
}


@pytest.mark.parametrize("case", NULLS)
def test_chance_is_found_no_more_often_than_the_level_says(case):
    assert found_share(NULLS[case]) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


def test_few_rows_are_tested_exactly():
    a, b = RNG.normal(size=12), RNG.normal(1, size=9)
    assert shift(pd.Series(a), pd.Series(b), Kind.NUMERIC).p == ks_2samp(a, b, method="exact").pvalue


def test_one_rare_category_is_tested_with_the_next_smallest():
    before = pd.Series(["a"] * 60 + ["b"] * 30 + ["c"] * 10)
    after = pd.Series(["a"] * 50 + ["b"] * 30 + ["c"] * 17 + ["rare"] * 3)
    tested = chi2_contingency([[60, 30, 10], [50, 30, 20]], correction=False)
    assert shift(before, after, Kind.CATEGORICAL).p == pytest.approx(tested.pvalue)


def test_of_two_categories_a_rare_one_is_tested_exactly():
    before, after = pd.Series(["x"] * 29 + ["y"]), pd.Series(["x"] * 24 + ["y"] * 6)
    found = shift(before, after, Kind.CATEGORICAL)
    assert (found.test, found.p) == ("fisher", fisher_exact([[29, 1], [24, 6]]).pvalue)


def test_numbers_that_became_dates_have_no_order_in_common():
    found = shift(pd.Series([1, 2, 3, 4]), pd.Series(pd.date_range("2024-01-01", periods=4)), Kind.NUMERIC)
    assert len(found.new) == len(found.gone) == 4


def test_p_is_adjusted_for_the_number_of_columns():
    a = pd.DataFrame(RNG.normal(size=(200, 20)), columns=[f"c{i}" for i in range(20)])
    b = pd.DataFrame(RNG.normal(size=(200, 20)), columns=a.columns)
    b["c7"] += 1.0
    found = shifts(a, b, dict.fromkeys(a.columns, Kind.NUMERIC))
    assert found[0].column == "c7"
    assert found[0].p < 1e-6
    alone = shift(a[found[1].column], b[found[1].column], Kind.NUMERIC)
    assert found[1].p > alone.p


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([None, None], [1.0, 2.0]),
        ([1.0], [2.0]),
        ([5.0] * 9, [5.0] * 9),
        ([5.0] * 9, [6.0] * 9),
        ([np.inf, 1, 2], [1, 2, 3]),
    ],
)
def test_columns_with_little_in_them_are_compared_without_a_word(a, b):
    found = shift(pd.Series(a, dtype="float64"), pd.Series(b, dtype="float64"), Kind.NUMERIC)
    assert found.p is None or 0 <= found.p <= 1


def test_times_are_compared_like_numbers_in_any_zone():
    before = pd.Series(pd.date_range("2025-01-01", periods=100, tz="UTC"))
    assert shift(before, before.dt.tz_convert("Asia/Tokyo"), Kind.DATETIME).distance == 0
    assert shift(before, before + pd.Timedelta(days=90), Kind.DATETIME).p < 1e-9


def test_missing_values_are_counted_and_not_compared():
    found = shift(pd.Series([1.0, 2, 3, None]), pd.Series([1.0, 2, 3, 1, 2, 3]), Kind.NUMERIC)
    assert found.missing == (0.25, 0.0)
    assert found.statistic == 0
