"""Every option of the catalogue composes, says what it is, and works on real data for each task that it has."""

from __future__ import annotations

import inspect
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import scale

import mlops_cli
from mlops_cli.components.build import (
    build,
    build_splitter,
    check_names,
    check_values,
    spec_from,
    wrap_calibration,
    wrap_target,
)
from mlops_cli.components.metrics import evaluate, resolve_metrics
from mlops_cli.components.targets import KEYWORDS, Role, import_target
from mlops_cli.records import Task

CONF = Path(mlops_cli.__file__).parent / "conf"
GROUPS = ("model", "transforms", "split", "target_transform", "calibration", "launcher")
# Where the catalogue says something else than scikit-learn's default, and why is said in the file.
OWN_VALUES = {
    ("gaussian_mixture", "n_components"),
    ("hdbscan", "copy"),
    ("stacking", "final_estimator"),  # what it makes of None, said aloud
    ("voting", "voting"),
}

# Splits that read a column of the data.
COLUMN = {"predefined": ("split.column=fold",), "forecast": ("split.column=day",)}


def options(group: str) -> list[str]:
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


@cache
def composed(group: str, *choices: str, overrides: tuple[str, ...] = ()):
    """Return a group's node as plain Hydra composes it."""
    chosen = choices[0] if len(choices) == 1 else f"[{','.join(choices)}]"
    with initialize_config_dir(str(CONF), version_base=None):
        config = compose(overrides=[f"+{group}={chosen}", "+seed=3", *overrides])
    return OmegaConf.to_container(config, resolve=True)[group]


def offered(node) -> list[Task]:
    target = node["_target_"]
    return [Task(t) for t in target] if isinstance(target, dict) else list(Task)


MODELS = [(name, task) for name in options("model") for task in offered(composed("model", name))]


def data(task: Task):
    if task is Task.REGRESSION:
        X, y = load_diabetes(return_X_y=True)
        return scale(X)[:150], y[:150]
    X, y = load_iris(return_X_y=True)
    return X, (y if task is Task.CLASSIFICATION else None)


@pytest.mark.parametrize("group", GROUPS)
def test_every_option_begins_with_a_line_that_says_what_it_is(group: str) -> None:
    assert options(group)
    for name in options(group):
        first, second, *_ = [*(CONF / group / f"{name}.yaml").read_text().splitlines(), ""]
        assert first.startswith("# "), name
        assert not second.startswith("#"), name


@pytest.mark.parametrize("group", ["model", "transforms", "split", "target_transform", "calibration"])
def test_every_name_in_the_catalogue_is_trusted(group: str) -> None:
    for name in options(group):
        node = composed(group, name, overrides=COLUMN.get(name, ()))
        for spec in node.values() if group == "transforms" else [node]:
            if spec is not None and spec["_target_"] is not None:
                check_names(spec_from(spec), (), key=group)


def _wanted_models() -> set[str]:
    classes = "linear logistic_regression ridge lda qda linear_svm svm knn naive_bayes naive_bayes_multinomial"
    classes += " naive_bayes_bernoulli naive_bayes_complement decision_tree random_forest extra_trees"
    classes += (
        " gradient_boosting hist_gradient_boosting ada_boost bagging mlp sgd gaussian_process dummy voting stacking"
    )
    boosters = "xgboost lightgbm catboost"
    networks = "network cnn"
    numbers = "lasso elastic_net bayesian_ridge huber quantile_regression poisson"
    clusters = "kmeans mini_batch_kmeans dbscan hdbscan agglomerative gaussian_mixture"
    return set(f"{classes} {boosters} {networks} {numbers} {clusters}".split())


def test_the_catalogue_has_the_models_that_it_promises() -> None:
    assert set(options("model")) == _wanted_models()


