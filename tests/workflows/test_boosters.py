"""Boosters in runs: the scores of the packages' own scikit-learn estimators to 1e-12, swept, stopped early, kept."""

import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostClassifier, CatBoostRegressor
from imblearn.over_sampling import SMOTENC
from imblearn.pipeline import Pipeline as ResamplingPipeline
from lightgbm import LGBMClassifier, LGBMRegressor, early_stopping
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import KFold, StratifiedKFold, cross_validate
from xgboost import XGBClassifier, XGBRegressor

import mlops_cli as mlops
from mlops_cli.components.fit_rows import stopping_rows
from mlops_cli.errors import ConfigError, UsageError
from mlops_cli.store.curves import read_curves
from mlops_cli.store.layout import RunPaths
from mlops_cli.workflows.models.export_model import export

NAMES = ["sex", "port", "age", "fare"]  # in the order in which transforms=native gives them
FIVE = StratifiedKFold(5, shuffle=True, random_state=0)
CLASSES = """
    defaults: [experiment, {data: csv}, {transforms: native}, {model: xgboost}, _self_]
    data: {path: data/mixed.csv, target: survived, features: [age, fare, sex, port]}
    model: {n_estimators: 10}
    evaluation: {metrics: [roc_auc, neg_log_loss]}
    artifacts: {plots: none}
    """
AMOUNTS = CLASSES.replace("target: survived", "target: amount").replace("[roc_auc, neg_log_loss]", "[r2, rmse]")
ENDLESS = {"n_estimators": 10, "random_state": 0}
QUIET = {"verbose": False, "allow_writing_files": False}
ALONE = ["launcher=sequential"]


def by_hand(mixed):
    """Return the table as somebody would write it who knows that these two columns are categories."""
    table = mixed[NAMES].copy()
    return table.assign(sex=table["sex"].astype("category"), port=table["port"].astype("category"))


def as_words(table):
    """Return it as CatBoost wants it."""
    return table.assign(
        **{name: table[name].astype(object).where(table[name].notna(), "nan") for name in ["sex", "port"]}
    )


def held(model, table, y, scoring, cv=FIVE):
    is_catboost = type(model).__name__.startswith("CatBoost")
    given = {"params": {"cat_features": ["sex", "port"]}} if is_catboost else {}
    return cross_validate(model, as_words(table) if is_catboost else table, y, cv=cv, scoring=scoring, **given)


def assert_same(run, expected, names):
    for name in names:
        theirs = expected.get(f"test_{name}", -expected.get("test_neg_root_mean_squared_error", 0))
        np.testing.assert_allclose(run.metrics[name].splits, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("xgboost", XGBClassifier(enable_categorical=True, n_jobs=1, **ENDLESS)),
        ("lightgbm", LGBMClassifier(n_jobs=1, verbosity=-1, **ENDLESS)),
        ("catboost", CatBoostClassifier(thread_count=1, **QUIET, **ENDLESS)),
        ("hist_gradient_boosting", HistGradientBoostingClassifier(max_iter=10, random_state=0)),
    ],
)
def test_scores_of_classes_are_those_of_the_packages_own_estimator(experiment, mixed, name, model):
    rounds = ["model.max_iter=10", "~model.n_estimators"] if name.startswith("hist") else []
    run = mlops.run(experiment(CLASSES), [f"model={name}", *rounds, *ALONE])
    scoring = ["roc_auc", "neg_log_loss"]
    assert_same(run, held(model, by_hand(mixed), mixed["survived"], scoring), scoring)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("xgboost", XGBRegressor(enable_categorical=True, n_jobs=1, **ENDLESS)),
        ("lightgbm", LGBMRegressor(n_jobs=1, verbosity=-1, **ENDLESS)),
        ("catboost", CatBoostRegressor(thread_count=1, **QUIET, **ENDLESS)),
    ],
)
def test_scores_of_numbers_are_those_of_the_packages_own_estimator(experiment, mixed, name, model):
    run = mlops.run(experiment(AMOUNTS), [f"model={name}", *ALONE])
    five = KFold(5, shuffle=True, random_state=0)
    scoring = ["r2", "neg_root_mean_squared_error"]
    assert_same(run, held(model, by_hand(mixed), mixed["amount"], scoring, five), ["r2", "rmse"])


def fitted_lightgbm(learned, apart):
    model = LGBMClassifier(n_estimators=200, random_state=0, verbosity=-1, n_jobs=1)
    stop = early_stopping(3, verbose=False)
    return model.fit(*learned, eval_X=apart[0], eval_y=apart[1], callbacks=[stop])


def fitted_xgboost(learned, apart):
    kind = XGBClassifier(enable_categorical=True, n_estimators=200, random_state=0, early_stopping_rounds=3, n_jobs=1)
    return kind.fit(*learned, eval_set=[apart], verbose=False)


