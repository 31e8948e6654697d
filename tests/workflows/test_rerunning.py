"""A run is made again from its own record: the same comes out, or it is said what differs and why."""

import json
import shutil
import sqlite3
import threading
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler

import pandas as pd
import pytest
import yaml

import mlops_cli as mlops
from mlops_cli.errors import DataError, StoreError, UsageError
from mlops_cli.records import Agreement, TrialFinished
from mlops_cli.workflows.data.adding import AddOptions, add

CONFIG = """
    defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
    data: {path: data/mixed.csv, target: survived, drop: [note, weight, family, amount]}
    launcher: {backend: sequential}
    split: {n_splits: 3}
    evaluation: {metrics: [roc_auc, accuracy], test: 0.2}
    artifacts: {plots: none}
    """

OWN = """
import numpy as np
from sklearn.linear_model import LogisticRegression


class Own(LogisticRegression):
    def fit(self, X, y, sample_weight=None):
        return super().fit(X * SCALE, y)


SCALE = 1.0
"""

SWEEPS = {
    "one trial": [],
    "a grid": ["model.C=0.1,1,10"],
    "a random search": ["model.C=tag(log, interval(0.001, 100))", "sweep.sampler=random", "sweep.trials=5"],
    "tpe": ["model.C=tag(log, interval(0.001, 100))", "sweep.sampler=tpe", "sweep.trials=14", "sweep.window=3"],
    "halving": ["model.C=100,0.0001,10,0.01", "sweep.pruner=halving", "sweep.window=3"],
}

ALL = ["held-out scores", "out-of-fold predictions", "held-out predictions", "the model's predictions of training rows"]


@pytest.fixture
def first(experiment):
    """A finished run of three trials."""
    return mlops.run(experiment(CONFIG), ["model.C=0.1,1,10"])


