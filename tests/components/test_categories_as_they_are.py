"""`transforms=native` marks categories: the levels are those of the training rows, and others are missing."""

import numpy as np
import pandas as pd

from mlops_cli.components.transforms.categories import AsCategories


def table(*shops):
    return pd.DataFrame({"shop": list(shops)})


def test_levels_are_learned_from_the_training_rows_alone():
    made = AsCategories().fit(table("a", "b", "a", None))
    told = made.transform(table("b", "unheard of", None, "a"))["shop"]
    assert isinstance(told.dtype, pd.CategoricalDtype)
    assert set(told.cat.categories) == {"a", "b"}
    assert told.isna().tolist() == [False, True, True, False]
    assert told.dropna().tolist() == ["b", "a"]


def test_what_other_rows_hold_changes_nothing_of_a_row():
    made = AsCategories().fit(table("a", "b", "c"))
    alone = made.transform(table("b"))["shop"]
    among = made.transform(table("x", "b", "y"))["shop"]
    assert alone.cat.codes.iloc[0] == among.cat.codes.iloc[1]
    assert alone.dtype == among.dtype


def test_only_the_most_frequent_are_kept_where_so_many_are_asked_for():
    made = AsCategories(max_categories=2).fit(table("a", "a", "b", "b", "c"))
    told = made.transform(table("a", "b", "c"))["shop"]
    assert np.array_equal(told.isna(), [False, False, True])