def fitted_catboost(learned, apart):
    model = CatBoostClassifier(n_estimators=200, random_state=0, thread_count=1, **QUIET)
    learned, apart = ((as_words(X), y) for X, y in (learned, apart))
    return model.fit(*learned, eval_set=[apart], early_stopping_rounds=3, cat_features=["sex", "port"])


@pytest.mark.parametrize(
    ("name", "fitted"),
    [("xgboost", fitted_xgboost), ("lightgbm", fitted_lightgbm), ("catboost", fitted_catboost)],
)
def test_early_stopping_is_that_of_the_package_on_the_rows_set_apart(experiment, mixed, name, fitted):
    settings = ["model.n_estimators=200", "model.early_stopping_rounds=3", "model.validation_fraction=0.2"]
    run = mlops.run(experiment(CLASSES), [f"model={name}", *settings, *ALONE])
    table, y = by_hand(mixed), mixed["survived"].to_numpy()
    expected, rounds = [], []
    for train, test in FIVE.split(table, y):
        apart = stopping_rows(y[train], 0.2, 0, has_classes=True)
        kept, held_out = train[~apart], train[apart]
        model = fitted((table.iloc[kept], y[kept]), (table.iloc[held_out], y[held_out]))
        rows = as_words(table) if name == "catboost" else table
        expected.append(-np.log(model.predict_proba(rows.iloc[test])[np.arange(len(test)), y[test]]).mean())
        rounds.append(model)
    np.testing.assert_allclose(run.metrics["neg_log_loss"].splits, -np.array(expected), rtol=0, atol=1e-12)
    curves = read_curves(RunPaths(run.path).curves)[0]
    assert len(curves) == 5
    assert all(any(key.startswith("validation_") for key in curve.values) for curve in curves.values())


def test_a_sweep_in_other_processes_scores_the_same(experiment, monkeypatch):
    monkeypatch.setattr("mlops_cli.components.launchers.processes.POOL_START_S", 0.0)
    sweep = ["model=xgboost,lightgbm", "model.max_depth=2,4"]
    here = mlops.run(experiment(CLASSES), [*sweep, *ALONE])
    there = mlops.run(experiment(CLASSES), [*sweep, "launcher.n_jobs=2"], force=True)
    assert [dict(r.scores) for r in here.results] == [dict(r.scores) for r in there.results]
    assert len(here.results) == 4


@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "catboost"])
def test_the_saved_model_predicts_new_rows_with_gaps_and_categories_that_it_never_saw(experiment, mixed, name):
    run = mlops.run(experiment(CLASSES), [f"model={name}", *ALONE])
    new = mixed[["port", "fare", "sex", "age"]].head(4).copy()
    probabilities = run.model().predict_proba(new)
    new.loc[0, "port"] = "Z"
    other = run.model().predict_proba(new)
    assert other.shape == (4, 2)
    np.testing.assert_array_equal(other[1:], probabilities[1:])


def test_categories_of_the_data_reach_the_model_without_any_step(experiment, workspace, mixed):
    by_hand(mixed).assign(survived=mixed["survived"]).to_parquet(workspace / "data" / "marked.parquet")
    name = experiment(CLASSES.replace("{data: csv}", "{data: parquet}").replace("mixed.csv", "marked.parquet"))
    run = mlops.run(name, ["transforms=none", *ALONE])
    model = XGBClassifier(enable_categorical=True, n_jobs=1, **ENDLESS)
    expected = held(model, by_hand(mixed), mixed["survived"], ["roc_auc"])
    assert_same(run, expected, ["roc_auc"])


def test_the_target_may_be_text_with_a_class_that_a_split_lacks(experiment, workspace, mixed):
    words = np.where(mixed["survived"] == 1, "yes", "no").astype(object)
    words[:2] = "maybe"
    name = experiment(CLASSES.replace("[roc_auc, neg_log_loss]", "[accuracy]"))
    mixed.assign(survived=words).to_csv(workspace / "data" / "mixed.csv", index=False)
    for model in ("xgboost", "lightgbm", "catboost"):
        settings = [f"model={model}", "split=kfold", "split.shuffle=false", "model.early_stopping_rounds=2"]
        run = mlops.run(name, [*settings, *ALONE])
        assert run.status == "completed"
        assert run.predictions()["proba_maybe"].iloc[:2].tolist() == [0.0, 0.0]


