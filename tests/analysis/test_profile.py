"""A profile's numbers are those of pandas and scipy, whatever the column holds."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mlops_cli.analysis.association import Classes, Quantity, association
from mlops_cli.analysis.profile import MOST_BARS, profile
from mlops_cli.components.dataset import make_dataset
from mlops_cli.records import ComponentSpec, DataSpec, Kind, Task

ROWS = 400


@pytest.fixture
def table():
    rng = np.random.default_rng(3)
    made = pd.DataFrame(
        {
            "person": [f"P{n:04}" for n in range(ROWS)],
            "family": np.arange(ROWS) // 4,
            "weight": rng.uniform(0.5, 2, ROWS),
            "day": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.permutation(ROWS), unit="D"),
            "age": rng.normal(40, 12, ROWS),
            "children": rng.integers(0, 5, ROWS),
            "sex": rng.choice(["female", "male"], ROWS),
            "member": rng.random(ROWS) < 0.3,
            "note": [f"a note of many words number {n}" for n in range(ROWS)],
            "constant": 7.0,
        }
    )
    made["survived"] = ((made.age > 40) ^ (rng.random(ROWS) < 0.1)).astype(int)
    made.loc[::9, "age"] = np.nan
    made.loc[::5, "sex"] = None
    made.loc[::8, "note"] = None
    return made


def described(table, task=None, **roles):
    dataset, found = make_dataset(table, DataSpec(ComponentSpec("x"), target="survived", **roles), task)
    result = profile(dataset, found)
    return result, {column.name: column for column in result.columns}


def test_every_column_is_there_in_its_role(table):
    found, columns = described(table, id="person", group="family", weight="weight", time="day")
    assert found.rows == ROWS
    assert [(c.name, c.role) for c in found.columns if c.role != "feature"] == [
        ("survived", "target"),
        ("person", "id"),
        ("family", "group"),
        ("weight", "weight"),
        ("day", "time"),
    ]
    assert columns["person"].unique == ROWS
    assert columns["person"].top == ()


def test_numbers_are_those_of_pandas(table):
    age = described(table)[1]["age"]
    values = table.age.dropna()
    assert (age.count, age.missing, age.unique) == (len(values), ROWS - len(values), values.nunique())
    assert (age.mean, age.std) == pytest.approx((values.mean(), values.std()), rel=1e-12)
    assert age.quantiles == pytest.approx(values.quantile([0, 0.05, 0.25, 0.5, 0.75, 0.95, 1]).tolist(), rel=1e-12)
    assert sum(age.counts) == len(values)
    assert list(age.counts) == np.histogram(values, age.edges)[0].tolist()


def test_few_whole_numbers_have_a_bar_each(table):
    children = described(table)[1]["children"]
    assert children.edges == (-0.5, 0.5, 1.5, 2.5, 3.5, 4.5)
    assert list(children.counts) == table.children.value_counts().sort_index().tolist()


def test_a_column_of_one_value_has_one_bar(table):
    constant = described(table)[1]["constant"]
    assert (constant.edges, constant.counts, constant.std) == ((6.5, 7.5), (ROWS,), 0.0)
    assert constant.association is None


def test_words_have_their_most_frequent_values(table):
    sex = described(table)[1]["sex"]
    assert dict(sex.top) == table.sex.value_counts().to_dict()
    assert (sex.missing, sex.unique, sex.mean, sex.counts) == (80, 2, None, ())
    member = described(table)[1]["member"]
    assert dict(member.top) == {"False": (~table.member).sum(), "True": table.member.sum()}


def test_free_text_lists_no_values_and_counts_empty_ones_as_missing(table):
    note = described(table)[1]["note"]
    assert (note.kind, note.top, note.missing, note.association) == (Kind.TEXT, (), 50, None)


def test_times_are_seconds_since_1970(table):
    day = described(table)[1]["day"]
    assert day.quantiles[0] == pd.Timestamp("2026-01-01", tz="UTC").timestamp()
    assert day.quantiles[-1] - day.quantiles[0] == (ROWS - 1) * 86400
    assert sum(day.counts) == ROWS


def test_a_target_of_classes_is_counted_and_one_of_amounts_is_spread(table):
    assert dict(described(table)[1]["survived"].top) == {
        str(k): v for k, v in table.survived.value_counts().to_dict().items()
    }
    amounts = described(table.assign(survived=table.weight * 3), Task.REGRESSION)[1]["survived"]
    assert amounts.counts
    assert amounts.top == ()


def test_more_columns_than_asked_for_are_counted_and_left_out(table):
    dataset, task = make_dataset(table, DataSpec(ComponentSpec("x"), target="survived", id="person"))
    found = profile(dataset, task, most_columns=3)
    assert [c.role for c in found.columns].count("feature") == 3
    assert found.left_out == len(dataset.features) - 3
    assert found.columns[-1].role == "id"


def test_one_odd_column_tells_less_and_the_others_all_they_have(table):
    dataset, task = make_dataset(table, DataSpec(ComponentSpec("x"), target="survived"), None)
    before = {column.name: column for column in profile(dataset, task).columns}
    lists = pd.Series([[n] for n in range(ROWS - 1)] + [None], dtype=object)
    found = {c.name: c for c in profile(replace(dataset, X=dataset.X.assign(sex=lists)), task).columns}
    assert (found["sex"].count, found["sex"].missing, found["sex"].top) == (ROWS - 1, 1, ())
    assert {name: column for name, column in found.items() if name != "sex"} == {
        name: column for name, column in before.items() if name != "sex"
    }


def test_numbers_as_near_to_each_other_as_numbers_can_be_have_a_bar(table):
    _, columns = described(table.assign(age=[0.0, 5e-324] * (ROWS // 2)))
    assert columns["age"].counts == (ROWS,)
    assert columns["age"].quantiles[0] == 0.0


def test_large_data_is_sampled_the_same_way_each_time():
    rng = np.random.default_rng(0)
    made = pd.DataFrame({"x": rng.normal(size=60_000), "survived": rng.integers(0, 2, 60_000)})
    found, columns = described(made)
    assert found == described(made)[0]
    assert found.sampled == 50_000
    assert columns["x"].count == 60_000
    assert columns["x"].mean == pytest.approx(made.x.mean(), rel=1e-9)
    assert (columns["x"].quantiles[0], columns["x"].quantiles[-1]) == (made.x.min(), made.x.max())
    assert sum(columns["x"].counts) == 50_000


@given(st.lists(st.floats(-1e12, 1e12) | st.integers(-(10**6), 10**6).map(float), min_size=2, max_size=60))
def test_every_value_is_in_one_of_at_most_twenty_bars(values):
    table = pd.DataFrame({"x": values, "survived": [n % 2 for n in range(len(values))]})
    column = described(table)[1]["x"]
    assert sum(column.counts) == len(values)
    assert 1 <= len(column.counts) <= MOST_BARS
    assert list(column.edges) == sorted(set(column.edges))
    assert len(column.edges) == len(column.counts) + 1


# --- association -------------------------------------------------------------------------------------------------

reals = st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=40)


@given(reals, st.randoms(use_true_random=False))
def test_two_quantities_go_together_by_spearman(values, random):
    others = [random.choice(values) for _ in values]
    found = association(Quantity(np.array(values)), Quantity(np.array(others)))
    if len(set(values)) == 1 or len(set(others)) == 1:
        assert found is None
    else:
        assert found == pytest.approx(abs(stats.spearmanr(values, others).statistic), abs=1e-9)


def test_classes_go_together_by_cramer_with_bergsmas_correction():
    rng = np.random.default_rng(1)
    a = rng.integers(0, 3, 500)
    b = np.where(rng.random(500) < 0.4, a, rng.integers(0, 4, 500))
    observed = pd.crosstab(a, b).to_numpy()
    chi2 = stats.chi2_contingency(observed, correction=False).statistic
    r, k, n = *observed.shape, 500
    phi2 = max(0, chi2 / n - (k - 1) * (r - 1) / (n - 1))
    expected = np.sqrt(phi2 / (min(k - (k - 1) ** 2 / (n - 1), r - (r - 1) ** 2 / (n - 1)) - 1))
    assert association(Classes(a), Classes(b)) == pytest.approx(expected, rel=1e-12)


def test_a_quantity_and_classes_go_together_by_kruskal_and_wallis():
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 3, 300)
    values = codes + rng.normal(size=300)
    h = stats.kruskal(*(values[codes == c] for c in range(3))).statistic
    epsilon2 = (h - 3 + 1) / (300 - 3) * 1  # of ranks, H and the unbiased correlation ratio say the same
    found = association(Quantity(values), Classes(codes))
    assert found == association(Classes(codes), Quantity(values))
    eta2 = h / 299
    assert found**2 == pytest.approx(1 - (1 - eta2) * 299 / 297, rel=1e-12)
    assert found**2 == pytest.approx(epsilon2, rel=1e-9)


def test_a_name_for_every_row_goes_with_nothing():
    rng = np.random.default_rng(4)
    names, target = Classes(np.arange(200)), Classes(rng.integers(0, 2, 200))
    assert association(names, target) in {None, 0.0}
    assert association(names, Quantity(rng.normal(size=200))) is None


def test_chance_alone_gives_nearly_nothing_however_many_classes():
    rng = np.random.default_rng(5)
    many = [Classes(rng.integers(0, 60, 1000)) for _ in range(50)]
    few, amounts = Classes(rng.integers(0, 2, 1000)), Quantity(rng.normal(size=1000))
    assert np.median([association(one, few) for one in many]) < 0.07  # 0.24 without the correction
    assert np.median([association(one, amounts) for one in many]) < 0.07


def test_rows_where_one_is_missing_do_not_count():
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=50), rng.normal(size=50)
    x[:10], y[5:20] = np.nan, np.nan
    both = ~np.isnan(x) & ~np.isnan(y)
    assert association(Quantity(x), Quantity(y)) == pytest.approx(abs(stats.spearmanr(x[both], y[both]).statistic))


def test_no_outlier_and_no_scale_moves_it():
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=60), Quantity(rng.normal(size=60))
    assert association(Quantity(x), y) == association(Quantity(np.exp(3 * x)), y)
