"""How the parameters of a model that is made anew are found: those it has, around them, by the whole sweep; or learned
on from where it stands, as scikit-learn does it by hand."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier

import mlops_cli as mlops
from mlops_cli.components.continued import Way, way_of
from mlops_cli.errors import ConfigError, UsageError
from mlops_cli.planning.around import around
from mlops_cli.records import Dimension, DimensionKind

HEAD = """
defaults: [experiment, {data: csv}, {transforms: TRANSFORMS}, {model: MODEL}, _self_]
name: cancer
data: {path: data/old.csv, target: target, id: key}
artifacts: {plots: none, predictions: false}
"""


@pytest.fixture
def cancer(workspace):
    """569 tumours in an order of no meaning: 300 as they were known first, the others as they came."""
    frame = load_breast_cancer(as_frame=True).frame.sample(frac=1, random_state=0, ignore_index=True)
    frame = frame[[*frame.columns[:8], "target"]].assign(key=range(len(frame)))
    frame.iloc[:300].to_csv("data/old.csv", index=False)
    frame.iloc[300:].to_csv("data/new.csv", index=False)
    return workspace


def champion(home, model, *overrides, transforms="tabular", more=""):
    text = HEAD.replace("MODEL", model).replace("TRANSFORMS", transforms) + more
    (home / "configs" / "cancer.yaml").write_text(text)
    return mlops.register(mlops.run("cancer", list(overrides), n_jobs=1), alias="champion")


def config_of(ref):
    return yaml.safe_load((mlops.models.find(ref).path / "config.yaml").read_text())


# --- the space ---------------------------------------------------------------------------------------------------


def interval(low, high, **kind):
    return Dimension("a", DimensionKind.INTERVAL, low=low, high=high, **kind)


@pytest.mark.parametrize(
    ("dimension", "value", "low", "high"),
    [
        (interval(0.0, 8.0), 4.0, 3.0, 5.0),
        (interval(0.0, 8.0), 0.5, 0.0, 2.0),
        (interval(1e-4, 1e4, log=True), 1e4, 1e2, 1e4),
        (interval(1, 100, integer=True), 50, 37, 63),
        (interval(1, 3, integer=True), 2, 1, 3),
        (interval(1, 1000, integer=True, log=True), 2, 1, 6),
    ],
)
def test_an_interval_is_narrowed_around_the_value_in_its_own_scale(dimension, value, low, high):
    (found,) = around([(dimension,)], {"a": value})
    assert (found.low, found.high) == pytest.approx((low, high))
    assert (found.integer, found.log) == (dimension.integer, dimension.log)


@pytest.mark.parametrize(
    ("choices", "value", "left"),
    [
        ((1, 3, 10, 30), 10, (3, 10, 30)),
        ((30, 1, 10, 3), 1, (1, 3)),
        ((None, 3, 5), 3, (3, 5)),
        ((None, 3, 5), None, (None,)),
        (("mean", "median"), "mean", ("mean",)),
        ((True, False), True, (True,)),
    ],
)
def test_of_choices_the_neighbours_stay_where_they_have_an_order(choices, value, left):
    (found,) = around([(Dimension("a", DimensionKind.CHOICE, choices),)], {"a": value})
    assert found.choices == left


def test_a_point_outside_of_the_space_has_nothing_around_it():
    assert around([(interval(0.0, 1.0),)], {"a": 2.0}) == ()
    assert around([(interval(0.0, 1.0),)], {"b": 0.5}) == ()


def test_of_a_union_the_part_stays_that_the_point_lies_in():
    groups = [Dimension("model", DimensionKind.CHOICE, (name,), is_group=True) for name in ("svm", "forest")]
    spaces = [(groups[0], interval(0.0, 1.0)), (groups[1], interval(0.0, 8.0))]
    found = around(spaces, {"model": "forest", "a": 4.0})
    assert [d.choices or (d.low, d.high) for d in found] == [("forest",), (3.0, 5.0)]


# --- searched again ----------------------------------------------------------------------------------------------

SWEEP = """
sweep:
  sampler: random
  trials: 4
  space:
    model.C: tag(log, interval(1e-4, 1e4))
    transforms.impute_numeric.strategy: [mean, median]
