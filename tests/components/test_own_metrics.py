"""Metrics of the user's own that give no score are told so."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

from mlops_cli.components.metrics import evaluate, resolve_metrics
from mlops_cli.errors import ConfigError
from mlops_cli.records import ComponentSpec, MetricSpec, Task

CODE = """
class NotCallable:
    pass

class Callable:
    def __call__(self, y_true, y_pred):
        return 0.5

def nothing(y_true, y_pred):
    return None

def several(y_true, y_pred):
    return [1, 2]
"""
X, Y = np.zeros((4, 1)), np.array([0, 1, 0, 1])


@pytest.fixture
def metric(tmp_path, monkeypatch):
    """Resolve a metric of a module of the user's own."""
    (tmp_path / "own_scores.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)

    def resolve(name):
        spec = MetricSpec("m", ComponentSpec(f"own_scores.{name}"))
        return resolve_metrics([spec], Task.CLASSIFICATION, classes=[0, 1], trust=("own_scores",))

    return resolve


def test_a_class_whose_objects_cannot_be_called_is_refused(metric):
    with pytest.raises(
        ConfigError, match=r"evaluation.metrics.m: own_scores.NotCallable .* cannot be called"
    ) as caught:
        metric("NotCallable")
    assert "(y_true, y_pred)" in caught.value.hint


def test_a_class_whose_objects_can_be_called_scores(metric):
    scores, _ = evaluate(metric("Callable"), DummyClassifier().fit(X, Y), X, Y)
    assert scores == {"m": 0.5}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing", "the metric m returned nothing: does its function return the score?"),
        ("several", "the metric m returned a list, not a number"),
    ],
)
def test_what_is_no_number_is_said_with_what_it_is(metric, name, said):
    with pytest.raises(ValueError, match=r"the metric m") as caught:
        evaluate(metric(name), DummyClassifier().fit(X, Y), X, Y)
    assert str(caught.value) == said


def test_a_model_without_probabilities_is_named_and_not_what_stands_for_it():
    from sklearn.svm import LinearSVC

    (log_loss,) = resolve_metrics([MetricSpec("log_loss")], Task.CLASSIFICATION, classes=[0, 1])
    with pytest.raises(AttributeError, match=r"^log_loss: LinearSVC has none of") as caught:
        evaluate([log_loss], LinearSVC().fit(X, Y), X, Y)
    assert "Responses" not in str(caught.value)
