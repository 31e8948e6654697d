"""Scores equal scikit-learn's own ``cross_validate`` of the Pipeline that a person would write, to 1e-12."""

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import FixedThresholdClassifier, GroupKFold, KFold, StratifiedKFold, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC

import mlops_cli as mlops

NUMERIC = ["age", "fare"]
CATEGORICAL = ["sex", "port"]
FIVE = StratifiedKFold(5, shuffle=True, random_state=0)


def tabular(*more):
    return ColumnTransformer(
        [
            ("numeric", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), NUMERIC),
            (
                "categorical",
                make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")),
                CATEGORICAL,
            ),
            *more,
        ]
    )


def assert_same(run, expected, names):
    for ours, theirs in names.items():
        scores = np.array(run.metrics[ours].splits)
        np.testing.assert_allclose(scores, expected[f"test_{theirs}"], rtol=0, atol=1e-12)


def test_a_classification_with_several_metrics(experiment, mixed):
    name = experiment("""
        defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
        data: {path: data/mixed.csv, target: survived, drop: [note, weight, family, amount]}
        model: {C: 0.7}
        evaluation: {metrics: [roc_auc, accuracy, f1, neg_log_loss, log_loss]}
        """)
    pipeline = Pipeline([("columns", tabular()), ("model", LogisticRegression(C=0.7, max_iter=1000))])
    scoring = ["roc_auc", "accuracy", "f1", "neg_log_loss"]
    expected = cross_validate(pipeline, mixed, mixed["survived"], cv=FIVE, scoring=scoring)
    run = mlops.run(name)
    assert_same(run, expected, {m: m for m in scoring})
    np.testing.assert_allclose(run.metrics["log_loss"].splits, -expected["test_neg_log_loss"], atol=1e-12)


def test_a_regression_on_a_transformed_target(experiment, mixed):
    name = experiment("""
        defaults: [experiment, {data: csv}, {transforms: tabular}, {model: ridge}, {target_transform: log}, _self_]
        data: {path: data/mixed.csv, target: amount, drop: [note, weight, family, survived]}
        evaluation: {metrics: [r2, rmse, mae]}
        """)
    model = TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1)
    scoring = {"r2": "r2", "rmse": "neg_root_mean_squared_error"}
    pipeline = Pipeline([("columns", tabular()), ("model", model)])
    expected = cross_validate(
        pipeline, mixed, mixed["amount"], cv=KFold(5, shuffle=True, random_state=0), scoring=scoring
    )
    run = mlops.run(name)
    assert_same(run, expected, {"r2": "r2"})
    np.testing.assert_allclose(run.metrics["rmse"].splits, -expected["test_rmse"], atol=1e-12)


def test_weights_count_in_fit_and_in_score(experiment, mixed):
    name = experiment("""
        defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
        data: {path: data/mixed.csv, target: survived, weight: weight, drop: [note, family, amount]}
        evaluation: {metrics: [accuracy, roc_auc]}
        """)
    y, w = mixed["survived"].to_numpy(), mixed["weight"].to_numpy()
    pipeline = Pipeline([("columns", tabular()), ("model", LogisticRegression(max_iter=1000))])
    accuracy = []
    for train, test in FIVE.split(mixed, y):
        pipeline.fit(mixed.iloc[train], y[train], model__sample_weight=w[train])
        accuracy.append(pipeline.score(mixed.iloc[test], y[test], sample_weight=w[test]))
    np.testing.assert_allclose(mlops.run(name).metrics["accuracy"].splits, accuracy, rtol=0, atol=1e-12)


def test_groups_stay_together(experiment, mixed):
    name = experiment("""
        defaults: [experiment, data: csv, transforms: tabular, model: logistic_regression, split: group_kfold, _self_]
        data: {path: data/mixed.csv, target: survived, group: family, drop: [note, weight, amount]}
        split: {n_splits: 4}
        evaluation: {metrics: [roc_auc]}
        """)
    run = mlops.run(name)
    splitter = GroupKFold(4)
    pipeline = Pipeline([("columns", tabular()), ("model", LogisticRegression(max_iter=1000))])
    expected = cross_validate(
        pipeline, mixed, mixed["survived"], groups=mixed["family"], cv=splitter, scoring=["roc_auc"]
    )
    assert_same(run, expected, {"roc_auc": "roc_auc"})


