"""A component that the command line gives whole stands alone: nothing of the old one's parameters is left."""

from typing import Any

import pytest

from mlops_cli.records import ComponentSpec, TransformSpec


def test_a_whole_model_replaces_the_option(load: Any) -> None:
    spec = load("model={_target_: sklearn.dummy.DummyClassifier, strategy: prior}").spec
    assert spec.trial.model == ComponentSpec("sklearn.dummy.DummyClassifier", {"strategy": "prior"})


def test_parameters_alone_are_laid_over_the_option(load: Any) -> None:
    spec = load("model={C: 3.0}").spec
    assert spec.trial.model.params == {"C": 3.0, "kernel": "rbf"}


def test_what_is_said_after_a_whole_model_is_kept(load: Any) -> None:
    spec = load("model={_target_: sklearn.dummy.DummyClassifier}", "model.strategy=uniform").spec
    assert spec.trial.model == ComponentSpec("sklearn.dummy.DummyClassifier", {"strategy": "uniform"})


def test_a_whole_component_inside_another_replaces_it_too(load: Any) -> None:
    spec = load("model=nested", "model.estimator={_target_: sklearn.svm.SVR}").spec
    assert spec.trial.model.params["estimator"] == ComponentSpec("sklearn.svm.SVR", {})


def test_a_whole_step_keeps_the_columns_that_it_acts_on(load: Any) -> None:
    spec = load("transforms.impute={_target_: sklearn.impute.KNNImputer}").spec
    assert spec.trial.transforms[0] == TransformSpec("impute", ComponentSpec("sklearn.impute.KNNImputer"), ("numeric",))
    spec = load("transforms.impute={_target_: sklearn.impute.KNNImputer, columns: all}").spec
    assert spec.trial.transforms[0].columns == ("all",)


def test_a_whole_source_keeps_what_the_columns_are_for(load: Any) -> None:
    spec = load("data={_target_: mlops_cli.components.sources.TsvSource}").spec
    assert spec.data.target == "survived"


@pytest.mark.parametrize("position", [0, 1])
def test_whole_models_can_be_swept(load: Any, position: int) -> None:
    composition = load("model={_target_: sklearn.svm.SVC, C: 2},{_target_: sklearn.dummy.DummyClassifier}")
    choice = composition.spec.sweep.subspaces[0][0].choices[position]
    model = composition.point({"model": choice}).model
    assert model.params == ({"C": 2} if position == 0 else {})
