"""Metrics are scikit-learn's, by the names that people use."""

from __future__ import annotations

import sys
import textwrap
import warnings

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.metrics import (
    class_likelihood_ratios,
    f1_score,
    get_scorer,
    get_scorer_names,
    mean_squared_error,
    roc_auc_score,
    silhouette_score,
)
from sklearn.model_selection import cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from mlops_cli.components import cluster_metrics
from mlops_cli.components.build import spec_from
from mlops_cli.components.metric_names import metric_bounds, metric_names, scikit_name, tasks_of
from mlops_cli.components.metrics import evaluate, positive_class, resolve_metrics
from mlops_cli.errors import ConfigError
from mlops_cli.records import Direction, MetricSpec, Task

# two classes of several labels want an own target, and these want more columns of one
NOT_FOR_ONE_TARGET = {n for n in get_scorer_names() if n.endswith("_samples")}


def names(*wanted: str) -> list[MetricSpec]:
    return [MetricSpec(name) for name in wanted]


@pytest.fixture(scope="module")
def binary():
    X, y = load_breast_cancer(return_X_y=True)
    return X, y, np.where(y == 1, "benign", "malignant"), DecisionTreeClassifier(max_depth=2, random_state=0)


@pytest.mark.parametrize(
    ("task", "classes", "expected"),
    [
        (Task.CLASSIFICATION, [0, 1], ["roc_auc", "accuracy", "f1"]),
        (Task.CLASSIFICATION, ["a", "b", "c"], ["accuracy", "f1_macro", "roc_auc_ovr"]),
        (Task.REGRESSION, None, ["r2", "rmse", "mae"]),
        (Task.CLUSTERING, None, ["silhouette", "calinski_harabasz", "davies_bouldin"]),
    ],
)
def test_the_usual_metrics_of_each_task(task, classes, expected) -> None:
    assert [m.name for m in resolve_metrics([], task, classes)] == expected


def test_every_scikit_learn_scorer_has_its_value_and_is_maximised() -> None:
    setups = {
        Task.REGRESSION: (*load_diabetes(return_X_y=True), DecisionTreeRegressor(max_depth=2), None),
        Task.CLASSIFICATION: (*load_breast_cancer(return_X_y=True), DecisionTreeClassifier(max_depth=2), [0, 1]),
    }
    seen = set()
    for task, (X, y, model, classes) in setups.items():
        model.fit(X, y)
        for name in set(get_scorer_names()) - NOT_FOR_ONE_TARGET - {"top_k_accuracy"}:
            try:
                metrics = resolve_metrics(names(name), task, classes)
            except ConfigError as error:
                assert "the task is" in str(error)  # noqa: PT017 - the others are checked by being seen
                continue
            scores, _ = evaluate(metrics, model, X, y)
            assert scores == {name: get_scorer(name)(model, X, y)}
            assert metrics[0].direction is Direction.MAXIMIZE
            seen.add(name)
    assert seen == set(get_scorer_names()) - NOT_FOR_ONE_TARGET - {"top_k_accuracy"}


@pytest.mark.parametrize(
    ("alias", "scorer"),
    [
        ("rmse", "neg_root_mean_squared_error"),
        ("mse", "neg_mean_squared_error"),
        ("mae", "neg_mean_absolute_error"),
        ("mape", "neg_mean_absolute_percentage_error"),
        ("medae", "neg_median_absolute_error"),
        ("rmsle", "neg_root_mean_squared_log_error"),
        ("max_error", "neg_max_error"),
        ("mean_squared_error", "neg_mean_squared_error"),
        ("poisson_deviance", "neg_mean_poisson_deviance"),
        ("mean_gamma_deviance", "neg_mean_gamma_deviance"),
    ],
)
def test_an_error_is_reported_as_the_positive_number_and_minimised(alias: str, scorer: str) -> None:
    X, y = load_diabetes(return_X_y=True)
    model = DecisionTreeRegressor(max_depth=2).fit(X, y)
    metrics = resolve_metrics(names(alias), Task.REGRESSION)
    assert metrics[0].direction is Direction.MINIMIZE
    assert evaluate(metrics, model, X, y)[0] == {alias: -get_scorer(scorer)(model, X, y)}


@pytest.mark.parametrize(
    ("names_of", "expected"),
    [
        ("accuracy balanced_accuracy f1 f1_macro precision_weighted recall jaccard_micro", (0, 1)),
        ("roc_auc roc_auc_ovr_weighted average_precision top_k_accuracy v_measure_score", (0, 1)),
        ("mcc matthews_corrcoef silhouette", (-1, 1)),
        ("r2 explained_variance d2_absolute_error_score d2_brier_score", (-np.inf, 1)),
        ("rmse mae mse mape max_error log_loss brier poisson_deviance davies_bouldin", (0, np.inf)),
        ("calinski_harabasz positive_likelihood_ratio negative_likelihood_ratio", (0, np.inf)),
        ("neg_root_mean_squared_error neg_log_loss neg_brier_score neg_max_error", (-np.inf, 0)),
        ("profit f11 recall_of_mine", (-np.inf, np.inf)),
    ],
)
def test_it_is_known_where_a_metric_ends(names_of: str, expected: tuple[float, float]) -> None:
    assert {metric_bounds(name) for name in names_of.split()} == {expected}


