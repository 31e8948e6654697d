"""Objects from specs: the same as a person would have constructed, or one line that says why not."""

from __future__ import annotations

import functools
import sys
import textwrap

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest, f_classif, f_regression, mutual_info_classif
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler, TargetEncoder
from sklearn.svm import SVC

from mlops_cli.components.build import build, check_names, check_values, spec_from, takes_sample_weight
from mlops_cli.components.targets import Role
from mlops_cli.errors import ConfigError, TrustError
from mlops_cli.records import ComponentSpec, Task

FOREST = {
    "classification": "sklearn.ensemble.RandomForestClassifier",
    "regression": "sklearn.ensemble.RandomForestRegressor",
}


def make(node, *, role=Role.ESTIMATOR, task=Task.CLASSIFICATION, seed=0, trust=(), key="model"):
    return build(spec_from(node), role=role, task=task, seed=seed, trust=trust, key=key)


def test_the_task_chooses_among_targets() -> None:
    assert type(make({"_target_": FOREST})).__name__ == "RandomForestClassifier"
    assert type(make({"_target_": FOREST}, task=Task.REGRESSION)).__name__ == "RandomForestRegressor"


def test_a_task_without_a_target_is_told_with_what_there_is() -> None:
    with pytest.raises(ConfigError) as caught:
        make({"_target_": {"classification": "sklearn.linear_model.LogisticRegression"}}, task=Task.REGRESSION)
    assert str(caught.value) == (
        "model: LogisticRegression is for classification; the task is regression "
        "(choose for example ridge, random_forest)"
    )


def test_a_model_for_another_task_is_refused_by_its_tags() -> None:
    with pytest.raises(ConfigError, match="Ridge is a regressor; the task is classification"):
        make({"_target_": "sklearn.linear_model.Ridge"})


def test_a_value_may_depend_on_the_task() -> None:
    node = {"_target_": FOREST, "class_weight": {"classification": "balanced"}, "max_depth": {"regression": 3}}
    assert make(node).get_params()["class_weight"] == "balanced"
    assert make(node).get_params()["max_depth"] is None
    assert make(node, task=Task.REGRESSION).get_params()["max_depth"] == 3


def test_class_weights_of_the_users_replace_the_value_by_task_that_they_were_merged_over() -> None:
    weights = {"classification": None, 0: 1.0, 1: 5.0}
    assert make({"_target_": FOREST, "class_weight": weights}).class_weight == {0: 1.0, 1: 5.0}


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"0": 2}, {0: 2}),
        ({"-1": 1.0, "1": 5.0}, {-1: 1.0, 1: 5.0}),
        ({"0.5": 1, "1.5": 2}, {0.5: 1, 1.5: 2}),
        ({"true": 3, "False": 1}, {True: 3, False: 1}),
        ({"no": 1, "yes": 2}, {"no": 1, "yes": 2}),
        ({"1": 1, "other": 2}, {"1": 1, "other": 2}),
        ({"nan": 1, "1_0": 2, "1e3": 3}, {"nan": 1, "1_0": 2, "1e3": 3}),
    ],
)
def test_class_weights_of_numbers_are_by_number_whatever_a_key_is_written_as(given, meant) -> None:
    found = make({"_target_": FOREST, "class_weight": given}).class_weight
    assert (found, list(map(type, found))) == (meant, list(map(type, meant)))


def test_class_weights_by_a_key_of_the_config_are_taken_by_the_model() -> None:
    X, y = load_iris(return_X_y=True)
    weighted = make({"_target_": FOREST, "class_weight": {"0": 2}, "n_estimators": 5}, seed=0).fit(X, y)
    plain = RandomForestClassifier(class_weight={0: 2}, n_estimators=5, random_state=0).fit(X, y)
    assert np.array_equal(weighted.predict_proba(X), plain.predict_proba(X))


def test_an_unknown_parameter_is_told_with_its_key_and_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        make({"_target_": FOREST, "max_dept": 3})
    text = str(caught.value)
    assert text.startswith("model.max_dept: RandomForestClassifier has no parameter 'max_dept'")
    assert "did you mean 'max_depth'?" in text


def test_an_unknown_parameter_inside_another_is_told_with_its_whole_key() -> None:
    node = {
        "_target_": "sklearn.ensemble.BaggingClassifier",
        "estimator": {"_target_": "sklearn.svm.SVC", "kernl": 1},
    }
    with pytest.raises(
        ConfigError, match=r"model\.estimator\.kernl: SVC has no parameter 'kernl' .did you mean 'kernel'"
    ):
        make(node)


