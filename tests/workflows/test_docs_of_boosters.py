"""What docs/boosters.md shows runs."""

import re
import shlex
from pathlib import Path

import polars as pl
import yaml

import mlops_cli as mlops
from mlops_cli.components.targets import Role, resolve
from mlops_cli.workflows.init import init_workspace

REPO = Path(__file__).resolve().parents[2]
TEXT = (REPO / "docs" / "boosters.md").read_text(encoding="utf-8")
QUICK = ["artifacts.plots=none", "split.n_splits=2"]


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, flags=re.DOTALL | re.MULTILINE)


def test_the_sweep_and_the_python_run(tmp_path, monkeypatch):
    init_workspace(tmp_path)
    monkeypatch.chdir(tmp_path)
    for place in ("configs/breast_cancer_boosted.yaml", "data/breast_cancer.csv"):
        (tmp_path / place).write_bytes((REPO / place).read_bytes())
    (commands,) = blocks("bash")
    found = []
    for line in commands.splitlines():
        _, _, config, *overrides = shlex.split(line)
        rounds = "model.n_estimators=5" if "sweep.space=null" in overrides else "sweep.space={model.n_estimators: [5]}"
        found.append(mlops.run(config.partition("=")[2], [*overrides, rounds, *QUICK], n_jobs=1))
    assert [len(run.results) for run in found] == [6, 2]
    (python,) = blocks("python")
    names = {"mlops": mlops, "polars": pl}
    exec(python, names)
    assert len(names["predictions"]) == 569


def test_the_experiment_that_is_shown_runs(tmp_path, monkeypatch, mixed):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").mkdir()
    (tmp_path / "data").mkdir()
    mixed.to_csv(tmp_path / "data" / "titanic.csv", index=False)
    (tmp_path / "configs" / "shown.yaml").write_text(blocks("yaml")[0])
    run = mlops.run("shown", [*QUICK, "model.n_estimators=30"], n_jobs=1)
    assert run.status == "completed"


def test_every_class_that_is_named_is_there():
    trust = re.findall(r'trust = \["(\w+)"\]', TEXT)
    for name in re.findall(r"_target_: ([\w.]+)", TEXT):
        role = Role.TRANSFORMER if name.startswith(("skrub", "sklearn.impute")) else Role.ESTIMATOR
        assert resolve(name, role, trust)
    assert all(yaml.safe_load(block) for block in blocks("yaml"))