@pytest.mark.parametrize(("name", "task"), MODELS)
def test_a_model_fits_predicts_and_scores_by_the_usual_metrics_without_a_warning(name: str, task: Task) -> None:
    X, y = data(task)
    node = composed("model", name)
    if name == "cnn":
        node |= {"shape": [1, 2, X.shape[1] // 2], "epochs": 2}
    model = build(spec_from(node), role=Role.ESTIMATOR, task=task, seed=0, key="model")
    assert check_values(model) is None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X) if y is None else model.fit(X, y)
    if not hasattr(model, "predict"):
        assert model.labels_.shape == (len(X),)
        return
    assert model.predict(X).shape == (len(X),)
    metrics = resolve_metrics([], task, None if y is None else np.unique(y))
    scores, _ = evaluate(metrics, model, X, y)
    assert all(np.isfinite(value) for value in scores.values())


@pytest.mark.parametrize(("name", "task"), MODELS)
def test_the_values_listed_are_scikit_learns_defaults(name: str, task: Task) -> None:
    node = composed("model", name)
    target = node["_target_"][str(task)]
    # their own defaults are held by scores: tests/workflows/test_boosters.py, test_networks.py
    if ".boosters." in target or ".networks." in target:
        return
    defaults = {k: p.default for k, p in inspect.signature(import_target(target)).parameters.items()}
    for key, value in node.items():
        by_task = isinstance(value, dict) and set(value) <= set(Task)
        if key in {"_target_", "estimators"} or (by_task and str(task) not in value) or (name, key) in OWN_VALUES:
            continue
        listed = value[str(task)] if by_task else value
        assert key in defaults, f"{target} has no {key}"
        assert listed == (list(defaults[key]) if isinstance(defaults[key], tuple) else defaults[key]), key


def test_the_members_of_an_ensemble_can_be_swapped_and_left_out() -> None:
    overrides = ("model@model.estimators.knn=naive_bayes", "model.estimators.random_forest=null")
    node = composed("model", "voting", overrides=overrides)
    built = build(spec_from(node), role=Role.ESTIMATOR, task=Task.CLASSIFICATION, seed=0, key="model")
    assert [(n, type(m).__name__) for n, m in built.estimators] == [
        ("linear", "LogisticRegression"),
        ("knn", "GaussianNB"),
    ]


def test_a_model_repeats_itself_by_the_seed() -> None:
    X, y = data(Task.REGRESSION)
    spec = spec_from(composed("model", "voting"))
    first, second, other = (
        build(spec, role=Role.ESTIMATOR, task=Task.REGRESSION, seed=seed, key="model").fit(X, y).predict(X)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


# --- transforms ----------------------------------------------------------------------------------------------------


def table() -> tuple[pd.DataFrame, np.ndarray]:
    """Return a table of every kind of column, with missing values."""
    rng = np.random.default_rng(0)
    colours = pd.Series(rng.choice(["red", "green", "blue"], 60), dtype=object)
    colours[::9] = np.nan
    sizes = pd.Series(rng.normal(size=60))
    sizes[::7] = np.nan
    words = pd.Series([f"word{i % 4} and some text of row {i}" for i in range(60)])
    X = pd.DataFrame({"size": sizes, "length": rng.normal(size=60), "colour": colours, "words": words})
    X["sold"] = [1.0, 0.0, np.nan] * 20  # as booleans with gaps are
    return X, (rng.random(60) > 0.5).astype(int)


COLUMNS = {
    "numeric": ["size", "length"],
    "categorical": ["colour"],
    "text": ["words"],
    "datetime": [],
    "boolean": ["sold"],
}


def apply(node, X: pd.DataFrame, y: np.ndarray) -> dict[str, object]:
    """Fit each step on its own columns, as far as one step goes without those before it."""
    done = {}
    for name, step in node.items():
        wanted = step.pop("columns")
        kinds = [wanted] if isinstance(wanted, str) else wanted
        names = [c for kind in kinds for c in COLUMNS.get(kind, list(X))]
        built = build(
            spec_from(step), role=Role.TRANSFORMER, task=Task.CLASSIFICATION, seed=0, key=f"transforms.{name}"
        )
        if isinstance(built, str):
            assert built in KEYWORDS
            continue
        assert check_values(built) is None
        part = X[names[0]] if kinds == ["text"] else X[names]
        done[name] = built.fit_transform(part, y)
    return done


def step_nodes(*names: str):
    return {k: dict(v) for k, v in composed("transforms", *names).items()}


def test_none_is_no_step() -> None:
    assert composed("transforms", "none") == {}


@pytest.mark.parametrize("name", ["tabular", "tree", "text", "polynomial"])
def test_each_step_fits_its_columns_without_a_warning(name: str) -> None:
    X, y = table()
    if name == "polynomial":
        X = X.assign(size=0.0)
    assert all(
        len(out) == len(X) if isinstance(out, pd.DataFrame) else out.shape[0] == len(X)
        for out in apply(step_nodes(name), X, y).values()
    )


def test_tree_keeps_missing_values_and_marks_new_categories() -> None:
    X, y = table()
    step = step_nodes("tree")["encode"]
    step.pop("columns")
    encoder = build(spec_from(step), role=Role.TRANSFORMER, task=Task.CLASSIFICATION, key="transforms.encode")
    coded = encoder.fit(X[["colour"]], y).transform(pd.DataFrame({"colour": ["red", np.nan, "mauve"]}))
    assert np.isnan(coded[1, 0])
    assert coded[2, 0] == -1


def test_options_combine_and_no_step_hides_another() -> None:
    combined = composed("transforms", "tabular", "select")
    assert list(combined) == [*composed("transforms", "tabular"), "select"]
    assert list(composed("transforms", "text", "polynomial", "pca"))[-2:] == ["polynomial", "pca"]
    assert composed("transforms", "text")["leave_out"]["columns"] == ["datetime"]


@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.REGRESSION])
@pytest.mark.parametrize("name", ["select", "pca"])
def test_what_comes_after_others_works_on_numbers_of_any_task(name: str, task: Task) -> None:
    X, y = load_diabetes(return_X_y=True)
    (step,) = step_nodes(name).values()
    step.pop("columns")
    built = build(spec_from(step), role=Role.TRANSFORMER, task=task, seed=0, key=f"transforms.{name}")
    assert 0 < built.fit_transform(X, y > 100 if task is Task.CLASSIFICATION else y).shape[1] <= X.shape[1]