"""


def test_around_the_champion_fewer_values_are_tried_and_the_first_space_is_not_forgotten(cancer):
    before = champion(cancer, "logistic_regression", more=SWEEP)
    best = before.record.best.params
    same = mlops.retrain("cancer", data="data/new.csv", promote=False, n_jobs=1)
    assert mlops.models.find(same.version).record.best.params == best
    assert mlops.models.find(same.version).record.counts.trials == 1
    near = mlops.retrain(same.version, data="data/new.csv", sweep="around", force=True, promote=False, n_jobs=1)
    run = mlops.find_run(near.run)
    assert len(run.trials) == 4
    assert best["model.C"] > 1e3  # less than a decade from the end of the whole space, so moved inwards
    assert run.trials["params.model.C"].between(1e2, 1e4).all()
    assert set(run.trials["params.transforms.impute_numeric.strategy"]) == {best["transforms.impute_numeric.strategy"]}
    whole = mlops.retrain(same.version, data="data/new.csv", sweep="again", force=True, promote=False, n_jobs=1)
    assert config_of(whole.version)["sweep"]["space"] == config_of(before.ref)["sweep"]["space"]
    assert whole.changed == {
        key: value for key, value in mlops.models.find(whole.version).record.best.params.items() if value != best[key]
    }


def test_options_of_groups_stay_those_of_the_champion(cancer):
    more = "sweep: {space: [{model: [naive_bayes, knn]}, {model: [random_forest], model.n_estimators: [5, 10, 20]}]}\n"
    before = champion(cancer, "knn", more=more)
    found = mlops.retrain("cancer", data="data/new.csv", sweep="around", promote=False, n_jobs=1)
    tried = mlops.find_run(found.run).trials["params.model"].unique()
    assert list(tried) == [before.record.best.params["model"]]
    assert mlops.rerun(found.run, n_jobs=1).agreement == "identical"


def test_what_swept_nothing_has_nothing_to_search(cancer):
    champion(cancer, "logistic_regression")
    with pytest.raises(UsageError, match="cancer/1 swept nothing, so there is no space to search"):
        mlops.retrain("cancer", data="data/new.csv", sweep="around")


# --- learned on --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "way"),
    [
        (SGDClassifier(), Way.PARTIAL_FIT),
        (SGDClassifier(early_stopping=True), Way.FROM_COEFFICIENTS),
        (GaussianNB(), Way.PARTIAL_FIT),
        (MLPClassifier(), Way.PARTIAL_FIT),
        (MLPClassifier(solver="lbfgs"), Way.FROM_COEFFICIENTS),
        (RandomForestClassifier(), Way.ESTIMATORS),
        (GradientBoostingRegressor(), Way.ESTIMATORS),
        (HistGradientBoostingClassifier(), Way.ITERATIONS),
        (LogisticRegression(), Way.FROM_COEFFICIENTS),
        (LogisticRegression(solver="liblinear"), None),
        (KNeighborsClassifier(), None),
        (DecisionTreeClassifier(), None),
    ],
    ids=str,
)
def test_how_a_model_goes_on_learning(model, way):
    assert way_of(model) is way


def by_hand(pipeline, rows, more):
    """Let a copy of a fitted Pipeline go on learning, as a person would write it."""
    steps, model = pipeline[:-1], copy.deepcopy(pipeline[-1])
    X, y = steps.transform(rows.drop(columns=["key", "target"])), rows["target"].to_numpy()
    if isinstance(model, (RandomForestClassifier, ExtraTreesClassifier)):
        model.set_params(warm_start=True, n_estimators=model.n_estimators + more).fit(X, y)
    elif isinstance(model, HistGradientBoostingClassifier):
        model.set_params(warm_start=True, max_iter=model.n_iter_ + more).fit(X, y)
    elif isinstance(model, LogisticRegression):
        model.set_params(warm_start=True).fit(X, y)
    else:
        model.partial_fit(X, y)
    return steps, model


@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        ("sgd", ["model.loss=log_loss"]),
        ("naive_bayes", []),
        ("mlp", ["model.max_iter=400"]),
        ("random_forest", ["model.n_estimators=20"]),
        ("hist_gradient_boosting", ["model.max_iter=5"]),
        ("logistic_regression", []),
    ],
)
def test_a_warm_start_equals_scikit_learn_by_hand_and_runs_again_alike(cancer, name, overrides):
    before = champion(cancer, name, *overrides)
    found = mlops.retrain("cancer", data="data/new.csv", warm_start=True, promote=False, n_jobs=1)
    assert found.rows["trained"] == found.rows["new"] - found.rows["held_out"]
    config = config_of(found.version)
    assert config["model"]["version"] == before.ref
    rows = rows_of(cancer, config["data"]["snapshot"])
    assert rows["key"].min() >= 300  # the steps were fitted to the old rows, and are not fitted again
    steps, model = by_hand(mlops.load_model(before.ref).pipeline, rows, config["model"].get("more"))
    features = rows.drop(columns=["key", "target"])
    pipeline = mlops.load_model(found.version).pipeline
    assert type(pipeline[-1]) is type(model)  # and nothing of this package
    assert (pipeline.predict_proba(features) == model.predict_proba(steps.transform(features))).all()
    assert not np.array_equal(
        pipeline.predict_proba(features), mlops.load_model(before.ref).pipeline.predict_proba(features)
    )
    assert mlops.rerun(found.run, n_jobs=1).agreement == "identical"


def rows_of(home, version):
    from mlops_cli.config.workspace import Workspace
    from mlops_cli.workflows.data.keep import snapshots_of

    snapshots = snapshots_of(Workspace(home))
    return snapshots.read_table(snapshots.find(version))


def test_split_scores_of_a_warm_start_are_those_of_going_on_with_the_other_new_rows(cancer):
    from sklearn.metrics import accuracy_score
    from sklearn.model_selection import StratifiedKFold

    before = champion(cancer, "naive_bayes", more="evaluation: {metrics: [accuracy]}\n")
    found = mlops.retrain("cancer", data="data/new.csv", warm_start=True, promote=False, n_jobs=1)
    rows = rows_of(cancer, config_of(found.version)["data"]["snapshot"])
    X, y = rows.drop(columns=["key", "target"]), rows["target"].to_numpy()
    split = mlops.models.find(found.version).path / "config.yaml"
    said = yaml.safe_load(split.read_text())["split"]
    folds = StratifiedKFold(said.get("n_splits", 5), shuffle=True, random_state=0)
    wanted = []
    for train, test in folds.split(X, y):
        steps, model = by_hand(mlops.load_model(before.ref).pipeline, rows.iloc[train], None)
        wanted.append(accuracy_score(y[test], model.predict(steps.transform(X.iloc[test]))))
    assert mlops.models.find(found.version).record.metrics["accuracy"].splits == pytest.approx(wanted)


def test_trees_are_added_in_proportion_to_the_rows(cancer):
    champion(cancer, "random_forest", "model.n_estimators=30")
    found = mlops.retrain("cancer", data="data/new.csv", warm_start=True, promote=False, n_jobs=1)
    trained = found.rows["trained"]
    forest = mlops.load_model(found.version).pipeline[-1]
    assert len(forest.estimators_) == 30 + round(30 * trained / 300)
    assert forest.warm_start is False


def test_it_goes_on_again_and_its_recipe_is_still_that_of_the_first(cancer):
    first = champion(cancer, "sgd", "model.loss=log_loss")
    whole = pd.read_csv("data/new.csv")
    whole.iloc[:130].to_csv("data/a.csv", index=False)
    whole.iloc[130:].to_csv("data/b.csv", index=False)
    second = mlops.retrain("cancer", data="data/a.csv", warm_start=True, promote=False, n_jobs=1).version
    third = mlops.retrain(second, data="data/b.csv", warm_start=True, promote=False, n_jobs=1).version
    assert config_of(third)["model"]["version"] == second
    fresh = mlops.retrain(third, data="data/new.csv", force=True, promote=False, n_jobs=1)
    assert config_of(fresh.version)["model"] == config_of(first.ref)["model"]
    assert config_of(fresh.version)["transforms"] == config_of(first.ref)["transforms"]


@pytest.mark.parametrize(
    ("name", "overrides", "said"),
    [
        ("knn", [], "KNeighborsClassifier cannot go on learning"),
        ("sgd", ["calibration=sigmoid"], "a model in a calibration cannot go on learning"),
        ("naive_bayes", ["artifacts.model_format=joblib"], "is a pickle, and no run opens one"),
    ],
)
def test_what_cannot_go_on_is_told_before_anything_is_run(cancer, name, overrides, said):
    champion(cancer, name, *overrides)
    with pytest.raises(UsageError, match=said):
        mlops.retrain("cancer", data="data/new.csv", warm_start=True)
    assert len(mlops.runs()) == 1


def test_a_model_that_was_exchanged_is_not_gone_on_from(cancer):
    champion(cancer, "naive_bayes")
    found = mlops.retrain("cancer", data="data/new.csv", warm_start=True, promote=False, n_jobs=1)
    path = mlops.find_run(found.run).path / "config.yaml"
    config = yaml.safe_load(path.read_text())
    config["model"]["sha256"] = "0" * 64
    (cancer / "other.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(ConfigError, match="the model of cancer/1 is another one: its sha256 differs"):
        mlops.run("other.yaml", n_jobs=1)


def test_classes_that_a_model_does_not_know_end_its_trials_with_why(cancer):
    champion(cancer, "naive_bayes")
    new = pd.read_csv("data/new.csv")
    new.assign(target=new["target"] + 1).to_csv("data/new.csv", index=False)
    found = mlops.retrain("cancer", data="data/new.csv", warm_start=True, n_jobs=1)
    assert (str(found.status), found.version) == ("failed", None)
    error = mlops.find_run(found.run).record.error
    assert "classes that the model does not know: 2" in error.message


def test_a_clustering_goes_on_too(workspace):
    rng = np.random.default_rng(0)
    for name, rows in (("old", 300), ("new", 200)):
        points = rng.normal(size=(rows, 2)) + rng.integers(0, 3, (rows, 1)) * 4
        pd.DataFrame(points.round(4), columns=["x", "y"]).to_csv(f"data/{name}.csv", index=False)
    text = HEAD.replace("MODEL", "mini_batch_kmeans").replace("TRANSFORMS", "tabular").replace(", id: key", "")
    (workspace / "configs" / "cancer.yaml").write_text(text.replace(", target: target", ""))
    before = mlops.register(mlops.run("cancer", ["model.n_clusters=3"], n_jobs=1), alias="champion")
    found = mlops.retrain("cancer", data="data/new.csv", warm_start=True, promote=False, n_jobs=1)
    rows = rows_of(workspace, config_of(found.version)["data"]["snapshot"])
    steps, model = mlops.load_model(before.ref).pipeline[:-1], copy.deepcopy(mlops.load_model(before.ref).pipeline[-1])
    model.partial_fit(steps.transform(rows))
    assert (mlops.load_model(found.version).pipeline[-1].cluster_centers_ == model.cluster_centers_).all()


def test_a_forecast_is_refused_with_what_to_do(workspace):
    times = pd.date_range("2026-01-01", periods=200, freq="D")
    pd.DataFrame({"day": times, "sold": np.arange(200) % 7 + 0.5}).to_csv("data/sales.csv", index=False)
    (workspace / "configs" / "sales.yaml").write_text(
        """
