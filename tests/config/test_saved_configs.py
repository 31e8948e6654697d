"""A composition's own config runs again as the same experiment."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_cli.config import Composition, Workspace, load_experiment, to_yaml

CASES: list[list[str]] = [
    [],
    ["model=ridge", "split=kfold", "+tags.a=b"],
    ["model=svm,ridge", "model.C=1,10"],
    ["model=svm,ridge", "transforms=tabular,none", "target_transform=none,log",
     "sweep.sampler=random", "sweep.trials=3"],
    ["model.C=tag(log,interval(1e-5,1e3))", "sweep.sampler=random", "sweep.trials=3"],
    ["seed=3,4", "~transforms.scale", "transforms.impute=null", "evaluation.test=0.25", "threshold=f1"],
    ["model.kernel='NO'", "description='012'", "name=a.b-c", "model.x=['1:30','1e5','y',yes]", "model.z=1e5"],
    ["model.kernel='\\${not.a.reference}'"],
    ["data.path=${oc.env:SOME_PLACE,here}/x.csv"],
]  # fmt: skip


def again(composition: Composition, folder: Path, workspace: Workspace, *overrides: str) -> Composition:
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(to_yaml(composition.config), encoding="utf-8")
    return load_experiment(str(folder / "config.yaml"), overrides, workspace)


def points(composition: Composition) -> list[dict[str, Any]]:
    """Return the corners of the space."""
    corners = [
        {d.key: d.choices[pick] if d.is_finite else (d.low, d.high)[pick] for d in subspace}
        for subspace in composition.spec.sweep.subspaces
        for pick in (0, -1)
    ]
    return [{}, *corners]


@pytest.mark.parametrize("overrides", CASES, ids=" ".join)
def test_it_gives_the_same_specification_and_the_same_points(
    load: Any, tmp_path: Path, workspace: Workspace, overrides: list[str]
) -> None:
    first = load(*overrides)
    second = again(first, tmp_path / "run", workspace)
    assert second.spec == first.spec
    assert second.config == first.config
    for point in points(first):
        assert second.point(point) == first.point(point)
        assert second.point_config(point) == first.point_config(point)


def test_it_stands_alone_when_the_catalogue_changes(
    load: Any, write: Any, tmp_path: Path, workspace: Workspace
) -> None:
    first = load("model=svm,ridge")
    write("model/ridge", "_target_: sklearn.linear_model.Lasso\n")
    write("experiment", "seed: 0\n")
    second = again(first, tmp_path / "run", workspace)
    assert second.point({"model": "ridge"}).model.target == "sklearn.linear_model.Ridge"


def test_a_group_can_be_chosen_anew_and_replaces_the_whole_node(
    load: Any, tmp_path: Path, workspace: Workspace
) -> None:
    first = load("model.C=5")
    second = again(first, tmp_path / "run", workspace, "model=ridge", "transforms=none", "split=kfold", "model.alpha=3")
    assert second.spec.trial.model.params == {"alpha": 3}
    assert second.spec.trial.transforms == ()
    assert second.spec.trial.split.params == {"n_splits": 3}
    assert second.spec.data == first.spec.data


def test_a_group_can_be_swept_anew_and_removed(load: Any, tmp_path: Path, workspace: Workspace) -> None:
    first = load("target_transform=log")
    second = again(first, tmp_path / "run", workspace, "model=ridge,nested", "~target_transform")
    assert second.point({"model": "nested"}).model.target == "sklearn.ensemble.BaggingRegressor"
    assert second.spec.trial.target_transform is None


def test_keys_without_target_are_laid_over_an_option_that_is_chosen_later(load: Any, write: Any) -> None:
    write("later", "defaults: [experiment]\ndata: {path: x.csv}\nmodel: {alpha: 7}\n")
    assert load("model=ridge", name="later").spec.trial.model.params == {"alpha": 7}


TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ue000\ue001"), max_size=20)
VALUE = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(allow_nan=False), TEXT,
        st.sampled_from(["NO", "012", "1:30", "1e5", "${x}", "${", "\\${x}", "a: b", "- a", "???x", "", "'", '"', "y"]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=VALUE)
def test_any_value_survives_being_saved(tmp_path: Path, workspace: Workspace, value: Any) -> None:
    import yaml

    from mlops_cli.config.environment import escape

    path = tmp_path / "x.yaml"
    written = {"defaults": ["experiment", {"model": "ridge"}], "data": {"path": "x"}, "model": {"x": escape(value)}}
    path.write_text(to_yaml(written), encoding="utf-8")
    assert yaml.safe_load(path.read_text(encoding="utf-8"))
    first = load_experiment(str(path), [], workspace)
    assert first.spec.trial.model.params["x"] == value
    second = again(first, tmp_path / "run", workspace)
    assert second.spec.trial.model.params["x"] == value
    assert second.config["model"] == first.config["model"]
