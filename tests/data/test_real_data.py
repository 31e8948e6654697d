"""Real files are read as a new user would expect, and what is to be said of them is said."""

import time

import pandas as pd
import pytest

from mlops_cli.analysis.checks import check_dataset
from mlops_cli.components.dataset import make_dataset, read_table
from mlops_cli.components.sources import CsvSource
from mlops_cli.components.tables import conform
from mlops_cli.errors import DataError
from mlops_cli.records import ComponentSpec, DataSpec, Kind, Task


def load(path, read=None, **roles):
    spec = DataSpec(ComponentSpec(""), **roles)
    table, notices = read_table(CsvSource(path, read or {}), spec)
    data, task = make_dataset(table, spec, notices=notices)
    return data, task, [*data.notices, *check_dataset(data, task, 5)]


def codes(notices) -> list[str]:
    return sorted(n.code for n in notices)


def kinds(data) -> dict[str, Kind]:
    return {c.name: c.kind for c in data.features}


def test_titanic_tells_of_its_leak(real):
    data, task, notices = load(real("titanic.csv"), target="survived")
    assert task is Task.CLASSIFICATION
    assert data.X.shape == (891, 14)
    assert codes(notices) == ["duplicate-rows", "target-leak"]
    assert "'alive'" in notices[0].message
    assert codes(load(real("titanic.csv"), target="survived", drop=("alive",))[2]) == ["duplicate-rows"]


def test_penguins_are_classes_with_missing_values(real):
    data, task, notices = load(real("penguins.csv"), target="species")
    assert (task, notices) == (Task.CLASSIFICATION, [])
    assert set(data.y) == {"Adelie", "Chinstrap", "Gentoo"}
    assert data.X.isna().any().any()


def test_penguins_without_a_sex_can_be_left_out(real):
    with pytest.raises(DataError, match=r"'sex' is missing in 11 of 344 rows.*data\.missing_target=drop"):
        load(real("penguins.csv"), target="sex")
    data, _, notices = load(real("penguins.csv"), target="sex", missing_target="drop")
    assert (data.rows, data.version.rows, set(data.y)) == (333, 333, {"FEMALE", "MALE"})
    assert [n.message for n in notices] == ["11 of 344 rows have no sex and are left out"]


def test_diamonds_are_a_regression(real):
    data, task, notices = load(real("diamonds.csv"), target="price")
    assert task is Task.REGRESSION
    assert data.rows == 53_940
    assert notices == []
    assert data.X.equals(pd.read_csv(real("diamonds.csv")).drop(columns="price"))


def test_wine_quality_asks_for_names_and_takes_them(real):
    path = real("winequality-red.csv")
    with pytest.raises(DataError, match=r"data\.read: \{header: null, names: \[12 names\]\}"):
        CsvSource(path).load()
    names = [*(f"x{i}" for i in range(11)), "quality"]
    data, task, notices = load(path, {"header": None, "names": names}, target="quality")
    assert (data.X.shape, task) == ((1599, 11), Task.CLASSIFICATION)
    assert codes(notices) == ["duplicate-rows", "task-guessed"]


def test_taxis_tell_of_their_dates(real):
    _, task, notices = load(real("taxis.csv"), target="tip")
    assert task is Task.REGRESSION
    assert codes(notices) == ["dates-as-text", "dates-as-text"]
    dtypes = {"pickup": "datetime", "dropoff": "datetime"}
    data, _, notices = load(real("taxis.csv"), target="tip", dtypes=dtypes)
    assert notices == []
    assert kinds(data)["pickup"] is Kind.DATETIME


def test_kaggles_test_file_conforms_to_its_training_file(real):
    data, _, notices = load(real("kaggle_titanic_train.csv"), target="Survived", id="PassengerId")
    assert notices == []
    assert kinds(data)["Name"] is Kind.TEXT
    assert {kinds(data)[n] for n in ("Ticket", "Cabin", "Sex")} == {Kind.CATEGORICAL}
    new = conform(CsvSource(real("kaggle_titanic_test.csv")).load(), data.features)
    assert list(new.columns) == list(data.X.columns)
    assert new.dtypes.equals(data.X.dtypes)


def test_checking_costs_little_beside_fitting(real):
    data, task, _ = load(real("diamonds.csv"), target="price")
    start = time.process_time()
    check_dataset(data, task, 5)
    assert time.process_time() - start < 0.5  # 0.02 s on a calm machine