@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.REGRESSION])
def test_scores_are_within_the_bounds_of_their_metrics(task: Task) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)), rng.integers(1, 3, 60)
    wanted = [n for n in metric_names() if n not in cluster_metrics.SCORES and tasks_of(scikit_name(n)[0])[-1] is task]
    estimators = {Task.CLASSIFICATION: DecisionTreeClassifier, Task.REGRESSION: DecisionTreeRegressor}
    for rows in (slice(None), slice(30, None)):  # of what was learned by heart, and of what was not seen
        model = estimators[task](random_state=0).fit(X[: rows.start], y[: rows.start])
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # ratios of a model without an error are infinite
            scores, _ = evaluate(resolve_metrics(names(*wanted), task, np.unique(y)), model, X[rows], y[rows])
        found = {n: s for n, s in scores.items() if not metric_bounds(n)[0] <= s <= metric_bounds(n)[1]}
        assert {n for n, s in found.items() if not np.isnan(s)} == set()


def test_scores_are_those_of_cross_validate(binary) -> None:
    X, y, _, model = binary
    wanted = ["roc_auc", "accuracy", "f1", "neg_log_loss", "neg_brier_score", "average_precision", "precision"]
    theirs = cross_validate(model, X, y, cv=3, scoring=wanted, return_indices=True)
    metrics = resolve_metrics(names(*wanted), Task.CLASSIFICATION, np.unique(y))
    for i, (train, test) in enumerate(zip(theirs["indices"]["train"], theirs["indices"]["test"], strict=True)):
        ours, _ = evaluate(metrics, model.fit(X[train], y[train]), X[test], y[test])
        assert ours == {name: theirs[f"test_{name}"][i] for name in wanted}


@pytest.mark.parametrize("positive", ["benign", "malignant"])
def test_labels_of_any_kind_score_as_zero_and_one_would(binary, positive: str) -> None:
    X, _, labels, model = binary
    coded = (labels == positive).astype(int)
    wanted = ["f1", "precision", "recall", "jaccard", "average_precision", "brier", "log_loss", "roc_auc", "mcc"]
    wanted += ["d2_brier_score", "positive_likelihood_ratio", "negative_likelihood_ratio", "f1_macro"]
    told = evaluate(
        resolve_metrics(names(*wanted), Task.CLASSIFICATION, np.unique(labels), positive),
        model.fit(X, labels),
        X,
        labels,
    )[0]
    plain = evaluate(resolve_metrics(names(*wanted), Task.CLASSIFICATION, [0, 1]), model.fit(X, coded), X, coded)[0]
    assert told == pytest.approx(plain, rel=1e-12)


@pytest.mark.parametrize(
    ("classes", "positive"),
    [
        (["no", "yes"], "yes"),
        ([0, 1], 1),
        ([1, 2], 1),
        ([-1, 1], 1),
        ([2, 3], 3),
        ([False, True], True),
        (["n", "y"], "y"),
    ],
)
def test_the_positive_class_when_none_is_named(classes, positive) -> None:
    found = positive_class(np.array(classes))
    assert (found, type(found)) == (positive, type(positive))


def test_a_positive_class_that_is_none_is_told_with_the_classes() -> None:
    with pytest.raises(ConfigError, match=r"data\.positive: 'yess' is not a class of the target .did you mean 'yes'"):
        resolve_metrics([], Task.CLASSIFICATION, ["no", "yes"], "yess")
    with pytest.raises(ConfigError, match="put it in quotes"):
        resolve_metrics([], Task.CLASSIFICATION, ["no", "yes"], True)
    with pytest.raises(ConfigError, match="this is for two classes; the target has 3"):
        resolve_metrics([], Task.CLASSIFICATION, ["a", "b", "c"], "a")


def test_zero_can_be_the_positive_class(binary) -> None:
    X, y, _, model = binary
    model.fit(X, y)
    scores, _ = evaluate(resolve_metrics(names("f1"), Task.CLASSIFICATION, [0, 1], 0), model, X, y)
    assert scores["f1"] == f1_score(y, model.predict(X), pos_label=0)


