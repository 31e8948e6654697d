"""What a file sweeps stays where it suits, when the command line chooses other options."""

import textwrap
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_cli.components.samplers import make_sampler
from mlops_cli.config import Composition, load_experiment, to_yaml
from mlops_cli.config.workspace import Workspace

TITANIC = """\
    defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, {split: kfold}, _self_]
    data: {path: data/titanic.csv, target: survived}
    sweep:
      space:
        model.C: [0.1, 1, 10]
    """
UNION = """\
    defaults: [experiment, {model: logistic_regression}]
    data: {path: x.csv, target: y}
    sweep:
      space:
        - {model: [logistic_regression], model.C: [1, 2]}
        - {model: [svm], model.C: [3, 4], model.kernel: [linear, rbf]}
        - {model: [knn], model.n_neighbors: [3, 5]}
    """


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "configs").mkdir()
    return Workspace(tmp_path)


@pytest.fixture
def sweep(workspace: Workspace) -> Any:
    """Return a function that loads an experiment of the given text."""

    def sweep(*overrides: str, text: str = TITANIC) -> Composition:
        (workspace.configs / "titanic.yaml").write_text(textwrap.dedent(text), encoding="utf-8")
        return load_experiment("titanic", overrides, workspace)

    return sweep


def space(composition: Composition) -> list[dict[str, list[Any]]]:
    return [{d.key: list(d.choices) for d in subspace} for subspace in composition.spec.sweep.subspaces]


def points(composition: Composition) -> list[Any]:
    return list(iter(make_sampler(composition.spec.sweep).ask, None))


def said(composition: Composition) -> list[str]:
    assert {n.code for n in composition.notices} <= {"left-out"}
    return [n.message for n in composition.notices]


def test_a_dimension_that_the_chosen_class_lacks_is_left_out_aloud(sweep: Any) -> None:
    composition = sweep("model=random_forest", "model.max_depth=3,5,null")
    assert space(composition) == [{"model.max_depth": [3, 5, None]}]
    assert said(composition) == [
        "model.C of sweep.space in configs/titanic.yaml:4 is left out: RandomForestClassifier has no such parameter"
    ]


def test_where_nothing_is_left_there_is_no_sweep(sweep: Any) -> None:
    composition = sweep("model=random_forest")
    assert not composition.spec.sweep.is_sweep
    assert points(composition) == [{}]
    assert "C" not in composition.point({}).model.params


def test_a_dimension_that_the_chosen_class_takes_stays(sweep: Any) -> None:
    composition = sweep("model=svm")
    assert (space(composition), said(composition)) == ([{"model.C": [0.1, 1, 10]}], [])


def test_each_option_of_a_swept_group_is_combined_with_what_it_takes(sweep: Any) -> None:
    composition = sweep("model=svm,knn,logistic_regression,hist_gradient_boosting", "transforms=tabular,tree")
    assert space(composition) == [
        {"model.C": [0.1, 1, 10], "model": ["svm", "logistic_regression"], "transforms": ["tabular", "tree"]},
        {"model": ["knn", "hist_gradient_boosting"], "transforms": ["tabular", "tree"]},
    ]
    assert [m.rpartition(": ")[2].split()[0] for m in said(composition)] == [
        "KNeighborsClassifier",
        "HistGradientBoostingClassifier",
    ]
    for point in points(composition):
        assert ("C" in composition.point(point).model.params) == (point["model"] in {"svm", "logistic_regression"})


def test_the_first_option_may_be_the_one_that_lacks_it(sweep: Any) -> None:
    composition = sweep("model=knn,svm")
    assert space(composition) == [{"model": ["knn"]}, {"model.C": [0.1, 1, 10], "model": ["svm"]}]
    assert composition.spec.trial.model == composition.point({"model": "knn"}).model


def test_what_the_command_line_sweeps_is_never_left_out(sweep: Any) -> None:
    for typed in ("model.C=1,2", "sweep.space.model.C=[1,2]"):
        composition = sweep("model=knn", typed)
        assert (space(composition), said(composition)) == ([{"model.C": [1, 2]}], [])


def test_where_the_command_line_chooses_nothing_a_wrong_key_stays_to_be_refused(sweep: Any) -> None:
    composition = sweep("split=auto", text=TITANIC.replace("model.C", "model.Cc"))
    assert (space(composition), said(composition)) == ([{"model.Cc": [0.1, 1, 10]}], [])


