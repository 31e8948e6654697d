"""What splits and held-out rows show of the data, before the first fit."""

import numpy as np
import pandas as pd
import pytest

from mlops_cli.config import find_workspace, load_experiment
from mlops_cli.errors import ConfigError, DataError
from mlops_cli.workflows.running.prepare import RunOptions
from mlops_cli.workflows.running.run import dry
from mlops_cli.workflows.running.splits import different_splits

CONFIG = """
defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
data: {path: data/d.csv, target: y}
"""
ROWS = 100


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, 2)).round(6)
    return pd.DataFrame({"a": x[:, 0], "n": np.arange(ROWS) * 7 % 101, "y": np.where(x[:, 1] > 0, "yes", "no")})


@pytest.fixture
def said(workspace, table):
    """Return what is said of some data under some overrides, by its code."""
    (workspace / "configs" / "e.yaml").write_text(CONFIG)

    def say(*overrides, data=table, test=None):
        data.to_csv(workspace / "data" / "d.csv", index=False)
        if test is not None:
            test.to_csv(workspace / "data" / "test.csv", index=False)
        prepared = dry("e", list(overrides), RunOptions())
        return {n.code: n.message for n in prepared.notices}

    return say


def test_a_test_file_with_rows_of_the_training_data_is_said(said, table):
    message = said("evaluation.test=data/test.csv", test=table.head(30))["duplicates-in-test"]
    assert "30 of 30 held-out rows (100 %) have a twin in every column among the training rows" in message
    assert message.endswith("remove them from the file of evaluation.test")


def test_copies_are_known_where_a_gap_made_floats_of_whole_numbers(said, table):
    test = table.head(30).astype({"n": float})
    test.loc[0, "n"] = None
    assert "29 of 30 held-out rows" in said("evaluation.test=data/test.csv", test=test)["duplicates-in-test"]


def test_a_share_that_is_held_out_of_repeated_rows_is_said(said, table):
    doubled = pd.concat([table, table], ignore_index=True)
    message = said("evaluation.test=0.3", data=doubled)["duplicates-in-test"]
    assert "of 60 held-out rows" in message
    assert "`data.group`" in message


def test_new_rows_in_the_test_file_are_left_in_peace(said, table):
    new = table.head(30).assign(a=table.a.head(30) + 0.5)
    one_twin = pd.concat([new, table.head(1)])
    assert "duplicates-in-test" not in said("evaluation.test=data/test.csv", test=one_twin)
    assert "duplicates-in-test" not in said("evaluation.test=0.3")


@pytest.mark.parametrize(
    "split", ["repeated_stratified_kfold", "shuffle", "hold_out", "leave_one_out", "stratified_kfold"]
)
def test_classes_that_every_test_part_can_have_are_not_rare(said, table, split):
    few = table.assign(y=["rare"] * 12 + ["usual"] * (ROWS - 12))
    assert "rare-classes" not in said(f"split={split}", "evaluation.metrics=[f1]", data=few)


def test_a_class_with_fewer_rows_than_test_parts_is_rare_however_often_they_are_repeated(said, table):
    few = table.assign(y=["rare"] * 3 + ["usual"] * (ROWS - 3))
    message = said("split=repeated_stratified_kfold", "evaluation.metrics=[f1]", data=few)["rare-classes"]
    assert "fewer rows than the 5 splits in class 'rare' (3)" in message


@pytest.mark.parametrize(
    ("target", "metrics", "wrong", "left"),
    [
        ("class", "null", "roc_auc", "[accuracy,f1]"),
        ("class", "[accuracy,log_loss]", "log_loss", "[accuracy]"),
        ("amount", "null", "r2", "[rmse,mae]"),
        ("amount", "[r2]", "r2", "[mae]"),
    ],
)
def test_metrics_without_a_value_on_single_rows_are_refused_before_the_first_fit(
    said, table, target, metrics, wrong, left
):
    data = table if target == "class" else table.assign(y=table.a * 2 + table.n)
    model = "logistic_regression" if target == "class" else "ridge"
    with pytest.raises(
        ConfigError, match=rf"^.*evaluation.metrics: {wrong} cannot be computed on every split"
    ) as caught:
        said("split=leave_one_out", f"model={model}", f"evaluation.metrics={metrics}", data=data)
    assert f"evaluation.metrics={left}" in caught.value.hint


