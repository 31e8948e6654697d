"""Ensembles of named members: what is said of a member that is not there, and what stands around the whole."""

import pytest

from mlops_cli.components.build import build, wrap_calibration, wrap_threshold
from mlops_cli.components.targets import Role
from mlops_cli.config import find_workspace, load_experiment
from mlops_cli.errors import ConfigError
from mlops_cli.records import ComponentSpec, Task

MEMBERS = {
    "knn": {"_target_": "sklearn.neighbors.KNeighborsClassifier"},
    "tree": {"_target_": "sklearn.tree.DecisionTreeClassifier"},
}


def voting(**more):
    spec = ComponentSpec("sklearn.ensemble.VotingClassifier", {"estimators": {**MEMBERS, **more}})
    return build(spec, role=Role.ESTIMATOR, task=Task.CLASSIFICATION, key="model")


@pytest.mark.parametrize("value", [{"max_depth": 3}, 5])
def test_a_parameter_of_a_member_that_is_not_there_is_refused_with_the_nearest(value):
    with pytest.raises(ConfigError, match=r"^model.estimators.tee: there is no member 'tee'") as caught:
        voting(tee=value)
    assert caught.value.hint.startswith("did you mean 'tree'? allowed: knn, tree")


def test_members_may_be_left_out_by_null_or_drop():
    assert [name for name, _ in voting(tree=None).estimators] == ["knn"]
    assert ("tree", "drop") in voting(tree="drop").estimators


@pytest.fixture
def stacking(workspace):
    """The model of the option ``stacking`` under some overrides, unfitted."""
    (workspace / "configs" / "e.yaml").write_text(
        "defaults: [experiment, {data: csv}, {model: stacking}, _self_]\ndata: {path: d.csv, target: y}\n"
    )

    def make(*overrides, task=Task.CLASSIFICATION):
        spec = load_experiment("e", list(overrides), find_workspace()).spec
        return build(spec.trial.model, role=Role.ESTIMATOR, task=task, key="model", seed=0)

    return make


def test_a_stack_gives_the_probabilities_that_a_threshold_needs(stacking):
    assert wrap_threshold(stacking(), 0.3, task=Task.CLASSIFICATION).threshold == 0.3
    spec = ComponentSpec("sklearn.calibration.CalibratedClassifierCV", {"method": "sigmoid"})
    calibrated = wrap_calibration(stacking(), spec, task=Task.CLASSIFICATION)
    assert hasattr(calibrated.estimator, "predict_proba")


def test_a_stack_learns_by_what_scikit_learn_would_take_unless_told(stacking):
    assert type(stacking().final_estimator).__name__ == "LogisticRegression"
    assert type(stacking(task=Task.REGRESSION).final_estimator).__name__ == "RidgeCV"
    assert stacking("model.final_estimator.C=0.5").final_estimator.C == 0.5
    told = stacking("model.final_estimator={_target_: sklearn.tree.DecisionTreeClassifier, max_depth: 2}")
    assert told.final_estimator.max_depth == 2
