"""What is put around a model does what scikit-learn's own wrapper does."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from mlops_cli.components.build import spec_from, takes_sample_weight, wrap_calibration, wrap_target, wrap_threshold
from mlops_cli.errors import ConfigError, TrustError
from mlops_cli.records import Task

LOG = spec_from(
    {
        "_target_": "sklearn.compose.TransformedTargetRegressor",
        "func": "numpy.log1p",
        "inverse_func": "numpy.expm1",
    }
)
SIGMOID = spec_from({"_target_": "sklearn.calibration.CalibratedClassifierCV", "method": "sigmoid", "cv": 3})


@pytest.fixture(scope="module")
def regression():
    return load_diabetes(return_X_y=True)


@pytest.fixture(scope="module")
def binary():
    X, y = load_breast_cancer(return_X_y=True)
    return StandardScaler().fit_transform(X), y


def test_nothing_asked_for_leaves_the_model_as_it_is() -> None:
    model = Ridge()
    assert wrap_target(model, None) is model
    assert wrap_calibration(model, None) is model
    assert wrap_threshold(model, None, None) is model


def test_a_pair_of_functions_transforms_the_target(regression) -> None:
    X, y = regression
    ours = wrap_target(LinearRegression(), LOG, task=Task.REGRESSION, seed=0).fit(X, y).predict(X)
    theirs = TransformedTargetRegressor(LinearRegression(), func=np.log1p, inverse_func=np.expm1).fit(X, y).predict(X)
    np.testing.assert_array_equal(ours, theirs)


def test_a_transformer_transforms_the_target(regression) -> None:
    X, y = regression
    spec = spec_from({"_target_": "sklearn.preprocessing.StandardScaler"})
    ours = wrap_target(Ridge(), spec, task=Task.REGRESSION).fit(X, y).predict(X)
    theirs = TransformedTargetRegressor(Ridge(), transformer=StandardScaler()).fit(X, y).predict(X)
    np.testing.assert_array_equal(ours, theirs)


def test_a_function_of_the_target_is_trusted_like_any_name() -> None:
    spec = spec_from({"_target_": "sklearn.compose.TransformedTargetRegressor", "func": "os.system"})
    with pytest.raises(TrustError, match=r"target_transform\.func: 'os\.system'"):
        wrap_target(Ridge(), spec, task=Task.REGRESSION)


def test_each_wrapper_names_the_task_that_it_is_for() -> None:
    with pytest.raises(
        ConfigError,
        match=r"target_transform: this is for regression; the task is classification \(choose target_transform=none\)",
    ):
        wrap_target(LogisticRegression(), LOG, task=Task.CLASSIFICATION)
    with pytest.raises(ConfigError, match="calibration: this is for classification"):
        wrap_calibration(Ridge(), SIGMOID, task=Task.REGRESSION)
    with pytest.raises(ConfigError, match="threshold: this is for classification"):
        wrap_threshold(Ridge(), 0.5, task=Task.REGRESSION)


def test_calibration_is_scikit_learns(binary) -> None:
    X, y = binary
    ours = wrap_calibration(LinearSVC(random_state=0), SIGMOID, task=Task.CLASSIFICATION, seed=0)
    theirs = CalibratedClassifierCV(LinearSVC(random_state=0), method="sigmoid", cv=3)
    np.testing.assert_array_equal(ours.fit(X, y).predict_proba(X), theirs.fit(X, y).predict_proba(X))


def test_a_threshold_moves_the_prediction_of_the_class_that_is_meant(binary) -> None:
    X, y = binary
    labels = np.where(y == 1, "benign", "malignant")
    model = GaussianNB()
    wrapped = wrap_threshold(model, 0.9, "benign", task=Task.CLASSIFICATION).fit(X, labels)
    proba = model.fit(X, labels).predict_proba(X)[:, list(model.classes_).index("benign")]
    np.testing.assert_array_equal(wrapped.predict(X) == "benign", proba >= 0.9)


def test_a_metric_chooses_the_threshold(binary) -> None:
    X, y = binary
    labels = np.where(y == 1, "benign", "malignant")
    wrapped = wrap_threshold(LogisticRegression(), "recall", "malignant", task=Task.CLASSIFICATION).fit(X, labels)
    assert (wrapped.predict(X) == "malignant").sum() > (labels == "malignant").sum()
    assert 0 <= wrapped.best_threshold_ <= 1


@pytest.mark.parametrize("threshold", [0, 1, 1.5, -0.1, True, float("nan")])
def test_a_threshold_is_a_probability(threshold) -> None:
    with pytest.raises(ConfigError, match="is neither a probability between 0 and 1 nor the name of a metric"):
        wrap_threshold(LogisticRegression(), threshold, 1)


def test_a_threshold_needs_probabilities() -> None:
    with pytest.raises(ConfigError, match=r"LinearSVC gives no probabilities .add calibration=sigmoid"):
        wrap_threshold(LinearSVC(), 0.3, 1)


@pytest.mark.parametrize("metric", ["f2", "roc_auc", "rmse"])
def test_a_threshold_is_chosen_by_a_metric_of_predicted_classes(metric: str) -> None:
    with pytest.raises(ConfigError, match="threshold: "):
        wrap_threshold(LogisticRegression(), metric, 1)


def test_weights_reach_through_the_wrappers_that_take_them(binary, regression) -> None:
    X, y = binary
    calibrated = wrap_calibration(LogisticRegression(), SIGMOID, task=Task.CLASSIFICATION)
    assert takes_sample_weight(calibrated)
    plain = calibrated.fit(X, y).predict_proba(X)
    weighted = calibrated.fit(X, y, sample_weight=np.where(y == 1, 10.0, 1.0)).predict_proba(X)
    assert not np.allclose(plain, weighted)
    X, y = regression
    model = wrap_target(Ridge(), LOG, task=Task.REGRESSION)
    assert takes_sample_weight(model)
    assert not np.allclose(model.fit(X, y).predict(X), model.fit(X, y, sample_weight=y).predict(X))


def test_scikit_learns_threshold_classifiers_take_no_weights(binary) -> None:
    X, y = binary
    for wrapped in (wrap_threshold(LogisticRegression(), 0.4, 1), wrap_threshold(LogisticRegression(), "f1", 1)):
        assert not takes_sample_weight(wrapped)
        with pytest.raises(ValueError, match="metadata_routing"):
            wrapped.fit(X, y, sample_weight=y)
