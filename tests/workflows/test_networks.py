"""Experiments with networks: their curves are in the run, they are taken up again, and begin where others stand."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import mlops_cli as mlops
from mlops_cli.components.fit_rows import stopping_rows
from mlops_cli.components.networks import training
from mlops_cli.errors import ConfigError
from mlops_cli.records import RunStatus
from mlops_cli.store.curves import read_curves
from mlops_cli.store.layout import RunPaths
from mlops_cli.workflows.running.prepare import RunOptions
from mlops_cli.workflows.running.run import dry
from mlops_cli.workflows.runs.plots import drawn, listing

CONFIG = """
defaults: [experiment, {data: csv}, {transforms: tabular}, {model: network}, {split: stratified_kfold}, _self_]
task: classification
data: {path: data/points.csv, target: label, id: key}
model: {hidden: [8], epochs: 6, lr: 0.01}
split: {n_splits: 2}
evaluation: {metrics: [accuracy]}
artifacts: {plots: none, predictions: false}
"""
OWN = """
from torch import nn

class Net(nn.Module):
    def __init__(self, shape, outputs, width=8):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(shape[0], width), nn.ReLU())
        self.head = nn.Linear(width, outputs)

    def forward(self, x):
        return self.head(self.body(x))
"""


def table(rows=120, start=0):
    rng = np.random.default_rng(start)
    x, z = rng.normal(size=(2, rows)).round(4)
    label = np.where(x + z + rng.normal(0, 0.3, rows) > 0, "yes", "no")
    return pd.DataFrame({"key": np.arange(start, start + rows), "x": x, "z": z, "label": label})


@pytest.fixture
def points(workspace):
    """A workspace with the experiment ``points``."""
    (workspace / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["own_nets"]\n')
    (workspace / "own_nets.py").write_text(OWN)
    (workspace / "configs" / "points.yaml").write_text(CONFIG)
    table().to_csv(workspace / "data" / "points.csv", index=False)
    return workspace


def scores(run):
    return run.record.metrics["accuracy"].splits


# --- the curves --------------------------------------------------------------------------------------------------


def test_a_run_has_the_curve_of_each_fit_and_draws_it(points):
    run = mlops.run("points", ["artifacts.plots=auto"], n_jobs=1)
    (curves,) = read_curves(RunPaths(run.path).curves).values()
    assert sorted(curves) == [0, 1]
    assert all(set(curve.values) == {"train_loss", "valid_loss", "valid_accuracy"} for curve in curves.values())
    assert (run.path / "plots" / "training_curve.svg").is_file()
    assert "training_curve" in run.report(points / "page.html").read_text()


def test_trials_that_another_run_has_computed_bring_their_curves(points):
    first = mlops.run("points", ["model.lr=0.01,0.02"], n_jobs=1)
    second = mlops.run("points", ["model.lr=0.02,0.03"], n_jobs=1)
    assert [result.reused for result in second.results] == [first.id, None]
    there, here = (read_curves(RunPaths(run.path).curves) for run in (first, second))
    assert here[0] == there[1]
    assert sorted(here[1]) == [0, 1]
    third = mlops.run("points", ["model.lr=0.02", "artifacts.plots=auto"], n_jobs=1)
    assert third.results[0].reused in {first.id, second.id}
    assert (third.path / "plots" / "training_curve.svg").is_file()


def test_a_model_without_a_curve_has_no_such_plot(points):
    run = mlops.run("points", ["model=logistic_regression"], n_jobs=1)
    assert "training_curve" not in listing(run.record)
    found, reasons = drawn(run.record, ["training_curve"])
    assert not found
    assert "left no curve" in reasons["training_curve"]


def test_networks_of_scikit_learn_have_the_plot_too(points):
    run = mlops.run("points", ["model=mlp", "model.max_iter=5", "model.tol=0"], n_jobs=1)
    assert listing(run.record)["training_curve"]["suits"]
    assert drawn(run.record, ["training_curve"])[0]["training_curve"].startswith(b"<?xml")


# --- the same each time ------------------------------------------------------------------------------------------


def test_scores_are_the_same_in_another_process_and_the_model_opens_without_a_pickle(points):
    here = mlops.run("points", n_jobs=1)
    there = mlops.run("points", ["launcher.trial_timeout=600"], n_jobs=2, force=True)  # a limit takes a process
    beside = mlops.run("points", ["launcher.backend=threading"], n_jobs=2, force=True)
    assert scores(here) == scores(there) == scores(beside)
    opened = mlops.load_model(there.id)
    assert set(opened.predict(table(20, start=900).drop(columns="label"))) <= {"yes", "no"}


def test_torch_counts_among_what_results_depend_on(points):
    assert {"torch", "skorch"} <= set(mlops.run("points", ["model.epochs=1"], n_jobs=1).record.environment["packages"])


# --- taken up again ----------------------------------------------------------------------------------------------


HELD = """
import pathlib, signal
from mlops_cli.cli import main
from mlops_cli.components.networks import keeping, training

