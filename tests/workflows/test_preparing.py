"""What is known, and said, before the first fit."""

import json

import numpy as np
import pandas as pd
import pytest

import mlops_cli as mlops
from mlops_cli.errors import ConfigError, DataError
from mlops_cli.workflows.running.prepare import RunOptions
from mlops_cli.workflows.running.run import dry

PLAIN = """
    defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
    data: {path: data/mixed.csv, target: survived, drop: [note, weight, family, amount]}
    """


def codes(prepared):
    return {notice.code for notice in prepared.notices}


def prepared(name, *overrides):
    return dry(name, list(overrides), RunOptions())


def test_a_model_that_cannot_take_what_is_left_raw_is_refused_before_the_fit(experiment):
    name = experiment(PLAIN)
    with pytest.raises(ConfigError, match=r"transforms: .*no step turns sex \(categorical\), port .*=tabular"):
        prepared(name, "transforms=none")


def test_missing_values_are_known_before_the_fit_too(experiment):
    with pytest.raises(ConfigError, match=r"takes no missing values, and no step fills those of age \(numeric\)"):
        prepared(experiment(PLAIN), "transforms=tree")


def test_in_a_sweep_only_the_trials_that_cannot_work_fail_at_once(experiment):
    run = mlops.run(experiment(PLAIN), ["transforms=tabular,tree", "model=logistic_regression,random_forest"])
    states = {(r.params["transforms"], r.params["model"]): str(r.state) for r in run.results}
    assert states == {
        ("tabular", "logistic_regression"): "completed",
        ("tabular", "random_forest"): "completed",
        ("tree", "logistic_regression"): "failed",
        ("tree", "random_forest"): "completed",
    }
    (failed,) = [r for r in run.results if r.error is not None]
    assert failed.error.type == "Unsuitable"
    assert "transforms=tabular" in failed.error.message
    assert failed.fit_s == 0
    lines = [json.loads(line) for line in (run.path / "trials.jsonl").read_text().splitlines()]
    assert len(lines) == 4


def test_groups_stay_together_without_being_asked(experiment, mixed):
    run = mlops.run(experiment(PLAIN.replace("family, ", "")), ["data.group=family"])
    table = run.predictions()
    family = mixed["family"].to_numpy()[table["row"]]
    assert pd.DataFrame({"family": family, "split": table["split"]}).groupby("family")["split"].nunique().max() == 1


def test_groups_that_a_chosen_splitter_parts_are_said(experiment):
    name = experiment(PLAIN.replace("family, ", ""))
    assert "group-overlap" in codes(prepared(name, "data.group=family", "split=kfold"))
    assert "group-overlap" not in codes(prepared(name, "data.group=family"))


def test_training_on_the_future_is_said(experiment, workspace, mixed):
    mixed.assign(day=pd.date_range("2024-01-01", periods=len(mixed))[::-1]).to_csv(
        workspace / "data/mixed.csv", index=False
    )
    name = experiment(PLAIN.replace("target: survived", "target: survived, time: day, dtypes: {day: datetime}"))
    assert "time-travel" in codes(prepared(name))
    assert "time-travel" not in codes(prepared(name, "split=time_series"))


def test_held_out_rows_are_the_last_in_time(experiment, workspace, mixed):
    days = pd.date_range("2024-01-01", periods=len(mixed))[::-1]
    mixed.assign(day=days).to_csv(workspace / "data/mixed.csv", index=False)
    name = experiment(PLAIN.replace("target: survived", "target: survived, time: day, dtypes: {day: datetime}"))
    found = prepared(name, "evaluation.test=0.25").loaded
    assert found.train.times.max() < found.test.times.min()
    assert found.test.rows == 30


def test_held_out_groups_are_whole(experiment):
    name = experiment(PLAIN.replace("family, ", ""))
    found = prepared(name, "data.group=family", "evaluation.test=0.25").loaded
    assert not set(found.train.groups) & set(found.test.groups)


