"""Any table becomes one form, the same in training and prediction; each column has a kind."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.pandas import column, data_frames, range_indexes
from pandas.testing import assert_frame_equal

from mlops_cli.components.tables import conform, describe, filled_texts, normalise, text_columns
from mlops_cli.errors import ConfigError, DataError
from mlops_cli.records import Dates, Kind

NAN = float("nan")


def one(values, dtype=None, word=None) -> pd.Series:
    table = normalise(pd.DataFrame({"x": pd.Series(values, dtype=dtype)}), {"x": word} if word else {})
    return table["x"]


@pytest.mark.parametrize(
    ("values", "dtype", "expected", "kind"),
    [
        ([1, 2], "Int64", [1, 2], "i"),
        ([1, None], "Int64", [1.0, NAN], "f"),
        ([1, None], "UInt8", [1.0, NAN], "f"),
        ([True, False], "boolean", [True, False], "b"),
        ([True, None], "boolean", [1.0, NAN], "f"),
        ([True, None, False], object, [1.0, NAN, 0.0], "f"),
        ([0.5, None], "Float64", [0.5, NAN], "f"),
        ([1, 2], "int64[pyarrow]", [1, 2], "i"),
        ([1, None], "int64[pyarrow]", [1.0, NAN], "f"),
        ([0.5, None], "double[pyarrow]", [0.5, NAN], "f"),
        ([1, 2.5, None], object, [1.0, 2.5, NAN], "f"),
        ([Decimal("1.5"), None], object, [1.5, NAN], "f"),
        ([None, None], object, [NAN, NAN], "f"),
        ([dt.timedelta(minutes=1), None], None, [60.0, NAN], "f"),
        ([1, 0, 0], pd.SparseDtype("int64", 0), [1, 0, 0], "i"),
    ],
)
def test_nullable_and_object_columns_become_plain(values, dtype, expected, kind):
    got = one(values, dtype)
    assert got.dtype.kind == kind
    np.testing.assert_array_equal(got.to_numpy(), expected)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([dt.date(2020, 1, 2), None], object),
        (["2020-01-02", None], "datetime64[ns]"),
        (["2020-01-02T01:00+01:00", None], "datetime64[us, Europe/Paris]"),
        (["2020-01-02", None], "period[D]"),
    ],
)
def test_dates_lose_their_zone_and_stay_dates(values, dtype):
    got = one(values, dtype)
    assert got.dtype.kind == "M"
    assert got[0] == pd.Timestamp(2020, 1, 2)
    assert got.isna().tolist() == [False, True]


def test_texts_keep_missing_as_nan():
    for dtype in (object, "string", "str", "string[pyarrow]"):
        got = one(["a", None, "b"], dtype)
        assert got.isna().tolist() == [False, True, False]
        assert describe(normalise(got.to_frame()))[0].dtype == "str"


def test_mixed_values_become_text_and_whole_numbers_have_no_point():
    assert one([1, "x", 2.5], object).tolist() == ["1", "x", "2.5"]
    assert one([1, None, 3], None, "str").tolist()[::2] == ["1", "3"]
    assert one([2**70, 1], object).tolist() == [str(2**70), "1"]


def test_categories_are_kept():
    got = one(pd.Categorical(["b", "a"], categories=["b", "a"], ordered=True))
    assert got.cat.categories.tolist() == ["b", "a"]


def test_rows_are_numbered_and_names_are_text():
    table = pd.DataFrame({0: [1, 2], "b": [3, 4]}, index=pd.Index(["p", "q"], name="who"))
    got = normalise(table)
    assert list(got.columns) == ["who", "0", "b"]
    assert got.index.equals(pd.RangeIndex(2))


def test_names_that_are_the_same_as_text_are_refused():
    with pytest.raises(DataError, match="unique"):
        normalise(pd.DataFrame([[1, 2]], columns=[0, "0"]))


def test_complex_numbers_are_refused():
    with pytest.raises(DataError, match="complex"):
        normalise(pd.DataFrame({"z": [1j]}))


@given(
    data_frames(
        [
            column("n", elements=st.one_of(st.none(), st.integers(-5, 5)), dtype=object),
            column("t", elements=st.one_of(st.none(), st.text(max_size=3), st.booleans()), dtype=object),
            column("f", dtype=float),
        ],
        index=range_indexes(max_size=8),
    )
)
@settings(deadline=None, max_examples=60)
def test_normalising_twice_changes_nothing(table):
    once = normalise(table)
    assert_frame_equal(normalise(once), once)


# --- what data.dtypes asks for ---


@pytest.mark.parametrize(
    ("word", "values", "expected"),
    [
        ("numeric", ["1", "2.5"], [1.0, 2.5]),
        ("boolean", ["yes", "No"], [True, False]),
        ("boolean", [1, 0], [True, False]),
        ("int64", ["1", "2"], [1, 2]),
        ("float32", [1, 2], [1.0, 2.0]),
        ("str", [7, 8], ["7", "8"]),
        ("text", [7, 8], ["7", "8"]),
        ("datetime", ["2020-01-02", "2020-01-03"], [pd.Timestamp(2020, 1, 2), pd.Timestamp(2020, 1, 3)]),
    ],
)
def test_columns_take_the_dtype_that_is_asked_for(word, values, expected):
    assert one(values, None, word).tolist() == expected


def test_a_kind_that_is_said_is_taken_as_said():
    table = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"], "c": ["t", None, "f"]})
    said = {"a": "categorical", "b": "text", "c": "boolean"}
    kinds = {c.name: c.kind for c in describe(normalise(table, said), said)}
    assert kinds == {"a": Kind.CATEGORICAL, "b": Kind.TEXT, "c": Kind.BOOLEAN}


@pytest.mark.parametrize(
    ("word", "values", "says"),
    [
        ("numeric", ["1", "x", "2", "y"], r"column 'x': 2 of 4 values are no numbers: 'x', 'y' \(rows 2, 4\)"),
        ("boolean", ["yes", "maybe"], "1 of 2 values are no true or false: 'maybe'"),
        ("datetime", ["2020-01-01", "soon"], "1 of 2 values are no dates: 'soon'"),
        ("datetime", [20200101, 20200102], "what they count is not known"),
        ("datetime", ["31/01/2020", "01/31/2020"], "day first and dates with the month first"),
        ("int64", [1.5, 2.0], "1 values are no whole numbers"),
        ("int64", [1.0, None], "1 missing values, which int64 cannot hold"),
        ("int8", [1, 1000], "beyond the range of int8"),
    ],
)
def test_values_that_do_not_convert_are_counted_and_placed(word, values, says):
    with pytest.raises(DataError, match=says):
        one(values, None, word)


def test_an_unknown_dtype_or_column_is_named_with_the_nearest():
    with pytest.raises(ConfigError, match=r"data\.dtypes\.x: 'numerc' is no kind.*did you mean 'numeric'"):
        one([1], None, "numerc")
    with pytest.raises(ConfigError, match=r"data\.dtypes\.agee: .*did you mean 'age'"):
        normalise(pd.DataFrame({"age": [1]}), {"agee": "str"})


def test_the_order_of_day_and_month_is_taken_from_all_rows():
    assert one(["01/02/2020", "13/02/2020"], None, "datetime")[0] == pd.Timestamp(2020, 2, 1)
    assert one(["01/02/2020", "02/13/2020"], None, "datetime")[0] == pd.Timestamp(2020, 1, 2)


# --- kinds ---


def test_kinds_follow_the_dtype():
    table = normalise(
        pd.DataFrame(
            {"i": [1, 2], "f": [0.5, 1], "b": [True, False], "s": ["x", "y"], "d": pd.to_datetime(["2020"] * 2)}
        )
    )
    assert [c.kind.value for c in describe(table)] == ["numeric", "numeric", "boolean", "categorical", "datetime"]


def test_prose_is_text_and_codes_are_categories():
    n = 60
    table = normalise(
        pd.DataFrame(
            {
                "review": [f"this was number {i} of the films" for i in range(n)],
                "code": [f"AB-{i}" for i in range(n)],
                "place": ["upper west side", "lower east side"] * (n // 2),
            }
        )
    )
    assert [c.kind for c in describe(table)] == [Kind.TEXT, Kind.CATEGORICAL, Kind.CATEGORICAL]


def test_missing_text_becomes_empty_and_missing_categories_stay():
    table = normalise(pd.DataFrame({"t": [f"a b {i}" for i in range(30)] + [None], "c": ["x"] * 30 + [None]}))
    filled = filled_texts(table, describe(table))
    assert filled.t.iloc[-1] == ""
    assert pd.isna(filled.c.iloc[-1])


# --- new data for a model ---


@pytest.fixture
def trained():
    table = normalise(
        pd.DataFrame(
            {
                "n": [1, 2, 3],
                "f": [0.5, 1.5, 2.5],
                "s": ["x", "y", "z"],
                "b": [True, False, True],
                "d": pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-03"]),
            }
        )
    )
    return table, describe(table)


def test_training_data_conforms_to_itself(trained):
    table, columns = trained
    assert_frame_equal(conform(table, columns), table)


def test_columns_are_picked_by_name_in_the_training_order(trained):
    table, columns = trained
    shuffled = table[["d", "s", "n", "b", "f"]].assign(more=1)
    assert_frame_equal(conform(shuffled, columns), table)


def test_written_values_take_the_training_dtypes(trained):
    table, columns = trained
    written = table.astype({"n": "float64"}).assign(
        f=["0.5", "1.5", "2.5"], b=["True", "False", "True"], d=["2020-01-01", "2020-01-02", "2020-01-03"]
    )
    assert_frame_equal(conform(written, columns), table)


def test_numbers_where_text_was_become_text(trained):
    table, columns = trained
    got = conform(table.assign(s=[7.0, np.nan, 8.0]), columns)
    assert got.s.tolist()[::2] == ["7", "8"]
    assert got.s.isna()[1]
    assert text_columns(columns) == ("s",)


def test_missing_values_make_floats(trained):
    table, columns = trained
    got = conform(table.assign(n=[1, None, 3], b=[True, None, False]), columns)
    assert got.n.dtype == "float64"
    assert got.b.dtype == "float64"


def test_missing_columns_are_named_with_the_nearest(trained):
    table, columns = trained
    with pytest.raises(DataError, match=r"lacks 2 of 5 columns that the model takes: 'n', 's'"):
        conform(table.drop(columns=["n", "s"]), columns)
    with pytest.raises(DataError, match="did you mean 'fff'"):
        conform(
            table.rename(columns={"f": "fff"}),
            [c if c.name != "f" else type(c)("ff", "float64", c.kind) for c in columns],
        )


def test_columns_of_another_case_are_told_beside_those_that_they_are_taken_for(trained):
    table, columns = trained
    with pytest.raises(DataError, match=r"did you mean 'N' for 'n', 'S' for 's'\?"):
        conform(table.rename(columns={"n": "N", "s": "S"}), columns)


def test_values_of_another_kind_are_refused(trained):
    table, columns = trained
    with pytest.raises(DataError, match=r"column 'n': 3 of 3 values are no numbers: 'one'"):
        conform(table.assign(n=["one", "two", "three"]), columns)


def test_one_row_conforms(trained):
    table, columns = trained
    assert_frame_equal(conform(table.head(1), columns), table.head(1))


def test_a_table_without_rows_and_infinite_numbers_are_refused(trained):
    table, columns = trained
    with pytest.raises(DataError, match="the data has no rows"):
        conform(table.head(0), columns)
    with pytest.raises(DataError, match=r"infinite values in the features: 'f' \(2\)"):
        conform(table.assign(f=[np.inf, 1.0, -np.inf]), columns)


# --- dates of new data ---

SAID = {"day": "datetime"}


def columns_of(*days):
    return describe(normalise(pd.DataFrame({"day": days}), SAID), SAID)


def read_as(columns, *days):
    return conform(pd.DataFrame({"day": days}), columns)["day"].tolist()


@given(st.lists(st.dates(dt.date(2020, 1, 1), dt.date(2024, 12, 31)), min_size=1, max_size=20), st.booleans())
def test_a_row_alone_reads_as_it_does_in_the_whole_file(days, day_first):
    form = "%d/%m/%Y" if day_first else "%m/%d/%Y"
    columns = columns_of(*(d.strftime(form) for d in [dt.date(2020, 1, 31), *days]))
    written = [d.strftime(form) for d in days]
    assert read_as(columns, *written) == [pd.Timestamp(d) for d in days]
    assert [read_as(columns, text)[0] for text in written] == [pd.Timestamp(d) for d in days]


def test_a_date_that_contradicts_those_of_training_is_refused():
    with pytest.raises(DataError, match=r"'12/31/2024' has the month first, and in training the day was"):
        read_as(columns_of("31/12/2020"), "04/03/2024", "12/31/2024")
    with pytest.raises(DataError, match=r"'31/12/2024' has the day first, and in training the month was"):
        read_as(columns_of("12/31/2020"), "31/12/2024")
    with pytest.raises(DataError, match=r"'31/12/2024' has the day first, and in training the month was"):
        read_as(columns_of("04/03/2020"), "31/12/2024")  # month first was assumed, and said


def test_a_date_that_can_be_read_both_ways_is_refused_where_training_had_none_such():
    columns = columns_of("2020-12-31")
    with pytest.raises(DataError, match="'04/03/2024' does not show which is the day and which the month"):
        read_as(columns, "31/12/2024", "04/03/2024")
    assert read_as(columns, "31/12/2024", "04/04/2024") == [pd.Timestamp("2024-12-31"), pd.Timestamp("2024-04-04")]


def test_a_date_that_begins_with_the_year_is_read_so_whatever_is_beside_it():
    expected = [pd.Timestamp("2020-12-31"), pd.Timestamp("2020-03-04"), pd.Timestamp("2021-03-04")]
    table = normalise(pd.DataFrame({"day": ["31/12/2020", "2020-03-04", "04/03/2021"]}), SAID)
    assert table["day"].tolist() == expected


@pytest.mark.parametrize(
    "moment", ["2024-03-04 10:00+02:00", "2024-03-04T10:00:00Z", pd.Timestamp("2024-03-04 10:00", tz="Asia/Tokyo")]
)
def test_times_with_a_zone_are_refused_where_training_had_none(moment):
    assert read_as(columns_of("2024-03-04 10:00"), "2024-03-05T11:30:00") == [pd.Timestamp("2024-03-05 11:30")]
    with pytest.raises(DataError, match=r"column 'day' has times with a zone, such as '2024-03-04.10:00.*had none"):
        read_as(columns_of("2024-03-04 10:00"), moment)
    with pytest.raises(DataError, match="times with a zone"):  # where the data came as dates, too
        read_as(describe(normalise(pd.DataFrame({"day": pd.to_datetime(["2024-03-04"])}))), moment)
    assert read_as(columns_of("2024-03-04 10:00+02:00"), moment)[0].tz is None


def test_how_dates_are_written_outlives_taking_rows_and_normalising_again():
    table = normalise(pd.DataFrame({"day": ["31/12/2020", "04/03/2021"], "a": [1, 2]}), SAID)
    later = normalise(table[table["a"] > 1].assign(b=1).set_index(pd.Index([7])))
    assert describe(later)[0].dates == Dates(day_first=True, zoned=False)


def test_categories_are_those_of_training_whatever_new_rows_hold():
    codes = normalise(pd.DataFrame({"zip": ["00501", "501", "501"]}), {"zip": "categorical"})
    columns = describe(codes, {"zip": "categorical"})
    assert columns[0].categories == "str"
    assert text_columns(columns) == ("zip",)
    assert conform(pd.DataFrame({"zip": [501, 7]}), columns)["zip"].tolist() == ["501", "7"]
    numbers = describe(normalise(pd.DataFrame({"zip": pd.Series([1, 2]).astype("category")})))
    assert conform(pd.DataFrame({"zip": ["1", "2", "x"]}), numbers)["zip"].tolist() == [1, 2, "x"]
