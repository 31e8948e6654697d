"""Rows that are made to even out classes: in training parts alone, with imbalanced-learn's own scores."""

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, TunedThresholdClassifierCV, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import mlops_cli as mlops
from mlops_cli.errors import ConfigError

FIVE = StratifiedKFold(5, shuffle=True, random_state=0)
OVER = "imblearn.over_sampling.RandomOverSampler"
CONFIG = """
    defaults: [experiment, {data: csv}, {transforms: [tabular, smote]}, {model: logistic_regression}, _self_]
    data: {path: data/mixed.csv, target: survived, features: [age, fare, sex, port]}
    evaluation: {metrics: [roc_auc, f1]}
    """


def tabular():
    numeric = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    words = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    return ColumnTransformer([("numeric", numeric, ["age", "fare"]), ("words", words, ["sex", "port"])])


@pytest.mark.parametrize(
    ("overrides", "sampler", "model"),
    [
        ([], SMOTE(random_state=0), LogisticRegression(max_iter=1000)),
        (["model=naive_bayes"], SMOTE(random_state=0), GaussianNB()),
        (["transforms=[tabular,undersample]"], RandomUnderSampler(random_state=0), LogisticRegression(max_iter=1000)),
        (
            [f"transforms.resample._target_={OVER}", "~transforms.resample.k_neighbors"],
            RandomOverSampler(random_state=0),
            LogisticRegression(max_iter=1000),
        ),
    ],
    ids=["smote", "dense", "undersample", "oversample"],
)
def test_scores_are_those_of_imbalanced_learns_own_pipeline(experiment, mixed, overrides, sampler, model):
    run = mlops.run(experiment(CONFIG), overrides)
    pipeline = Pipeline([("columns", tabular()), ("resample", sampler), ("model", model)])
    expected = cross_validate(pipeline, mixed, mixed["survived"], cv=FIVE, scoring=["roc_auc", "f1"])
    for metric in ("roc_auc", "f1"):
        np.testing.assert_allclose(run.metrics[metric].splits, expected[f"test_{metric}"], rtol=0, atol=1e-12)


def test_a_threshold_is_chosen_on_rows_that_nothing_was_made_of(experiment, mixed):
    whole = Pipeline(
        [("columns", tabular()), ("resample", SMOTE(random_state=0)), ("model", LogisticRegression(max_iter=1000))]
    )
    tuned = TunedThresholdClassifierCV(whole, scoring="f1")
    expected = cross_validate(tuned, mixed, mixed["survived"], cv=FIVE, scoring="f1")
    run = mlops.run(experiment(CONFIG), ["threshold=f1", "evaluation.metrics=[f1]", "model.C=1,100"])
    np.testing.assert_allclose(run.results[0].scores["f1"], expected["test_score"], rtol=0, atol=1e-12)


def test_trials_that_share_their_steps_resample_once_for_each_split(experiment, monkeypatch):
    calls = []
    plain = SMOTE.fit_resample

    def counted(self, X, y):
        calls.append(len(y))
        return plain(self, X, y)

    monkeypatch.setattr(SMOTE, "fit_resample", counted)
    run = mlops.run(experiment(CONFIG), ["model.C=0.1,1,10", "launcher=sequential"])
    assert len(run.results) == 3
    assert len(calls) == 5 + 1  # and once for the model that is kept
    assert max(calls[:5]) < calls[5] == 120


def test_a_sweep_in_other_processes_scores_the_same(experiment, mixed):
    run = mlops.run(experiment(CONFIG), ["model.C=0.1,1,10", "launcher=loky", "launcher.n_jobs=2"])
    for result in run.results:
        model = LogisticRegression(C=result.params["model.C"], max_iter=1000)
        pipeline = Pipeline([("columns", tabular()), ("resample", SMOTE(random_state=0)), ("model", model)])
        expected = cross_validate(pipeline, mixed, mixed["survived"], cv=FIVE, scoring="roc_auc")
        np.testing.assert_allclose(result.scores["roc_auc"], expected["test_score"], rtol=0, atol=1e-12)


def test_the_saved_model_predicts_each_row_it_is_given(experiment, mixed):
    run = mlops.run(experiment(CONFIG))
    X = mixed[["age", "fare", "sex", "port"]]
    pipeline = Pipeline(
        [("columns", tabular()), ("resample", SMOTE(random_state=0)), ("model", LogisticRegression(max_iter=1000))]
    )
    expected = pipeline.fit(X, mixed["survived"]).predict_proba(X)
    np.testing.assert_allclose(run.model().predict_proba(X), expected, atol=1e-9)


def test_pruning_by_rows_resamples_the_share_that_is_trained_on(experiment):
    pruner = "sweep.pruner={name: halving, over: rows, factor: 2, least: 0.5}"
    run = mlops.run(experiment(CONFIG), ["model.C=0.01,0.1,1,10", pruner])
    assert run.record.counts.failed == 0


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["data.target=fare", "data.features=[age,sex,port]", "model=ridge", "evaluation.metrics=[r2]"],
            "evens out classes",
        ),
        (["data.weight=weight"], "cannot tell their weights, and data.weight gives some"),
        (["data.weight=weight", "threshold=f1"], "threshold: folds that fit the steps anew cannot hand data.weight on"),
        (["transforms.resample.columns=numeric"], "takes whole rows, and this leaves out port, sex"),
        (["transforms.resample.k=3"], "SMOTE has no parameter 'k'.*k_neighbors"),
    ],
)
def test_what_cannot_be_resampled_is_told_in_one_line(experiment, overrides, message):
    with pytest.raises(ConfigError, match=message):
        mlops.run(experiment(CONFIG), [o if "resample.k" not in o else f"+{o}" for o in overrides])


def test_too_few_rows_of_a_class_fail_the_trial_with_the_reason(experiment):
    run = mlops.run(experiment(CONFIG), ["transforms.resample.k_neighbors=500"])
    assert run.record.status == "failed"
    assert "n_neighbors" in str(run.results[0].error.message)