def test_in_a_union_the_command_lines_model_takes_what_suits_it(sweep: Any) -> None:
    composition = sweep("model=svm", text=UNION)
    assert space(composition) == [{"model.C": [1, 2]}, {"model.C": [3, 4], "model.kernel": ["linear", "rbf"]}]
    assert len(said(composition)) == 1
    assert said(composition)[0].startswith(
        "model.n_neighbors of sweep.space in configs/titanic.yaml:4 is left out: SVC"
    )


def test_a_pruned_subspace_adds_no_trial_that_others_say_more_of(sweep: Any) -> None:
    composition = sweep("model=svm,knn", text=UNION)
    assert space(composition) == [
        {"model.C": [1, 2], "model": ["svm"]},
        {"model.C": [3, 4], "model.kernel": ["linear", "rbf"], "model": ["svm"]},
        {"model.n_neighbors": [3, 5], "model": ["knn"]},
    ]


def test_subspaces_that_become_equal_are_merged(sweep: Any) -> None:
    assert space(sweep("model=naive_bayes,dummy", text=UNION)) == [{"model": ["naive_bayes", "dummy"]}]
    assert space(sweep("model=dummy", text=UNION)) == []


def test_without_a_choice_a_union_is_as_the_file_says(sweep: Any) -> None:
    assert [list(s) for s in space(sweep("transforms=tree", text=UNION))] == [
        ["model", "model.C"],
        ["model", "model.C", "model.kernel"],
        ["model", "model.n_neighbors"],
    ]


SECTIONS = """\
    defaults: [experiment, {transforms: tabular}, {model: bagging}, {calibration: sigmoid}]
    data: {path: x.csv, target: y}
    transforms: {own: {_target_: sklearn.decomposition.PCA}}
    sweep:
      space:
        split.n_splits: [3, 5]
        transforms.scale.with_mean: [true, false]
        transforms.encode.columns: [categorical]
        transforms.own.n_components: [2, 3]
        transforms.extra: [null, {_target_: sklearn.preprocessing.Normalizer}]
        transforms.late._target_: [sklearn.preprocessing.Normalizer]
        transforms.late.norm: [l1, l2]
        calibration.method: [sigmoid, isotonic]
        model.estimator.max_depth: [1, 2]
        model._partial_: [false]
        seed: [1, 2]
    model: {estimator: {_target_: sklearn.tree.DecisionTreeClassifier}}
    """


def left_out(composition: Composition) -> dict[str, str]:
    pairs = [m.split(" of sweep.space in configs/titanic.yaml:5 is left out: ") for m in said(composition)]
    return dict(pairs)


def test_every_section_is_treated_alike(sweep: Any) -> None:
    composition = sweep("split=leave_one_out", "transforms=tree", "calibration=none", "model=ada_boost", text=SECTIONS)
    assert left_out(composition) == {
        "split.n_splits": "LeaveOneOut has no such parameter",
        "transforms.scale.with_mean": "the chosen steps have none of that name",
        "calibration.method": "no calibration is chosen",
    }
    assert list(space(composition)[0]) == [
        "transforms.encode.columns",
        "transforms.own.n_components",
        "transforms.extra",
        "transforms.late._target_",
        "transforms.late.norm",
        "model.estimator.max_depth",
        "model._partial_",
        "seed",
    ]
    composition.point({"transforms.own.n_components": 3, "model.estimator.max_depth": 2})


def test_a_step_of_another_class_under_the_same_name_is_judged_by_its_parameters(sweep: Any) -> None:
    text = TITANIC.replace("model.C: [0.1, 1, 10]", "transforms.encode.min_frequency: [2]\n        "
                           "transforms.encode.sparse_output: [true]")  # fmt: skip
    composition = sweep("transforms=tree", text=text)
    assert space(composition) == [{"transforms.encode.min_frequency": [2]}]
    assert "transforms.encode.sparse_output" in said(composition)[0]


def test_parameters_inside_a_parameter_are_judged_by_the_inner_class(sweep: Any) -> None:
    text = SECTIONS.replace("max_depth", "max_dept")
    assert "DecisionTreeClassifier has no" in sweep("model=ada_boost", text=text).notices[-1].message