def test_metrics_that_single_rows_allow_are_taken(said):
    said("split=leave_one_out", "evaluation.metrics=[accuracy]")


def test_a_sweep_in_which_some_split_allows_a_metric_goes_on(said):
    said("split=stratified_kfold,leave_one_out", "evaluation.metrics=[roc_auc]")


@pytest.mark.parametrize("more", ["evaluation.test=null", "evaluation.test=0.2"])
def test_a_seed_that_no_generator_takes_is_a_fault_of_the_seed(said, more):
    with pytest.raises(ConfigError, match=r"seed: found 99999999999, must be .* from 0 to 4294967295"):
        said("seed=99999999999", more)


@pytest.mark.parametrize(
    ("column", "overrides", "text"),
    [
        ("n", [], r"evaluation.test: .*'n'"),
        ("y", [], r"evaluation.test: .*'y'"),
        ("g", ["data.group=g"], r"evaluation.test: .*'g' is no column .*data.group"),
    ],
)
def test_what_a_test_file_lacks_is_said_of_the_test_file(said, table, column, overrides, text):
    data = table.assign(g=np.arange(ROWS) // 5)
    with pytest.raises((ConfigError, DataError), match=text):
        said("evaluation.test=data/test.csv", *overrides, data=data, test=data.drop(columns=column))


def test_what_is_wrong_with_values_of_a_test_file_is_said_of_the_test_file(said, table):
    test = table.assign(n=["high"] * ROWS)
    with pytest.raises(DataError, match=r"^evaluation\.test: "):
        said("evaluation.test=data/test.csv", test=test)
    with pytest.raises(DataError, match=r"^evaluation\.test: .*'y' is missing"):
        said("evaluation.test=data/test.csv", test=table.assign(y=[None, *table.y[1:]]))


@pytest.mark.parametrize(
    ("overrides", "text"),
    [
        (["sweep.pruner=halving", "split=hold_out"], "halving stops no trial here: each has a single split; choose 2"),
        (["sweep.pruner=wilcoxon", "split.n_splits=4"], "wilcoxon stops no trial here: each has 4 splits; choose 5"),
        (["sweep.pruner={name: halving, least: 9}"], "halving stops no trial here: each has 5 splits; choose 10"),
    ],
)
def test_a_pruner_that_has_nothing_to_prune_by_is_said_before_the_run(said, overrides, text):
    assert text in said("model.C=1,2", *overrides)["idle-pruner"]


@pytest.mark.parametrize(
    "overrides",
    [
        ["sweep.pruner=none", "split=hold_out"],
        ["sweep.pruner=halving"],
        ["sweep.pruner=hyperband"],
        ["sweep.pruner=wilcoxon", "split.n_splits=5"],
        ["sweep.pruner={name: halving, over: rows}", "split=hold_out"],
    ],
)
def test_a_pruner_that_can_work_is_no_notice(said, overrides):
    assert "idle-pruner" not in said("model.C=1,2", *overrides)


@pytest.mark.parametrize("sweep", ["split=kfold,shuffle", "split.n_splits=3,5", "seed=0,1,2"])
def test_a_sweep_over_what_is_scored_on_is_said(workspace, sweep):
    (workspace / "configs" / "e.yaml").write_text(CONFIG)
    key = sweep.partition("=")[0]
    (notice,) = different_splits(load_experiment("e", [sweep], find_workspace()).spec.sweep)
    assert notice.code == "different-splits"
    assert notice.message.startswith(f"trials that differ in {key} are scored on different test rows")
    assert different_splits(load_experiment("e", ["model.C=1,2"], find_workspace()).spec.sweep) == []
