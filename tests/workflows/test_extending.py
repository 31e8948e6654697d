"""A user slots in a transform, a model, a metric, a splitter and a data source of their own: one module, some YAML."""

import numpy as np
import pandas as pd
import pytest

import mlops_cli as mlops
from mlops_cli.errors import TrustError

MODULE = '''
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted


class Ratio(TransformerMixin, BaseEstimator):
    """Adds the ratio of the first two columns."""

    def __init__(self, floor=1.0):
        self.floor = floor

    def fit(self, X, y=None):
        self.n_features_in_ = np.shape(X)[1]
        return self

    def transform(self, X):
        values = np.asarray(X, dtype=float)
        return np.column_stack([values, values[:, 0] / np.maximum(values[:, 1], self.floor)])


class Nearest(ClassifierMixin, BaseEstimator):
    """Predicts the class whose mean is nearest."""

    def __init__(self, shrink=0.0):
        self.shrink = shrink

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        means = np.array([np.asarray(X)[y == c].mean(axis=0) for c in self.classes_])
        self.means_ = (1 - self.shrink) * means
        return self

    def predict(self, X):
        check_is_fitted(self)
        distances = ((np.asarray(X)[:, None, :] - self.means_[None]) ** 2).sum(axis=2)
        return self.classes_[distances.argmin(axis=1)]


def profit(y_true, y_pred, gain=2.0):
    return float(gain * np.sum((y_true == 1) & (y_pred == 1)) - np.sum((y_true == 0) & (y_pred == 1)))


class Halves:
    """Splits rows into halves by turns."""

    def split(self, X, y=None, groups=None):
        rows = np.arange(len(X))
        yield rows[rows % 2 == 0], rows[rows % 2 == 1]
        yield rows[rows % 2 == 1], rows[rows % 2 == 0]

    def get_n_splits(self, X=None, y=None, groups=None):
        return 2


class Made:
    """A data source: a table made on the spot."""

    def __init__(self, rows, noise=0.1):
        self.rows, self.noise = rows, noise

    def load(self):
        rng = np.random.default_rng(3)
        label = rng.integers(0, 2, self.rows)
        a = label + rng.normal(0, self.noise, self.rows)
        return pd.DataFrame({"a": a, "b": rng.uniform(1, 2, self.rows), "label": label})
'''

CONFIG = """
    defaults: [experiment, _self_]
    data: {_target_: mine.Made, rows: 80, noise: 0.3, target: label}
    transforms:
      ratio: {_target_: mine.Ratio, columns: numeric, floor: 0.5}
    model: {_target_: mine.Nearest}
    split: {_target_: mine.Halves}
    evaluation:
      metrics: [accuracy, {name: profit, _target_: mine.profit, greater_is_better: true, gain: 3.0}]
      primary: profit
    """


@pytest.fixture
def own(experiment, workspace):
    (workspace / "mine.py").write_text(MODULE)
    (workspace / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["mine"]\n')
    return experiment(CONFIG, "own")


def by_hand():
    rng = np.random.default_rng(3)
    label = rng.integers(0, 2, 80)
    a = label + rng.normal(0, 0.3, 80)
    b = rng.uniform(1, 2, 80)
    X = np.column_stack([a, b, a / np.maximum(b, 0.5)])
    scores = []
    for half in (0, 1):
        train, test = np.arange(80) % 2 == half, np.arange(80) % 2 != half
        means = np.array([X[train][label[train] == c].mean(axis=0) for c in (0, 1)])
        predicted = ((X[test][:, None] - means[None]) ** 2).sum(axis=2).argmin(axis=1)
        scores.append(
            3.0 * ((label[test] == 1) & (predicted == 1)).sum() - ((label[test] == 0) & (predicted == 1)).sum()
        )
    return scores


def test_everything_of_ones_own_runs_and_scores_right(own):
    run = mlops.run(own)
    assert list(run.metrics["profit"].splits) == by_hand()
    assert run.record.primary == "profit"


def test_it_runs_in_worker_processes(own, monkeypatch):
    monkeypatch.setattr("mlops_cli.components.launchers.processes.POOL_START_S", 0.0)
    run = mlops.run(own, ["model.shrink=0.0,0.1,0.2", "launcher.n_jobs=2"])
    assert run.record.counts.completed == 3
    assert list(run.results[0].scores["profit"]) == by_hand()


def test_the_saved_model_is_opened_again(own):
    run = mlops.run(own)
    predicted = mlops.find_run("own:latest").model().predict(pd.DataFrame({"a": [0.0, 1.0], "b": [1.5, 1.5]}))
    assert predicted.tolist() == [0, 1]
    assert run.record.files


def test_a_module_that_is_not_trusted_is_not_imported(own, workspace):
    (workspace / "pyproject.toml").write_text("[tool.mlops]\ntrust = []\n")
    (workspace / "mine.py").write_text("open('imported', 'w').close()")
    with pytest.raises(TrustError, match=r"mine.*trust"):
        mlops.run(own)
    assert not (workspace / "imported").exists()


def test_changed_code_makes_another_run(own, workspace):
    first = mlops.run(own)
    assert mlops.run(own).id == first.id
    (workspace / "mine.py").write_text(MODULE + "\nNEW = 1\n")
    assert mlops.run(own).id != first.id


def test_an_option_file_is_all_that_a_new_model_needs(own, workspace):
    (workspace / "configs" / "model").mkdir()
    (workspace / "configs" / "model" / "nearest.yaml").write_text("_target_: mine.Nearest\nshrink: 0.5\n")
    (workspace / "configs" / "own2.yaml").write_text(
        "defaults: [experiment, {model: nearest}, _self_]\ndata: {_target_: mine.Made, rows: 60, target: label}\n"
    )
    assert mlops.run("own2", ["model=nearest,dummy"]).record.counts.completed == 2


def test_an_edited_module_is_imported_anew_in_the_same_process(own, workspace, monkeypatch):
    monkeypatch.setattr("mlops_cli.components.launchers.processes.POOL_START_S", 0.0)
    overrides = ["model.shrink=0.0,0.1", "launcher.n_jobs=2"]
    first = mlops.run(own, overrides)
    (workspace / "mine.py").write_text(MODULE.replace("gain * np.sum", "100 * gain * np.sum"))
    second = mlops.run(own, overrides)
    assert second.id != first.id
    for before, after in zip(first.results, second.results, strict=True):
        assert all(b > 10 * a for a, b in zip(before.scores["profit"], after.scores["profit"], strict=True))
