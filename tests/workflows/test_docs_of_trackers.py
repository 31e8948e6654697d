"""What docs/trackers.md shows runs as it stands."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest

import mlops_cli
from mlops_cli.components.trackers import FILES, WAIT_S
from mlops_cli.testing import check_tracker
from mlops_cli.workflows.init import init_workspace

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "trackers.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, flags=re.DOTALL | re.MULTILINE)


def test_every_command_runs(tmp_path, mlops):
    for package in ("tensorboard", "wandb", "comet_ml"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    init_workspace(tmp_path)
    for line in "".join(blocks("sh")).splitlines():
        done = mlops(*shlex.split(line)[1:], cwd=tmp_path)
        assert done.returncode == 0, f"{line}: {done.stderr}"
        assert "not-tracked" not in done.stdout + done.stderr, line
    assert list(tmp_path.glob("boards/iris/*/events*"))
    assert list(tmp_path.glob("offline/wandb/offline-run-*"))
    assert list(tmp_path.glob("comet/*.zip"))


def test_the_tracker_of_ones_own_keeps_to_the_contract():
    names = {"Path": Path}
    exec(blocks("python")[0], names)
    check_tracker(lambda root: names["Notes"](root=str(root)), count=lambda root: len(list(root.glob("notes/*"))))


def test_a_run_tells_in_python(tmp_path, monkeypatch):
    pytest.importorskip("tensorboard")
    init_workspace(tmp_path)
    monkeypatch.chdir(tmp_path)
    mlops_cli.run("iris", ["artifacts.plots=none", "artifacts.keep=none"], n_jobs=1)
    at = mlops_cli.find_run("iris:latest").tell("tensorboard", folder="boards")
    assert Path(at).parent.parent == tmp_path / "boards"


def test_the_defaults_are_those_that_there_are():
    assert f"`tracker.wait_s` seconds ({WAIT_S:g})" in TEXT
    for word in ("`config.yaml`", "`metrics.json`", "`trials.csv`", "model's card", "plots"):
        assert word in TEXT
    assert FILES == ("config.yaml", "metrics.json", "trials.csv", "model/card.md", "plots/*")