def test_a_constructor_that_raises_is_one_line() -> None:
    with pytest.raises(ConfigError, match="KFold cannot be built: ValueError: k-fold cross-validation requires"):
        make({"_target_": "sklearn.model_selection.KFold", "n_splits": 1}, role=Role.SPLITTER, key="split")


def test_every_random_state_that_is_unset_gets_the_seed() -> None:
    node = {
        "_target_": "sklearn.ensemble.VotingClassifier",
        "estimators": {
            "forest": {"_target_": FOREST},
            "search": {
                "_target_": "sklearn.model_selection.GridSearchCV",
                "estimator": {"_target_": "sklearn.linear_model.LogisticRegression"},
                "param_grid": {"C": [1, 2]},
                "cv": {"_target_": "sklearn.model_selection.KFold", "shuffle": True},
            },
            "own": {"_target_": FOREST, "random_state": 5},
        },
    }
    built = make(node, seed=11)
    members = dict(built.estimators)
    assert members["forest"].random_state == 11
    assert members["search"].estimator.random_state == 11
    assert members["search"].cv.random_state == 11
    assert members["own"].random_state == 5


def test_no_seed_leaves_random_states_alone() -> None:
    assert make({"_target_": FOREST}, seed=None).random_state is None


def test_a_score_that_draws_numbers_gets_the_seed_too() -> None:
    score = {"_target_": "sklearn.feature_selection.mutual_info_classif", "_partial_": True}
    built = make(
        {"_target_": "sklearn.feature_selection.SelectKBest", "k": 2, "score_func": score}, role=Role.TRANSFORMER
    )
    X, y = load_iris(return_X_y=True)
    assert built.score_func.keywords == {"random_state": 0}
    expected = mutual_info_classif(X, y, random_state=0)
    np.testing.assert_array_equal(clone(built).fit(X, y).scores_, expected)


def test_target_encoding_repeats_itself_by_the_seed_without_a_warning() -> None:
    X, y = load_iris(return_X_y=True)
    coarse = X.round()
    built = [make({"_target_": "sklearn.preprocessing.TargetEncoder"}, role=Role.TRANSFORMER) for _ in range(2)]
    first, second = (b.fit_transform(coarse, y) for b in built)
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, TargetEncoder(cv=5).fit(coarse, y).transform(coarse))


def test_seeding_does_not_touch_defaults_that_all_instances_share() -> None:
    skrub = pytest.importorskip("skrub")
    built = make({"_target_": "skrub.TableVectorizer"}, role=Role.TRANSFORMER, seed=3)
    assert built.high_cardinality.random_state == 3
    assert skrub.TableVectorizer().high_cardinality.random_state is None


def test_a_mapping_of_members_becomes_the_list_that_scikit_learn_wants() -> None:
    node = {
        "_target_": "sklearn.ensemble.VotingClassifier",
        "voting": "soft",
        "estimators": {
            "a": {"_target_": "sklearn.naive_bayes.GaussianNB"},
            "b": {"_target_": "sklearn.linear_model.LogisticRegression", "C": 2.0},
            "left_out": None,
        },
    }
    built = make(node, seed=None)
    assert isinstance(built, VotingClassifier)
    assert repr(built.estimators) == repr([("a", GaussianNB()), ("b", LogisticRegression(C=2.0))])


def test_a_list_of_pairs_works_as_well() -> None:
    scaler = {"_target_": "sklearn.preprocessing.StandardScaler"}
    ridge = {"_target_": "sklearn.linear_model.Ridge"}
    node = {"_target_": "sklearn.pipeline.Pipeline", "steps": [["scale", scaler], ["ridge", ridge]]}
    built = make(node, task=Task.REGRESSION)
    assert isinstance(built, Pipeline)
    assert [name for name, _ in built.steps] == ["scale", "ridge"]
    assert isinstance(built.steps[0], tuple)


def test_members_of_a_column_transformer_keep_their_columns() -> None:
    node = {
        "_target_": "sklearn.compose.ColumnTransformer",
        "transformers": {
            "scale": {"_target_": "sklearn.preprocessing.StandardScaler", "columns": ["a"]},
            "rest": "drop",
        },
    }
    node["transformers"].pop("rest")
    built = make(node, role=Role.TRANSFORMER)
    assert isinstance(built, ColumnTransformer)
    name, transformer, columns = built.transformers[0]
    assert (name, type(transformer), columns) == ("scale", StandardScaler, ["a"])


