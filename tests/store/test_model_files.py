from __future__ import annotations

import io
import json
import os
import sys
import zipfile
from typing import TYPE_CHECKING

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn import compose, ensemble, impute, linear_model, neighbors, preprocessing, tree
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import DBSCAN, Birch, KMeans
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectFromModel, SelectKBest, chi2, f_regression, mutual_info_classif
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, WhiteKernel
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import SVC, SVR

from mlops_cli.errors import StoreError
from mlops_cli.records import Column, Kind, Signature, Task
from mlops_cli.store.layout import ModelPaths
from mlops_cli.store.models import load_model, load_signature, save_model
from mlops_cli.store.trusted import check_types

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 90
SIGNATURE = Signature((Column("a", "float64", Kind.NUMERIC),), Task.CLASSIFICATION, "y", "str", ("no", "yes"), "id")


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "a": rng.normal(size=ROWS),
            "b": rng.normal(size=ROWS),
            "kind": rng.choice(["x", "y", "z"], ROWS),
            "text": rng.choice(["red cat", "blue dog", "cat dog"], ROWS),
        }
    )
    frame.loc[[3, 7], "a"] = np.nan
    frame.loc[5, "kind"] = None
    return frame


@pytest.fixture(scope="module")
def labels(table: pd.DataFrame) -> np.ndarray:
    noise = np.random.default_rng(1).normal(scale=0.5, size=ROWS)
    return np.where(table["b"] + noise > 0, "yes", "no")


@pytest.fixture
def paths(tmp_path: Path) -> ModelPaths:
    return ModelPaths(tmp_path / "run" / "model")


def mixed(**tfidf: object) -> compose.ColumnTransformer:
    numeric = make_pipeline(impute.SimpleImputer(strategy="median"), preprocessing.MinMaxScaler())
    return compose.ColumnTransformer(
        [
            ("numeric", numeric, ["a", "b"]),
            ("kind", preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["kind"]),
            ("text", TfidfVectorizer(**tfidf), "text"),
        ],
        sparse_threshold=0,
    )


def after(model: object) -> Pipeline:
    return Pipeline([("columns", mixed()), ("model", model)])