@pytest.fixture
def own(experiment, workspace):
    """A finished run of a model of the workspace's own."""
    (workspace / "own.py").write_text(OWN)
    (workspace / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["own"]\n')
    body = CONFIG.replace("{model: logistic_regression}, ", "").rstrip()
    return mlops.run(experiment(body + "\n    model: {_target_: own.Own, C: 1.0}\n"))


def rewrite(file, **changes):
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def different(found):
    return {part.what: part.detail for part in (*found.trials, *found.parts) if part.agreement is Agreement.DIFFERENT}


# --- the same ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sweep", SWEEPS.values(), ids=SWEEPS)
def test_the_same_comes_out_bit_for_bit(experiment, sweep):
    first = mlops.run(experiment(CONFIG), sweep)
    found = mlops.rerun(first.id)
    again = mlops.find_run(found.again)
    assert (found.agreement, found.changed, found.notes) == (Agreement.IDENTICAL, (), ())
    assert len(found.trials) == len(first.results)
    assert [part.what for part in found.parts] == ALL
    assert [r.params for r in again.results] == [r.params for r in first.results]
    assert again.record.fingerprint == first.record.fingerprint
    assert again.record.counts.reused == 0


def test_it_is_a_new_run_of_the_experiment_that_says_what_it_is(first):
    again = mlops.find_run(mlops.rerun(first).again)
    assert again.id != first.id
    assert again.record.experiment == first.record.experiment
    assert again.record.tags == {"rerun_of": first.id}
    assert again.record.note == f"{first.id} run again"


def test_a_run_without_model_and_predictions_is_compared_by_its_scores(experiment):
    first = mlops.run(experiment(CONFIG), ["artifacts.keep=none", "artifacts.predictions=false"])
    found = mlops.rerun(first.id)
    assert found.agreement is Agreement.IDENTICAL
    assert [part.what for part in found.parts] == ["held-out scores"]


def test_models_that_are_pickles_are_not_opened(experiment):
    first = mlops.run(experiment(CONFIG), ["artifacts.model_format=joblib"])
    found = mlops.rerun(first.id)
    assert found.agreement is Agreement.IDENTICAL
    assert found.notes == ("the models are pickles, which are not opened to be compared",)


def test_a_workspace_that_was_moved_gives_the_same(own, workspace, tmp_path_factory, monkeypatch):
    moved = tmp_path_factory.mktemp("elsewhere") / "ws"
    mlops.register(own)
    shutil.copytree(workspace, moved)
    for path in workspace.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    monkeypatch.chdir(moved)
    assert mlops.models.verify()[0].faults == ()
    for ref in (own.id, "e/1"):
        found = mlops.rerun(ref)
        assert found.agreement is Agreement.IDENTICAL, found
        assert found.changed == ()


def test_a_registered_version_is_enough(first, workspace):
    mlops.register(first, "side")
    shutil.rmtree(workspace / "runs")
    found = mlops.rerun("side/1")
    assert (found.first, found.agreement) == ("side/1", Agreement.IDENTICAL)
    assert [trial.params for trial in found.trials] == [first.best.params]
    assert [part.what for part in found.parts] == ["held-out scores", "the model's predictions of training rows"]
    assert found.notes == ("side/1 keeps the scores of its best trial alone",)
    again = mlops.find_run(found.again)
    assert again.record.tags == {"rerun_of": "side/1"}
    assert len(again.results) == 3


# --- another, and why --------------------------------------------------------------------------------------------


def test_a_changed_row_is_named(first, workspace):
    file = workspace / "data" / "mixed.csv"
    table = pd.read_csv(file)
    table.loc[3, "fare"] = 5000.0
    table.to_csv(file, index=False)
    told = []
    found = mlops.rerun(first.id, observer=told.append)
    assert found.agreement is Agreement.DIFFERENT
    (said,) = found.changed
    assert said.startswith("the data has changed (")
    again = mlops.find_run(found.again)
    (notice,) = [n for n in again.record.warnings if n.code == "changed-since"]  # said before the first fit
    assert notice.message == f"since {first.id}, {said}"


def test_changed_held_out_rows_are_named_and_the_trials_are_still_the_same(experiment, workspace, mixed):
    mixed.iloc[:40].to_csv(workspace / "data" / "test.csv", index=False)
    first = mlops.run(experiment(CONFIG.replace("test: 0.2", "test: data/test.csv")))
    mixed.iloc[:30].to_csv(workspace / "data" / "test.csv", index=False)
    found = mlops.rerun(first.id)
    assert set(different(found)) == {"held-out scores", "held-out predictions"}
    assert different(found)["held-out predictions"] == "40 rows are 30"
    assert found.changed[0].startswith("the data of evaluation.test has changed (40 rows are 30; version ")


def test_a_changed_module_of_ones_own_is_named(own, workspace):
    (workspace / "own.py").write_text(OWN.replace("SCALE = 1.0", "SCALE = 0.001"))
    found = mlops.rerun(own.id)
    assert found.agreement is Agreement.DIFFERENT
    assert found.changed == ("own.py has changed",)


def test_an_edited_config_is_named_with_its_seed(first):
    file = first.path / "config.yaml"
    file.write_text(file.read_text().replace("seed: 0", "seed: 7"))
    found = mlops.rerun(first.id)
    assert found.agreement is Agreement.DIFFERENT
    assert found.changed == ("its config.yaml has been edited", "seed 0 is now 7")


def test_an_edited_parameter_is_named(experiment):
    first = mlops.run(experiment(CONFIG))
    file = first.path / "config.yaml"
    config = yaml.safe_load(file.read_text())
    config["model"]["C"] = 1e-4
    file.write_text(yaml.safe_dump(config))
    assert mlops.rerun(first.id).changed == ("its config.yaml has been edited", "model.C has another value")


def test_another_package_python_and_machine_are_named_though_the_same_comes_out(first):
    file = first.path / "run.json"
    environment = json.loads(file.read_text())["environment"]
    packages = {**environment["packages"], "scikit-learn": "1.0"}
    before = {**environment, "packages": packages, "python": "3.9.1", "cpu": "Z80", "cpus": 64, "blas": "none"}
    rewrite(file, environment=before)
    found = mlops.rerun(first.id)
    assert found.agreement is Agreement.IDENTICAL
    python, package, machine = found.changed
    assert python.startswith("Python 3.9.1 is now 3.")
    assert package.startswith("scikit-learn 1.0 is now ")
    assert "processor Z80 is now " in machine
    assert "cores 64 is now " in machine
    assert "linear algebra none is now " in machine


def test_what_the_seed_does_not_settle_is_said_to_be_so(experiment, workspace):
    drawn = OWN.replace("X * SCALE", "X * np.random.default_rng().uniform(0.001, 1, X.shape[1])")
    (workspace / "own.py").write_text(drawn)
    (workspace / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["own"]\n')
    body = CONFIG.replace("{model: logistic_regression}, ", "").rstrip()
    first = mlops.run(experiment(body + "\n    model: {_target_: own.Own, C: 0.001}\n"))
    found = mlops.rerun(first.id)
    assert found.agreement is Agreement.DIFFERENT
    (said,) = found.changed
    assert said.startswith("nothing that is recorded has changed, so the seed does not settle")


def journal_with(run, edit):
    file = run.path / "trials.jsonl"
    trials = [json.loads(line) for line in file.read_text().splitlines()]
    file.write_text("".join(json.dumps(trial) + "\n" for trial in edit(trials)))


def test_a_last_digit_is_equal_within_the_tolerance_and_different_without(first):
    def nudged(trials):
        trials[1]["scores"]["roc_auc"][2] *= 1 + 1e-12
        return trials

    journal_with(first, nudged)
    found = mlops.rerun(first.id)
    assert found.agreement is Agreement.EQUAL
    assert [trial.agreement for trial in found.trials] == ["identical", "equal", "identical"]
    assert found.trials[1].detail.startswith("roc_auc of split 2: ")
    assert 1e-13 < found.trials[1].difference < 1e-11
    assert set(different(mlops.rerun(first.id, tolerance=0))) == {"trial 1"}


def test_trials_that_are_new_missing_or_ended_otherwise_are_told(first):
    def otherwise(trials):
        error = {"type": "ValueError", "message": "no", "traceback": ""}
        failed = {**trials[1], "state": "failed", "scores": {}, "error": error}
        return [failed, trials[2], {**trials[2], "trial": 3}]

    journal_with(first, otherwise)
    assert different(mlops.rerun(first.id)) == {
        "trial 0": "new",
        "trial 1": "failed (ValueError) then, completed now",
        "trial 3": "missing now",
    }


def test_trials_that_fail_alike_are_the_same(experiment):
    first = mlops.run(experiment(CONFIG), ["model.C=1,-1"])
    found = mlops.rerun(first.id)
    assert first.record.counts.failed == 1
    assert found.agreement is Agreement.IDENTICAL


# --- the same data -----------------------------------------------------------------------------------------------


def test_the_version_of_a_data_set_is_that_of_the_run(experiment, workspace, mixed):
    add(workspace / "data" / "mixed.csv", "people", AddOptions())
    body = CONFIG.replace("{data: csv}", "{data: dataset}").replace("path: data/mixed.csv", "name: people")
    first = mlops.run(experiment(body.replace("test: 0.2", "test: people@latest")))
    mixed.iloc[:50].to_csv(workspace / "data" / "mixed.csv", index=False)
    add(workspace / "data" / "mixed.csv", "people", AddOptions())
    found = mlops.rerun(first.id)
    assert (found.agreement, found.changed) == (Agreement.IDENTICAL, ())


def test_what_a_query_gave_is_read_from_where_it_was_kept(experiment, workspace, mixed):
    with sqlite3.connect(workspace / "shop.db") as base:
        mixed.to_sql("t", base, index=False)
    base.close()
    body = CONFIG.replace("{data: csv}", "{data: sql}").replace("path: data/mixed.csv", "path: shop.db, table: t")
    first = mlops.run(experiment(body))
    (workspace / "shop.db").unlink()
    found = mlops.rerun(first.id)
    assert (found.agreement, found.changed) == (Agreement.IDENTICAL, ())
    saved = yaml.safe_load((mlops.find_run(found.again).path / "config.yaml").read_text())
    assert saved["data"]["snapshot"] == first.record.dataset.version
    assert mlops.rerun(found.again).agreement is Agreement.IDENTICAL


@pytest.fixture
def address(workspace):
    """The workspace's folder, served; it ends with the test or where ``close`` is called."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(workspace))
    handler.func.log_message = lambda *_: None
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_what_was_fetched_is_read_as_it_was_fetched(experiment, workspace, mixed, address):
    mixed.iloc[:40].to_csv(workspace / "test.csv", index=False)
    body = CONFIG.replace("data/mixed.csv", f"'{address}/data/mixed.csv'").replace("0.2", f"'{address}/test.csv'")
    first = mlops.run(experiment(body))
    mixed.iloc[:50].to_csv(workspace / "data" / "mixed.csv", index=False)
    (workspace / "test.csv").unlink()
    found = mlops.rerun(first.id)
    assert (found.agreement, found.changed) == (Agreement.IDENTICAL, ())


def test_data_that_is_gone_is_one_line(first, workspace):
    (workspace / "data" / "mixed.csv").unlink()
    with pytest.raises(DataError, match=rf"^{first.id} cannot be run again: .*mixed\.csv") as raised:
        mlops.rerun(first.id)
    assert "\n" not in str(raised.value)
    assert len(mlops.runs()) == 1


# --- what is refused ---------------------------------------------------------------------------------------------


def test_a_run_that_was_interrupted_is_to_be_resumed_first(experiment):
    def stop(event):
        if isinstance(event, TrialFinished):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mlops.run(experiment(CONFIG), ["model.C=1,2"], observer=stop)
    with pytest.raises(StoreError, match=r"is interrupted: there is nothing whole to compare with \(mlops resume e/"):
        mlops.rerun("latest")


def test_a_rerun_that_is_interrupted_says_so(first):
    def stop(event):
        if isinstance(event, TrialFinished):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mlops.rerun(first.id, observer=stop)
    assert mlops.resume("latest").record.tags == {"rerun_of": first.id}


@pytest.mark.parametrize("tolerance", [-1e-9, 1, float("nan")])
def test_a_tolerance_that_says_nothing_is_refused(first, tolerance):
    with pytest.raises(UsageError, match="the tolerance is a share from 0 to 1"):
        mlops.rerun(first.id, tolerance=tolerance)
