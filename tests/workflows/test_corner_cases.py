"""Odd data and odd components: the scores stay right, and no run is lost."""

import json

import numpy as np
import pandas as pd
import pytest

import mlops_cli as mlops

PLAIN = """
    defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
    data: {path: data/mixed.csv, target: survived, drop: [note, weight, family, amount]}
    evaluation: {metrics: [accuracy]}
    """


def trust(workspace, name, text):
    (workspace / f"{name}.py").write_text(text)
    (workspace / "pyproject.toml").write_text(f'[tool.mlops]\ntrust = ["{name}"]\n')


@pytest.mark.parametrize("backend", ["sequential", "threading"])
def test_estimators_that_work_in_place_leave_shared_fits_alone(experiment, backend):
    name = experiment("""
        defaults: [experiment, {data: csv}, {model: linear}, _self_]
        data: {path: data/mixed.csv, target: amount, features: [fare, family]}
        transforms: {scale: {_target_: sklearn.preprocessing.StandardScaler, copy: false}}
        model: {copy_X: false}
        evaluation: {metrics: [mae]}
        """)
    swept = mlops.run(name, ["model.fit_intercept=true,false", f"launcher={backend}", "launcher.n_jobs=2"])
    for result in swept.results:
        value = str(result.params["model.fit_intercept"]).lower()
        alone = mlops.run(name, [f"model.fit_intercept={value}"])
        assert alone.results[0].scores == result.scores


def test_a_function_that_is_named_as_text_is_part_of_the_fingerprint(experiment, workspace):
    body = "import numpy as np\ndef f(y):\n    return np.log1p(y)\ndef g(y):\n    return np.expm1(y)\n"
    trust(workspace, "mine", body)
    name = experiment("""
        defaults: [experiment, {data: csv}, {model: linear}, _self_]
        data: {path: data/mixed.csv, target: amount, features: [fare]}
        target_transform:
          _target_: sklearn.compose.TransformedTargetRegressor
          func: mine.f
          inverse_func: mine.g
        """)
    first = mlops.run(name)
    (workspace / "mine.py").write_text(body.replace("log1p(y)", "log1p(y) * 1.0"))
    assert mlops.run(name).id != first.id


def test_rows_of_one_time_are_not_parted_by_the_hold_out(experiment, workspace, mixed):
    mixed.assign(day=pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(len(mixed)) // 50, unit="D")).to_csv(
        workspace / "data/mixed.csv", index=False
    )
    name = experiment(PLAIN.replace("target: survived", "target: survived, time: day, dtypes: {day: datetime}"))
    run = mlops.run(name, ["evaluation.test=0.3", "split=time_series", "split.n_splits=2"])
    held = pd.read_parquet(run.path / "predictions_test.parquet")
    assert held["row"].tolist() == list(range(100, 120))


def test_a_finished_run_without_what_is_asked_for_now_is_run_again(experiment):
    name = experiment(PLAIN)
    bare = mlops.run(name, ["artifacts.keep=none", "artifacts.predictions=false"])
    full = mlops.run(name)
    assert full.id != bare.id
    assert full.model() is not None
    assert mlops.run(name).id == full.id


def test_test_rows_that_cannot_be_scored_cost_only_their_score(experiment, workspace, mixed):
    mixed.assign(port=mixed["port"].replace("Q", "X")).to_csv(workspace / "data/strange.csv", index=False)
    run = mlops.run(experiment(PLAIN), ["evaluation.test=data/strange.csv", "transforms.encode.handle_unknown=error"])
    assert run.status == "completed"
    assert run.metrics["accuracy"].test is None
    assert "test-failed" in {w.code for w in run.record.warnings}
    assert run.model() is not None


def test_a_class_that_is_missing_from_a_training_split_has_probability_zero(experiment, workspace):
    y = ["a"] * 30 + ["b"] * 29 + ["rare"]
    pd.DataFrame({"x": np.arange(60.0), "y": y}).to_csv(workspace / "data/rare.csv", index=False)
    name = experiment("""
        defaults: [experiment, {data: csv}, {model: naive_bayes}, {split: kfold}, _self_]
        data: {path: data/rare.csv, target: y}
        evaluation: {metrics: [accuracy]}
        """)
    table = mlops.run(name).predictions()
    assert len(table) == 60
    where = table.loc[table["target"] == "rare", "split"].iloc[0]
    assert (table.loc[table["split"] == where, "proba_rare"] == 0).all()
    np.testing.assert_allclose(table[["proba_a", "proba_b", "proba_rare"]].sum(axis=1), 1.0)


