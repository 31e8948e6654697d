"""Splitters from specs, and folds from a column."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import TimeSeriesSplit

from mlops_cli.components.build import build_splitter, spec_from
from mlops_cli.components.splitters import fold_numbers
from mlops_cli.errors import ConfigError
from mlops_cli.records import Task

PREDEFINED = {"_target_": "sklearn.model_selection.PredefinedSplit", "column": "fold"}


def test_a_splitter_that_shuffles_gets_the_seed_and_one_that_does_not_none() -> None:
    node = {"_target_": "sklearn.model_selection.KFold", "n_splits": 3}
    shuffled = build_splitter(spec_from({**node, "shuffle": True}), task=Task.REGRESSION, seed=4, columns={})
    assert shuffled.random_state == 4
    assert build_splitter(spec_from(node), task=Task.REGRESSION, seed=4, columns={}).random_state is None


def test_stratifying_a_regression_is_refused_in_one_line() -> None:
    spec = spec_from({"_target_": "sklearn.model_selection.StratifiedKFold"})
    with pytest.raises(ConfigError, match=r"split: StratifiedKFold stratifies by class; the task is regression"):
        build_splitter(spec, task=Task.REGRESSION, columns={})


def test_a_column_gives_the_folds() -> None:
    column = pd.Series(["b", "a", "train", "b", None, "a"])
    splitter = build_splitter(spec_from(PREDEFINED), task=Task.REGRESSION, columns={"fold": column})
    tests = [test.tolist() for _, test in splitter.split()]
    assert tests == [[1, 5], [0, 3]]
    assert all({2, 4} <= set(train) for train, _ in splitter.split())


@pytest.mark.parametrize(
    ("column", "folds"),
    [
        (pd.Series([0, 1, -1, 1]), [0, 1, -1, 1]),
        (pd.Series([0.0, 1.0, np.nan, 1.0]), [0, 1, -1, 1]),
        (pd.Series([True, False, True, False]), [0, -1, 0, -1]),
        (pd.Series([True, None, False], dtype="boolean"), [0, -1, -1]),
        (pd.Series(["Train", " test ", ""]), [-1, 0, -1]),
        (pd.Series(["TEST", "train", "test"]), [0, -1, 0]),
        (pd.Series(["0", "1", "-1", "1"]), [0, 1, -1, 1]),
        (pd.Series(["2", "train", "10", None, "-1"]), [2, -1, 10, -1, -1]),
        (pd.Series(["a", "-1", "b"]), [0, -1, 1]),
        (pd.Series(pd.Categorical(["x", "y", "x"])), [0, 1, 0]),
        (pd.Series([3, 4], index=[7, 7]), [3, 4]),
        (np.array([0, 1]), [0, 1]),
    ],
)
def test_what_a_fold_column_says(column, folds: list[int]) -> None:
    assert fold_numbers(column).tolist() == folds


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(["a", "b", "c", "train", None]), min_size=1, max_size=30))
def test_rows_share_a_fold_exactly_if_they_share_a_value(values: list[str | None]) -> None:
    folds = fold_numbers(pd.Series(values, dtype=object))
    names = [None if v == "train" else v for v in values]
    for i, a in enumerate(names):
        assert (folds[i] == -1) == (a is None)
        assert all((folds[i] == folds[j]) == (a == b) for j, b in enumerate(names))


def test_an_unknown_column_is_told_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"split\.column: the data has no column 'fold' .did you mean 'folds'"):
        build_splitter(spec_from(PREDEFINED), columns={"folds": pd.Series([0, 1])})


@pytest.mark.parametrize("values", [[-1, -1], ["train", None], [0.5, 1.0], ["0.5", "1"]])
def test_a_column_that_holds_no_folds_is_refused(values: list[object]) -> None:
    with pytest.raises(ConfigError, match=r"split\.column: column 'fold'"):
        build_splitter(spec_from(PREDEFINED), columns={"fold": pd.Series(values)})


# --- splits in time ------------------------------------------------------------------------------------------------

TIMES = "mlops_cli.components.splitters.TimeSplit"


def by_time(times, n_splits=3, origins=None, **params):
    columns = {"day": pd.Series(times)}
    spec = spec_from({"_target_": TIMES, "column": "day", "n_splits": n_splits, **params})
    splitter = build_splitter(spec, task=Task.REGRESSION, columns=columns)
    splitter.origins = origins
    return list(splitter.split())


@pytest.mark.parametrize("options", [{}, {"gap": 2}, {"test_size": 4}, {"max_train_size": 5, "gap": 1}])
@pytest.mark.parametrize("rows", [13, 24, 50])
def test_with_one_row_of_each_time_it_is_scikit_learns_time_series_split(rows: int, options: dict[str, int]) -> None:
    found = by_time(range(rows), **options)
    expected = TimeSeriesSplit(3, **options).split(np.arange(rows))
    assert [(a.tolist(), b.tolist()) for a, b in found] == [(a.tolist(), b.tolist()) for a, b in expected]


@pytest.mark.parametrize("horizon", [1, 2, 5])
def test_a_forecast_leaves_out_what_is_not_known_yet_as_a_gap_would(horizon: int) -> None:
    days = np.arange(horizon, 40)
    found = by_time(days, origins=days - horizon)
    expected = TimeSeriesSplit(3, gap=horizon - 1).split(days)
    assert [(a.tolist(), b.tolist()) for a, b in found] == [(a.tolist(), b.tolist()) for a, b in expected]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 4)), min_size=30, max_size=80), st.integers(1, 4))
def test_nothing_is_trained_on_that_is_later_than_a_forecast_is_made(rows, n_splits: int) -> None:
    rows = sorted({*rows, *((day, 1) for day in range(31))})  # the day of a row, and how many days ahead it is forecast
    times = np.array([day for day, _ in rows])
    origins = times - [ahead for _, ahead in rows]
    found = by_time(times, n_splits, origins)
    assert len(found) == n_splits
    for train, test in found:
        assert times[train].max() <= origins[test].min()
    tested = np.concatenate([test for _, test in found])
    assert len(np.unique(tested)) == len(tested)


def test_rows_of_one_time_are_never_parted() -> None:
    times = np.repeat(np.arange(12), 5)
    for train, test in by_time(times, 4):
        assert set(times[train]).isdisjoint(times[test])


def test_too_few_times_are_told_in_numbers() -> None:
    with pytest.raises(ValueError, match="3 splits need at least 4 times, and there are 3"):
        by_time([1, 1, 2, 2, 3])


def test_a_split_in_time_without_a_time_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"split\.column: which column holds the time .*data.time=COLUMN"):
        build_splitter(spec_from({"_target_": TIMES, "column": None}), columns={})


@pytest.mark.parametrize(
    ("option", "least"), [("gap", 0), ("test_size", 1), ("max_train_size", 1), ("n_splits", 1)], ids=str
)
def test_a_size_that_would_train_on_test_rows_or_part_nothing_is_refused(option: str, least: int) -> None:
    for value in (least - 1, -5, 2.5):
        with pytest.raises(ValueError, match=rf"{option} must be a whole number of at least {least}\. Got {value}"):
            by_time(range(30), **{option: value})
