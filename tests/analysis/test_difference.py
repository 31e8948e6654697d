"""Only what differs between two runs is said, and each thing once."""

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mlops_cli.analysis.difference import SWEEP_OPTIONS, Side, changes, difference, touched
from mlops_cli.records import (
    BestTrial,
    Change,
    Column,
    DatasetVersion,
    GitState,
    Kind,
    MetricSummary,
    RunRecord,
    RunStatus,
    Task,
)

AGE, SEX = Column("age", "float64", Kind.NUMERIC, 3, 40), Column("sex", "str", Kind.CATEGORICAL, 0, 2)
RECORD = RunRecord(
    id="e/1",
    path=Path("/w/runs/e/1"),
    experiment="e",
    status=RunStatus.COMPLETED,
    started="2026-01-01T00:00:00+00:00",
    params={"model.C": 1.0, "seed": 0},
    metrics={"f1": MetricSummary(0.8, 0.1, None, (0.7, 0.9))},
    dataset=DatasetVersion("v1", 100, (AGE, SEX), "y", "data/t.csv"),
    git=GitState("c1", dirty=False),
    environment={"python": "3.11.7", "host": "a", "packages": {"numpy": "2.0", "scipy": "1.1"}},
    fingerprint="f1",
)
SIDE = Side(RECORD, {"model.C": 1.0, "name": "e"})


def test_equal_runs_have_no_difference():
    assert difference(SIDE, replace(SIDE, record=replace(RECORD, id="e/2", started="2027"))).sections == {}


def test_each_section_has_what_differs_alone():
    other = replace(
        RECORD,
        id="e/2",
        params={"model.C": 5, "seed": 0},
        metrics={"f1": MetricSummary(0.9, 0.1, None, (0.9, 0.9))},
        dataset=DatasetVersion("v2", 101, (replace(AGE, missing=4), Column("port", "str", Kind.TEXT)), "y", "t"),
        git=GitState("c1", dirty=True),
        environment={"python": "3.12.0", "host": "a", "packages": {"numpy": "2.1", "scipy": "1.1"}},
    )
    found = difference(SIDE, Side(other, {"model.C": 2.0, "name": "f"}, b"diff --git a/m.py b/m.py\n"))
    assert list(found.sections) == ["params", "scores", "data", "columns", "code", "packages", "environment", "config"]
    assert found.sections["config"] == (Change("name", "e", "f"),)
    assert found.sections["params"] == (Change("model.C", 1.0, 5),)
    assert [c.key for c in found.sections["data"]] == ["version", "rows", "source"]
    assert found.sections["columns"] == (
        Change("age.missing", 3, 4),
        Change("sex", "str, categorical", None, (True, False)),
        Change("port", None, "str, text", (False, True)),
    )
    dirty, patch = found.sections["code"]
    assert dirty == Change("dirty", a=False, b=True)
    assert (patch.key, patch.found, patch.b[:5]) == ("source.diff", (False, True), "m.py ")
    assert found.sections["packages"] == (Change("numpy", "2.0", "2.1"),)
    assert found.sections["environment"] == (Change("python", "3.11.7", "3.12.0"),)
    assert found.sections["scores"] == (Change("f1", 0.8, 0.9),)


def test_what_the_params_say_is_not_said_again_of_the_config():
    other = Side(replace(RECORD, params={"model.C": 2.0, "seed": 0}), {"model.C": 2.0, "name": "e"})
    assert list(difference(SIDE, other).sections) == ["params"]


def test_what_another_task_would_take_is_left_out_and_the_options_of_a_sweep_are_one_change():
    a = replace(SIDE, record=replace(RECORD, task=Task.CLASSIFICATION))
    targets = {"model._target_.regression": "sklearn.svm.SVR", "sweep.options.model.svm.C": 1, "sweep.options.x": 2}
    b = Side(replace(a.record, params={**RECORD.params, "model._target_.regression": "x"}), {**SIDE.config, **targets})
    found = difference(a, b)
    assert list(found.sections) == ["config"]
    assert [change.key for change in found.sections["config"]] == [SWEEP_OPTIONS]


def test_a_run_without_data_says_nothing_of_columns():
    found = difference(SIDE, Side(replace(RECORD, dataset=None), SIDE.config))
    assert list(found.sections) == ["data"]


def test_what_a_killed_run_did_not_record_of_its_params_is_in_its_config():
    config = {"model.C": 1.0, "seed": 0, "name": "e"}
    lived = replace(SIDE, record=replace(RECORD, params={"model": "svm", "model.C": 1.0, "seed": 0}), config=config)
    killed = replace(lived, record=replace(lived.record, params={}, best=BestTrial(0, {})))
    assert difference(killed, lived).sections == {}
    other = replace(killed, record=replace(killed.record, best=BestTrial(0, {"model.C": 3.0})))
    assert difference(other, lived).sections == {"params": (Change("model.C", 3.0, 1.0),)}
    without_winner = replace(killed, record=replace(killed.record, params={"model": "svm"}, best=None))
    assert (
        difference(without_winner, replace(lived, record=replace(lived.record, params={"model.C": 7.0}))).sections == {}
    )


def test_true_is_not_one_and_nan_is_itself():
    assert changes({"a": 1, "n": float("nan")}, {"a": True, "n": float("nan")}) == [Change("a", 1, b=True)]


def test_other_uncommitted_changes_to_the_same_files_are_told_apart():
    a, b = (Side(RECORD, {}, f"diff --git a/m.py b/m.py\n+{n}\n".encode()) for n in (1, 2))
    (change,) = difference(a, b).sections["code"]
    assert change.a != change.b


def test_files_with_blanks_and_odd_names_are_named():
    patch = 'diff --git a/my file.py b/my file.py\n+x\ndiff --git "a/\\303.py" "b/\\303.py"\n# untracked: \'n.py\'\n'
    assert touched(patch.encode()) == ["my file.py", "\\303.py", "n.py"]


leaves = st.dictionaries(st.text(max_size=3), st.none() | st.booleans() | st.integers() | st.text(max_size=3))


@given(leaves, leaves)
def test_applying_the_changes_to_the_one_gives_the_other(a, b):
    made = dict(a)
    for change in changes(a, b):
        if change.found[1]:
            made[change.key] = change.b
        else:
            del made[change.key]
    assert {k: (type(v), v) for k, v in made.items()} == {k: (type(v), v) for k, v in b.items()}