def test_a_splitter_may_give_masks_or_lists(experiment, workspace):
    trust(
        workspace,
        "parts",
        "import numpy as np\n"
        "class Masks:\n"
        "    def get_n_splits(self, X=None, y=None, groups=None):\n"
        "        return 2\n"
        "    def split(self, X, y=None, groups=None):\n"
        "        odd = np.arange(len(X)) % 2 == 1\n"
        "        yield odd, ~odd\n"
        "        yield list(np.flatnonzero(~odd)), list(np.flatnonzero(odd))\n",
    )
    name = experiment(PLAIN.rstrip() + "\n    split: {_target_: parts.Masks}\n")
    table = mlops.run(name).predictions()
    assert sorted(table["row"]) == list(range(120))


def test_a_splitter_that_raises_is_one_message(experiment, workspace):
    trust(
        workspace,
        "parts",
        "class Broken:\n"
        "    def get_n_splits(self, X=None, y=None, groups=None):\n"
        "        return 2\n"
        "    def split(self, X, y=None, groups=None):\n"
        "        raise TypeError('no cheese')\n",
    )
    with pytest.raises(mlops_error(), match="split: Broken cannot split the data: no cheese"):
        mlops.run(experiment(PLAIN.rstrip() + "\n    split: {_target_: parts.Broken}\n"))


def mlops_error():
    from mlops_cli.errors import DataError

    return DataError


def test_a_metric_that_cannot_be_pickled_reaches_the_workers_by_its_name(experiment, workspace, monkeypatch):
    monkeypatch.setattr("mlops_cli.components.launchers.processes.POOL_START_S", 0.0)
    trust(workspace, "scores", "hits = lambda y_true, y_pred: float((y_true == y_pred).mean())\n")
    name = experiment(PLAIN.replace("metrics: [accuracy]", "metrics: [accuracy, {hits: {_target_: scores.hits}}]"))
    run = mlops.run(name, ["model.C=0.1,1,10", "launcher.n_jobs=2"])
    for result in run.results:
        np.testing.assert_allclose(result.scores["hits"], result.scores["accuracy"])


def test_steps_may_have_any_name(experiment):
    name = experiment("""
        defaults: [experiment, {data: csv}, {model: logistic_regression}, _self_]
        data: {path: data/mixed.csv, target: survived, features: [age, fare, family]}
        transforms:
          model: {_target_: sklearn.impute.SimpleImputer, columns: [age, fare]}
          columns: {_target_: sklearn.decomposition.PCA, n_components: 2}
          model_step: {_target_: sklearn.preprocessing.StandardScaler}
        """)
    run = mlops.run(name)
    assert [name for name, _ in run.model().pipeline.steps][-1] == "model"


def test_an_id_column_may_be_called_row_or_split(experiment, workspace, mixed):
    mixed.assign(split=[f"P{i}" for i in range(len(mixed))]).to_csv(workspace / "data/mixed.csv", index=False)
    table = mlops.run(experiment(PLAIN.replace("target: survived", "target: survived, id: split"))).predictions()
    assert set(table["split"]) == {0, 1, 2, 3, 4}
    assert table["split_id"].tolist() == [f"P{i}" for i in table["row"]]


def test_a_split_without_shuffling_needs_no_seed(experiment):
    run = mlops.run(experiment(PLAIN), ["split=kfold", "split.shuffle=false"])
    assert run.predictions()["row"].tolist() == list(range(120))


def test_native_categories_reach_the_model_that_takes_them(experiment):
    overrides = [
        "transforms=none",
        "model=hist_gradient_boosting",
        "data.dtypes={sex: category, port: category}",
    ]
    run = mlops.run(experiment(PLAIN), overrides)
    assert run.record.counts.completed == 1
    assert not [w for w in run.record.warnings if w.code == "refit-failed"]
    assert run.model() is not None


def test_versions_of_swept_components_are_recorded(experiment):
    run = mlops.run(experiment(PLAIN), ["transforms=tabular,auto"])
    assert "skrub" in json.loads((run.path / "run.json").read_text())["environment"]["packages"]
