"""MLflow shows of a run what we show: its own client, its own loaders and a real server of its own say so."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow_serving import serving, tell

import mlops_cli
from mlops_cli.components.trackers.mlflow import MlflowTracker
from mlops_cli.components.trackers.mlflow_names import Told, batches, key_of, told
from mlops_cli.components.trackers.mlflow_place import import_mlflow, place_of
from mlops_cli.components.trackers.mlflow_runs import MlflowReader
from mlops_cli.errors import StoreError
from mlops_cli.records import BestTrial, Curve, TrialResult, TrialState
from mlops_cli.store.find import find_run, read_trials
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.testing import check_tracker
from mlops_cli.workflows.applying.model import saved_by

pytest.importorskip("mlflow", reason='pip install "mlops-cli[mlflow]"')
pytestmark = pytest.mark.filterwarnings("ignore")  # what MLflow itself warns of

CONFIG = """
defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
data: {path: data/boats.csv, target: sank}
evaluation: {metrics: [roc_auc, accuracy]}
split: {n_splits: 3}
tags: {team: harbour}
artifacts: {plots: []}
"""


def boats():
    rng = np.random.default_rng(0)
    length, port = rng.normal(20, 5, 90).round(2), rng.choice(["north", "south"], 90)
    crew, sank = rng.integers(1, 9, 90), np.where(length + rng.normal(0, 3, 90) > 20, "yes", "no")
    table = pd.DataFrame({"length": length, "crew": crew, "port": port, "sank": sank})
    table.loc[::9, ["length", "port"]] = None
    return table


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A workspace with one run, and a sweep of three trials of which one fails."""
    import_mlflow()
    root = tmp_path_factory.mktemp("boats of the sea")
    for folder in ("configs", "data"):
        (root / folder).mkdir()
    boats().to_csv(root / "data" / "boats.csv", index=False)
    (root / "configs" / "boats.yaml").write_text(CONFIG)
    before = Path.cwd()
    os.chdir(root)
    try:
        one = mlops_cli.run("boats", n_jobs=1, note="the first")
        many = mlops_cli.run("boats", ["model.C=0.1,-1,1"], n_jobs=1)
    finally:
        os.chdir(before)
    paths = WorkspacePaths(root)
    return find_run(paths, one.id), find_run(paths, many.id)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("server")) as address:
        yield address


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A data base of SQLite's that several tests tell runs to."""
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'mlflow.db'}"


@pytest.fixture(params=["sqlite", "server"])
def uri(request, place):
    return place if request.param == "sqlite" else request.getfixturevalue("server")


def client_of(uri):
    from mlflow import MlflowClient

    return MlflowClient(uri, uri)


def found(uri, record, experiment=None):
    """The one run of MLflow's, and those that are nested in it, by trial."""
    client = client_of(uri)
    at = client.get_experiment_by_name(experiment or record.experiment).experiment_id
    (run,) = client.search_runs([at], f"tags.`mlops.run_id` = '{record.id}'")
    nested = client.search_runs([at], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")
    return run, {int(child.data.tags["mlops.trial"]): child for child in nested}


def history(uri, run, key):
    points = client_of(uri).get_metric_history(run.info.run_id, key)
    return [point.value for point in sorted(points, key=lambda point: point.step)]


# --- a run ---------------------------------------------------------------------------------------------------------


def test_it_shows_what_we_show(uri, runs):
    record, _ = runs
    at = tell(MlflowTracker(uri), record)
    run, nested = found(uri, record)
    assert nested == {}
    assert (run.info.status, run.info.run_name) == ("FINISHED", record.id)
    for name, summary in record.metrics.items():
        assert run.data.metrics[name] == summary.mean
        assert run.data.metrics[f"{name}.std"] == summary.std
        assert (run.data.metrics[f"{name}.ci95_low"], run.data.metrics[f"{name}.ci95_high"]) == summary.ci95
        assert history(uri, run, f"{name}.splits") == list(summary.splits)
    assert run.data.params["model.C"] == str(record.params["model.C"])
    assert set(run.data.params) == set(record.params)
    tags = run.data.tags
    assert (tags["team"], tags["mlops.fingerprint"], tags["mlops.primary"]) == (
        "harbour",
        record.fingerprint,
        "roc_auc",
    )
    assert tags["mlflow.note.content"] == "the first"
    assert run.info.run_id in at if uri.startswith("http") else at == uri.removeprefix("sqlite:///")


def test_its_data_is_an_input_with_our_digest(place, runs):
    record, _ = runs
    tell(MlflowTracker(place), record)
    (data,) = found(place, record)[0].inputs.dataset_inputs
    assert record.dataset.version.startswith(data.dataset.digest)
    assert len(data.dataset.digest) == 36
    assert [column["name"] for column in json.loads(data.dataset.schema)["mlflow_colspec"]] == list(boats())
    assert json.loads(data.dataset.profile)["num_rows"] == 90


def test_its_files_are_there(uri, runs, tmp_path):
    record, _ = runs
    tell(MlflowTracker(uri), record)
    run, _ = found(uri, record)
    client = client_of(uri)
    got = client.download_artifacts(run.info.run_id, "config.yaml", str(tmp_path))
    assert Path(got).read_text() == (record.path / "config.yaml").read_text()
    assert {file.path for file in client.list_artifacts(run.info.run_id)} >= {"config.yaml", "metrics.json", "model"}


def test_its_model_opens_and_says_the_same(uri, runs, monkeypatch):
    import mlflow.pyfunc
    import mlflow.sklearn

    record, _ = runs
    tell(MlflowTracker(uri), record)
    run, _ = found(uri, record)
    (output,) = client_of(uri).get_run(run.info.run_id).outputs.model_outputs
    rows = saved_by(record).open().features(boats())
    ours = saved_by(record).open().pipeline
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)  # mlflow.set_tracking_uri would set it for all tests to come
    theirs = mlflow.sklearn.load_model(f"models:/{output.model_id}")
    asked = mlflow.pyfunc.load_model(f"models:/{output.model_id}")
    np.testing.assert_array_equal(theirs.predict_proba(rows), ours.predict_proba(rows))
    np.testing.assert_array_equal(asked.predict(boats().drop(columns="sank")), ours.predict(rows))
    assert asked.metadata.signature.inputs.input_names() == ["length", "crew", "port"]


