"""Workspaces from templates: what they hold runs, and what they lack is said."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mlops_cli.config import load_experiment
from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import UsageError
from mlops_cli.records import Task
from mlops_cli.workflows.init import init_workspace, templates


@pytest.mark.parametrize("template", templates())
def test_every_config_of_every_template_composes(tmp_path, template):
    init_workspace(tmp_path, template)
    workspace = find_workspace(tmp_path)
    found = [load_experiment(path.stem, (), workspace) for path in workspace.configs.glob("*.yaml")]
    assert found
    assert all(composition.spec.data.target or composition.spec.task is Task.SCRIPT for composition in found)


def test_what_a_plugin_slots_in_keeps_to_the_contracts_and_runs(tmp_path):
    init_workspace(tmp_path, "plugin")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (tmp_path / "runs").exists()


def test_the_template_of_a_competition_says_which_data_it_lacks(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.csv").write_text("a\n1\n")
    assert init_workspace(tmp_path, "kaggle").missing == ("data/test.csv",)


def test_the_makefile_of_a_competition_runs_and_predicts(tmp_path):
    init_workspace(tmp_path, "kaggle")
    (tmp_path / "data").mkdir()
    for name in ("train", "test", "gender_submission"):
        (tmp_path / "data" / f"{name}.csv").write_text("a\n1\n")
    done = subprocess.run(["make", "-n"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "mlops run config=titanic" in done.stdout
    sample = "--sample data/gender_submission.csv"
    assert f"mlops predict titanic:best data/test.csv --submission {sample} -o submission.csv --force" in done.stdout


def test_an_unknown_template_is_told_with_the_nearest(tmp_path, mlops):
    with pytest.raises(UsageError, match=r"no template 'kagle' \(did you mean 'kaggle'"):
        init_workspace(tmp_path, "kagle")
    done = mlops("init", "--template", "kaggle", "there", cwd=tmp_path)
    assert "wrote configs/titanic.yaml" in done.stdout
    assert "next: cd there && make, which fetches data/train.csv and data/test.csv by the command kaggle" in done.stderr
    assert f"put these into {tmp_path / 'there' / 'data'} by hand" in done.stderr
    told = mlops("run", "config=titanic", cwd=tmp_path / "there")
    assert told.returncode == 3
    assert "there/data/train.csv: no such file" in told.stderr
    assert "try: put it there, or name another one: data.path" in told.stderr


def test_the_makefile_of_a_competition_fetches_what_is_not_there_first(tmp_path):
    init_workspace(tmp_path, "kaggle")
    done = subprocess.run(["make", "-n"], cwd=tmp_path, capture_output=True, text=True, check=True)
    called = [line.split()[:2] for line in done.stdout.splitlines() if line.split()[0] in {"kaggle", "unzip", "mlops"}]
    assert called[:3] == [
        ["kaggle", "competitions"],
        ["unzip", "-o"],
        ["mlops", "run"],
    ]
