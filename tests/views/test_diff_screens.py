"""What differs between two runs, as it stands in an 80-column terminal."""

import json

from mlops_cli.analysis.difference import SWEEP_OPTIONS
from mlops_cli.records import Change, RunDiff
from mlops_cli.views.diff import as_json, difference

FOUND = RunDiff(
    "titanic/20260102-030405-abcdef",
    "titanic/20260103-030405-012345",
    {
        "config": (
            Change("model._target_.classification", "sklearn.svm.SVC", "sklearn.linear_model.LogisticRegression"),
            Change("model.gamma", "scale", None, (True, False)),
            Change("model.tol", None, 1e-4, (False, True)),
            Change("sweep.space.model.C", list(range(40)), [0.1, 1]),
        ),
        "params": (Change("model.C", 0.12345678, 0.12345679), Change("model.class_weight", None, "balanced")),
        "data": (Change("version", "0123456789abcdef" * 4, "fedcba9876543210" * 4), Change("rows", 891, 892)),
        "columns": (Change("age.missing", 177, 178), Change("deck", "str, categorical", None, (True, False))),
        "code": (Change("dirty", a=False, b=True),),
        "scores": (
            Change("roc_auc", 0.86123, 0.87),
            Change("rmse", None, 1.5),
            Change("f1", 0.123456, None, (True, False)),
        ),
    },
)


def test_each_section_shows_old_and_new(shown):
    assert (
        shown(difference(FOUND))
        == """\
titanic/20260102-030405-abcdef → titanic/20260103-030405-012345

config
  model._target_.classification  sklearn.svm.SVC →
                                 sklearn.linear_model.LogisticRegression
  model.gamma                    removed  scale
  model.tol                      added  0.0001
  sweep.space.model.C            [0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18
                                 ,19,20,21,22,… → [0.1,1]

params
  model.C             0.12345678 → 0.12345679
  model.class_weight  null → balanced

data
  version  0123456789ab → fedcba987654
  rows     891 → 892

columns
  age.missing  177 → 178
  deck         removed  str, categorical

code
  dirty  false → true

scores
  roc_auc  0.8612 → 0.8700  (+0.00877)
  rmse     - → 1.5000
  f1       removed  0.1235"""
    )


def test_equal_runs_have_no_difference(shown):
    assert shown(difference(RunDiff("a/1", "a/2", {}))) == "a/1 → a/2\n\nno difference"


def test_many_changes_are_cut_in_the_terminal_and_whole_as_data(shown):
    found = RunDiff("a", "b", {"columns": tuple(Change(f"c{n}.unique", n, n + 1) for n in range(50))})
    assert shown(difference(found)).endswith("… and 30 more; --json has them all")
    assert len(as_json(found)["sections"]["columns"]) == 50


def test_hostile_text_is_text(shown):
    found = RunDiff("a", "b", {"columns": (Change("[/x]\x1b[2J", "\x07[red]", "new\nline"),)})
    text = shown(difference(found))
    assert "[/x]\\x1b[2J" in text
    assert "\\x07[red] → new\\nline" in text


def test_as_data_values_are_whole_and_absent_ones_absent():
    found = json.loads(json.dumps(as_json(FOUND), allow_nan=False))
    assert found["same"] is False
    assert found["sections"]["data"]["version"]["a"] == "0123456789abcdef" * 4
    assert found["sections"]["config"]["model.gamma"] == {"a": "scale"}
    assert found["sections"]["config"]["sweep.space.model.C"]["a"] == list(range(40))
    assert found["sections"]["params"]["model.class_weight"] == {"a": None, "b": "balanced"}


def test_the_options_of_a_sweep_are_said_to_differ_and_no_more(shown):
    found = RunDiff(
        "a", "b", {"config": (Change(SWEEP_OPTIONS, {"sweep.options.model.svm.C": 1}, None, (True, False)),)}
    )
    assert shown(difference(found)).endswith("sweep.options  differ")