def test_its_model_is_a_version_with_an_alias_once(uri, runs):
    record, _ = runs
    for _ in range(2):
        tracker = MlflowTracker(uri, register="boats", alias="challenger")
        tell(tracker, record)
    client = client_of(uri)
    (version,) = client.search_model_versions("name = 'boats'")
    called = client.get_model_version_by_alias("boats", "challenger")
    assert str(called.version) == str(version.version) == tracker.registered
    assert version.tags["mlops.run_id"] == record.id
    assert version.tags["mlops.dataset.version"] == record.dataset.version


# --- trials --------------------------------------------------------------------------------------------------------


def test_trials_are_nested_with_the_best_one_marked(uri, runs):
    _, record = runs
    tell(MlflowTracker(uri), record)
    run, nested = found(uri, record)
    trials = {trial.trial: trial for trial in read_trials(record.path)}
    assert nested.keys() == trials.keys() == {0, 1, 2}
    assert [nested[number].info.status for number in range(3)] == ["FINISHED", "FAILED", "FINISHED"]
    assert [number for number, child in nested.items() if child.data.tags.get("mlops.best")] == [record.best.trial]
    for number, child in nested.items():
        assert child.data.params == {"model.C": str(trials[number].params["model.C"])}
        for name, scores in trials[number].scores.items():
            assert history(uri, child, f"{name}.splits") == list(scores)
            assert child.data.metrics[name] == pytest.approx(trials[number].mean(name), rel=1e-15)
    assert "C" in nested[1].data.tags["mlops.error"]
    assert run.data.metrics["roc_auc"] == record.metrics["roc_auc"].mean


def test_curves_are_histories_with_their_steps(place, runs):
    _, record = runs
    curve = Curve("epoch", (1, 2, 5), {"loss": (0.9, None, 0.1)})
    result = TrialResult(0, TrialState.COMPLETED, {"model.C": 1}, {"roc_auc": (0.5, 0.6)}, curves={1: curve})
    tracker = MlflowTracker(place, experiment="curves")
    tracker.start(record, {})
    tracker.log_trial(record, result)
    tracker.close()
    _, nested = found(place, record, "curves")
    points = client_of(place).get_metric_history(nested[0].info.run_id, "loss.split1")
    assert [(point.step, point.value) for point in points] == [(1, 0.9), (5, 0.1)]


# --- twice ---------------------------------------------------------------------------------------------------------


def test_it_keeps_to_the_contract(place):
    def counted(_root):
        client = client_of(place)
        experiments = [experiment.experiment_id for experiment in client.search_experiments()]
        return len(client.search_runs(experiments, "tags.`mlops.run_id` LIKE 'checked/%'"))

    check_tracker(lambda root: MlflowTracker(place, root=str(root)), count=counted)


def test_told_twice_it_is_the_same_run(place, runs):
    for record in runs:
        tell(MlflowTracker(place, experiment="twice"), record)
        before = found(place, record, "twice")
        tell(MlflowTracker(place, experiment="twice"), record)
        after = found(place, record, "twice")
        assert after[0].info.run_id == before[0].info.run_id
        assert {n: run.info.run_id for n, run in after[1].items()} == {n: r.info.run_id for n, r in before[1].items()}
        assert after[0].data == before[0].data or after[0].data.to_dictionary() == before[0].data.to_dictionary()