def test_lists_become_tuples_where_the_class_wants_tuples() -> None:
    vectorizer = make(
        {"_target_": "sklearn.feature_extraction.text.TfidfVectorizer", "ngram_range": [1, 2]}, role=Role.TRANSFORMER
    )
    assert vectorizer.ngram_range == (1, 2)
    assert check_values(vectorizer) is None
    assert isinstance(vectorizer, TfidfVectorizer)
    mlp = make({"_target_": "sklearn.neural_network.MLPClassifier", "hidden_layer_sizes": [5, 5]})
    assert isinstance(mlp, MLPClassifier)
    assert mlp.hidden_layer_sizes == (5, 5)
    encoder = make(
        {"_target_": "sklearn.preprocessing.OrdinalEncoder", "categories": [["a", "b"]]}, role=Role.TRANSFORMER
    )
    assert encoder.categories == [["a", "b"]]


def test_kernels_and_functions_are_parameters() -> None:
    kernel = {"_target_": "sklearn.gaussian_process.kernels.RBF", "length_scale": 2.0}
    built = make(
        {"_target_": "sklearn.gaussian_process.GaussianProcessRegressor", "kernel": kernel}, task=Task.REGRESSION
    )
    assert isinstance(built, GaussianProcessRegressor)
    assert built.kernel.length_scale == 2.0
    log = make(
        {"_target_": "sklearn.preprocessing.FunctionTransformer", "func": {"_target_": "numpy.log1p"}},
        role=Role.TRANSFORMER,
    )
    assert isinstance(log, FunctionTransformer)
    assert log.func is np.log1p


def test_a_function_by_task_is_the_function_itself() -> None:
    score = {
        "_partial_": True,
        "_target_": {
            "classification": "sklearn.feature_selection.f_classif",
            "regression": "sklearn.feature_selection.f_regression",
        },
    }
    node = {"_target_": "sklearn.feature_selection.SelectKBest", "k": 2, "score_func": score}
    assert isinstance(make(node, role=Role.TRANSFORMER), SelectKBest)
    assert make(node, role=Role.TRANSFORMER).score_func is f_classif
    assert make(node, role=Role.TRANSFORMER, task=Task.REGRESSION).score_func is f_regression


def test_a_scorer_may_be_made_for_an_inner_search() -> None:
    scoring = {
        "_target_": "sklearn.metrics.make_scorer",
        "score_func": {"_target_": "sklearn.metrics.fbeta_score"},
        "beta": 2,
    }
    built = make(
        {
            "_target_": "sklearn.model_selection.GridSearchCV",
            "estimator": {"_target_": "sklearn.tree.DecisionTreeClassifier"},
            "param_grid": {"max_depth": [1, 2]},
            "scoring": {**scoring, "average": "macro"},
        }
    )
    assert isinstance(built, GridSearchCV)
    assert built.fit(*load_iris(return_X_y=True)).best_score_ > 0.8


def test_partial_binds_parameters_and_calls_nothing() -> None:
    node = {"_target_": "sklearn.metrics.fbeta_score", "_partial_": True, "beta": 2}
    built = make(node, role=Role.METRIC)
    assert isinstance(built, functools.partial)
    assert built.keywords == {"beta": 2}


@pytest.mark.parametrize("word", ["drop", "passthrough"])
def test_scikit_learns_words_for_no_transformer_pass(word: str) -> None:
    assert make({"_target_": word}, role=Role.TRANSFORMER) == word
    with pytest.raises(ConfigError):
        make({"_target_": word})


def test_a_config_may_not_choose_a_pickle_cache() -> None:
    with pytest.raises(ConfigError, match=r"model\.memory: AgglomerativeClustering may not cache on disk"):
        make({"_target_": "sklearn.cluster.AgglomerativeClustering", "memory": "/tmp/x"}, task=Task.CLUSTERING)