def test_a_deleted_part_is_not_swept(sweep: Any) -> None:
    text = TITANIC.replace("model.C: [0.1, 1, 10]", "transforms.scale.with_mean: [true, false]\n        seed: [1, 2]")
    for typed in ("~transforms.scale", "transforms.scale=null"):
        assert space(sweep(typed, text=text)) == [{"seed": [1, 2]}]


def test_what_a_file_says_to_a_group_that_is_set_to_none_is_left_out_too(sweep: Any) -> None:
    composition = sweep("calibration=none", text=textwrap.dedent(TITANIC) + "calibration: {method: sigmoid}\n")
    assert composition.spec.trial.calibration is None
    assert said(composition) == ["calibration.method of configs/titanic.yaml:6 is left out: no calibration is chosen"]


CASES = st.lists(
    st.sampled_from(
        ["model=svm", "model=knn,svm", "model=random_forest,knn,logistic_regression", "transforms=tree",
         "transforms=tabular,tree", "split=leave_one_out,kfold", "model.C=1,2", "seed=1,2", "calibration=none,sigmoid"]
    ),
    max_size=3,
    unique_by=lambda text: text.partition("=")[0],
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(overrides=CASES, text=st.sampled_from([TITANIC, UNION]))
def test_the_saved_config_runs_again_to_the_same(
    sweep: Any, workspace: Workspace, overrides: list[str], text: str
) -> None:
    first = sweep(*overrides, text=text)
    saved = workspace.root / "config.yaml"
    saved.write_text(to_yaml(first.config), encoding="utf-8")
    again = load_experiment(str(saved), [], workspace)
    assert again.spec == first.spec
    assert again.config == first.config
    assert again.notices == ()
    for point in points(first):
        assert again.point(point) == first.point(point)


def test_a_saved_config_is_pruned_when_another_model_is_asked_of_it(sweep: Any, workspace: Workspace) -> None:
    saved = workspace.root / "config.yaml"
    saved.write_text(to_yaml(sweep("model=svm,logistic_regression").config), encoding="utf-8")
    composition = load_experiment(str(saved), ["model=knn,svm"], workspace)
    assert space(composition) == [{"model": ["knn"]}, {"model.C": [0.1, 1, 10], "model": ["svm"]}]


# --- taking dimensions out, and where they are said ----------------------------------------------------------------


def test_an_empty_space_on_the_command_line_is_no_sweep(sweep: Any) -> None:
    for typed in ("sweep.space={}", "sweep.space=null", "sweep.space=[]", "~sweep.space", "~sweep.space.model.C"):
        assert space(sweep(typed)) == []
    assert space(sweep("sweep.space={}", "seed=1,2")) == [{"seed": [1, 2]}]


def test_a_dimension_can_be_taken_out_of_the_files_space(sweep: Any) -> None:
    text = TITANIC.replace("10]", "10]\n        seed: [1, 2]")
    assert space(sweep("~sweep.space.model.C", text=text)) == [{"seed": [1, 2]}]
    assert space(sweep("~sweep.space.model.C", "model.C=5,6", text=text)) == [{"seed": [1, 2], "model.C": [5, 6]}]
    assert space(sweep("~sweep.space.model.C", text=UNION))[0] == {"model": ["logistic_regression"]}


def test_a_dimension_that_is_typed_into_the_space_replaces_the_files(sweep: Any) -> None:
    assert space(sweep("sweep.space.model.C=[7]")) == [{"model.C": [7]}]


def test_a_swept_key_is_blamed_where_it_is_swept(sweep: Any) -> None:
    composition = sweep("seed=1,2", "sweep.space.threshold=[0.3]", text=TITANIC)
    assert composition.where("model.C") == composition.where("model.C[0]") == "configs/titanic.yaml:4"
    assert composition.where("seed") == composition.where("threshold") == "command line"
    assert composition.where("model.penalty").startswith("mlops_cli/conf/model/logistic_regression.yaml")
    assert composition.where("split.n_splits").startswith("mlops_cli/conf/split/kfold.yaml")
    swept = sweep("model=svm,knn")
    assert swept.where("model") == "command line"
    assert swept.where("model.kernel").startswith("mlops_cli/conf/model/svm.yaml:")