def test_what_was_said_last_stands(place, runs):
    _, record = runs
    trials = {trial.trial: trial for trial in read_trials(record.path)}
    tracker = MlflowTracker(place, experiment="again")
    tell(tracker, replace(record, tags={"team": "harbour", "draft": "yes"}))
    other = next(n for n, trial in trials.items() if n != record.best.trial and trial.state is TrialState.COMPLETED)
    scores = {name: replace(s, mean=s.mean / 2) for name, s in record.metrics.items()}
    params = {**record.params, **trials[other].params}
    best = BestTrial(other, trials[other].params)
    tell(tracker, replace(record, metrics=scores, params=params, best=best))
    run, nested = found(place, record, "again")
    assert run.data.metrics["roc_auc"] == record.metrics["roc_auc"].mean / 2
    assert run.data.params["model.C"] == str(trials[other].params["model.C"])
    assert "draft" not in run.data.tags
    assert [n for n, child in nested.items() if child.data.tags.get("mlops.best")] == [other]
    assert len(nested) == 3


# --- names and numbers ---------------------------------------------------------------------------------------------


def test_no_name_and_no_number_loses_the_others(place, runs):
    record, _ = runs
    odd = ["f1 (macro)", "../../etc", "a\nb", "größe%", "x" * 400, "<script>"]
    scores = {name: replace(record.metrics["roc_auc"], mean=number / 10) for number, name in enumerate(odd)}
    lost = replace(record.metrics["roc_auc"], mean=float("inf"), splits=(0.5, float("nan")))
    params = {f"{name}{n}": "v" for n in range(60) for name in odd} | {"long": "w" * 9_000, "a.map": {1: [2, "\0"]}}
    told_of = replace(
        record, metrics={**scores, "lost": lost}, params=params, tags={"mlflow.runName": "x", "a:b/../c": "y"}
    )
    tracker = MlflowTracker(place, experiment="odd")
    tell(tracker, told_of)
    run, _ = found(place, record, "odd")
    names = {key: run.data.tags.get(f"mlops.name.{key}", key) for key in {**run.data.metrics, **run.data.params}}
    back = {names[key]: value for key, value in run.data.metrics.items()}
    assert {name: back[name] for name in odd if len(name) < 400} == {
        n: s.mean for n, s in scores.items() if len(n) < 400
    }
    assert set(map(names.get, run.data.params)) == set(params)
    assert run.data.params["long"].endswith("… (9,000 characters)")
    assert run.data.tags["mlops.cut"] == "long"
    assert json.loads(run.data.tags["mlops.nonfinite"]) == {"lost": "inf", "lost.splits[1]": "nan"}
    assert run.info.run_name == record.id


def test_calls_hold_what_mlflow_takes():
    from mlflow.utils.validation import _validate_batch_log_data, _validate_batch_log_limits

    said = told({f"p{n}": "v" * 6000 for n in range(250)}, [(f"m{n}", 0.5, 0) for n in range(2500)], {"t": "x" * 9000})
    calls = list(batches(said))
    for call in calls:
        _validate_batch_log_limits(call.metrics, call.params, call.tags)
        assert call.size < 1_000_000
    assert sum(len(call.metrics) for call in calls) == 2500
    assert {key for call in calls for key, _ in call.params} == set(said.params)
    assert len(list(batches(Told({"a": "b"}, (("m", 1.0, 0),), {"t": "x"})))) == 1
    assert _validate_batch_log_data is not None


@pytest.mark.parametrize("name", ["a/b", "..", "/", "", ".", "a//b", "é", "a" * 300, "\ud800", "a/../b", "a:b", "a\n"])
def test_every_key_is_one_that_mlflow_takes(name):
    from mlflow.utils.validation import _validate_metric_name, _validate_param_name

    _validate_metric_name(key_of(name))
    _validate_param_name(f"mlops.name.{key_of(name)}")
    assert len(f"mlops.name.{key_of(name)}") <= 250
    assert "\n" not in key_of(name)


# --- places --------------------------------------------------------------------------------------------------------