logistic = linear_model.LogisticRegression
small_tree = tree.DecisionTreeClassifier
CLASSIFIERS = {
    "logistic": after(logistic(class_weight={"no": 1, "yes": 2})),
    "ridge": after(linear_model.RidgeClassifier()),
    "sgd": after(linear_model.SGDClassifier(loss="log_loss", random_state=0)),
    "svm": after(SVC()),
    "knn": after(neighbors.KNeighborsClassifier()),
    "bayes": after(GaussianNB()),
    "tree": after(small_tree(random_state=0)),
    "forest": after(ensemble.RandomForestClassifier(5, random_state=np.random.RandomState(0))),
    "extra_trees": after(ensemble.ExtraTreesClassifier(5, random_state=0)),
    "boosting": after(ensemble.GradientBoostingClassifier(n_estimators=5, random_state=0)),
    "hist_boosting": after(ensemble.HistGradientBoostingClassifier(max_iter=5, early_stopping=True)),
    "adaboost": after(ensemble.AdaBoostClassifier(n_estimators=3)),
    "bagging": after(ensemble.BaggingClassifier(small_tree(), n_estimators=3)),
    "mlp": after(MLPClassifier((4,), solver="lbfgs", max_iter=2000, random_state=0)),
    "gaussian_process": after(GaussianProcessClassifier(1.0 * RBF())),
    "calibrated": after(CalibratedClassifierCV(ensemble.RandomForestClassifier(5), cv=3)),
    "isotonic": after(CalibratedClassifierCV(logistic(), method="isotonic", cv=3)),
    "threshold": FixedThresholdClassifier(after(logistic()), threshold=0.3),
    "tuned": TunedThresholdClassifierCV(after(logistic()), scoring="balanced_accuracy", cv=3),
    "tuned_f1": TunedThresholdClassifierCV(after(logistic()), scoring="f1_macro", cv=3),
    "voting": after(ensemble.VotingClassifier([("l", logistic()), ("t", small_tree())], voting="soft")),
    "stacking": after(ensemble.StackingClassifier([("l", logistic()), ("t", small_tree())], cv=3)),
    "k_best": make_pipeline(mixed(), SelectKBest(mutual_info_classif, k=2), logistic()),
    "chi2": make_pipeline(mixed(), SelectKBest(chi2, k=2), logistic()),
    "from_model": make_pipeline(mixed(), SelectFromModel(ensemble.RandomForestClassifier(5)), logistic()),
    "function": make_pipeline(mixed(), preprocessing.FunctionTransformer(np.log1p), logistic()),
    "power": make_pipeline(mixed(), preprocessing.StandardScaler(), preprocessing.PowerTransformer(), logistic()),
    "spline": make_pipeline(mixed(), preprocessing.SplineTransformer(), logistic()),
    "ordinal": make_pipeline(
        compose.make_column_transformer(
            (preprocessing.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan), ["kind"]),
            ("passthrough", compose.make_column_selector(dtype_include="number")),
        ),
        ensemble.HistGradientBoostingClassifier(max_iter=3, categorical_features=[0]),
    ),
    "target_encoder": make_pipeline(
        compose.make_column_transformer((preprocessing.TargetEncoder(cv=3), ["kind"])), logistic()
    ),
    "pandas_output": make_pipeline(
        compose.make_column_transformer((impute.KNNImputer(), ["a", "b"])), logistic()
    ).set_output(transform="pandas"),
}
REGRESSORS = {
    "ridge": after(linear_model.Ridge()),
    "svr": after(SVR()),
    "huber": after(linear_model.HuberRegressor()),
    "log": after(compose.TransformedTargetRegressor(linear_model.Ridge(), func=np.log1p, inverse_func=np.expm1)),
    "quantile": after(
        compose.TransformedTargetRegressor(
            linear_model.Ridge(), transformer=preprocessing.QuantileTransformer(n_quantiles=20)
        )
    ),
    "gaussian_process": after(
        GaussianProcessRegressor(ConstantKernel() * Matern() + WhiteKernel(), optimizer=None, normalize_y=True)
    ),
    "boosting": after(ensemble.GradientBoostingRegressor(loss="huber", n_estimators=5)),
    "hist_boosting": after(ensemble.HistGradientBoostingRegressor(loss="quantile", quantile=0.3, max_iter=5)),
    "mlp": after(MLPRegressor(hidden_layer_sizes=(4,), solver="lbfgs", max_iter=5000, random_state=0)),
    "voting": after(ensemble.VotingRegressor([("r", linear_model.Ridge()), ("t", tree.DecisionTreeRegressor())])),
    "stacking": after(ensemble.StackingRegressor([("r", linear_model.Ridge())], cv=3)),
    "k_best": make_pipeline(mixed(), SelectKBest(f_regression, k=2), linear_model.Ridge()),
    "k_means": after(KMeans(3, n_init=2)),
    "mixture": after(GaussianMixture(2)),
}


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_predicts_the_same_after_it_was_stored(name, table, labels, paths):
    model = CLASSIFIERS[name].fit(table, labels)
    loaded = load_model(paths, save_model(model, SIGNATURE, "card", paths))
    assert loaded.predict(table).tolist() == model.predict(table).tolist()
    assert loaded.classes_.tolist() == ["no", "yes"]
    if hasattr(model, "predict_proba"):
        np.testing.assert_array_equal(loaded.predict_proba(table), model.predict_proba(table))


@pytest.mark.parametrize("name", REGRESSORS)
def test_a_regressor_or_clustering_predicts_the_same_after_it_was_stored(name, table, paths):
    model = REGRESSORS[name].fit(table, np.exp(table["b"].to_numpy()))
    loaded = load_model(paths, save_model(model, SIGNATURE, "card", paths))
    np.testing.assert_array_equal(loaded.predict(table), model.predict(table))


def test_a_clustering_that_cannot_predict_keeps_its_labels(table, paths):
    model = after(DBSCAN(eps=0.7)).fit(table)
    loaded = load_model(paths, save_model(model, SIGNATURE, "card", paths))
    assert loaded[-1].labels_.tolist() == model[-1].labels_.tolist()


def test_the_automatic_transform_is_kept_too(table, labels, paths):
    skrub = pytest.importorskip("skrub")
    model = skrub.tabular_pipeline("classifier").fit(table, labels)
    loaded = load_model(paths, save_model(model, SIGNATURE, "card", paths))
    assert loaded.predict(table).tolist() == model.predict(table).tolist()


@pytest.fixture
def saved(table, labels, paths):
    model = after(logistic()).fit(table, labels)
    return paths, save_model(model, SIGNATURE, "# A card\n", paths)