keeping.APART_S, keeping.SHARE, one = 0, 1e9, training._epoch

def epoch(net, before, *rest):
    if before.epochs == 10:
        pathlib.Path("reached").touch()
        signal.pause()
    return one(net, before, *rest)

training._epoch = epoch
main()
"""
"""The command, which stands still in the middle of its first fit, until it is killed."""


def test_a_run_that_was_killed_goes_on_in_the_middle_of_a_fit_and_ends_the_same(points, monkeypatch):
    asked = ["launcher.backend=sequential", "model.epochs=20", "model.patience=null"]
    process = subprocess.Popen([sys.executable, "-c", HELD, "run", "config=points", *asked], stdout=subprocess.DEVNULL)
    try:
        while not Path("reached").exists():
            assert process.poll() is None, "it ended before it was half-way"
            time.sleep(0.02)  # looks again; nothing is taken to be true after it
    finally:
        process.kill()
        process.wait()
    epochs, one = [], training._epoch
    monkeypatch.setattr(training, "_epoch", lambda *given: epochs.append(1) or one(*given))
    resumed = mlops.resume("latest", n_jobs=1)
    assert resumed.record.status is RunStatus.COMPLETED
    assert len(epochs) == 3 * 20 - 10  # two splits, and all rows for the model that is kept
    assert not RunPaths(resumed.path).checkpoints.exists()
    whole = mlops.run("points", asked, n_jobs=1, force=True)
    assert scores(resumed) == scores(whole)
    assert read_curves(RunPaths(resumed.path).curves) == read_curves(RunPaths(whole.path).curves)


# --- from a registered model -------------------------------------------------------------------------------------


@pytest.fixture
def champion(points):
    """The workspace with a registered network."""
    mlops.register(mlops.run("points", n_jobs=1), alias="champion")
    return points


def test_a_network_begins_with_the_weights_of_a_version_and_the_run_says_which(champion):
    asked = ["model.start=points@champion", "model.freeze=[features.*]", "model.epochs=1"]
    run = mlops.run("points", asked, n_jobs=1)
    said = yaml.safe_load((run.path / "config.yaml").read_text())["model"]["start"]
    assert said["version"] == "points/1"
    assert len(said["sha256"]) == 64
    first, tuned = (mlops.load_model(ref).pipeline[-1] for ref in ("points@champion", run.id))
    kept = [name for name in first.state_ if np.array_equal(first.state_[name], tuned.state_[name])]
    assert kept == [name for name in first.state_ if name.startswith("features.")]
    mlops.register(run, alias="champion")  # the name means another version now
    assert mlops.rerun(run.id, n_jobs=1).agreement == "identical"


def test_weights_that_have_seen_rows_of_a_run_are_said_to_and_others_are_not(champion):
    mixed = pd.concat([table()[:30], table(90, start=2000)])
    for name, rows in (("new", mixed[30:]), ("mixed", mixed)):
        rows.to_csv(champion / "data" / f"{name}.csv", index=False)

    def said(*also):
        notices = dry("points", ["model.start=points@champion", *also], RunOptions()).notices
        return [notice.message for notice in notices if notice.code.startswith("start-")]

    assert said("data.path=data/new.csv") == []
    assert "were learned from 30 of the 120 rows of this run" in said("data.path=data/mixed.csv")[0]
    assert "were learned from 120 of the 120 rows of this run" in said()[0]


def test_retraining_goes_on_from_the_weights(champion):
    table(120, start=1000).to_csv(champion / "data" / "new.csv", index=False)
    made = mlops.retrain("points", data="data/new.csv", warm_start=True, n_jobs=1)
    assert made.version is not None
    model = mlops.load_model("points/2").pipeline[-1]
    before = mlops.load_model("points/1").pipeline[-1]
    assert model.history_["train_loss"][0] < before.history_["train_loss"][0]  # it had learned before


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["model.start=points@nobody"], "nobody"),
        (["model.start=other@champion"], "other"),
        (["model.start=points@champion,points/1"], "all trials of a run begin with the same weights"),
    ],
)
def test_a_version_that_cannot_be_begun_with_is_refused_at_once(champion, asked, message):
    with pytest.raises(ConfigError, match=message) as raised:
        mlops.run("points", asked, n_jobs=1)
    assert raised.value.key == "model.start"
    assert len(list(Path("runs/points").iterdir())) == 1


def test_a_model_that_is_no_network_has_no_weights(points):
    mlops.register(mlops.run("points", ["model=logistic_regression"], n_jobs=1), "other")
    with pytest.raises(ConfigError, match="other/1 is a LogisticRegression: it has no weights of a network"):
        mlops.run("points", ["model.start=other/1"], n_jobs=1)


# --- what is known to be wrong ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "key", "message"),
    [
        (["model.device=gpu"], "model.device", "there is no 'gpu' on this machine; there are auto, cpu"),
        (["model.device=cuda:99"], "model.device", "there is no 'cuda:99' on this machine"),
        (["model=cnn", "model.shape=[1,3,3]", "transforms=none"], "model.shape", "2 columns do not fill"),
        (["model=cnn", "model.shape=[1,3,3]"], "model.shape", "2 columns do not fill"),  # nothing is to be imputed
        (["model=cnn", "transforms=log"], "model.shape", "convolutions take images"),
        (["model=cnn", "transforms=reshape", "transforms.reshape.shape=[1,3,3]"], "transforms.reshape.shape", "fill"),
        (["model.valid_share=0"], "model.patience", "needs rows that are held out: say model.valid_share"),
        (["model.freeze=[features.*]"], "model.freeze", "needs weights to begin with"),
        (["model.device=gpu,cuda:99"], "model.device", "there is no 'gpu'"),
    ],
)
def test_what_no_trial_could_do_is_an_error_of_the_config_and_no_run(points, asked, key, message):
    for call in (lambda: mlops.run("points", asked, n_jobs=1), lambda: dry("points", asked, RunOptions())):
        with pytest.raises(ConfigError, match=message) as raised:
            call()
        assert raised.value.key == key
    assert not list(Path("runs").glob("*/*"))


@pytest.mark.parametrize(
    ("asked", "key", "message"),
    [
        (["model.freeze=[featurs.*]"], "model.freeze", "no parameter is called featurs.*; there are features.0.weight"),
        (["model.hidden=[9]"], "model.start", r"the shape of features.0.weight is \[9, 2\] here, \[8, 2\]"),
        (["model.fresh=[tail]"], "model.fresh", "no parameter is called tail"),
    ],
)
def test_weights_and_names_that_do_not_fit_are_known_before_a_fit(champion, asked, key, message):
    with pytest.raises(ConfigError, match=message) as raised:
        mlops.run("points", ["model.start=points@champion", "transforms=log", *asked], n_jobs=1)
    assert raised.value.key == key


def test_a_device_that_only_the_machines_of_a_cluster_have_is_no_error_here(points):
    cluster = ["launcher=dask", "launcher.address=tcp://far:8786"]
    assert dry("points", [*cluster, "model.device=cuda:99"], RunOptions()).plan.total == 1
    with pytest.raises(ConfigError, match="'gpu' is the name of no device"):
        dry("points", [*cluster, "model.device=gpu"], RunOptions())


def test_where_one_point_can_work_the_others_fail_as_trials(points):
    found = mlops.run("points", ["model.device=cpu,cuda:99", "artifacts.keep=none"], n_jobs=1)
    assert [str(result.state) for result in found.results] == ["completed", "failed"]


CHECKED = """
from sklearn.dummy import DummyClassifier