def test_text_beside_other_columns(experiment, mixed):
    name = experiment("""
        defaults: [experiment, {data: csv}, {transforms: text}, {model: logistic_regression}, _self_]
        data: {path: data/mixed.csv, target: survived, drop: [weight, family, amount]}
        evaluation: {metrics: [roc_auc, accuracy]}
        """)
    words = ("words", TfidfVectorizer(max_features=10_000), "note")
    pipeline = Pipeline([("columns", tabular(words)), ("model", LogisticRegression(max_iter=1000))])
    expected = cross_validate(pipeline, mixed, mixed["survived"], cv=FIVE, scoring=["roc_auc", "accuracy"])
    assert_same(mlops.run(name), expected, {"roc_auc": "roc_auc", "accuracy": "accuracy"})


def test_calibration_and_a_threshold_around_the_model(experiment, mixed):
    name = experiment("""
        defaults: [experiment, {data: csv}, {transforms: tabular}, {model: svm}, {calibration: sigmoid}, _self_]
        data: {path: data/mixed.csv, target: survived, drop: [note, weight, family, amount]}
        threshold: 0.3
        evaluation: {metrics: [f1, roc_auc]}
        """)
    model = FixedThresholdClassifier(
        CalibratedClassifierCV(SVC(random_state=0), method="sigmoid"),
        threshold=0.3,
        response_method="predict_proba",
    )
    pipeline = Pipeline([("columns", tabular()), ("model", model)])
    expected = cross_validate(pipeline, mixed, mixed["survived"], cv=FIVE, scoring=["f1", "roc_auc"])
    assert_same(mlops.run(name), expected, {"f1": "f1", "roc_auc": "roc_auc"})


def test_calibration_fits_steps_that_read_the_target_in_its_own_folds(experiment, mixed):
    name = experiment("""
        defaults: [experiment, {data: csv}, {transforms: [tabular, select]}, {model: logistic_regression}, _self_]
        data: {path: data/mixed.csv, target: survived, drop: [note, weight, family, amount]}
        transforms: {select: {k: 3}}
        calibration: {_target_: sklearn.calibration.CalibratedClassifierCV, method: sigmoid}
        evaluation: {metrics: [neg_log_loss]}
        """)
    whole = make_pipeline(tabular(), SelectKBest(k=3), LogisticRegression(max_iter=1000))
    expected = cross_validate(
        CalibratedClassifierCV(whole), mixed, mixed["survived"], cv=FIVE, scoring=["neg_log_loss"]
    )
    run = mlops.run(name)
    assert_same(run, expected, {"neg_log_loss": "neg_log_loss"})
    fitted = CalibratedClassifierCV(whole).fit(mixed, mixed["survived"])
    np.testing.assert_allclose(run.model().predict_proba(mixed), fitted.predict_proba(mixed), rtol=0, atol=1e-9)


def test_a_forest_whose_trees_are_drawn_from_the_seed(experiment, mixed):
    name = experiment("""
        defaults: [experiment, {data: csv}, {transforms: tree}, {model: random_forest}, _self_]
        seed: 7
        data: {path: data/mixed.csv, target: survived, drop: [note, weight, family, amount]}
        model: {n_estimators: 20}
        evaluation: {metrics: [roc_auc]}
        """)
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = ColumnTransformer([("encode", ordinal, CATEGORICAL), ("rest", "passthrough", NUMERIC)])
    pipeline = Pipeline([("columns", columns), ("model", RandomForestClassifier(20, random_state=7))])
    five = StratifiedKFold(5, shuffle=True, random_state=7)
    expected = cross_validate(pipeline, mixed, mixed["survived"], cv=five, scoring=["roc_auc"])
    assert_same(mlops.run(name), expected, {"roc_auc": "roc_auc"})


def test_labels_as_text_with_a_chosen_positive_class(experiment, workspace, mixed):
    table = mixed.assign(survived=np.where(mixed["survived"] == 1, "yes", "no"))
    table.to_csv(workspace / "data" / "words.csv", index=False)
    name = experiment("""
        defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
        data: {path: data/words.csv, target: survived, positive: "no", drop: [note, weight, family, amount]}
        evaluation: {metrics: [f1, roc_auc]}
        """)
    pipeline = Pipeline([("columns", tabular()), ("model", LogisticRegression(max_iter=1000))])
    scoring = {"f1": make_scorer(f1_score, pos_label="no")}
    expected = cross_validate(pipeline, table, table["survived"].to_numpy(dtype=object), cv=FIVE, scoring=scoring)
    assert_same(mlops.run(name), expected, {"f1": "f1"})


# --- the bundled experiments -------------------------------------------------------------------------------------


def bundled(repo, name):
    table = pd.read_csv(repo / "data" / f"{name}.csv")
    return table.drop(columns="target"), table["target"].to_numpy()


def run_bundled(repo, workspace, name, *overrides):
    (workspace / "data").rmdir()
    (workspace / "configs").rmdir()
    (workspace / "data").symlink_to(repo / "data")
    (workspace / "configs").symlink_to(repo / "configs")
    return mlops.run(name, overrides)


