"""An experiment on a cluster gives the same trials, bit for bit, also when a worker of it dies in the middle."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading

import pandas as pd
import pytest

import mlops_cli as mlops
from mlops_cli.records import TrialFinished

pytest.importorskip("distributed")

CONFIG = """
    defaults: [experiment, {data: csv}, {transforms: tabular}, _self_]
    data: {path: data/mixed.csv, target: survived, drop: [note, weight, family, amount]}
    model: {_target_: mine.Mine, C: 1.0}
    evaluation: {metrics: [roc_auc, accuracy]}
    sweep: {space: {model.C: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30], transforms.impute_numeric.strategy: [mean, median]}}
    """

MINE = """
import time
from sklearn.linear_model import LogisticRegression


class Mine(LogisticRegression):
    def fit(self, X, y, sample_weight=None):
        time.sleep(0.02)
        return super().fit(X, y)
"""


@pytest.fixture
def name(experiment, workspace):
    (workspace / "mine.py").write_text(MINE)
    (workspace / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["mine"]\n')
    return experiment(CONFIG)


def trials_of(run):
    table = pd.read_csv(run.path / "trials.csv")
    return table.drop(columns=[c for c in table if c.endswith("_s")])


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextlib.contextmanager
def process(*arguments, folder):
    """Run a part of Dask as a process of its own, which sees no workspace."""
    with (folder / "log.txt").open("w") as log:
        started = subprocess.Popen([sys.executable, "-m", *arguments], cwd=folder, stdout=log, stderr=log)
    try:
        yield started
    finally:
        started.kill()
        started.wait()


@pytest.fixture
def cluster(tmp_path_factory):
    """The address of a scheduler with two workers, and the process of the first one."""
    folder = tmp_path_factory.mktemp("elsewhere")
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    worker = ["distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    with (
        process("distributed.cli.dask_scheduler", "--port", str(port), "--no-dashboard", folder=folder),
        process(*worker, folder=folder) as first,
        process(*worker, folder=folder),
    ):
        yield address, first


def test_a_local_cluster_gives_what_local_processes_give(name):
    here = mlops.run(name, force=True)
    there = mlops.run(name, ["launcher=dask"], force=True, n_jobs=2)
    pd.testing.assert_frame_equal(trials_of(there), trials_of(here))
    assert there.metrics == here.metrics


def test_a_worker_of_a_running_cluster_may_die_in_the_middle(name, cluster):
    address, worker = cluster
    here = mlops.run(name, force=True)

    def kill_one(event):
        if isinstance(event, TrialFinished) and event.done == 3:
            os.kill(worker.pid, signal.SIGKILL)

    there = mlops.run(name, ["launcher=dask", f"launcher.address={address}"], force=True, observer=kill_one)
    assert worker.wait(timeout=30) == -signal.SIGKILL
    assert there.record.counts.completed == 16
    pd.testing.assert_frame_equal(trials_of(there), trials_of(here))
    assert len((there.path / "trials.jsonl").read_text().splitlines()) == 16


def test_a_scheduler_that_is_not_there_is_one_message(name):
    from mlops_cli.errors import MlopsError

    with pytest.raises(MlopsError, match=r"launcher\.address"):
        mlops.run(name, ["launcher=dask", f"launcher.address=tcp://127.0.0.1:{free_port()}"], force=True)
    assert threading.active_count() < 50