class Picky(DummyClassifier):
    def check_before_fit(self, known):
        if known.columns != 2 or known.classes != 2 or not known.is_here:
            raise KeyError(str(known))
        raise ValueError("'constant': nothing is ever right")
"""


def test_a_model_of_ones_own_may_tell_before_a_fit_too(points):
    (points / "own_nets.py").write_text(CHECKED)
    with pytest.raises(ConfigError, match="nothing is ever right") as raised:
        mlops.run("points", ["model={_target_: own_nets.Picky, constant: 3}", "transforms=none"], n_jobs=1)
    assert raised.value.key == "model.constant"


# --- the rows that are held out ------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["time", "group"])
def test_held_out_are_the_latest_rows_or_whole_groups_where_the_data_has_them(points, monkeypatch, role):
    known = np.arange(120) // 4 if role == "group" else pd.date_range("2026-01-01", periods=120).astype(str)
    table().assign(**{role: known}).to_csv("data/points.csv", index=False)
    seen = []
    monkeypatch.setattr(training, "stopping_rows", lambda *a, **k: seen.append(stopping_rows(*a, **k)) or seen[-1])
    mlops.run("points", [f"data.{role}={role}", "model.epochs=1"], n_jobs=1)
    last = seen[-1]  # of all rows, for the model that is kept
    assert [len(apart) == 120 for apart in seen] == [False, False, True]
    if role == "group":
        assert 0 < last.sum() < 120
        assert set(known[last]).isdisjoint(known[~last])
    else:
        assert np.flatnonzero(last).tolist() == list(range(108, 120))


# --- a module of one's own, and the digits -----------------------------------------------------------------------


def test_a_module_of_ones_own_is_run_saved_and_opened(points):
    run = mlops.run("points", ["model.module={_target_: own_nets.Net, width: 6}"], n_jobs=1)
    assert run.record.status is RunStatus.COMPLETED
    model = mlops.load_model(run.id)
    assert model.pipeline[-1].state_["body.0.weight"].shape == (6, 2)
    assert len(model.predict(table(5).drop(columns="label"))) == 5


def test_convolutions_tell_the_digits_apart(repo, workspace):
    (workspace / "configs" / "digits_cnn.yaml").write_text((repo / "configs" / "digits_cnn.yaml").read_text())
    quick = ["split=hold_out", "model.epochs=6", "artifacts.keep=none", "artifacts.plots=none"]
    assert mlops.run("digits_cnn", quick, n_jobs=1).record.metrics["accuracy"].mean >= 0.98