@pytest.mark.parametrize(
    ("name", "task", "classes", "told"),
    [
        ("f1", Task.CLASSIFICATION, [0, 1, 2], "f1 is for two classes; the target has 3 (choose f1_macro, f1_weighted"),
        ("roc_auc", Task.CLASSIFICATION, [0, 1, 2], "(choose roc_auc_ovr"),
        ("r2", Task.CLASSIFICATION, [0, 1], "r2 is for regression; the task is classification"),
        ("rmse", Task.CLASSIFICATION, [0, 1], "rmse is for regression"),
        ("accuracy", Task.REGRESSION, None, "accuracy is for classification; the task is regression"),
        ("silhouette", Task.REGRESSION, None, "silhouette is for clustering"),
        ("adjusted_rand_score", Task.REGRESSION, None, "adjusted_rand_score is for clustering or classification"),
        ("acuracy", Task.CLASSIFICATION, [0, 1], "there is no metric 'acuracy' (did you mean 'accuracy'?"),
        ("f1_samples", Task.CLASSIFICATION, [0, 1], "there is no metric 'f1_samples'"),
        ("", Task.REGRESSION, None, "there is no metric ''"),
    ],
)
def test_a_metric_that_does_not_suit_is_one_line(name, task, classes, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve_metrics(names(name), task, classes)
    assert str(caught.value).startswith("evaluation.metrics: ")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_metric_asked_for_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="'r2' is asked for twice"):
        resolve_metrics(names("r2", "rmse", "r2"), Task.REGRESSION)


def test_clusters_are_compared_with_a_target_only_where_there_is_one() -> None:
    assert resolve_metrics(names("adjusted_rand_score"), Task.CLUSTERING)
    with pytest.raises(ConfigError, match=r"there is none \(set data\.target\)"):
        resolve_metrics(names("adjusted_rand_score"), Task.CLUSTERING, has_target=False)


def test_clusterings_are_scored_in_the_space_that_the_model_sees() -> None:
    X, y = load_iris(return_X_y=True)
    pipe = make_pipeline(StandardScaler(), KMeans(3, random_state=0)).fit(X)
    wanted = names("silhouette", "davies_bouldin", "calinski_harabasz", "adjusted_rand_score")
    metrics = resolve_metrics(wanted, Task.CLUSTERING)
    scores, responses = evaluate(metrics, pipe, X, y)
    assert scores["silhouette"] == silhouette_score(StandardScaler().fit_transform(X), pipe.predict(X))
    assert 0 < scores["adjusted_rand_score"] < 1
    assert [m.direction for m in metrics[:2]] == [Direction.MAXIMIZE, Direction.MINIMIZE]
    np.testing.assert_array_equal(responses["predict"], pipe.predict(X))
    assert evaluate(resolve_metrics([], Task.CLUSTERING), pipe, X, None)[0]["silhouette"] == scores["silhouette"]


class Counting(GaussianNB):
    """Counts how often it is asked."""

    asked: list[str]

    def predict(self, X):
        self.asked.append("predict")
        return self.classes_[super().predict_joint_log_proba(X).argmax(axis=1)]

    def predict_proba(self, X):
        self.asked.append("predict_proba")
        return super().predict_proba(X)


def test_each_kind_of_prediction_is_made_once_and_handed_back(binary) -> None:
    X, _, labels, _ = binary
    model = Counting().fit(X, labels)
    model.asked = []
    wanted = names("accuracy", "f1", "precision", "roc_auc", "log_loss", "average_precision")
    metrics = resolve_metrics(wanted, Task.CLASSIFICATION, np.unique(labels), "malignant")
    _, responses = evaluate(metrics, model, X, labels)
    assert sorted(model.asked) == ["predict", "predict_proba"]
    np.testing.assert_array_equal(responses["predict_proba"], model.predict_proba(X))
    assert responses["predict"].shape == (len(X),)


def test_weights_reach_the_metrics_that_take_them() -> None:
    X, y = load_diabetes(return_X_y=True)
    model = LinearRegression().fit(X, y)
    metrics = resolve_metrics(names("mse", "max_error"), Task.REGRESSION)
    plain, _ = evaluate(metrics, model, X, y)
    weighted, _ = evaluate(metrics, model, X, y, y)
    assert weighted["mse"] == mean_squared_error(y, model.predict(X), sample_weight=y)
    assert weighted["max_error"] == plain["max_error"]


