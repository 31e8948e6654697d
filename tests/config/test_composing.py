"""What an experiment is, once it is composed."""

import time
from pathlib import Path
from typing import Any

import pytest

from mlops_cli.config import Workspace, find_workspace, load_experiment
from mlops_cli.config.catalogue import options
from mlops_cli.records import (
    ArtifactsSpec,
    ComponentSpec,
    Direction,
    EvaluationSpec,
    LauncherSpec,
    MetricSpec,
    Task,
    TransformSpec,
)

PATH = "mlops_cli.components.sources.CsvSource"


def test_an_experiment_becomes_records(load: Any) -> None:
    spec = load().spec
    assert spec.name == "titanic"
    assert spec.task is None
    assert spec.data.source == ComponentSpec(PATH, {"path": "data/titanic.csv"})
    assert (spec.data.target, spec.data.drop, spec.data.features) == ("survived", ("alive",), None)
    assert spec.trial.model == ComponentSpec(
        {"classification": "sklearn.svm.SVC", "regression": "sklearn.svm.SVR"}, {"C": 1.0, "kernel": "rbf"}
    )
    assert spec.trial.transforms == (
        TransformSpec("impute", ComponentSpec("sklearn.impute.SimpleImputer", {"strategy": "median"}), ("numeric",)),
        TransformSpec("scale", ComponentSpec("sklearn.preprocessing.StandardScaler"), ("numeric", "x*")),
        TransformSpec("leave_out", ComponentSpec("drop"), ("text",)),
    )
    assert spec.trial.split == ComponentSpec(
        "sklearn.model_selection.KFold", {"n_splits": 5, "shuffle": True, "random_state": 0}
    )
    assert (spec.trial.target_transform, spec.trial.calibration, spec.trial.threshold) == (None, None, None)
    assert spec.evaluation == EvaluationSpec((MetricSpec("roc_auc"), MetricSpec("accuracy")), "roc_auc", None)
    assert spec.launcher == LauncherSpec("loky", -1)
    assert spec.artifacts == ArtifactsSpec("best", "skops", True)
    assert not spec.sweep.is_sweep


def test_groups_that_are_not_listed_have_their_default_option_and_can_be_chosen(load: Any) -> None:
    spec = load("split=kfold", "launcher=threading", "target_transform=log").spec
    assert spec.trial.split == ComponentSpec("sklearn.model_selection.KFold", {"n_splits": 3})
    assert spec.launcher == LauncherSpec("threading", 2)
    assert spec.trial.target_transform == ComponentSpec(
        "sklearn.preprocessing.FunctionTransformer", {"func": ComponentSpec("numpy.log1p")}
    )


def test_a_node_with_its_own_target_is_not_mixed_with_the_default_option(load: Any, write: Any) -> None:
    write(
        "own",
        """\
        defaults: [experiment, model: ridge]
        data: {path: x}
        split: {_target_: sklearn.model_selection.LeaveOneOut}
        """,
    )
    assert load(name="own").spec.trial.split == ComponentSpec("sklearn.model_selection.LeaveOneOut")
    assert load("split=kfold", name="own").spec.trial.split == ComponentSpec(
        "sklearn.model_selection.KFold", {"n_splits": 3}
    )


def test_an_experiment_may_be_built_on_another(load: Any, write: Any) -> None:
    write("second", "defaults:\n  - titanic\n  - override model: ridge\n  - _self_\nmodel: {alpha: 5}\n")
    composition = load("split=kfold", name="second")
    assert composition.name == "second"
    assert composition.spec.trial.model == ComponentSpec("sklearn.linear_model.Ridge", {"alpha": 5})
    assert composition.spec.trial.split.params == {"n_splits": 3}
    assert composition.spec.data.target == "survived"


def test_a_defaults_list_without_experiment_has_it_added(load: Any, write: Any) -> None:
    write("short", "defaults:\n  - model: ridge\ndata: {path: x.csv, target: y}\n")
    assert load("seed=3", name="short").spec.trial.seed == 3


