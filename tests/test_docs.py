"""What README shows is what there is: its config composes, its Python runs."""

import re
from pathlib import Path

import pytest

import mlops_cli as mlops
from mlops_cli.config import load_experiment
from mlops_cli.config.workspace import Workspace

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture
def titanic(workspace):
    (config,) = [block for block in blocks("yaml") if block.startswith("# configs/titanic.yaml")]
    (workspace / "configs" / "titanic.yaml").write_text(config)
    return Workspace(workspace)


COMMANDS = re.findall(r"^\$ mlops run config=titanic (.*)$", README, flags=re.MULTILINE)


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_of_the_tour_composes(titanic, line):
    import shlex

    words = [w for w in shlex.split(line.partition(" #")[0]) if not w.startswith("--")]
    composition = load_experiment("titanic", words, titanic)
    assert composition.spec.data.target == "survived"


def test_the_tour_has_commands():
    assert len(COMMANDS) >= 4


def test_the_table_of_overrides_composes(titanic):
    cells = re.findall(r"^\| (`.*?) \|", README, flags=re.MULTILINE)
    rows = [re.findall(r"`([a-z_.]+=[^`]*)`", cell) for cell in cells]
    assert sum(map(len, rows)) > 8
    for row in rows:
        words = {word.partition("=")[0]: word for text in row for word in text.split()}  # of one key the last
        load_experiment("titanic", list(words.values()), titanic)


def test_the_python_part_runs(tmp_path, monkeypatch):
    from mlops_cli.workflows.init import init_workspace

    init_workspace(tmp_path)
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("python")
    import pandas as pd

    names = {"table": pd.read_csv("data/iris.csv")}
    exec(code, names)
    assert names["run"].status == "completed"
    assert len(mlops.runs("iris")) == 2  # the run, and the same run again


def test_the_sweep_of_the_tour_composes_and_gives_points(titanic):
    import yaml

    from mlops_cli.components.samplers import make_sampler
    from mlops_cli.planning.constraint import Constraint

    (sweep,) = [yaml.safe_load(block) for block in blocks("yaml") if block.startswith("sweep:")]
    path = titanic.configs / "titanic.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **sweep}))
    composition = load_experiment("titanic", [], titanic)
    spec = composition.spec
    assert (spec.sweep.sampler.name, spec.sweep.trials, spec.sweep.pruner.name) == ("tpe", 100, "halving")
    assert spec.launcher.trial_timeout == 600
    constraint = Constraint.parse(spec.sweep.constraint)

    def allowed(point):
        return constraint.holds(lambda key: point[key] if key in point else composition.value(point, key))

    points = [make_sampler(spec.sweep, seed=seed, feasible=allowed).ask() for seed in range(8)]
    assert {point["model"] for point in points} == {"logistic_regression", "random_forest"}
    assert all(composition.point(point) for point in points)