def test_the_folder_holds_the_model_its_signature_its_card_and_the_hashes_of_all(saved):
    paths, recorded = saved
    assert sorted(file.name for file in paths.root.iterdir()) == [
        "card.md",
        "model.skops",
        "sha256.json",
        "signature.json",
    ]
    assert sorted(recorded) == ["card.md", "model.skops", "signature.json"]
    assert paths.card.read_text() == "# A card\n"
    written = json.loads(paths.hashes.read_text())
    assert written["files"] == recorded
    assert load_signature(paths, recorded) == SIGNATURE


def test_a_changed_file_is_refused_before_it_is_read(saved):
    paths, recorded = saved
    data = bytearray(paths.skops.read_bytes())
    data[len(data) // 2] ^= 1
    paths.skops.write_bytes(data)
    with pytest.raises(StoreError, match="sha256 differs") as caught:
        load_model(paths, recorded)
    assert str(paths.skops) in caught.value.message
    paths.signature.write_text("{}")
    with pytest.raises(StoreError, match="sha256 differs"):
        load_signature(paths, recorded)


def test_hashes_beside_the_model_prove_nothing(saved):
    paths, recorded = saved
    paths.skops.write_bytes(b"other")
    paths.hashes.unlink()
    with pytest.raises(StoreError, match="sha256 differs"):
        load_model(paths, recorded)


def test_a_missing_model_is_said_in_one_line(saved, tmp_path):
    paths, recorded = saved
    paths.skops.unlink()
    with pytest.raises(StoreError, match="cannot read"):
        load_model(paths, recorded)
    with pytest.raises(StoreError, match="no model is kept") as caught:
        load_model(paths, {})
    assert "artifacts.keep" in caught.value.hint


def test_a_pickle_is_written_only_where_asked_for_and_opened_only_where_allowed(table, labels, paths):
    model = after(logistic()).fit(table, labels)
    recorded = save_model(model, SIGNATURE, "card", paths, model_format="joblib")
    assert paths.joblib.exists()
    assert not paths.skops.exists()
    with pytest.raises(StoreError) as caught:
        load_model(paths, recorded)
    assert "--allow-pickle" in caught.value.hint
    loaded = load_model(paths, recorded, allow_pickle=True)
    assert loaded.predict(table).tolist() == model.predict(table).tolist()


class Bomb:
    def __reduce__(self):
        return (os._exit, (99,))


def test_a_pickle_that_was_exchanged_is_not_opened_even_where_pickles_are_allowed(saved):
    paths, recorded = saved
    joblib.dump(Bomb(), paths.joblib)
    recorded = {"model.joblib": "0" * 64}
    with pytest.raises(StoreError, match="sha256 differs"):
        load_model(paths, recorded, allow_pickle=True)


def test_a_pickle_in_the_place_of_a_skops_file_is_never_unpickled(saved):
    from mlops_cli.store.files import sha256

    paths, recorded = saved
    joblib.dump(Bomb(), paths.skops)
    recorded = {**recorded, "model.skops": sha256(paths.skops.read_bytes())}
    with pytest.raises(StoreError, match="cannot be opened"):
        load_model(paths, recorded, allow_pickle=True)


def test_what_skops_cannot_store_is_said_with_the_way_out(table, paths):
    model = after(Birch()).fit(table)
    with pytest.raises(StoreError, match="Birch") as caught:
        save_model(model, SIGNATURE, "card", paths)
    assert "artifacts.model_format=joblib" in caught.value.hint
    assert not paths.root.exists()
    recorded = save_model(model, SIGNATURE, "card", paths, model_format="joblib")
    assert load_model(paths, recorded, allow_pickle=True).predict(table).tolist() == model.predict(table).tolist()


def test_a_lambda_is_refused_when_the_model_is_stored_and_not_when_it_is_opened(table, labels, paths):
    model = make_pipeline(mixed(), preprocessing.FunctionTransformer(lambda x: x), logistic()).fit(table, labels)
    with pytest.raises(StoreError, match="lambda") as caught:
        save_model(model, SIGNATURE, "card", paths)
    assert "artifacts.model_format=joblib" in caught.value.hint
    assert not paths.root.exists()


USER_MODULE = """
import numpy as np
from os import system as alias
from sklearn.base import BaseEstimator, TransformerMixin

def shift(x):
    return x + 1

class Doubler(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self
    def transform(self, X):
        return np.asarray(X) * 2
"""


@pytest.fixture
def user_module(tmp_path, monkeypatch):
    (tmp_path / "my_shop_steps.py").write_text(USER_MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    import my_shop_steps

    yield my_shop_steps
    sys.modules.pop("my_shop_steps")


def test_a_users_own_types_need_the_workspaces_trust(user_module, table, labels, paths):
    steps = [user_module.Doubler(), preprocessing.FunctionTransformer(user_module.shift), logistic()]
    model = make_pipeline(mixed(), *steps).fit(table, labels)
    with pytest.raises(StoreError, match="my_shop_steps") as caught:
        save_model(model, SIGNATURE, "card", paths)
    assert 'trust = ["my_shop_steps"]' in caught.value.hint
    recorded = save_model(model, SIGNATURE, "card", paths, trust=["my_shop_steps"])
    loaded = load_model(paths, recorded, trust=["my_shop_steps"])
    assert loaded.predict(table).tolist() == model.predict(table).tolist()
    with pytest.raises(StoreError, match=r"my_shop_steps\.Doubler"):
        load_model(paths, recorded)


ATTACKS = [
    *("os.system", "posix.system", "builtins.eval", "builtins.exec", "subprocess.Popen", "joblib.load"),
    *("joblib.numpy_pickle.load", "pandas.read_pickle", "pandas.io.pickle.read_pickle", "numpy.load"),
    *("numpy.memmap", "numpy.fromfile", "numpy.DataSource", "numpy.testing.measure", "numpy.f2py.compile"),
    *("sklearn.datasets.fetch_openml", "sklearn.datasets._base.load_files", "sklearn.utils._joblib.Memory"),
    *("sklearn.utils._testing.TempMemmap", "sklearn.utils.fixes.os", "sklearn.metrics._scorer._cached_call"),
    *("scipy.stats._distn_infrastructure.rv_continuous", "scipy.stats._continuous_distns.norm_gen"),
    *("sklearn_evil.Thing", "sklearn", "", ".", "sklearn.", "numpy.f2py.__main__.main", "skrub.datasets.x"),
    *("pandas.io.pytables.HDFStore", "pandas.HDFStore", "pandas.ExcelWriter", "xgboost.tracker.RabitTracker"),
    *("sklearn.pipeline.Pipeline.fit", "sklearn.base.os", "mlops_cli.store.files.write_file", "numpy.os.system"),
]


@pytest.mark.parametrize("name", ATTACKS)
def test_a_type_that_could_do_harm_is_refused_by_name(name):
    with pytest.raises(StoreError) as caught:
        check_types([name])
    assert name in caught.value.message


def test_an_alias_of_something_dangerous_in_a_trusted_module_is_refused(user_module):
    check_types(["my_shop_steps.Doubler", "my_shop_steps.shift"], trust=["my_shop_steps"])
    with pytest.raises(StoreError, match=r"my_shop_steps\.alias"):
        check_types(["my_shop_steps.alias"], trust=["my_shop_steps"])
    with pytest.raises(StoreError):
        check_types(["my_shop_steps_evil.x"], trust=["my_shop_steps"])


def test_a_refused_name_is_not_even_imported(tmp_path, monkeypatch):
    (tmp_path / "evil_on_import.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(StoreError):
        check_types(["evil_on_import.Thing"])


def test_a_model_of_a_package_that_is_not_installed_says_which():
    try:
        import catboost  # noqa: F401
    except ImportError:
        with pytest.raises(StoreError, match="catboost, which is not installed") as caught:
            check_types(["catboost.core.CatBoostClassifier"])
        assert "pip install catboost" in caught.value.hint


def crafted(name: str) -> bytes:
    """A model file in which the model's class is another one."""
    data = skops.io.dumps(logistic())
    old = "sklearn.linear_model._logistic", "LogisticRegression"
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w") as target:
        for member in source.namelist():
            text = source.read(member).decode()
            module, _, cls = name.rpartition(".")
            target.writestr(member, text.replace(old[0], module).replace(f'"{old[1]}"', f'"{cls}"'))
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["os.system", "scipy.stats._continuous_distns.norm_gen", "numpy.memmap"])
def test_a_crafted_file_is_refused_although_its_hash_is_right(name, paths):
    from mlops_cli.store.files import sha256, write_file

    data = crafted(name)
    write_file(paths.skops, data)
    with pytest.raises(StoreError, match="not among the types"):
        load_model(paths, {"model.skops": sha256(data)})
