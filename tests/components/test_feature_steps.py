"""The transformers of this package are scikit-learn's in all but name, and say what is wrong in one line."""

import pickle

import numpy as np
import pandas as pd
import pytest
import skops.io
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.base import clone
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder
from sklearn.utils.estimator_checks import parametrize_with_checks

from mlops_cli.components.transforms import Clip, ColumnPairs, DateParts, GroupRare, Log, Reshape
from mlops_cli.store.trusted import check_types

WORDS = "what it gives are words, which this check subtracts from each other"
WORDS_ARE_FINE = "takes any category, complex numbers too"
EXPECTED = {
    "check_complex_data": WORDS_ARE_FINE,
    "check_pipeline_consistency": WORDS,
    "check_estimators_pickle": WORDS,
    "check_transformer_data_not_an_array": WORDS,
    "check_transformer_general": WORDS,
    "check_methods_sample_order_invariance": WORDS,
    "check_methods_subset_invariance": WORDS,
    "check_fit_idempotent": WORDS,
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(
    [Clip(), Clip("iqr"), Log("auto"), ColumnPairs(), ColumnPairs("difference"), GroupRare(), Reshape()],
    expected_failed_checks=lambda estimator: EXPECTED if isinstance(estimator, GroupRare) else {},
)
def test_scikit_learns_own_checks_hold(estimator, check):
    check(estimator)


NUMBERS = pd.DataFrame({"area": [50.0, 80.0, np.nan, 20.0], "price": [100.0, 200.0, 150.0, 0.0]})
COLOURS = pd.DataFrame({"colour": ["red", "red", "blue", None]})
DAYS = pd.DataFrame({"day": pd.to_datetime(["2024-02-29", "2024-12-31", None, "2024-06-01"])})
FITTED = [
    (Clip(), NUMBERS),
    (Clip("iqr", factor=1.0), NUMBERS),
    (Log("auto"), NUMBERS),
    (ColumnPairs(pairs=[["price", "area"]]), NUMBERS),
    (GroupRare(2), COLOURS),
    (DateParts(["month", "elapsed"], cycles=["day_of_week"]), DAYS),
    (DateParts(since="2024-01-01"), DAYS),
    (Reshape([2, 1]), NUMBERS),
]


@pytest.mark.parametrize(("step", "table"), FITTED, ids=lambda v: type(v).__name__)
def test_a_step_is_the_same_after_clone_pickle_and_skops(step, table):
    fitted = clone(step).set_params(**step.get_params()).fit(table)
    expected = fitted.transform(table)
    data = skops.io.dumps(fitted)
    types = skops.io.get_untrusted_types(data=data)
    check_types(types)  # of the program's own list, with nothing trusted by the user
    for same in (pickle.loads(pickle.dumps(fitted)), skops.io.loads(data, trusted=types)):
        pd.testing.assert_frame_equal(pd.DataFrame(as_rows(same.transform(table))), pd.DataFrame(as_rows(expected)))


def as_rows(values):
    return np.asarray(values).reshape(len(values), -1)


@pytest.mark.parametrize(("step", "table"), FITTED[:-1], ids=lambda v: type(v).__name__)
def test_a_step_names_its_columns_and_gives_a_table_where_asked(step, table):
    made = clone(step).set_output(transform="pandas").fit(table)
    out = made.transform(table)
    assert list(out.columns) == list(made.get_feature_names_out())
    assert out.index.equals(table.index)


# --- numbers -------------------------------------------------------------------------------------------------------


def test_limits_come_from_training_and_gaps_stay():
    clip = Clip(lower=0.0, upper=1.0).fit([[1.0], [5.0], [np.nan]])
    np.testing.assert_array_equal(clip.transform([[-9.0], [3.0], [99.0], [np.nan]]), [[1.0], [3.0], [5.0], [np.nan]])


def test_one_side_may_have_no_limit():
    clip = Clip(lower=None, upper=0.5).fit([[1.0], [2.0], [3.0]])
    assert clip.transform([[-100.0], [3.0]]).ravel().tolist() == [-100.0, 2.0]


@pytest.mark.parametrize("method", ["quantile", "iqr"])
def test_a_column_that_is_all_missing_in_training_has_no_limits(method):
    step = Clip(method).fit([[np.nan, 1.0], [np.nan, 2.0]])
    assert step.transform([[5.0, 1.5]]).tolist() == [[5.0, 1.5]]


def test_limits_the_wrong_way_round_are_refused():
    with pytest.raises(ValueError, match=r"lower must be below upper. Got 0.9 and 0.1"):
        Clip(lower=0.9, upper=0.1).fit([[1.0]])


def test_a_number_without_a_logarithm_is_told_with_its_column_and_the_shift_that_helps():
    with pytest.raises(ValueError, match=r"^Log: column 'fare' holds -3, and log1p needs numbers above -1 \(shift: 3"):
        Log().fit(pd.DataFrame({"age": [1.0, 2.0], "fare": [-3.0, 4.0]}))
    fitted = Log(shift=3).fit(pd.DataFrame({"fare": [-3.0, 4.0]}))
    with pytest.raises(ValueError, match="column 'fare' holds -4"):
        fitted.transform(pd.DataFrame({"fare": [-4.0]}))


@given(arrays.arrays(float, (6, 2), elements=st.floats(-1e6, 1e6)))
def test_a_logarithm_with_its_own_shift_can_be_undone(values):
    log = Log("auto").fit(values)
    np.testing.assert_allclose(log.inverse_transform(log.transform(values)), values, rtol=1e-9, atol=1e-6)


def test_later_numbers_below_those_of_training_count_as_the_least():
    log = Log("auto").fit([[-2.0], [5.0]])
    assert log.transform([[-50.0], [-2.0]]).ravel().tolist() == [0.0, 0.0]


def test_pairs_are_added_by_name_and_nothing_is_divided_by_zero():
    made = ColumnPairs(pairs=[["area", "price"]]).set_output(transform="pandas").fit_transform(NUMBERS)
    assert list(made.columns) == ["area", "price", "area/price"]
    np.testing.assert_array_equal(made["area/price"], [0.5, 0.4, np.nan, np.nan])


@pytest.mark.parametrize(
    ("table", "pairs", "message"),
    [
        (NUMBERS, [["area", "prize"]], r"'prize' is none of the columns area, price"),
        (NUMBERS.to_numpy(), [["area", "price"]], r"columns come without names here, so 'area' is not known: let this"),
        (NUMBERS, [["area"]], r"a pair is two columns, such as \[price, area\]. Got \['area'\]"),
        (NUMBERS, [[0, 7]], r"7 is none of the columns"),
    ],
)
def test_a_pair_that_is_none_is_told(table, pairs, message):
    with pytest.raises(ValueError, match=message):
        ColumnPairs(pairs=pairs).fit(table)


# --- categories ----------------------------------------------------------------------------------------------------


def test_rare_and_new_categories_become_one_and_missing_ones_stay_missing():
    group = GroupRare(0.3, other="rest").fit(pd.DataFrame({"c": ["a"] * 6 + ["b"] * 3 + ["z"]}))
    out = group.transform(pd.DataFrame({"c": ["a", "b", "z", "new", None]}, index=[9, 8, 7, 6, 5]))
    assert out["c"].tolist()[:4] == ["a", "b", "rest", "rest"]
    assert out["c"].isna().tolist() == [False, False, False, False, True]
    assert out.index.tolist() == [9, 8, 7, 6, 5]


@pytest.mark.parametrize("encoder", [OneHotEncoder(), OrdinalEncoder(), TargetEncoder(cv=2)], ids=lambda e: str(e)[:6])
def test_categories_that_are_numbers_become_text_which_any_encoder_takes(encoder):
    codes = pd.DataFrame({"zip": pd.Series([1, 1, 1, 2, 2, 3]).astype("category")})
    step = GroupRare(min_frequency=2).fit(codes)
    grouped = step.transform(codes)
    assert grouped["zip"].tolist() == ["1", "1", "1", "2", "2", "other"]
    assert len(encoder.fit_transform(grouped, [0, 1, 0, 1, 0, 1]).shape) == 2
    assert step.transform(codes.astype("float64"))["zip"].tolist() == grouped["zip"].tolist()


def test_categories_of_pandas_are_taken_too():
    table = pd.DataFrame({"c": pd.Categorical(["a", "a", "b"])})
    assert GroupRare(2).fit_transform(table)["c"].tolist() == ["a", "a", "other"]


# --- dates ---------------------------------------------------------------------------------------------------------


def test_december_is_next_to_january():
    months = pd.DataFrame({"d": pd.date_range("2024-01-01", periods=12, freq="MS")})
    circle = DateParts([], cycles=["month"]).fit_transform(months)
    steps = np.linalg.norm(circle - np.roll(circle, 1, axis=0), axis=1)
    np.testing.assert_allclose(steps, steps[0])


def test_days_are_counted_from_the_first_date_of_training():
    parts = DateParts(["elapsed"]).fit(DAYS)
    later = pd.DataFrame({"day": pd.to_datetime(["2024-02-29 00:00", "2024-03-01 12:00", "2023-03-01 00:00"])})
    assert parts.transform(later).ravel().tolist() == [0.0, 1.5, -365.0]


@pytest.mark.parametrize(
    "part", ["year", "quarter", "month", "week", "day", "day_of_week", "day_of_year", "hour", "minute", "second"]
)
def test_each_part_is_pandas_own(part):
    moments = pd.Series(pd.date_range("2019-12-28 22:11:05", periods=50, freq="9h"))
    expected = moments.dt.isocalendar().week if part == "week" else getattr(moments.dt, part)
    made = DateParts([part]).fit_transform(moments.to_frame("d")).ravel()
    np.testing.assert_array_equal(made, expected.astype(float))


def test_what_is_made_of_a_missing_date_is_missing():
    made = DateParts(["month", "is_weekend", "elapsed"], cycles=["hour"]).fit_transform(DAYS)
    assert np.isnan(made[2]).all()
    assert not np.isnan(made[[0, 1, 3]]).any()


@pytest.mark.parametrize(
    ("step", "table", "message"),
    [
        (DateParts(["mont"]), DAYS, r"'mont' is none of the parts of a date: year, quarter"),
        (DateParts(cycles=["year"]), DAYS, r"'year' is none of the cycles of a date: quarter, month"),
        (DateParts([]), DAYS, r"at least one of parts and cycles"),
        (DateParts(), COLOURS, r"column 'colour' holds text, not dates \(data.dtypes: \{colour: datetime\}\)"),
        (DateParts(), NUMBERS, r"column 'area' holds float64, not dates"),
    ],
)
def test_what_is_no_date_or_no_part_is_told(step, table, message):
    with pytest.raises(ValueError, match=message):
        step.fit(table)


# --- tensors -------------------------------------------------------------------------------------------------------


def test_a_row_takes_the_shape_of_a_tensor_in_the_order_of_its_columns():
    rows = np.arange(2 * 64).reshape(2, 64)
    out = Reshape([1, 8, 8]).fit_transform(rows)
    assert out.shape == (2, 1, 8, 8)
    assert out.dtype == np.float32
    np.testing.assert_array_equal(out[1, 0, 3], np.arange(64 + 24, 64 + 32))


def test_times_with_a_zone_count_in_utc():
    days = pd.DataFrame({"t": pd.to_datetime(["2024-02-29 00:30", "2024-03-01 00:30"]).tz_localize("Europe/Berlin")})
    made = DateParts(["day", "hour", "elapsed"]).fit_transform(days)
    assert made.tolist() == [[28, 23, 0], [29, 23, 1]]
    assert DateParts(["elapsed"], since="2024-02-28T23:00+01:00").fit_transform(days).tolist() == [[0.0625], [1.0625]]


@pytest.mark.parametrize("shape", [[1, 8, 9], [3, -1], [-1, -1], [0, -1], [64, -2], []])
def test_a_shape_that_the_columns_do_not_fill_is_refused(shape):
    with pytest.raises(ValueError, match=r"'shape': 64 columns do not fill \[.*; it must multiply to 64"):
        Reshape(shape).fit(np.zeros((2, 64)))