def test_a_users_option_stands_before_the_packages(workspace: Workspace, write: Any, load: Any) -> None:
    write("model/logistic_regression", "_target_: sklearn.linear_model.LogisticRegression\nC: 42.0\n")
    assert load("model=logistic_regression").spec.trial.model.params == {"C": 42.0}
    assert load("model=random_forest").spec.trial.model.target_for(Task.REGRESSION) is not None


def test_components_may_hold_components(load: Any) -> None:
    assert load("model=nested").spec.trial.model == ComponentSpec(
        "sklearn.ensemble.BaggingRegressor",
        {"estimator": ComponentSpec("sklearn.linear_model.Ridge", {"alpha": 2.0})},
    )


def test_partial_marks_a_callable_that_is_not_called(load: Any) -> None:
    spec = load("model.kernel={_target_: sklearn.metrics.pairwise.rbf_kernel, _partial_: true, gamma: 2}").spec
    assert spec.trial.model.params["kernel"] == ComponentSpec(
        "sklearn.metrics.pairwise.rbf_kernel", {"gamma": 2}, partial=True
    )


def test_component_nodes_take_new_keys_without_a_plus(load: Any) -> None:
    assert load("model.max_iter=3").spec.trial.model.params["max_iter"] == 3
    assert load("transforms.scale.with_mean=false").spec.trial.transforms[1].component.params == {"with_mean": False}
    assert load("data.read.sep=';'").spec.data.source.params["read"] == {"sep": ";"}
    assert load("data.dtypes.zip=str").spec.data.dtypes == {"zip": "str"}
    assert load("tags.who=me").spec.tags == {"who": "me"}


def test_steps_are_added_and_removed(load: Any) -> None:
    names = [t.name for t in load("transforms.impute=null", "~transforms.leave_out").spec.trial.transforms]
    assert names == ["scale"]
    added = load("+transforms.pca={_target_: sklearn.decomposition.PCA, columns: [a, 3]}").spec.trial.transforms[-1]
    assert (added.name, added.columns) == ("pca", ("a", "3"))


def test_metrics_are_names_or_functions_of_ones_own(load: Any) -> None:
    spec = load(
        "evaluation.metrics=[f1,{name: cost, _target_: sklearn.metrics.brier_score_loss, greater_is_better: false, "
        "response: predict_proba, pos_label: 1}]",
        "evaluation.primary=cost",
    ).spec
    assert spec.evaluation.metrics[1] == MetricSpec(
        "cost",
        ComponentSpec("sklearn.metrics.brier_score_loss", {"pos_label": 1}),
        Direction.MINIMIZE,
        "predict_proba",
    )
    assert load("evaluation.metrics=f1", "evaluation.primary=null").spec.evaluation.metrics == (MetricSpec("f1"),)


def test_a_dotted_name_is_a_metric_of_ones_own(load: Any) -> None:
    expected = MetricSpec("mean_absolute_error", ComponentSpec("sklearn.metrics.mean_absolute_error"))
    short = "evaluation.metrics=[f1,sklearn.metrics.mean_absolute_error]"
    spec = load(short, "evaluation.primary=mean_absolute_error").spec
    assert spec.evaluation.metrics == (MetricSpec("f1"), expected)
    in_full = "evaluation.metrics=[{mean_absolute_error: {_target_: sklearn.metrics.mean_absolute_error}}]"
    assert load(in_full, "evaluation.primary=null").spec.evaluation.metrics == (expected,)


def test_a_metric_may_be_one_key_with_its_mapping(write: Any, workspace: Workspace) -> None:
    write("own", """\
        defaults: [experiment, model: svm]
        data: {path: x.csv}
        evaluation:
          metrics:
            - profit: {_target_: features.profit, greater_is_better: true, gain: 3}
            - {name: loss, _target_: features.loss, greater_is_better: false}
            - features.cost
        """)  # fmt: skip
    trusting = Workspace(workspace.root, trust=("features",))
    assert load_experiment("own", [], trusting).spec.evaluation.metrics == (
        MetricSpec("profit", ComponentSpec("features.profit", {"gain": 3}), Direction.MAXIMIZE),
        MetricSpec("loss", ComponentSpec("features.loss"), Direction.MINIMIZE),
        MetricSpec("cost", ComponentSpec("features.cost")),
    )


