"""Every point of a sweep is what plain Hydra composes of the same overrides, whichever way it was made here."""

import time
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from mlops_cli.config import Workspace, load_experiment
from mlops_cli.config.schema import TRIAL_KEYS
from tests.config.test_equal_to_hydra import DEFAULTS, plain_hydra

EXPERIMENT = f"""\
{DEFAULTS}\
  - _self_
data: {{path: data/x.csv, target: y}}
model: {{C: 2.0, tol: 0.001}}
tags: {{what: "${{name}}"}}
"""
REFERRING = EXPERIMENT.replace("tol: 0.001", 'tol: "${split.n_splits}", gamma: "${model.C}"')

FIXED = ["+model.coef0=0.5", "~transforms.leave_out", "split=kfold", "seed=7", "++model.degree=2", "model.tol=0.1"]
GROUPS = {"split": ["auto", "kfold"], "transforms": ["tabular", "none"]}
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "model.C": st.floats(1e-6, 1e6) | st.integers(0, 10**6) | st.none(),
    "model.kernel": st.sampled_from(["rbf", "linear", "poly", "null_", "a b"]),
    "model.shrinking": st.booleans(),
    "model.class_weight": st.just("balanced") | st.none() | st.fixed_dictionaries({"yes": st.integers(1, 9)}),
    "split.n_splits": st.integers(2, 9),
    "transforms.impute.strategy": st.sampled_from(["mean", "median"]),
    "model.probability": st.sampled_from(["${model.C}", "${seed}"]),
    "seed": st.integers(0, 99),
}


@st.composite
def points(draw: Any) -> dict[str, Any]:
    keys = draw(st.lists(st.sampled_from(sorted([*GROUPS, *VALUES])), unique=True, max_size=5))
    point = {key: draw(st.sampled_from(GROUPS[key]) if key in GROUPS else VALUES[key]) for key in keys}
    if point.get("transforms") == "none":
        point.pop("transforms.impute.strategy", None)
    return point


def words(point: dict[str, Any]) -> list[str]:
    return [f"{key}={value}" if key in GROUPS else f"++{key}={quoted(value)}" for key, value in point.items()]


def quoted(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{k}: {v}" for k, v in value.items()) + "}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str) and "${" not in value:
        return f"'{value}'"
    return repr(value) if isinstance(value, float) else str(value)


def sections_of_hydra(workspace: Workspace, overrides: list[str]) -> dict[str, Any]:
    found: Any = OmegaConf.to_container(plain_hydra(workspace, "points", overrides), resolve=True)
    return {key: found.get(key) for key in TRIAL_KEYS}


@pytest.mark.parametrize("text", [EXPERIMENT, REFERRING], ids=["plain values", "values that refer to others"])
@settings(
    max_examples=25,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(point=points(), fixed=st.lists(st.sampled_from(FIXED), unique=True, max_size=3))
def test_a_point_is_what_hydra_composes(
    workspace: Workspace, write: Any, text: str, point: dict[str, Any], fixed: list[str]
) -> None:
    write("points", text)
    chosen = [word for word in fixed if word.lstrip("+~").partition("=")[0] not in point]
    if "transforms" in point:  # an option in its place has other steps
        chosen = [word for word in chosen if "transforms" not in word]
    composition = load_experiment("points", chosen, workspace)
    assert composition.point_config(point) == sections_of_hydra(workspace, [*chosen, *words(point)])


def test_a_thousand_points_take_less_than_five_milliseconds_of_cpu_each(workspace: Workspace, write: Any) -> None:
    write("points", EXPERIMENT)
    composition = load_experiment("points", ["model.C=" + ",".join(map(str, range(1, 1001)))], workspace)
    started = time.process_time()
    for c in range(1, 1001):
        composition.at({"model.C": c})
    assert time.process_time() - started < 5  # it takes a fiftieth of that; Hydra's own a hundred seconds