def test_auto_turns_a_whole_table_into_numbers() -> None:
    pytest.importorskip("skrub")
    X, y = table()
    current = X.assign(day=pd.date_range("2024-01-01", periods=len(X)))
    for name, step in step_nodes("auto").items():
        step.pop("columns")
        built = build(
            spec_from(step), role=Role.TRANSFORMER, task=Task.CLASSIFICATION, seed=0, key=f"transforms.{name}"
        )
        current = built.fit_transform(current, y)
    assert np.isfinite(np.asarray(current, dtype=float)).all()


# --- splits, targets, calibration, launchers -----------------------------------------------------------------------

STRATIFIED = {"stratified_kfold", "repeated_stratified_kfold", "stratified_group_kfold"}
SPLITS = [
    (name, task)
    for name in options("split")
    for task in (Task.CLASSIFICATION, Task.REGRESSION, Task.CLUSTERING)
    if name not in STRATIFIED or task is Task.CLASSIFICATION
]


@pytest.mark.parametrize(("name", "task"), SPLITS)
def test_every_split_option_splits_and_repeats_itself(name: str, task: Task) -> None:
    X, y = data(task)
    groups = np.arange(len(X)) % 10
    columns = {"fold": pd.Series(groups % 3), "day": pd.Series(np.arange(len(X)))}
    node = composed("split", name, overrides=COLUMN.get(name, ()))
    splits = []
    for _ in range(2):
        splitter = build_splitter(spec_from(node), task=task, seed=3, columns=columns)
        asked = groups if "group" in name else None  # scikit-learn warns of groups that it has no use for
        splits.append([(a.tolist(), b.tolist()) for a, b in splitter.split(X, y, asked)])
        assert len(splits[-1]) == splitter.get_n_splits(X, y, asked)
    assert splits[0] == splits[1]
    assert all(train and test and not set(train) & set(test) for train, test in splits[0])


def test_splits_take_the_seed_of_the_experiment() -> None:
    assert composed("split", "kfold")["random_state"] == 3
    assert composed("split", "auto", overrides=("split.random_state=9",))["random_state"] == 9


@pytest.mark.parametrize("name", options("target_transform"))
def test_every_target_transform_fits_without_a_warning(name: str) -> None:
    X, y = load_diabetes(return_X_y=True)
    node = composed("target_transform", name)
    spec = None if node["_target_"] is None else spec_from(node)
    model = wrap_target(LinearRegression(), spec, task=Task.REGRESSION, seed=0)
    assert check_values(model) is None
    assert cross_val_score(model, X, y).mean() > 0.35


@pytest.mark.parametrize("name", options("calibration"))
def test_every_calibration_fits_without_a_warning(name: str) -> None:
    X, y = data(Task.CLASSIFICATION)
    node = composed("calibration", name)
    spec = None if node["_target_"] is None else spec_from(node)
    model = wrap_calibration(LogisticRegression(max_iter=1000), spec, task=Task.CLASSIFICATION, seed=0)
    assert check_values(model) is None
    np.testing.assert_allclose(model.fit(X, y).predict_proba(X).sum(axis=1), 1)


def test_launchers_say_where_and_how_many() -> None:
    assert {n: composed("launcher", n) for n in options("launcher")} == {
        "dask": {"backend": "dask", "n_jobs": -1},
        "loky": {"backend": "loky", "n_jobs": -1},
        "ray": {"backend": "ray", "n_jobs": -1},
        "threading": {"backend": "threading", "n_jobs": -1},
        "sequential": {"backend": "sequential", "n_jobs": 1},
    }