def numbers(model):
    return make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), model)


@pytest.mark.parametrize(
    ("name", "overrides", "estimator", "cv", "metrics"),
    [
        ("iris", [], numbers(LogisticRegression(max_iter=1000)), FIVE, ["accuracy", "f1_macro", "roc_auc_ovr"]),
        ("digits", [], SVC(C=10, gamma=0.001), FIVE, ["accuracy", "f1_macro"]),
        (
            "diabetes",
            ["model.alpha=10"],
            numbers(Ridge(alpha=10)),
            KFold(5, shuffle=True, random_state=0),
            ["r2", "neg_root_mean_squared_error"],
        ),
        (
            "wine",
            ["sweep.space=null", "sweep.sampler=grid", "sweep.trials=null", "evaluation.test=null"],
            RandomForestClassifier(random_state=0),
            FIVE,
            ["accuracy", "f1_macro"],
        ),
        (
            "breast_cancer",
            ["sweep.space=null", "evaluation.test=null", "model=svm", "model.C=10", "model.kernel=linear"],
            numbers(SVC(C=10, kernel="linear")),
            FIVE,
            ["roc_auc", "accuracy"],
        ),
    ],
    ids=["iris", "digits", "diabetes", "wine", "breast_cancer"],
)
def test_each_bundled_experiment(repo, workspace, name, overrides, estimator, cv, metrics):
    X, y = bundled(repo, name)
    expected = cross_validate(estimator, X, y, cv=cv, scoring=metrics)
    run = run_bundled(
        repo,
        workspace,
        name,
        *overrides,
        f"evaluation.metrics=[{','.join(metrics)}]",
        f"evaluation.primary={metrics[0]}",
    )
    assert_same(run, expected, {m: m for m in metrics})


# --- the same wherever it runs -----------------------------------------------------------------------------------

SWEEP = """
    defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
    data: {path: data/mixed.csv, target: survived, drop: [note, weight, family, amount]}
    evaluation: {metrics: [roc_auc, accuracy]}
    sweep:
      space:
        - model.C: [0.1, 1, 10]
          transforms.impute_numeric.strategy: [mean, median]
        - model: [random_forest]
          model.n_estimators: [5]
    """


def scores_of(run):
    return {r.trial: (dict(r.params), dict(r.scores)) for r in run.results}


@pytest.mark.parametrize(
    "overrides",
    [
        ["launcher=sequential"],
        ["launcher=threading", "launcher.n_jobs=3"],
        ["launcher=loky", "launcher.n_jobs=2"],
    ],
    ids=lambda o: o[0].partition("=")[2],
)
def test_scores_do_not_depend_on_where_trials_run(experiment, monkeypatch, overrides):
    name = experiment(SWEEP)
    alone = mlops.run(name, ["launcher.n_jobs=1"])
    monkeypatch.setattr(
        "mlops_cli.components.launchers.processes.POOL_START_S", 0.0
    )  # a pool pays at once: this work is too small
    other = mlops.run(name, overrides, force=True)
    assert scores_of(other) == scores_of(alone)
    assert len(alone.results) == 7


def test_shared_transforms_change_no_score(experiment, mixed):
    run = mlops.run(experiment(SWEEP))
    for result in run.results[:6]:
        imputer = SimpleImputer(strategy=result.params["transforms.impute_numeric.strategy"])
        columns = tabular()
        columns.transformers[0] = ("numeric", make_pipeline(imputer, StandardScaler()), NUMERIC)
        model = LogisticRegression(C=result.params["model.C"], max_iter=1000)
        pipeline = Pipeline([("columns", columns), ("model", model)])
        expected = cross_validate(pipeline, mixed, mixed["survived"], cv=FIVE, scoring=["roc_auc"])
        np.testing.assert_allclose(result.scores["roc_auc"], expected["test_roc_auc"], rtol=0, atol=1e-12)


def test_regression_forests_agree_too(experiment, mixed):
    name = experiment("""
        defaults: [experiment, {data: csv}, {transforms: none}, {model: random_forest}, _self_]
        data: {path: data/mixed.csv, target: amount, features: [fare, family]}
        model: {n_estimators: 10}
        evaluation: {metrics: [neg_mean_absolute_error]}
        """)
    expected = cross_validate(
        RandomForestRegressor(10, random_state=0),
        mixed[["fare", "family"]],
        mixed["amount"],
        cv=KFold(5, shuffle=True, random_state=0),
        scoring=["neg_mean_absolute_error"],
    )
    assert_same(mlops.run(name), expected, {"neg_mean_absolute_error": "neg_mean_absolute_error"})
