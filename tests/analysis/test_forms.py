"""Values that columns hold in several forms are equal in one."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_cli.analysis.forms import alike, floats, looks_like_dates, words

DAYS = pd.Series(pd.to_datetime(["2024-01-01 00:00", "2024-01-02 13:00"]))
LARGE = 2**53 + 1

EQUAL = {
    "a gap among booleans": ([True, False], [1.0, 0.0]),
    "a gap among whole numbers": ([1, 2], [1.0, 2.0]),
    "an odd word among numbers": ([1, 2], ["1", "2"]),
    "an odd word among fractions": ([1.5, 2.0], ["1.50", "2"]),
    "an odd word among booleans": ([True, False], ["true", "False"]),
    "an odd word and a gap among booleans": ([1.0, 0.0], ["True", "False"]),
    "large whole numbers": ([LARGE], [str(LARGE)]),
    "whole numbers beyond int64": ([2**63 + 1], [str(2**63 + 1)]),
    "nullable integers": ([1, 2], pd.Series([1, 2], dtype="Int64")),
    "categories of numbers": (pd.Series([1, 2], dtype="category"), pd.Series([1.0, 2.0], dtype="category")),
    "categories of text": (pd.Series(["x", "y"], dtype="category"), ["x", "y"]),
    "units of time": (DAYS.astype("datetime64[s]"), DAYS.astype("datetime64[ns]")),
    "zones": (DAYS.dt.tz_localize("UTC"), DAYS.dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")),
    "dates as text": (DAYS, ["2024-01-01", "2024-01-02T13:00:00Z"]),
    "a zero with a sign": ([0.0], [-0.0]),
    "lists": ([[1], [2]], [[1], [2]]),
}


@pytest.mark.parametrize("case", EQUAL)
def test_equal_values_are_equal_whatever_holds_them(case):
    a, b = map(pd.Series, EQUAL[case])
    for first, second in ((a, b), (b, a)):
        x, y = alike(first, second)
        assert x.dtype == y.dtype
        assert x.tolist() == y.tolist()
        first_words, second_words = words(first, second)
        assert first_words.tolist() == second_words.tolist()


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([LARGE], [LARGE - 1]),
        ([1], [1.5]),
        (["007"], ["7"]),
        (["1.50"], ["1.5"]),
        ([True], ["yes"]),
        ([1_000], ["1_000"]),
        ([pd.Timestamp("2024-01-01")], [1]),
    ],
)
def test_what_differs_stays_different(a, b):
    x, y = alike(pd.Series(a), pd.Series(b))
    assert x[0] != y[0]


def test_what_is_missing_is_no_value():
    x, y = alike(pd.Series(["a", None]), pd.Series(["a", ""]))
    assert x[1] != y[1]
    assert words(pd.Series(["a", None]), pd.Series(["a", ""]))[0].tolist() == ["a"]
    assert alike(pd.Series([pd.NaT, DAYS[0]]), DAYS)[0][0] == np.iinfo("int64").min
    assert alike(pd.Series([1, None], dtype="Int64"), pd.Series([1, 2]))[0].tolist() == [1, np.iinfo("int64").min]


@given(st.lists(st.none() | st.floats(allow_nan=False), min_size=1, max_size=9))
def test_numbers_equal_their_own_text(values):
    column = pd.Series(values, dtype="float64")
    text = column.map(repr).where(column.notna(), None)
    x, y = words(column, text.astype("str"))
    assert x.tolist() == y.tolist()


def test_times_are_seconds_in_utc():
    expected = [
        pd.Timestamp("2024-01-01", tz="UTC").timestamp(),
        pd.Timestamp("2024-01-02 13:00", tz="UTC").timestamp(),
    ]
    for days in (DAYS, DAYS.astype("datetime64[ns]"), DAYS.dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")):
        assert floats(days).tolist() == expected
    assert np.isnan(floats(pd.Series([pd.NaT, DAYS[0]]))).tolist() == [True, False]


def test_numbers_and_booleans_are_floats():
    assert floats(pd.Series([True, False])).tolist() == [1.0, 0.0]
    assert np.array_equal(floats(pd.Series([1, None], dtype="Int64")), [1.0, np.nan], equal_nan=True)


@pytest.mark.parametrize(
    ("text", "is_date"),
    [
        *(
            (t, True)
            for t in ("2024-05-31", "2024/5/31 12:00", "31/12/20", "31.12.2020", "2024-05", "2024-05-31T12:00Z")
        ),
        *((t, False) for t in ("1.10.2", "3.14", "2024", "20240531", "may", "10-20", "a 2024-05-31")),
    ],
)
def test_text_that_looks_like_a_date(text, is_date):
    assert looks_like_dates(pd.Series([text, None])) is is_date
