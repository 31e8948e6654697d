"""Held-out rows from somewhere else than the data: a file, an address, a version of a data set, an earlier run's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

import mlops_cli
from mlops_cli.errors import ConfigError, DataError, StoreError
from mlops_cli.workflows.data import datasets
from mlops_cli.workflows.data.adding import AddOptions, add
from mlops_cli.workflows.running.prepare import RunOptions
from mlops_cli.workflows.running.run import dry

CONFIG = """
defaults: [experiment, {data: csv}, {model: logistic_regression}, _self_]
data: {path: data/train.csv, target: label, drop: [note]}
evaluation: {metrics: [accuracy]}
artifacts: {predictions: false, plots: none}
"""


def table(rows: int, shift: int = 0, *, note: bool = False) -> str:
    head = "x,y,label" + (",note" if note else "")
    lines = [f"{i % 7 + (i % 2) * 3 + shift},{(i * 37) % 11}.5,{i % 2}" + (",n" if note else "") for i in range(rows)]
    return "\n".join([head, *lines]) + "\n"


@pytest.fixture
def train(workspace):
    (workspace / "configs/e.yaml").write_text(CONFIG)
    path = workspace / "data/train.csv"
    path.write_text(table(60, note=True))
    return path


def run(*overrides: str):
    return mlops_cli.run("e", list(overrides), n_jobs=1).record


def recorded(record) -> dict:
    return json.loads((record.path / "run.json").read_text())


def saved_test(record):
    return yaml.safe_load((record.path / "config.yaml").read_text())["evaluation"]["test"]


def test_the_record_says_which_rows_were_held_out(train):
    (train.parent / "test.csv").write_text(table(20, shift=1))
    record = run("evaluation.test=data/test.csv")
    found = recorded(record)
    assert found["test_dataset"]["rows"] == 20
    assert found["test_dataset"]["source"] == "data/test.csv"
    assert found["test_dataset"]["version"] != found["dataset"]["version"]
    assert recorded(run("evaluation.test=0.2"))["test_dataset"] is None


def test_a_version_of_a_data_set_is_held_out_and_pinned_in_the_config_that_is_kept(train):
    for rows in (20, 30):
        held = train.parent / "held.csv"
        held.write_text(table(rows, shift=1))
        add(held, "held", AddOptions(tag="newest" if rows == 30 else None))
    record = run("evaluation.test=held@newest")
    assert saved_test(record) == "held@2"
    assert record.test_dataset is not None
    assert record.test_dataset.rows == 30
    assert run("evaluation.test=held@1").test_dataset.rows == 20
    assert [r.id for r in datasets.show("held@2").runs] == [record.id]
    with pytest.raises(StoreError, match=r"held@2 stays: the run .* read it"):
        datasets.removable("held@2")


def test_a_version_that_is_not_there_is_named_with_its_key(train):
    (train.parent / "held.csv").write_text(table(20))
    add(train.parent / "held.csv", "held")
    with pytest.raises(ConfigError, match=r"evaluation\.test: the data set 'held' has no version '7'"):
        run("evaluation.test=held@7")
    with pytest.raises(ConfigError, match=r"evaluation\.test: there is no data set 'hold'"):
        run("evaluation.test=hold@1")


def test_a_file_of_that_name_comes_first(train, workspace):
    (workspace / "held@1").write_text(table(20))
    assert run("evaluation.test=held@1").test_dataset.rows == 20


def test_what_came_from_an_address_is_kept_and_can_be_seen_again_when_the_address_gives_something_else(train, served):
    served.answers["/test.csv"] = table(20, shift=1).encode()
    first = run(f"evaluation.test={served.url}/test.csv")
    served.answers["/test.csv"] = table(40, shift=2).encode()
    assert run(f"evaluation.test={served.url}/test.csv").test_dataset.rows == 40
    served.stop()
    again = run(f"evaluation.test=snapshot:{first.test_dataset.version[:12]}", "seed=0", "artifacts.keep=none")
    assert again.test_dataset.version == first.test_dataset.version
    assert again.metrics["accuracy"].test == first.metrics["accuracy"].test


def test_gc_keeps_what_a_run_held_out(train, served):
    served.answers["/test.csv"] = table(20, shift=1).encode()
    first = run(f"evaluation.test={served.url}/test.csv")
    datasets.collect(now=True)
    again = run(f"evaluation.test=snapshot:{first.test_dataset.version}", "artifacts.keep=none")
    assert again.test_dataset.version == first.test_dataset.version


def test_what_is_expected_of_the_columns_is_expected_of_held_out_rows(train):
    held = train.parent / "test.csv"
    held.write_text(table(20, shift=100))
    with pytest.raises(DataError, match=r"evaluation\.test: data\.expect\.columns\.x\.max: 20 of 20 rows"):
        run("evaluation.test=data/test.csv", "+data.expect.columns.x.max=50")
    with pytest.raises(DataError, match=r"evaluation\.test: data\.expect: 2 rules are broken") as caught:
        run("evaluation.test=data/test.csv", "+data.expect.columns.x={max: 50, mean: {max: 50}}")
    assert len(caught.value.details) == 2


def test_how_many_rows_and_columns_that_are_dropped_are_not_expected_of_held_out_rows(train):
    (train.parent / "test.csv").write_text(table(20))
    expected = "+data.expect={rows: {min: 50}, columns: {note: {missing: 0}, x: {max: 50}}}"
    assert run("evaluation.test=data/test.csv", expected).test_dataset.rows == 20


def test_a_warning_of_a_rule_says_that_it_is_of_the_held_out_rows(train):
    (train.parent / "test.csv").write_text(table(20, shift=100))
    record = run("evaluation.test=data/test.csv", "+data.expect={severity: warn, columns: {x: {max: 50}}}")
    (said,) = [n.message for n in record.warnings if n.code == "expectation"]
    assert said.startswith("data/test.csv: data.expect.columns.x.max: 20 of 20 rows")


def test_a_resume_names_held_out_rows_that_have_changed(train, mlops, workspace):
    held = train.parent / "test.csv"
    held.write_text(table(20, shift=1))
    record = run("evaluation.test=data/test.csv", "model.C=1,2")
    path = record.path / "run.json"
    path.write_text(path.read_text().replace('"status": "completed"', '"status": "interrupted"'))
    held.write_text(table(25, shift=1))
    said = mlops("resume", record.id, cwd=Path(workspace))
    assert said.returncode != 0
    assert "the data of evaluation.test has changed (20 rows are 25" in said.stderr


def test_dates_of_held_out_rows_are_read_as_those_of_training_were(train):
    """None of them shows which number is the day."""
    train.write_text("day,label\n" + "".join(f"{i % 28 + 1:02}/{i % 12 + 1:02}/2020,{i % 2}\n" for i in range(60)))
    held = train.parent / "test.csv"
    held.write_text("day,label\n04/03/2021,0\n05/03/2021,1\n")
    said = ["evaluation.test=data/test.csv", "data.drop=[]", "+data.dtypes.day=datetime", "transforms=dates"]
    assert dry("e", said, RunOptions()).loaded.test.X["day"].dt.month.tolist() == [3, 3]
    held.write_text("day,label\n2021-03-04 10:00+02:00,0\n2021-03-05 10:00+02:00,1\n")
    with pytest.raises(DataError, match=r"evaluation\.test: column 'day' has times with a zone"):
        dry("e", said, RunOptions())


@pytest.mark.parametrize("transforms", ["tabular", "target_encoding"])
def test_a_boolean_that_is_missing_in_held_out_rows_alone_is_scored(train, transforms):
    rows = [f"{i % 7},{i % 3 == 0},{i % 2}" for i in range(60)]
    train.write_text("\n".join(["x,b,label", *rows]))
    (train.parent / "test.csv").write_text("\n".join(["x,b,label", *rows[:10], "3,,1"]))
    record = run("evaluation.test=data/test.csv", "data.drop=[]", f"transforms={transforms}")
    assert record.metrics["accuracy"].test is not None
    assert "test-failed" not in {notice.code for notice in record.warnings}
