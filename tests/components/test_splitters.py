"""Splitters from specs, and folds from a column."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


@pytest.mark.parametrize("values", [[-1, -1], ["train", None], [0.5, 1.0]])
def test_a_column_that_holds_no_folds_is_refused(values: list[object]) -> None:
    with pytest.raises(ConfigError, match=r"split\.column: column 'fold'"):
        build_splitter(spec_from(PREDEFINED), columns={"fold": pd.Series(values)})
