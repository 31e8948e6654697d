"""What is suspicious in data is said with a stable code; honest data is left in peace."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mlops_cli.analysis.checks import check_dataset, check_metrics, check_splits
from mlops_cli.components.dataset import make_dataset
from mlops_cli.components.sources import SklearnSource
from mlops_cli.components.sources.inspection import of_texts
from mlops_cli.records import ComponentSpec, DataSpec, Task

N = 400
RNG = np.random.default_rng(0)


def honest() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, 3))
    y = np.where(x[:, 0] + rng.normal(size=N) > 0, "yes", "no")
    return pd.DataFrame(x, columns=["a", "b", "c"]).assign(y=y)


def dataset_of(table, **roles):
    return make_dataset(table, DataSpec(ComponentSpec(""), target="y", **roles))


def said(table, n_splits=5, **roles) -> dict[str, str]:
    data, task = dataset_of(table, **roles)
    return {n.code: n.message for n in check_dataset(data, task, n_splits)}


def test_honest_data_says_nothing():
    assert said(honest()) == {}
    assert said(honest().assign(y=RNG.normal(size=N))) == {}


@pytest.mark.parametrize("name", ["breast_cancer", "diabetes", "wine"])
def test_bundled_sets_say_nothing(name):
    table = SklearnSource(name).load().rename(columns={"target": "y"})
    assert said(table) == {}


@pytest.mark.parametrize(
    "leak",
    [
        lambda t: t.y,
        lambda t: t.y.map({"yes": "alive", "no": "dead"}),
        lambda t: t.y == "yes",
        lambda t: t.y.map({"yes": 3, "no": 7}),
        lambda t: (t.y == "yes") + np.random.default_rng(1).uniform(0, 0.9, N),
        lambda t: t.y.where(t.index > 0, "no" if t.y[0] == "yes" else "yes"),  # one row differs
        lambda t: t.y + np.random.default_rng(1).integers(0, 3, N).astype(str),  # a finer name of it
        lambda t: t.y.where(t.y == "yes"),  # missing where it is the other class
    ],
)
def test_a_feature_that_tells_the_class_is_a_leak(leak):
    table = honest()
    assert "'leak' tells 'y'" in said(table.assign(leak=leak(table)))["target-leak"]


@pytest.mark.parametrize(
    "leak",
    [
        lambda y: y * 1000,
        lambda y: -np.exp(y),
        lambda y: y + np.random.default_rng(1).normal(scale=1e-3, size=N),
    ],
)
def test_a_feature_with_the_order_of_the_quantity_is_a_leak(leak):
    y = RNG.normal(size=N)
    assert "target-leak" in said(honest().assign(y=y, leak=leak(y)))


def test_a_category_that_fixes_the_quantity_is_a_leak():
    level = RNG.integers(0, 5, N)
    table = honest().assign(y=level * 1.5 + 0.25, leak=[f"level {k}" for k in level])
    assert "target-leak" in said(table)


def test_strong_features_are_no_leaks():
    table = honest()
    strong = np.where(RNG.uniform(size=N) < 0.95, table.y, "no")
    assert "target-leak" not in said(table.assign(strong=strong))
    y = RNG.normal(size=N)
    assert "target-leak" not in said(table.assign(y=y, strong=y + RNG.normal(scale=0.2, size=N)))


def test_a_rare_class_makes_no_feature_a_leak():
    table = honest().assign(y=["rare"] * 2 + ["usual"] * (N - 2))
    assert "target-leak" not in said(table)


def test_a_leak_of_a_rare_class_among_many_rows_is_found():
    rng = np.random.default_rng(0)
    y = np.where(np.arange(50_000) % 5_000 == 7, "fraud", "fair")
    table = pd.DataFrame({"a": rng.normal(size=50_000), "blocked": (y == "fraud") * 1, "y": y})
    assert "'blocked' tells 'y'" in said(table)["target-leak"]


@pytest.mark.parametrize("share", [0.5, 0.1, 0.02])
def test_a_near_copy_is_a_leak_however_rare_a_class_is(share):
    rng = np.random.default_rng(0)
    y = (rng.random(5000) < share).astype(int)
    near = np.where(rng.random(5000) < 0.002, 1 - y, y)
    table = pd.DataFrame({"a": rng.normal(size=5000), "near": np.where(near, "yes", "no"), "y": y})
    assert "'near' tells 'y'" in said(table)["target-leak"]


@pytest.mark.parametrize("missing", [0.1, 0.6, 0.9])
def test_a_copy_with_gaps_is_a_leak(missing):
    rng = np.random.default_rng(0)
    gaps = rng.random(2000) < missing
    classes, amounts = rng.integers(0, 2, 2000), rng.normal(size=2000)
    word = pd.Series(np.where(classes, "yes", "no")).mask(gaps)
    assert "'word' tells 'y'" in said(pd.DataFrame({"word": word, "y": classes}))["target-leak"]
    assert "'x' tells 'y'" in said(pd.DataFrame({"x": pd.Series(amounts).mask(gaps), "y": amounts}))["target-leak"]


@pytest.mark.parametrize("rows", [2, 4, 10, 21])
@pytest.mark.parametrize("name", ["p{:05d}".format, lambda n: 7 * n + 1000], ids=["text", "number"])
def test_who_a_row_is_of_is_told_where_all_rows_of_one_have_one_class(rows, name):
    rng = np.random.default_rng(0)
    who = rng.permutation(np.repeat(np.arange(4200 // rows), rows))
    ill = rng.integers(0, 2, who.max() + 1)
    table = pd.DataFrame({"a": rng.normal(size=len(who)), "patient": [name(n) for n in who], "y": ill[who]})
    message = said(table)["target-leak"]
    assert "'patient' tells 'y' (nearly) without error in rows that share a value" in message
    assert "`data.group: patient`" in message
    amounts = rng.normal(size=len(ill))[who]
    assert "`data.group: patient`" in said(table.assign(y=amounts))["target-leak"]


def test_classes_told_by_codes_of_another_order_are_a_leak():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 5, 1000)
    assert (
        "'code' tells 'y'"
        in said(pd.DataFrame({"a": y % 2, "code": np.array([3, 0, 4, 1, 2])[y], "y": y}))["target-leak"]
    )


def test_luck_is_no_leak():
    """Small tables of many columns that hold nothing, some with groups of rows, gaps and very rare classes."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        rows = int(rng.integers(20, 120))
        table = pd.DataFrame({f"x{i}": rng.normal(size=rows) for i in range(15)})
        table = table.assign(**{f"c{i}": rng.choice(list("abcd"), rows) for i in range(8)})
        table = table.assign(**{f"g{i}": [f"k{n}" for n in rng.integers(0, rows // 3, rows)] for i in range(4)})
        table.loc[rng.random(rows) < 0.5, ["x0", "c0", "g0"]] = None
        rare = np.isin(np.arange(rows), rng.choice(rows, 3, replace=False))
        for y in (rare, rng.random(rows) < 0.5, rng.choice(3, rows), np.where(rare, rng.lognormal(size=rows), 0.0)):
            assert "target-leak" not in said(table.assign(y=y), n_splits=None)


def later(dates, times, **more):
    table = pd.DataFrame({"sent": pd.to_datetime(dates), "at": pd.to_datetime(times), "a": RNG.normal(size=len(dates))})
    return said(table.assign(y=RNG.integers(0, 2, len(dates)), **more), time="at").get("later-features")


def test_dates_later_than_the_time_of_their_row_are_told_of():
    times = pd.Series(pd.date_range("2024-01-01 08:00", periods=60, freq="7h"))
    message = later(times + pd.Timedelta("9min"), times)
    assert "'sent' (in 60 of 60 rows) is later than the row's own 'at'" in message
    assert "`data.drop: [sent]`" in message
    assert later(times - pd.Timedelta("9min"), times) is None
    assert later(times, times) is None
    slips = times - pd.Timedelta("1h")
    assert later(slips.mask(slips.index < 2, times + pd.Timedelta("1h")), times) is None


def test_a_clock_time_is_not_later_than_its_own_day():
    days = pd.Series(pd.date_range("2024-01-01", periods=60))
    assert later(days + pd.Timedelta("9h"), days) is None
    assert "60 of 60" in later(days + pd.Timedelta("33h"), days)


def test_what_a_forecast_made_of_the_past_is_not_asked_about():
    data, task = dataset_of(honest().assign(y=RNG.normal(size=N)).assign(y_lag_1=lambda t: t.y * 2))
    assert [n.code for n in check_dataset(data, task)] == ["target-leak"]
    assert check_dataset(replace(data, made=("y_lag_1",)), task) == []


def test_duplicate_rows_are_counted():
    table = honest()
    doubled = pd.concat([table, table.head(9)], ignore_index=True)
    assert "9 of 409 rows (2 %) repeat an earlier row" in said(doubled)["duplicate-rows"]
    flipped = doubled.assign(y=[*table.y, *table.y.head(9).map({"yes": "no", "no": "yes"})])
    assert "duplicate-rows" not in said(flipped)


def test_few_duplicates_are_not_worth_a_word():
    table = honest()
    assert said(pd.concat([table, table.head(8)], ignore_index=True)) == {}
    data, _ = dataset_of(pd.concat([table, table.head(1)], ignore_index=True))
    assert check_splits(data, [(np.arange(N - 50), np.arange(N - 50, N + 1))]) == []  # 1 of 51


def test_large_numbers_are_written_with_separators():
    table = pd.concat([honest()] * 4, ignore_index=True)
    assert "1,200 of 1,600 rows (75 %)" in said(table)["duplicate-rows"]


def test_duplicates_across_splits_are_counted():
    table = honest()
    data, _ = dataset_of(pd.concat([table, table], ignore_index=True))
    rows = np.arange(2 * N)
    halves = [(rows[:N], rows[N:]), (rows[N:], rows[:N])]
    message = check_splits(data, halves)[0].message
    assert "800 of 800 scored rows (100 %) have a twin in every column" in message
    assert "`data.group`" in message
    assert check_splits(data, [(rows[:100], rows[200:300])]) == []


def test_classes_with_fewer_rows_than_splits_are_named():
    table = honest().assign(y=["rare"] * 3 + ["usual"] * (N - 3))
    assert "fewer rows than the 5 splits in class 'rare' (3)" in said(table)["rare-classes"]
    assert "rare-classes" not in said(table, n_splits=3)
    assert "rare-classes" not in said(table, n_splits=None)


def test_constant_and_nearly_empty_columns_are_named():
    messages = said(honest().assign(one=1, word="x", empty=[1.0] * 4 + [None] * (N - 4)))
    assert "columns one, word" in messages["constant-columns"]
    assert "column 'empty' (99 %)" in messages["near-empty-columns"]


@pytest.mark.parametrize(
    "ids",
    [
        np.arange(N),
        np.arange(N)[::-1] * 3,
        np.random.default_rng(0).permutation(N),
        [f"p{i}" for i in range(N)],
        [f"p{max(i, 5)}" for i in range(N)],
    ],
)
def test_a_column_with_its_own_value_in_each_row_is_like_an_id(ids):
    assert "column who" in said(honest().assign(who=ids))["id-like-columns"]
    assert "id-like-columns" not in said(honest().assign(who=ids), id="who")


def test_quantities_and_prose_are_not_like_ids():
    counts = np.random.default_rng(0).choice(10**6, N, replace=False)
    prose = [f"a long text about number {i}" for i in range(N)]
    assert "id-like-columns" not in said(honest().assign(n=counts, t=prose))


def test_a_column_with_gaps_is_not_like_an_id():
    cabins = [f"C{i}" if i < 100 else None for i in range(N)]
    nearly_full = [f"p{i}" if i < N - 10 else None for i in range(N)]
    assert "id-like-columns" not in said(honest().assign(cabin=cabins))
    assert "column who" in said(honest().assign(cabin=cabins, who=nearly_full))["id-like-columns"]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (pd.date_range("2020", periods=N, freq="h").astype(str), "dates-as-text"),
        ([f"{i + 1},{i:03d}" for i in range(N)], "thousands"),
        ([*map(str, range(1, N)), "unknown"], "mixed-types"),
    ],
)
def test_a_column_that_should_be_read_otherwise_is_not_like_an_id(values, code):
    table = honest().assign(when=list(values))
    data, task = make_dataset(table, DataSpec(ComponentSpec(""), target="y"), notices=of_texts(table))
    assert [n.code for n in (*data.notices, *check_dataset(data, task))] == [code]


def test_repeated_ids_are_counted():
    assert "in 1 of 400 rows" in said(honest().assign(who=[0, *range(N - 1)]), id="who")["duplicate-ids"]


def test_whole_numbers_that_floats_do_not_hold_are_named():
    large = 2**53 + 1 + RNG.permutation(N) * 3
    assert "column code" in said(honest().assign(code=large))["large-integers"]
    assert "column code" in said(honest().assign(code=[None, *large[1:].astype(float)]), id="code")["large-integers"]
    assert "large-integers" not in said(honest().assign(code=RNG.normal(size=N) * 1e30))


@pytest.mark.parametrize(
    ("rare", "primary", "expected"), [(40, "accuracy", True), (40, "f1", False), (150, "accuracy", False)]
)
def test_accuracy_on_unbalanced_classes_is_said(rare, primary, expected):
    data, task = dataset_of(honest().assign(y=["a"] * rare + ["b"] * (N - rare)))
    notices = check_metrics(data, task, primary)
    assert [n.code for n in notices] == (["imbalance"] if expected else [])
    assert check_metrics(data, Task.REGRESSION, primary) == []