def test_rows_without_a_target_are_an_error_unless_told(load: Any) -> None:
    assert load().spec.data.missing_target == "error"
    assert load("data.missing_target=drop").spec.data.missing_target == "drop"
    assert "missing_target" not in load("data.missing_target=drop").spec.data.source.params


def test_roles_are_kept_apart_from_what_the_source_takes(load: Any) -> None:
    data = load(
        "data.id=passenger", "data.features=[age,fare*]", "data.group=cabin", "data.weight=w", "data.time=t",
        "data.positive=1", "data.drop=alive", "data.expect={age: {min: 0}}", "data.read={sep: ';'}",
        "+data.short_rows=fill",
    ).spec.data  # fmt: skip
    assert (data.id, data.features, data.group, data.weight, data.time) == (
        "passenger",
        ("age", "fare*"),
        "cabin",
        "w",
        "t",
    )
    assert (data.positive, data.drop, data.expect) == (1, ("alive",), {"age": {"min": 0}})
    assert data.source.params == {"path": "data/titanic.csv", "read": {"sep": ";"}, "short_rows": "fill"}


def test_the_name_is_the_files_unless_it_says_another(load: Any) -> None:
    assert load("name=other").name == "other"
    assert load().config["name"] == "titanic"


def test_a_path_is_an_experiment_whose_folder_is_not_searched(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "elsewhere"
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "ridge.yaml").write_text("_target_: sklearn.linear_model.Lasso\n")
    (folder / "mine.yml").write_text("defaults: [experiment, model: ridge]\ndata: {path: x.csv}\n")
    for name in ("elsewhere/mine.yml", "./elsewhere/mine.yml", str(folder / "mine.yml")):
        monkeypatch.chdir(tmp_path)
        composition = load_experiment(name, ["model.alpha=3"], workspace)
        assert composition.name == "mine"
        assert composition.spec.trial.model == ComponentSpec("sklearn.linear_model.Ridge", {"alpha": 3})


def test_a_path_into_configs_is_the_experiment_itself(workspace: Workspace, load: Any) -> None:
    assert load_experiment(str(workspace.configs / "titanic.yaml"), [], workspace).spec == load().spec


def test_the_workspace_is_found_when_it_is_not_given(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workspace.root)
    assert find_workspace() == workspace
    assert load_experiment("titanic").name == "titanic"


def test_modules_that_the_owner_trusts_may_be_named(workspace: Workspace, write: Any) -> None:
    write("own", "defaults: [experiment, model: ridge]\ndata: {_target_: my_module.Source, rows: 3}\n")
    spec = load_experiment("own", [], Workspace(workspace.root, ("my_module",))).spec
    assert spec.data.source == ComponentSpec("my_module.Source", {"rows": 3})


def test_composing_is_quick(workspace: Workspace) -> None:
    load_experiment("titanic", [], workspace)
    start = time.process_time()
    composition = load_experiment("titanic", ["model=ridge", "model.alpha=1,10"], workspace)
    assert time.process_time() - start < 0.4  # 0.04 on a calm machine
    start = time.process_time()
    for value in range(100):
        composition.point({"model.alpha": value})
    assert (time.process_time() - start) / 100 < 0.03  # 0.003 on a calm machine


NEEDED = {
    "predefined": ["split.column=fold"],
    "sklearn": ["data.dataset=iris"],
    "duckdb": ["data.query=x"],
    "api": ["data.url=x"],
    "openml": ["data.data_id=61"],
    "kaggle": ["data.file=x.csv"],
    "join": ["data.left=x.csv", "data.right=x.csv"],
    "dataset": ["data.name=x"],
}


@pytest.mark.parametrize(
    "group", ["data", "model", "split", "transforms", "target_transform", "calibration", "launcher"]
)
def test_every_option_of_the_catalogue_reads(tmp_path: Path, group: str) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "x.yaml").write_text("defaults: [experiment, model: ridge]\ndata: {path: x, target: y}\n")
    workspace = Workspace(tmp_path)
    for option in options(workspace, group):
        needed = NEEDED.get(option.name, [])
        assert load_experiment("x", [f"{group}={option.name}", *needed], workspace).spec.data.target == "y"