defaults: [experiment, {data: csv}, {transforms: time_series}, {model: ridge}, {split: forecast}, _self_]
data: {path: data/sales.csv, target: sold, time: day, forecast: {horizon: 1, lags: [1, 7]}}
artifacts: {plots: none}
"""
    )
    mlops.register(mlops.run("sales", n_jobs=1), alias="champion")
    with pytest.raises(ConfigError, match="is a forecast, whose new rows see their past in the old ones"):
        mlops.retrain("sales")


def test_a_clustering_is_registered_and_has_nothing_to_be_compared_by(workspace):
    rng = np.random.default_rng(0)
    for name, rows in (("old", 300), ("new", 200)):
        pd.DataFrame(rng.normal(size=(rows, 2)).round(4), columns=["x", "y"]).to_csv(f"data/{name}.csv", index=False)
    text = HEAD.replace("MODEL", "kmeans").replace("TRANSFORMS", "tabular").replace(", target: target, id: key", "")
    (workspace / "configs" / "cancer.yaml").write_text(text)
    mlops.register(mlops.run("cancer", ["model.n_clusters=3"], n_jobs=1), alias="champion")
    found = mlops.retrain("cancer", data="data/new.csv", n_jobs=1)
    assert (found.version, found.promotion.done) == ("cancer/2", False)
    assert "a clustering has no target" in found.promotion.gates[0].detail