def test_the_latest_rows_or_whole_groups_are_set_apart_where_the_data_has_them(experiment, workspace, mixed):
    days = pd.date_range("2026-01-01", periods=len(mixed)).astype(str)
    mixed.assign(day=days).to_csv(workspace / "data" / "timed.csv", index=False)
    seen = []

    def spied(y, fraction, seed, *, has_classes):
        seen.append(stopping_rows(y, fraction, seed, has_classes=has_classes))
        return seen[-1]

    settings = ["model.early_stopping_rounds=2", *ALONE]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mlops_cli.components.boosted.stopping_rows", spied)
        timed = AMOUNTS.replace("mixed.csv", "timed.csv").replace("target:", "time: day, target:")
        mlops.run(experiment(timed, "timed"), settings)
        ends = [np.flatnonzero(apart).min() > len(apart) - apart.sum() - 1 for apart in seen]
        assert len(ends) == 5 + 1  # and once for the model that is kept
        assert all(ends)
        seen.clear()
        mlops.run(experiment(AMOUNTS.replace("target:", "group: family, target:"), "grouped"), settings)
        family = mixed["family"].to_numpy()
        assert set(family[seen[-1]]).isdisjoint(family[~seen[-1]])


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_rows_are_made_between_those_of_rare_classes_categories_included(experiment, mixed, name):
    whole = mixed.dropna(subset=["age", "port"])
    body = CLASSES.replace("data: {path: data/mixed.csv,", "data: {path: data/whole.csv,")
    run_name = experiment(body)
    whole.to_csv("data/whole.csv", index=False)
    run = mlops.run(run_name, [f"model={name}", "transforms=[native,smote_categories]", *ALONE])
    kinds = {"xgboost": XGBClassifier(enable_categorical=True, n_jobs=1, **ENDLESS)}
    kinds["lightgbm"] = LGBMClassifier(n_jobs=1, verbosity=-1, **ENDLESS)
    sampler = SMOTENC(categorical_features="auto", random_state=0)
    pipeline = ResamplingPipeline([("resample", sampler), ("model", kinds[name])])
    expected = cross_validate(pipeline, by_hand(whole), whole["survived"], cv=FIVE, scoring=["roc_auc"])
    assert_same(run, expected, ["roc_auc"])
    assert run.model().predict(whole.head(3)).shape == (3,)


def test_no_rows_are_made_between_numbers_that_are_missing(experiment, workspace):
    name = experiment(CLASSES)
    with pytest.raises(ConfigError, match="SMOTENC takes no missing numbers, and no step before it fills those of age"):
        mlops.run(name, ["transforms=[native,smote_categories]", *ALONE])
    (workspace / "configs" / "transforms").mkdir()
    fill = "fill: {_target_: sklearn.impute.SimpleImputer, columns: numeric}"
    (workspace / "configs" / "transforms" / "fill.yaml").write_text(fill)
    run = mlops.run(name, ["transforms=[native,fill,smote_categories]", *ALONE])
    assert run.record.counts.failed == 0  # though categories have gaps, which are one more category


def test_what_another_booster_does_not_take_of_a_file_is_left_out(experiment):
    body = CLASSES.replace("model: xgboost", "model: lightgbm").replace("10}", "10, num_leaves: 15}")
    run = mlops.run(experiment(body), ["model=catboost", *ALONE])
    assert run.record.counts.failed == 0
    assert "num_leaves" not in run.model().pipeline[-1].get_params()


@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "catboost"])
def test_a_registered_booster_goes_on_from_its_rounds(experiment, workspace, mixed, name):
    run = mlops.run(experiment(CLASSES.replace("n_estimators: 10", "n_estimators: 6")), [f"model={name}", *ALONE])
    mlops.register(run, name="boosted", alias="champion")
    mixed.assign(fare=mixed["fare"] + 1).to_csv("data/new.csv", index=False)
    made = mlops.retrain("boosted", data="data/new.csv", warm_start=True, n_jobs=1)
    rounds = mlops.load_model(made.version).pipeline[-1].n_estimators_
    assert rounds > 6


def test_columns_that_no_booster_takes_are_told_before_any_fit(experiment):
    with pytest.raises(ConfigError, match=r"no step makes such of sex \(categorical\), port \(categorical\)") as told:
        mlops.run(experiment(CLASSES), ["transforms=none"])
    assert "transforms=native" in told.value.hint


@pytest.mark.parametrize(
    ("name", "metric"), [("xgboost", "log_loss"), ("lightgbm", "log_loss"), ("catboost", "logloss")]
)
def test_a_metric_that_the_package_does_not_have_is_told_before_any_fit(experiment, workspace, name, metric):
    with pytest.raises(ConfigError, match=f"{name} has no metric '{metric}'") as told:
        mlops.run(experiment(CLASSES), [f"model={name}", f"+model.eval_metric={metric}", *ALONE])
    assert told.value.key == "model.eval_metric"
    assert not list((workspace / "runs").glob("*/*"))


def test_onnx_has_no_form_of_them_and_says_so_in_one_line(experiment, tmp_path):
    mlops.register(mlops.run(experiment(CLASSES), ALONE), name="boosted")
    with pytest.raises(UsageError, match=r"model \(XGBoostClassifier\) has no form in ONNX"):
        export("boosted", tmp_path / "model.onnx")


@pytest.mark.parametrize(
    ("target", "package"),
    [("XGBoostClassifier", "xgboost"), ("LightGBMRegressor", "lightgbm"), ("CatBoostClassifier", "catboost")],
)
def test_a_result_depends_on_the_release_of_the_booster(target, package):
    from mlops_cli.workflows.running.basis import distributions

    found = distributions({"model": {"_target_": f"mlops_cli.components.boosters.{target}"}})
    assert package in found