def test_a_hostile_name_is_found_at_any_depth_before_any_import() -> None:
    spec = ComponentSpec(
        FOREST, {"a": [{"b": {"_target_": "sklearn.svm.SVC", "kernel": {"_target_": "os.system", "command": "x"}}}]}
    )
    with pytest.raises(TrustError, match=r"model\.a\[0\]\.b\.kernel\._target_: 'os\.system'"):
        check_names(spec, (), key="model")
    with pytest.raises(TrustError, match=r"'os\.system'"):
        make({"_target_": "sklearn.svm.SVC", "kernel": {"_target_": "os.system", "command": "x"}})
    by_task = ComponentSpec({"classification": "sklearn.svm.SVC", "regression": "builtins.eval"})
    with pytest.raises(TrustError, match=r"builtins\.eval"):
        check_names(by_task, (), key="model")


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (LogisticRegression(C=-1), "The 'C' parameter of LogisticRegression must be a float in the range"),
        (BaggingClassifier(SVC(kernel="rbff")), "The 'kernel' parameter of SVC must be"),
        (make_pipeline(StandardScaler(), Ridge(alpha="x")), "The 'alpha' parameter of Ridge must be"),
    ],
)
def test_a_bad_value_is_told_in_scikit_learns_own_words(model, told: str) -> None:
    sentence = check_values(model)
    assert sentence is not None
    assert sentence.startswith(told)
    assert "\n" not in sentence


def test_good_values_have_nothing_said_of_them() -> None:
    assert check_values(make_pipeline(StandardScaler(), RandomForestClassifier())) is None
    assert check_values(object()) is None


@pytest.mark.parametrize(
    ("model", "takes"),
    [
        (Ridge(), True),
        (KNeighborsClassifier(), False),
        (make_pipeline(StandardScaler(), LogisticRegression()), True),
        (make_pipeline(StandardScaler(), KNeighborsClassifier()), False),
        (VotingClassifier([("a", LogisticRegression()), ("b", GaussianNB())]), True),
        (VotingClassifier([("a", LogisticRegression()), ("b", KNeighborsClassifier())]), False),
        (VotingClassifier([("a", make_pipeline(StandardScaler(), LogisticRegression()))]), False),
        (BaggingClassifier(KNeighborsClassifier()), False),
        (AdaBoostClassifier(), True),
        (GridSearchCV(SVC(), {"C": [1]}), True),
        (GridSearchCV(KNeighborsClassifier(), {"n_neighbors": [1]}), False),
    ],
)
def test_it_is_known_which_models_take_weights(model, takes: bool) -> None:
    assert takes_sample_weight(model) is takes
    X, y = load_iris(return_X_y=True)
    if takes and not isinstance(model, Pipeline):
        model.fit(X / X.max(axis=0), y, sample_weight=np.linspace(0.5, 1, len(y)))


def test_a_users_own_model_and_factory_are_built(tmp_path, monkeypatch) -> None:
    (tmp_path / "my_build_module.py").write_text(
        textwrap.dedent(
            """
            from sklearn.linear_model import LinearRegression

            class Mean:
                def __init__(self, shift=0):
                    self.shift = shift
                def fit(self, X, y):
                    self.mean_ = y.mean() + self.shift
                    return self
                def predict(self, X):
                    return [self.mean_] * len(X)

            def line(fit_intercept=True):
                return LinearRegression(fit_intercept=fit_intercept)

            def nothing():
                return 7

            def double(X):
                return X * 2
            """
        )
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "my_build_module", raising=False)
    own = functools.partial(make, task=Task.REGRESSION, trust=["my_build_module"])
    X, y = load_diabetes(return_X_y=True)
    assert own({"_target_": "my_build_module.Mean", "shift": 1}).fit(X, y).predict(X)[0] == y.mean() + 1
    assert isinstance(own({"_target_": "my_build_module.line", "fit_intercept": False}), LinearRegression)
    with pytest.raises(ConfigError, match="returned a int, which is not a model"):
        own({"_target_": "my_build_module.nothing"})
    with pytest.raises(ConfigError, match=r"model\.shfit: Mean has no parameter 'shfit' .did you mean 'shift'"):
        own({"_target_": "my_build_module.Mean", "shfit": 1})
    doubling = {"_target_": "sklearn.preprocessing.FunctionTransformer", "func": {"_target_": "my_build_module.double"}}
    with pytest.raises(ConfigError, match=r"model\.func: .*missing 1 required .*add _partial_: true"):
        own(doubling, role=Role.TRANSFORMER)
    doubling["func"]["_partial_"] = True
    assert own(doubling, role=Role.TRANSFORMER).fit_transform(X)[0, 0] == X[0, 0] * 2