def test_one_against_the_rest_needs_no_probabilities() -> None:
    X, y = load_iris(return_X_y=True)
    metrics = resolve_metrics(names("roc_auc_ovr", "roc_auc_ovr_weighted"), Task.CLASSIFICATION, np.unique(y))
    proba = LogisticRegression(max_iter=1000).fit(X, y)
    scores, _ = evaluate(metrics, proba, X, y)
    assert scores["roc_auc_ovr"] == get_scorer("roc_auc_ovr")(proba, X, y)
    ridge = RidgeClassifier().fit(X, y)
    scores, _ = evaluate(metrics, ridge, X, y)
    one_by_one = [roc_auc_score(y == c, ridge.decision_function(X)[:, c]) for c in range(3)]
    assert scores["roc_auc_ovr"] == pytest.approx(np.mean(one_by_one), rel=1e-12)


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "my_metrics_module.py").write_text(
        textwrap.dedent(
            """
            import numpy as np

            def cost_loss(y_true, y_pred, price=1.0, sample_weight=None):
                return price * np.average(np.asarray(y_true) != np.asarray(y_pred), weights=sample_weight)

            def sharpness(y_true, y_proba):
                return float(np.abs(y_proba - 0.5).mean())

            def depth(estimator, X, y):
                return estimator.get_depth()

            def words(y_true, y_pred):
                return "many"
            """
        )
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "my_metrics_module", raising=False)

    def metric(name: str, **fields):
        params = fields.pop("params", {})
        component = spec_from({"_target_": f"my_metrics_module.{name}", **params})
        return resolve_metrics(
            [MetricSpec(name, component, **fields)], Task.CLASSIFICATION, [0, 1], None, ["my_metrics_module"]
        )

    return metric


def test_a_users_own_function_is_a_metric(own, binary) -> None:
    X, y, _, model = binary
    model.fit(X, y)
    error = float(np.mean(model.predict(X) != y))
    metrics = own("cost_loss", params={"price": 3.0})
    assert metrics[0].direction is Direction.MINIMIZE
    assert evaluate(metrics, model, X, y)[0]["cost_loss"] == pytest.approx(3 * error)
    weighted = float(np.average(model.predict(X) != y, weights=y + 1))
    assert evaluate(metrics, model, X, y, y + 1)[0]["cost_loss"] == pytest.approx(3 * weighted)


def test_a_users_own_metric_may_ask_for_probabilities(own, binary) -> None:
    X, y, _, model = binary
    model.fit(X, y)
    scores, responses = evaluate(own("sharpness", response="predict_proba"), model, X, y)
    assert scores["sharpness"] == np.abs(model.predict_proba(X)[:, 1] - 0.5).mean()
    assert set(responses) == {"predict_proba"}
    with pytest.raises(ConfigError, match=r"'predict_probs' is no response \(did you mean 'predict_proba'"):
        own("sharpness", response="predict_probs")


def test_a_users_own_scorer_gets_the_estimator(own, binary) -> None:
    X, y, _, model = binary
    assert evaluate(own("depth", direction=Direction.MINIMIZE), model.fit(X, y), X, y)[0] == {"depth": 2.0}


def test_a_metric_that_gives_no_number_is_told_by_name(own, binary) -> None:
    X, y, _, model = binary
    with pytest.raises(ValueError, match="the metric words returned a str, not a number"):
        evaluate(own("words"), model.fit(X, y), X, y)


def test_a_wrong_parameter_of_a_metric_is_told(own) -> None:
    with pytest.raises(
        ConfigError, match=r"evaluation\.metrics\.cost_loss\.prize: .* did you mean 'price'|did you mean"
    ):
        own("cost_loss", params={"prize": 2})


def test_scikit_learns_functions_are_metrics_too(binary) -> None:
    X, _, labels, model = binary
    model.fit(X, labels)
    f2 = MetricSpec("f2", spec_from({"_target_": "sklearn.metrics.fbeta_score", "beta": 2}))
    scores, _ = evaluate(resolve_metrics([f2], Task.CLASSIFICATION, np.unique(labels), "benign"), model, X, labels)
    assert 0.9 < scores["f2"] < 1
    with pytest.raises(ConfigError, match=r"f2 is for two classes unless averaged \(add average: macro"):
        resolve_metrics([f2], Task.CLASSIFICATION, [0, 1, 2])


def test_every_name_that_is_offered_resolves() -> None:
    offered = metric_names()
    assert {"rmse", "log_loss", "silhouette", "accuracy"} <= set(offered)
    for name in offered:
        for task, classes in ((Task.CLASSIFICATION, [0, 1]), (Task.REGRESSION, None), (Task.CLUSTERING, None)):
            try:
                resolve_metrics(names(name), task, classes)
            except ConfigError as error:
                assert "the task is" in str(error)  # noqa: PT017 - one of three tasks must take it
                continue
            break
        else:
            pytest.fail(f"{name} suits no task")


def test_the_likelihood_ratio_is_that_of_the_positive_class(binary) -> None:
    X, _, labels, model = binary
    model.fit(X, labels)
    metrics = resolve_metrics(names("positive_likelihood_ratio"), Task.CLASSIFICATION, np.unique(labels), "benign")
    expected = class_likelihood_ratios(labels, model.predict(X), labels=["malignant", "benign"])[0]
    assert evaluate(metrics, model, X, labels)[0]["positive_likelihood_ratio"] == expected
