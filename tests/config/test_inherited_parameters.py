"""What an experiment's file says of its own option stays where it fits when another option is chosen."""

import pytest

from mlops_cli.config import load_experiment
from mlops_cli.config.workspace import Workspace
from mlops_cli.errors import ConfigError

TITANIC = """
defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, {split: kfold}, _self_]
data: {path: data/titanic.csv, target: survived}
transforms: {impute_numeric: {strategy: mean}, encode: {min_frequency: 2}}
model: {C: 1.0, class_weight: balanced}
split: {n_splits: 3}
"""


@pytest.fixture
def load(tmp_path):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "titanic.yaml").write_text(TITANIC)
    return lambda *overrides: load_experiment("titanic", list(overrides), Workspace(tmp_path))


def test_the_files_own_option_keeps_everything(load):
    composition = load()
    assert composition.spec.trial.model.params["C"] == 1.0
    assert composition.notices == ()


def test_a_parameter_that_the_new_class_lacks_is_left_out_aloud(load):
    composition = load("model=random_forest", "model.max_depth=3")
    assert "C" not in composition.spec.trial.model.params
    assert composition.spec.trial.model.params["max_depth"] == 3
    (notice,) = composition.notices
    assert notice.code == "left-out"
    assert notice.message.startswith("model.C of configs/titanic.yaml:5 is left out: RandomForestClassifier")


def test_a_parameter_that_the_new_class_takes_stays(load):
    assert load("model=random_forest").spec.trial.model.params["class_weight"] == "balanced"
    assert load("model=svm").spec.trial.model.params["C"] == 1.0


def test_the_command_line_is_never_left_out(load):
    assert load("model=random_forest", "model.C=3").spec.trial.model.params["C"] == 3


def test_each_option_of_a_sweep_gets_what_fits_it(load):
    composition = load("model=logistic_regression,knn")
    assert composition.point({"model": "logistic_regression"}).model.params["C"] == 1.0
    assert "C" not in composition.point({"model": "knn"}).model.params


def test_splits_and_steps_are_treated_alike(load):
    composition = load("split=leave_one_out", "transforms=tree")
    assert "n_splits" not in composition.spec.trial.split.params
    assert [t.name for t in composition.spec.trial.transforms] == ["encode", "leave_out"]
    assert composition.spec.trial.transforms[0].component.params["min_frequency"] == 2
    assert {n.message.partition(" of ")[0] for n in composition.notices} == {
        "split.n_splits",
        "transforms.impute_numeric",
    }


def test_the_saved_config_stands_alone(load, tmp_path):
    from mlops_cli.config import to_yaml

    saved = tmp_path / "saved.yaml"
    saved.write_text(to_yaml(load("model=random_forest").config))
    again = load_experiment(str(saved), [], Workspace(tmp_path))
    assert "C" not in again.spec.trial.model.params


def test_a_wrong_parameter_beside_its_own_option_is_still_an_error(load, tmp_path):
    (tmp_path / "configs" / "titanic.yaml").write_text(TITANIC.replace("C: 1.0", "CC: 1.0"))
    assert load().spec.trial.model.params["CC"] == 1.0  # refused by name where the model is built
    with pytest.raises(ConfigError, match="nothing"):
        load("model=nothing")


def test_what_was_said_of_a_trial_comes_before_what_options_bring(load):
    leaves = list(load("model.max_iter=50", "model.tol=1e-5").leaves({}))
    assert leaves[:2] == ["model.max_iter", "model.tol"]  # of the command line, as typed
    of_model = [key for key in leaves if key.startswith("model.") and "_target_" not in key]
    assert of_model[:4] == ["model.max_iter", "model.tol", "model.C", "model.class_weight"]
    assert set(leaves) > {"model", "model.solver", "transforms.impute_numeric.strategy", "split.n_splits"}
