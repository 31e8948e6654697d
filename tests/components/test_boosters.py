"""XGBoost, LightGBM and CatBoost: their own scikit-learn estimators, and what they lack of a model here."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from scipy import sparse
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingClassifier

from mlops_cli.components import boosters
from mlops_cli.components.build import build, check_values, takes_sample_weight
from mlops_cli.components.curves import curve_of
from mlops_cli.components.fit_rows import FitRows, rows_known, stopping_rows
from mlops_cli.components.targets import Role
from mlops_cli.contracts import BeforeFit
from mlops_cli.errors import ConfigError, MissingExtraError
from mlops_cli.records import ComponentSpec, Task
from mlops_cli.store.trusted import check_types

PACKAGES = ("XGBoost", "LightGBM", "CatBoost")
CLASSIFIERS = [getattr(boosters, f"{name}Classifier") for name in PACKAGES]
REGRESSORS = [getattr(boosters, f"{name}Regressor") for name in PACKAGES]
ROWS = 200


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "length [cm], at rest": rng.normal(size=ROWS),  # which LightGBM and XGBoost take for no name
            "colour": pd.Categorical(rng.choice(["red", "green", "blue"], ROWS)),
            "size": rng.normal(size=ROWS),
            "sold": rng.random(ROWS) > 0.5,
        }
    )
    X.loc[::7, "size"] = np.nan
    X.loc[::11, "colour"] = None
    return X


@pytest.fixture(scope="module")
def amount(table):
    return (table["size"].fillna(0) * 3 + (table["colour"] == "red") * 2 + table["sold"]).to_numpy()


@pytest.fixture(scope="module")
def words(amount):
    return np.where(amount > 2, "much", np.where(amount > 0, "some", "none")).astype(object)


def small(kind, **params):
    return kind(n_estimators=8, random_state=0, **params)


def reopened(model):
    data = skops.io.dumps(model)
    types = skops.io.get_untrusted_types(data=data)
    check_types(types)
    return skops.io.loads(data, trusted=types)


# --- classes and columns -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_classes_may_be_text_and_columns_categories_with_gaps(kind, table, words):
    model = small(kind).fit(table, words)
    assert model.classes_.tolist() == ["much", "none", "some"]
    probabilities = model.predict_proba(table)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert (model.predict(table) == model.classes_[probabilities.argmax(axis=1)]).all()
    assert model.score(table, words) > 0.75
    assert model.feature_importances_.shape == (4,)


@pytest.mark.parametrize("kind", [*CLASSIFIERS, *REGRESSORS])
def test_categories_mean_the_same_when_new_rows_have_others_in_another_order(kind, table, amount):
    y = amount > 1 if kind in CLASSIFIERS else amount
    model = small(kind).fit(table, y)
    rows = table.loc[[3, 2, 1]]
    fewer = rows.assign(
        colour=pd.Categorical(rows["colour"].astype(object), categories=["violet", "blue", "red", "green"])
    )
    np.testing.assert_array_equal(model.predict(fewer), model.predict(rows))
    unknown = rows.assign(colour=pd.Categorical(["violet"] * 3))
    missing = rows.assign(colour=pd.Categorical([None] * 3, categories=["red"]))
    np.testing.assert_array_equal(model.predict(unknown), model.predict(missing))


@pytest.mark.parametrize("kind", REGRESSORS)
def test_arrays_and_sparse_matrices_are_taken_too(kind, table, amount):
    X = table[["size"]].fillna(0).to_numpy()
    assert small(kind).fit(X, amount).predict(X).shape == (ROWS,)
    assert small(kind).fit(sparse.csr_matrix(X), amount).predict(sparse.csr_matrix(X)).shape == (ROWS,)


@pytest.mark.parametrize("kind", REGRESSORS)
def test_text_and_dates_are_refused_by_name_with_what_helps(kind, table, amount):
    texts = table.assign(colour=table["colour"].astype(object), day=pd.Timestamp("2026-01-01"))
    with pytest.raises(ValueError, match="no step makes such of colour, day: transforms=native"):
        small(kind).fit(texts, amount)


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_one_class_alone_is_told(kind, table):
    with pytest.raises(ValueError, match="one class only: a"):
        small(kind).fit(table, np.full(ROWS, "a"))


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_weights_count(kind, table, words):
    weight = np.where(words == "much", 100.0, 0.01)
    assert takes_sample_weight(kind())
    plain, weighted = small(kind).fit(table, words), small(kind).fit(table, words, sample_weight=weight)
    assert (weighted.predict(table) == "much").sum() > (plain.predict(table) == "much").sum()
    stopped = small(kind, early_stopping_rounds=2).fit(table, words, sample_weight=weight)
    assert set(stopped.predict(table)) <= set(words)


@pytest.mark.parametrize(
    ("kind", "name"), [(boosters.LightGBMClassifier, "class_weight"), (boosters.CatBoostClassifier, "class_weights")]
)
def test_weights_of_classes_are_by_their_labels(kind, name, table, words):
    model = small(kind, **{name: {"much": 1000.0}}).fit(table, words)
    assert (model.predict(table) == "much").mean() > (small(kind).fit(table, words).predict(table) == "much").mean()


# --- as a scikit-learn estimator ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*CLASSIFIERS, *REGRESSORS])
def test_they_clone_and_take_parameters_of_the_package_and_their_own(kind):
    model = clone(kind(n_estimators=3, max_depth=2, early_stopping_rounds=5))
    assert model.get_params()["max_depth"] == 2
    model.set_params(max_depth=4, validation_fraction=0.2)
    assert (model.get_params()["max_depth"], model.validation_fraction) == (4, 0.2)
    with pytest.raises(TypeError, match=r"no parameter 'max_dept': did you mean 'max_depth'\?"):
        model.set_params(max_dept=3)
    assert check_values(model) is None
    assert "'validation_fraction' parameter" in check_values(model.set_params(validation_fraction=2))


def test_what_only_lightgbm_itself_knows_is_taken():
    assert boosters.LightGBMRegressor(max_bins=7).get_params()["max_bins"] == 7  # its estimator does not tell of it


@pytest.mark.parametrize(
    ("kind", "name", "own"),
    [
        (boosters.LightGBMClassifier, "num_leaf", "num_leaves"),
        (boosters.LightGBMClassifier, "bagging_fraction", "subsample"),
        (boosters.LightGBMRegressor, "num_boost_round", "n_estimators"),
        (boosters.LightGBMRegressor, "n_iter_no_change", "early_stopping_rounds"),
        (boosters.LightGBMRegressor, "metric", "eval_metric"),
        (boosters.XGBoostRegressor, "num_boost_round", "n_estimators"),
        (boosters.XGBoostClassifier, "eta", "learning_rate"),
        (boosters.XGBoostClassifier, "lambda", "reg_lambda"),
        (boosters.CatBoostClassifier, "iterations", "n_estimators"),
        (boosters.CatBoostRegressor, "od_wait", "early_stopping_rounds"),
        (boosters.CatBoostClassifier, "num_leaves", "max_leaves"),
        (boosters.CatBoostRegressor, "depth", "max_depth"),
    ],
)
def test_another_name_of_a_parameter_is_refused_with_its_name_here(kind, name, own):
    assert name not in kind.known_parameters()
    assert own in kind.known_parameters()
    with pytest.raises(TypeError, match=f"{name} is {own} here"):
        kind(**{name: 3})
    with pytest.raises(TypeError, match=f"{name} is {own} here"):
        kind().set_params(**{name: 3})


@pytest.mark.parametrize(
    ("name", "own"), [("num_leafs", "num_leaves"), ("num_boost_rounds", "n_estimators"), ("eval_metrik", "eval_metric")]
)
def test_only_names_of_the_constructor_are_suggested(name, own):
    with pytest.raises(TypeError, match=f"no parameter '{name}': did you mean '{own}'"):
        boosters.LightGBMClassifier(**{name: 3})


@pytest.mark.parametrize("metric", ["nonsense_zzz", ["auc_mu", "nonsense_zzz"], "auc_mu,nonsense_zzz"])
def test_lightgbm_does_not_stop_early_by_another_metric_than_the_one_named(metric, table, amount, words):
    for kind, target in ((boosters.LightGBMClassifier, words), (boosters.LightGBMRegressor, amount)):
        named = metric if kind is boosters.LightGBMClassifier else "nonsense_zzz"
        with pytest.raises(ValueError, match="'eval_metric': lightgbm has no metric 'nonsense_zzz'"):
            small(kind, eval_metric=named, early_stopping_rounds=2).fit(table, target)


@pytest.mark.parametrize(
    ("metric", "classes"),
    [("mse", 0), ("mape", 0), ("gamma", 0), ("auc", 2), ("xentropy", 2), ("error", 2), ("logloss", 3), ("auc_mu", 3)],
)
def test_metrics_that_lightgbm_has_are_taken_by_all_their_names(metric, classes, table, amount):
    kind = boosters.LightGBMClassifier if classes else boosters.LightGBMRegressor
    target = np.digitize(amount, [0, 2][: classes - 1]) if classes else np.abs(amount) + 1
    model = small(kind, eval_metric=metric, early_stopping_rounds=2).fit(table, target)
    assert model.estimator_.evals_result_["validation"]


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_they_can_be_calibrated(kind, table, words):
    model = CalibratedClassifierCV(small(kind), cv=2).fit(table, words)
    assert model.predict_proba(table).shape == (ROWS, 3)


@pytest.mark.parametrize("kind", REGRESSORS)
def test_the_seed_settles_the_fit_and_threads_do_not_matter(kind, table, amount, capfd):
    draws = {"subsample": 0.6}
    draws |= {"subsample_freq": 1} if kind is boosters.LightGBMRegressor else {}
    draws |= {"bootstrap_type": "Bernoulli"} if kind is boosters.CatBoostRegressor else {}
    first, second, third = (
        kind(n_estimators=8, random_state=seed, n_jobs=jobs, **draws).fit(table, amount).predict(table)
        for seed, jobs in ((1, 1), (1, 2), (2, 1))
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, third)
    assert capfd.readouterr() == ("", "")


# --- early stopping ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*CLASSIFIERS, *REGRESSORS])
def test_a_fit_ends_where_rounds_bring_nothing_and_its_curve_says_so(kind, table, amount):
    noise = np.random.default_rng(1).normal(size=ROWS)
    y = noise > 0 if kind in CLASSIFIERS else noise
    model = kind(n_estimators=300, early_stopping_rounds=3, learning_rate=0.5, random_state=0).fit(table, y)
    curve = curve_of(model)
    assert model.n_estimators_ < 60
    assert curve.unit == "round"
    own, apart = curve.values
    assert apart == f"validation_{own}"
    watched = curve.values[apart]
    assert int(np.argmin(watched)) + 1 == model.n_estimators_
    assert len(watched) == len(curve.steps) == model.n_estimators_ + 3


def test_rows_are_set_apart_by_the_seed_and_of_each_class_in_proportion():
    y = np.repeat([0, 1, 2], [80, 18, 2])
    apart = stopping_rows(y, 0.1, 0, has_classes=True)
    assert np.bincount(y[apart], minlength=3).tolist() == [8, 2, 0]
    np.testing.assert_array_equal(apart, stopping_rows(y, 0.1, 0, has_classes=True))
    assert (apart != stopping_rows(y, 0.1, 1, has_classes=True)).any()


def test_the_latest_rows_are_set_apart_where_rows_come_in_time():
    with rows_known(FitRows(50, in_time=True)):
        apart = stopping_rows(np.arange(50.0), 0.1, 0, has_classes=False)
        assert np.flatnonzero(apart).tolist() == [45, 46, 47, 48, 49]
        late = stopping_rows(np.repeat([0, 1, 2], [30, 17, 3]), 0.1, 0, has_classes=True)
        assert np.flatnonzero(late).tolist() == [45, 46]  # the last class is nowhere else to learn from
        others = stopping_rows(np.arange(40.0), 0.1, 0, has_classes=False)  # a fold of them, or some that were made
        assert np.flatnonzero(others).tolist() != [36, 37, 38, 39]


def test_whole_groups_are_set_apart_where_there_are_groups():
    groups = np.arange(60) // 6
    with rows_known(FitRows(60, groups=groups)):
        apart = stopping_rows(np.zeros(60), 0.2, 0, has_classes=False)
    assert set(groups[apart]).isdisjoint(groups[~apart])
    assert apart.sum() == 12


def test_too_few_rows_to_set_any_apart_are_told():
    with pytest.raises(ValueError, match=r"1 rows are too few to set 0\.1 of them apart"):
        stopping_rows(np.arange(1.0), 0.1, 0, has_classes=False)
    with rows_known(FitRows(9, groups=np.zeros(9))), pytest.raises(ValueError, match="all rows are of one group"):
        stopping_rows(np.arange(9.0), 0.1, 0, has_classes=False)


def test_of_classes_with_few_rows_each_some_rows_are_set_apart_all_the_same():
    y = np.repeat(np.arange(30), 3)
    apart = stopping_rows(y, 0.1, 0, has_classes=True)
    assert 0 < apart.sum() <= 9
    assert set(y[apart]) <= set(y[~apart])


@pytest.mark.parametrize(
    ("kind", "known", "unknown"),
    [
        (boosters.XGBoostClassifier, ["logloss", "mlogloss", "error@0.7", "ndcg@3", "aft-nloglik"], "log_loss"),
        (boosters.LightGBMRegressor, ["rmse", "mape", "l1,l2", "quantile"], "loss"),
        (boosters.CatBoostClassifier, ["AUC", "NDCG:top=3", "MultiClass", "Logloss:use_weights=true"], "auc"),
    ],
)
def test_a_metric_that_the_package_does_not_have_is_known_before_a_fit(kind, known, unknown):
    for name in known:
        kind(eval_metric=name).check_before_fit(BeforeFit())
    kind(eval_metric=print).check_before_fit(BeforeFit())  # a function of one's own
    for given in (unknown, [known[0], unknown]):
        with pytest.raises(ValueError, match=f"'eval_metric': {kind._PACKAGE} has no metric '{unknown}'"):
            kind(eval_metric=given).check_before_fit(BeforeFit())


@pytest.mark.parametrize(
    ("names", "metric"),
    [
        ("XGBoost", "auc"),
        ("XGBoost", "error@0.7"),
        ("LightGBM", "auc"),
        ("LightGBM", "binary_error"),
        ("CatBoost", "AUC"),
    ],
)
def test_a_metric_of_classes_is_refused_where_numbers_are_learned(names, metric):
    getattr(boosters, f"{names}Classifier")(eval_metric=metric).check_before_fit(BeforeFit())
    with pytest.raises(ValueError, match=f"'eval_metric': {metric} measures classes; the target is a number"):
        getattr(boosters, f"{names}Regressor")(eval_metric=metric).check_before_fit(BeforeFit())


@pytest.mark.parametrize(
    ("kind", "objective", "metric"),
    [
        (boosters.XGBoostRegressor, {"objective": "reg:logistic"}, "logloss"),
        (boosters.LightGBMRegressor, {"objective": "cross_entropy"}, "auc"),
        (boosters.CatBoostRegressor, {"loss_function": "CrossEntropy"}, "AUC"),
    ],
)
def test_shares_between_0_and_1_may_be_measured_as_classes_are(kind, objective, metric):
    kind(eval_metric=metric, **objective).check_before_fit(BeforeFit())


def test_leaves_that_catboost_does_not_count_are_told_before_a_fit(table, amount):
    with pytest.raises(ValueError, match=r"'max_leaves': .* with model\.grow_policy=Lossguide alone"):
        boosters.CatBoostRegressor(max_leaves=7).check_before_fit(BeforeFit())
    model = small(boosters.CatBoostRegressor, max_leaves=7, grow_policy="Lossguide")
    model.check_before_fit(BeforeFit())
    assert model.fit(table, amount).n_estimators_ == 8


def test_scikit_learns_own_boosters_have_curves_too(table, amount):
    X = table[["size", "sold"]]
    histograms = HistGradientBoostingClassifier(max_iter=4, early_stopping=True).fit(X, amount > 1)
    assert curve_of(histograms).steps == (0, 1, 2, 3, 4)
    assert list(curve_of(histograms).values) == ["score", "validation_score"]
    plain = GradientBoostingRegressor(n_estimators=3).fit(X.fillna(0), amount)
    assert curve_of(plain).values == {"loss": tuple(plain.train_score_)}
    assert curve_of(HistGradientBoostingClassifier(max_iter=4).fit(X, amount > 1)) is None


# --- kept and taken up again -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*CLASSIFIERS, *REGRESSORS])
def test_skops_keeps_them_without_a_type_that_is_not_allowed(kind, table, amount, words):
    y = words if kind in CLASSIFIERS else amount
    model = small(kind, early_stopping_rounds=3).fit(table, y)
    again = reopened(model)
    np.testing.assert_array_equal(again.predict(table), model.predict(table))
    if kind in CLASSIFIERS:
        np.testing.assert_array_equal(again.predict_proba(table), model.predict_proba(table))
    assert again.n_estimators_ == model.n_estimators_


@pytest.mark.parametrize("kind", [*CLASSIFIERS, *REGRESSORS])
def test_a_warm_start_adds_rounds_to_those_that_count(kind, table, amount):
    y = amount > 1 if kind in CLASSIFIERS else amount
    model = small(kind, early_stopping_rounds=3).fit(table, y)
    model.set_params(warm_start=True, early_stopping_rounds=None, n_estimators=model.n_estimators_ + 4)
    before = model.n_estimators_
    model = reopened(model).fit(table, y)
    assert model.n_estimators_ == before + 4
    with pytest.raises(ValueError, match="n_estimators must be more than"):
        model.fit(table, y)


def test_another_process_predicts_the_same(table, amount, tmp_path):
    models = {kind.__name__: small(kind).fit(table, amount) for kind in REGRESSORS}
    skops.io.dump(models, tmp_path / "models.skops")
    table.to_parquet(tmp_path / "models.parquet")
    script = (
        "import pandas as pd, skops.io\n"
        "types = skops.io.get_untrusted_types(file='models.skops')\n"
        "models = skops.io.load('models.skops', trusted=types)\n"
        "table = pd.read_parquet('models.parquet')\n"
        "print([model.predict(table)[:5].tolist() for model in models.values()])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str([model.predict(table)[:5].tolist() for model in models.values()])


# --- packages ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("package", ["xgboost", "lightgbm", "catboost"])
@pytest.mark.parametrize("inner", [False, True], ids=["ours", "theirs"])
def test_a_missing_package_is_told_with_the_command_that_brings_it(package, inner, monkeypatch):
    ours = {"xgboost": "XGBoost", "lightgbm": "LightGBM", "catboost": "CatBoost"}[package]
    target = f"{package}.Model" if inner else f"mlops_cli.components.boosters.{ours}Regressor"
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    packages = {str(Path(__import__(package).__file__).parents[1])}
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in packages])
    monkeypatch.delitem(sys.modules, package)
    with pytest.raises(MissingExtraError, match=f"needs the package {package}, which is not installed") as told:
        build(ComponentSpec(target), role=Role.ESTIMATOR, task=Task.REGRESSION, key="model")
    assert told.value.hint == f'pip install "mlops-cli[{package}]"'


def test_a_wrong_name_in_a_config_is_told_with_the_right_one():
    spec = ComponentSpec("mlops_cli.components.boosters.XGBoostRegressor", {"max_dept": 3})
    with pytest.raises(ConfigError, match="did you mean 'max_depth'"):
        build(spec, role=Role.ESTIMATOR, task=Task.REGRESSION, key="model")