def test_the_place_is_what_is_said_else_the_environments_else_the_workspaces(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert place_of(None, tmp_path).uri == f"sqlite:///{tmp_path}/mlflow.db"
    assert place_of("sqlite:///deep/x.db", tmp_path).file == tmp_path / "deep" / "x.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    assert place_of(None, tmp_path).uri == "http://127.0.0.1:1"
    assert place_of("sqlite:///x.db", tmp_path).file == tmp_path / "x.db"


def test_a_server_that_is_not_there_is_said_in_a_line_without_the_password(runs, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(StoreError) as caught:
        MlflowTracker("http://me:secret@127.0.0.1:1").start(runs[0], {})
    assert "http://127.0.0.1:1" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in caught.value.message


def test_a_server_that_is_not_there_is_found_soon_and_said_shortly(runs, tmp_path):
    begun = time.monotonic()
    for call in (
        lambda: MlflowTracker("http://127.0.0.1:1").start(runs[0], {}),
        lambda: MlflowReader("http://127.0.0.1:1", tmp_path),
    ):
        with pytest.raises(StoreError) as caught:
            call()
        assert caught.value.message == "MLflow at http://127.0.0.1:1 does not answer: connection refused"
    assert time.monotonic() - begun < 20  # with MLflow's own settings it is minutes


def test_a_deleted_experiment_is_named(place, runs):
    client = client_of(place)
    tell(MlflowTracker(place, experiment="gone", model=False), runs[0])
    client.delete_experiment(client.get_experiment_by_name("gone").experiment_id)
    with pytest.raises(StoreError, match="'gone' was deleted in MLflow"):
        MlflowTracker(place, experiment="gone").start(runs[0], {})


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"register": "a/b"}, "tracker.register"),
        ({"register": "a", "alias": "latest"}, "tracker.alias"),
        ({"register": "a", "alias": "v1"}, "tracker.alias"),
        ({"alias": "champion"}, "tracker.alias"),
    ],
)
def test_a_name_that_mlflow_refuses_is_refused_before_the_run(keys, said):
    with pytest.raises(StoreError, match=said):
        MlflowTracker(**keys)


TOGETHER = """
import os, sys
from pathlib import Path
from mlops_cli.components.trackers.mlflow import MlflowTracker
from mlops_cli.components.trackers.mlflow_place import import_mlflow
from mlops_cli.store.find import find_run
from mlops_cli.store.layout import WorkspacePaths
from dataclasses import replace
import_mlflow()
record = find_run(WorkspacePaths(Path(sys.argv[1])), sys.argv[2])
writers = []
for number in range(8):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            tracker = MlflowTracker(sys.argv[3])
            mine = replace(record, id=f"{record.id}-{number}", metrics={})
            tracker.start(mine, {})
            from mlops_cli.contracts import Ended
            tracker.finish(Ended(mine, {}))
            code = 0
        finally:
            os._exit(code)
    writers.append(pid)
print(sum(os.waitpid(pid, 0)[1] == 0 for pid in writers))
"""


def test_several_that_make_a_data_base_together_lose_none(runs, tmp_path):
    record, _ = runs
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    arguments = [sys.executable, "-c", TOGETHER, str(record.path.parents[2]), record.id, uri]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["8"], done.stderr
    client = client_of(uri)
    at = client.get_experiment_by_name("boats").experiment_id
    assert {run.info.status for run in client.search_runs([at])} == {"FINISHED"}
    assert len(client.search_runs([at])) == 8


WATCHED = """
import json, socket, sys
sys.path.insert(0, sys.argv[1])
said = set()
parts = {"socket.connect": 1, "socket.getaddrinfo": 0}
sys.addaudithook(lambda event, a: said.add(str(a[parts[event]])) if event in parts else None)
from pathlib import Path
from mlflow_serving import tell
from mlops_cli.components.trackers.mlflow import MlflowTracker
from mlops_cli.store.find import find_run
from mlops_cli.store.layout import WorkspacePaths
record = find_run(WorkspacePaths(Path(sys.argv[2])), sys.argv[3])
for uri in sys.argv[4:]:
    said.clear()
    tell(MlflowTracker(uri, register="watched"), record)
    import threading, time
    for thread in threading.enumerate():
        if thread.daemon and thread is not threading.current_thread(): thread.join(1)
    print(json.dumps(sorted(said)))
"""


def test_it_speaks_to_nobody_else(runs, place, server):
    record, _ = runs
    quiet = ("PYTEST", "CI", "GITHUB", "MLFLOW", "DO_NOT_TRACK")  # MLflow itself is silent where it sees a test
    environment = {key: value for key, value in os.environ.items() if not key.startswith(quiet)}
    arguments = [sys.executable, "-c", WATCHED, str(Path(__file__).parent), str(record.path.parents[2]), record.id]
    done = subprocess.run([*arguments, place, server], capture_output=True, text=True, env=environment, check=False)
    assert done.stderr == ""
    first, second = done.stdout.splitlines()
    assert first == "[]"
    port = server.rpartition(":")[2]
    assert set(json.loads(second)) <= {f"('127.0.0.1', {port})", "127.0.0.1"}
    assert len(second) > 2