def test_a_test_file_is_scored_like_the_rest(experiment, workspace, mixed):
    mixed.iloc[:80].to_csv(workspace / "data/mixed_train.csv", index=False)
    mixed.iloc[80:].to_csv(workspace / "data/mixed_test.csv", index=False)
    name = experiment(PLAIN.replace("mixed.csv", "mixed_train.csv"))
    run = mlops.run(name, ["evaluation.test=data/mixed_test.csv"])
    assert len(run.predictions()) == 80
    assert run.metrics["roc_auc"].test is not None
    assert len(pd.read_parquet(run.path / "predictions_test.parquet")) == 40


def test_a_test_file_without_labels_is_refused(experiment, workspace, mixed):
    mixed.drop(columns="survived").to_csv(workspace / "data/blind.csv", index=False)
    with pytest.raises(ConfigError, match=r"evaluation.test: .*no column 'survived'"):
        prepared(experiment(PLAIN), "evaluation.test=data/blind.csv")


def test_a_missing_test_file_is_named_with_its_key(experiment):
    with pytest.raises(DataError, match=r"evaluation.test: .*nothing.csv"):
        prepared(experiment(PLAIN), "evaluation.test=data/nothing.csv")


def test_more_splits_than_rows_is_one_message(experiment):
    with pytest.raises(DataError, match=r"split: StratifiedKFold cannot split the data.*fewer splits"):
        prepared(experiment(PLAIN), "split.n_splits=100")


def test_a_model_without_probabilities_gets_metrics_that_need_none(experiment, workspace):
    (workspace / "mine.py").write_text(
        "import numpy as np\n"
        "from sklearn.base import BaseEstimator, ClassifierMixin\n"
        "class Most(ClassifierMixin, BaseEstimator):\n"
        "    def fit(self, X, y):\n"
        "        self.classes_, counts = np.unique(y, return_counts=True)\n"
        "        self.most_ = self.classes_[counts.argmax()]\n"
        "        return self\n"
        "    def predict(self, X):\n"
        "        return np.full(len(X), self.most_)\n"
    )
    (workspace / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["mine"]\n')
    own = PLAIN.replace("{model: logistic_regression}, ", "").rstrip() + "\n    model: {_target_: mine.Most}\n"
    name = experiment(own)
    run = mlops.run(name)
    assert list(run.metrics) == ["accuracy", "f1"]
    assert "fewer-metrics" in {w.code for w in run.record.warnings}


def test_a_forgotten_target_is_named(experiment):
    with pytest.raises(ConfigError, match=r"set data\.target"):
        prepared(experiment(PLAIN.replace("target: survived, ", "")))


def test_a_bad_value_names_its_key(experiment):
    with pytest.raises(ConfigError, match=r"command line: model.C: The 'C' parameter of LogisticRegression"):
        prepared(experiment(PLAIN), "model.C=-1")


def test_a_threshold_on_three_classes_is_refused(experiment, workspace):
    pd.DataFrame({"x": np.arange(60.0), "y": list("abc") * 20}).to_csv(workspace / "data/three.csv", index=False)
    name = experiment("""
        defaults: [experiment, {data: csv}, {model: logistic_regression}, _self_]
        data: {path: data/three.csv, target: y}
        threshold: 0.4
        """)
    with pytest.raises(ConfigError, match="threshold: a threshold parts two classes; the target has 3"):
        prepared(name)


def test_weights_that_a_model_ignores_are_said(experiment):
    name = experiment(PLAIN.replace("weight, ", "").replace("target: survived", "target: survived, weight: weight"))
    assert "weights-ignored" in codes(prepared(name, "model=knn"))
    assert "weights-ignored" not in codes(prepared(name))


def test_a_change_in_a_module_that_is_not_named_changes_nothing(experiment, workspace):
    (workspace / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["other"]\n')
    (workspace / "other.py").write_text("A = 1\n")
    name = experiment(PLAIN)
    first = mlops.run(name)
    (workspace / "other.py").write_text("A = 2\n")
    assert mlops.run(name).id == first.id


def test_clusters_are_found_without_a_target(experiment):
    name = experiment(PLAIN.replace("target: survived, ", "").replace("drop: [", "drop: [survived, "))
    run = mlops.run(name, ["model=kmeans,dbscan", "model.n_clusters=3"][:1])
    assert run.record.task == "clustering"
    assert set(run.metrics) == {"silhouette", "calinski_harabasz", "davies_bouldin"}
    assert run.model().predict is not None
