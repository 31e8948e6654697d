"""What docs/mlflow.md shows runs, and says what there is."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from mlops_cli.cli.app import build
from mlops_cli.components.trackers.mlflow_place import import_mlflow
from mlops_cli.config import load_experiment
from mlops_cli.config.workspace import Workspace
from mlops_cli.workflows.init import init_workspace

pytest.importorskip("mlflow", reason='pip install "mlops-cli[mlflow]"')
pytestmark = pytest.mark.filterwarnings("ignore")  # what MLflow itself warns of

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "mlflow.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, flags=re.DOTALL | re.MULTILINE)


def run(line):
    words = shlex.split(line.removeprefix("$ mlops "))
    done = CliRunner().invoke(build(), words)
    assert done.exit_code == 0, (line, done.output, done.exception)
    return done.output


def test_its_commands_and_its_python_run(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    init_workspace(tmp_path)
    monkeypatch.chdir(tmp_path)
    import_mlflow()
    for line in blocks("console")[0].splitlines():
        run(line)
    check = "assert len(runs) == 1 and hasattr(model, 'predict_proba')"
    done = subprocess.run(
        [sys.executable, "-c", blocks("python")[0] + check], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for line in blocks("console")[1].splitlines():
        assert "1 run was there already" in run(line)


def test_its_yaml_says_every_key_that_there_is(workspace):
    init_workspace(workspace)
    config = yaml.safe_load((workspace / "configs" / "iris.yaml").read_text())
    shown = yaml.safe_load(blocks("yaml")[0])
    config["defaults"].insert(1, *shown.pop("defaults"))
    (workspace / "configs" / "iris.yaml").write_text(yaml.safe_dump({**config, **shown}))
    spec = load_experiment("iris", [], Workspace(workspace)).spec
    assert dict(spec.tracker.params) == shown["tracker"]
