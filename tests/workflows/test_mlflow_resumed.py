"""A run that is killed while MLflow is told of it, and resumed, is in MLflow as if nothing had happened."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

import mlops_cli as mlops
from mlops_cli.components.trackers.mlflow_place import import_mlflow
from mlops_cli.store.tracked import read_tracked
from mlops_cli.workflows.init import init_workspace

pytest.importorskip("mlflow", reason='pip install "mlops-cli[mlflow]"')

SLOW = """
import time
from pathlib import Path
from sklearn.dummy import DummyClassifier

class Slow(DummyClassifier):
    def fit(self, X, y):
        while self.random_state == 2 and Path("hold").exists():
            time.sleep(0.01)
        return super().fit(X, y)
"""
SWEPT = ["model={_target_: slow.Slow}", "+model.random_state=0,1,2,3", "tracker=mlflow"]
QUICK = ["artifacts.plots=none", "artifacts.keep=none", "artifacts.predictions=false"]


@pytest.fixture
def home(tmp_path, monkeypatch):
    init_workspace(tmp_path)
    (tmp_path / "slow.py").write_text(SLOW)
    (tmp_path / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["slow"]\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


def told_so_far(database):
    """Return how many runs MLflow has; it may be making its tables."""
    if not database.exists():
        return 0
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        try:
            return connection.execute("select count(*) from runs").fetchone()[0]
        except sqlite3.OperationalError:
            return 0


def killed(home):
    """Run until MLflow has the run and a trial of it, and kill it there."""
    (home / "hold").touch()
    command = [sys.executable, "-m", "mlops_cli", "run", "config=iris", "-j", "1", *SWEPT, *QUICK]
    begun = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, cwd=home
    )
    deadline = time.monotonic() + 240
    try:
        while told_so_far(home / "mlflow.db") < 2:
            assert begun.poll() is None, "it ended before it was killed"
            assert time.monotonic() < deadline, "MLflow was not told of a trial"
            time.sleep(0.02)  # looks again; nothing is taken to be true after it
    finally:
        os.killpg(begun.pid, signal.SIGKILL)
        begun.wait()
    (home / "hold").unlink()


def test_every_trial_is_there_once_and_in_order(home):
    import_mlflow()
    from mlflow import MlflowClient
    from mlflow.entities import ViewType

    killed(home)
    made = mlops.resume("iris:latest", n_jobs=1)
    (told,) = read_tracked(made.record)
    assert told.problem is None
    client = MlflowClient(f"sqlite:///{home / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("iris").experiment_id
    found = client.search_runs([experiment], run_view_type=ViewType.ALL, order_by=["attributes.start_time ASC"])
    (parent,) = [run for run in found if run.data.tags.get("mlops.run_id") == made.id]
    trials = [run for run in found if run.info.run_id != parent.info.run_id]
    assert [run.data.tags["mlops.trial"] for run in trials] == ["0", "1", "2", "3"]
    assert {run.data.tags["mlflow.parentRunId"] for run in trials} == {parent.info.run_id}
    assert {run.info.status for run in found} == {"FINISHED"}
    assert [run.data.params["model.random_state"] for run in trials] == ["0", "1", "2", "3"]
    for run, result in zip(trials, made.results, strict=True):
        splits = client.get_metric_history(run.info.run_id, "accuracy.splits")
        assert [point.value for point in splits] == list(result.scores["accuracy"])
