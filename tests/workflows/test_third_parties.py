"""Estimators of packages that this one knows nothing of, and skrub's encoders: by _target_, scored, saved, opened."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklego.linear_model import LowessRegression
from sklego.meta import ZeroInflatedRegressor
from skrub import MinHashEncoder, TableVectorizer

import mlops_cli as mlops
from mlops_cli.errors import StoreError, TrustError

FIVE = StratifiedKFold(5, shuffle=True, random_state=0)
SMOOTH = """
    defaults: [experiment, {data: csv}, {transforms: none}, _self_]
    data: {path: data/mixed.csv, target: amount, features: [fare]}
    model: {_target_: sklego.linear_model.LowessRegression, sigma: 100000}
    evaluation: {metrics: [neg_mean_absolute_error]}
    artifacts: {plots: none}
    """
WORDS = """
    defaults: [experiment, {data: csv}, {model: logistic_regression}, _self_]
    data: {path: data/mixed.csv, target: survived, features: [note, sex, fare]}
    transforms: {}
    evaluation: {metrics: [roc_auc]}
    artifacts: {plots: none}
    """
ALONE = ["launcher=sequential"]


def trusting(workspace, *modules):
    named = ", ".join(f'"{module}"' for module in modules)
    (workspace / "pyproject.toml").write_text(f"[tool.mlops]\ntrust = [{named}]\n")


def test_a_model_of_any_package_needs_its_name_and_a_line_of_trust(experiment, workspace, mixed):
    name = experiment(SMOOTH)
    with pytest.raises(TrustError, match="sklego is not trusted") as told:
        mlops.run(name, ALONE)
    assert "under [tool.mlops] trust in pyproject.toml" in str(told.value)
    trusting(workspace, "sklego")
    run = mlops.run(name, [*ALONE, "model.sigma=100000,1000000"])
    for result in run.results:
        model = LowessRegression(sigma=result.params["model.sigma"])
        five = KFold(5, shuffle=True, random_state=0)
        expected = cross_validate(model, mixed[["fare"]], mixed["amount"], cv=five, scoring="neg_mean_absolute_error")
        np.testing.assert_allclose(result.scores["neg_mean_absolute_error"], expected["test_score"], rtol=0, atol=1e-12)


def test_it_is_saved_by_skops_and_opened_only_where_its_package_is_trusted(experiment, workspace, mixed):
    trusting(workspace, "sklego")
    run = mlops.run(experiment(SMOOTH), ALONE)
    assert (run.path / "model" / "model.skops").is_file()
    assert run.model().predict(mixed.head(3)).shape == (3,)
    (workspace / "pyproject.toml").write_text("[tool.mlops]\n")
    with pytest.raises(StoreError, match="holds sklego") as told:
        run.model()
    assert 'trust = ["sklego"]' in told.value.hint


def test_models_inside_a_model_of_another_package_are_made_and_swept(experiment, workspace, mixed):
    trusting(workspace, "sklego")
    body = SMOOTH.replace(
        "{_target_: sklego.linear_model.LowessRegression, sigma: 100000}",
        """
      _target_: sklego.meta.ZeroInflatedRegressor
      classifier: {_target_: sklearn.ensemble.RandomForestClassifier, n_estimators: 5}
      regressor: {_target_: sklearn.linear_model.Ridge, alpha: 1.0}
    """,
    )
    name = experiment(body)
    mixed = mixed.assign(amount=mixed["amount"].where(mixed["sex"] == "male", 0.0))
    mixed.to_csv("data/mixed.csv", index=False)
    run = mlops.run(name, [*ALONE, "model.regressor.alpha=1,10"])
    for result in run.results:
        ridge = Ridge(result.params["model.regressor.alpha"], random_state=0)
        model = ZeroInflatedRegressor(RandomForestClassifier(5, random_state=0), ridge)
        five = KFold(5, shuffle=True, random_state=0)
        expected = cross_validate(model, mixed[["fare"]], mixed["amount"], cv=five, scoring="neg_mean_absolute_error")
        np.testing.assert_allclose(result.scores["neg_mean_absolute_error"], expected["test_score"], rtol=0, atol=1e-12)
    assert run.model().predict(mixed.head(2)).shape == (2,)


# --- skrub -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoder", "settings"),
    [
        ("skrub.GapEncoder", "n_components: 3, max_iter: 2"),
        ("skrub.MinHashEncoder", "n_components: 4"),
        ("skrub.StringEncoder", "n_components: 3"),
    ],
)
def test_an_encoder_of_text_is_a_step_by_its_name_and_kept_by_skops(experiment, mixed, encoder, settings):
    step = f"{{words: {{_target_: {encoder}, columns: note, {settings}}}, "
    others = "encode: {_target_: sklearn.preprocessing.OrdinalEncoder, columns: sex}}"
    run = mlops.run(experiment(WORDS.replace("transforms: {}", f"transforms: {step}{others}")), ALONE)
    assert run.status == "completed"
    pipeline = run.model().pipeline
    again = pipeline.fit(mixed[["note", "sex", "fare"]].assign(sex=mixed["sex"]), mixed["survived"])
    probabilities = run.model().predict_proba(mixed)
    np.testing.assert_allclose(again.predict_proba(mixed[["fare", "sex", "note"]]), probabilities, atol=1e-6)


def test_a_table_vectorizer_scores_as_in_the_pipeline_that_a_person_would_write(experiment, mixed):
    words = "high_cardinality: {_target_: skrub.MinHashEncoder, n_components: 4}"
    vectorize = f"{{vectorize: {{_target_: skrub.TableVectorizer, columns: all, {words}}}}}"
    name = experiment(WORDS.replace("transforms: {}", f"transforms: {vectorize}"))
    run = mlops.run(name, ["model=random_forest", "model.n_estimators=5", *ALONE])
    encoder = MinHashEncoder(n_components=4)
    pipeline = make_pipeline(TableVectorizer(high_cardinality=encoder), RandomForestClassifier(5, random_state=0))
    X = mixed[["fare", "sex", "note"]]
    expected = cross_validate(pipeline, X, mixed["survived"], cv=FIVE, scoring=["roc_auc"])
    np.testing.assert_allclose(run.metrics["roc_auc"].splits, expected["test_roc_auc"], rtol=0, atol=1e-12)
    fresh = pd.DataFrame({"note": ["a new place"], "sex": ["male"], "fare": [3.0]})
    assert run.model().predict_proba(fresh).shape == (1, 2)
