"""Runs of MLflow's become runs that every command reads: ours as they were, others' as well as may be, each once."""

import json
import math
import subprocess
import sys
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from mlops_cli.cli.app import build
from mlops_cli.components.trackers.mlflow import MlflowTracker
from mlops_cli.components.trackers.mlflow_place import import_mlflow
from mlops_cli.errors import StoreError, UsageError
from mlops_cli.records import Action, BestTrial, Counts, Curve, Direction, RunStatus, TrialResult, TrialState
from mlops_cli.store.audit import AuditLog
from mlops_cli.store.curves import read_curves
from mlops_cli.store.find import find_run, list_runs, read_trials
from mlops_cli.store.imported import refuse_without_config
from mlops_cli.store.layout import RunPaths, WorkspacePaths
from mlops_cli.workflows.audit import verify
from mlops_cli.workflows.running.prepare import RunOptions
from mlops_cli.workflows.running.resume import resume
from mlops_cli.workflows.runs.importing import Wanted, import_runs

pytest.importorskip("mlflow", reason='pip install "mlops-cli[mlflow]"')
pytestmark = pytest.mark.filterwarnings("ignore")  # what MLflow itself warns of

CONFIG = """
defaults: [experiment, {data: csv}, {transforms: none}, {model: logistic_regression}, _self_]
data: {path: data/points.csv, target: label}
evaluation: {metrics: [roc_auc, accuracy]}
split: {n_splits: 3}
artifacts: {plots: []}
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A data base of MLflow's with runs of others."""
    import_mlflow()
    from mlflow import MlflowClient
    from mlflow.entities import Metric

    folder = tmp_path_factory.mktemp("theirs")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    from mlops_cli.components.trackers.mlflow_place import connect, place_of

    connect(place_of(uri, folder))
    client = MlflowClient(uri, uri)
    plain = client.create_experiment("churn", artifact_location=(folder / "files").as_uri())
    for number, loss in enumerate((0.5, 0.3)):
        run = client.create_run(plain, 1_700_000_000_000 + number, {"team": "x"}, f"net {number}").info.run_id
        client.log_param(run, "lr", 0.1 / (number + 1))
        client.log_param(run, "layers", "[64, 32]")
        points = [Metric("val_loss", loss / step, 1_700_000_000_000, step) for step in (1, 2, 3)]
        client.log_batch(run, [*points, Metric("val_accuracy", 0.9, 1_700_000_000_000, 0)])
        client.set_terminated(run, "FINISHED", 1_700_000_060_000)
    odd = client.create_experiment("../../etc/<b>pass wd", artifact_location=(folder / "odd").as_uri())
    top = client.create_run(
        odd, 1_700_000_000_000, {"mlflow.note.content": "<script>alert(1)</script>"}, "=1+1"
    ).info.run_id
    for number, status in enumerate(("FINISHED", "FAILED", "RUNNING")):
        child = client.create_run(odd, 1_700_000_001_000 + number, {"mlflow.parentRunId": top}).info.run_id
        client.log_param(child, "C", [0.1, 1, 10][number])
        client.log_metric(child, "mean_test_score", 0.8 + number / 100)
        client.log_metric(child, "std_test_score", math.inf)
        if status != "RUNNING":
            client.set_terminated(child, status)
    return uri


def runs_of(root):
    return list_runs(WorkspacePaths(root)).runs


def command(*words):
    done = CliRunner().invoke(build(), list(words))
    assert done.exit_code == 0, (words, done.output, done.exception)
    return done.stdout


# --- runs of others ------------------------------------------------------------------------------------------------


def test_runs_of_others_are_read_as_ours(workspace, store):
    done = import_runs(Wanted(store, "churn"))
    assert len(done.records) == 2
    newest = runs_of(workspace)[0]
    assert (newest.experiment, newest.status, newest.duration_s) == ("churn", RunStatus.COMPLETED, 59.999)
    assert newest.params == {"lr": 0.05, "layers": "[64, 32]"}
    assert (newest.primary, newest.direction) == ("val_accuracy", Direction.MAXIMIZE)
    assert newest.directions["val_loss"] is Direction.MINIMIZE
    assert newest.metrics["val_loss"].mean == pytest.approx(0.1)
    assert (newest.tags["team"], newest.tags["mlflow.run_name"]) == ("x", "net 1")
    curve = read_curves(RunPaths(newest.path).curves)[0][0]
    assert curve == Curve("step", (1, 2, 3), {"val_loss": (0.3, 0.15, 0.3 / 3)})


def test_every_command_reads_them(workspace, store):
    import_runs(Wanted(store))
    a, b = (run.id for run in runs_of(workspace) if run.experiment == "churn")
    assert "churn/" in command("runs", "ls")
    assert "val_loss" in command("runs", "show", a)
    assert json.loads(command("runs", "show", a, "--json"))["params"]["lr"] == 0.05
    assert "lr" in command("runs", "compare", a, b)
    assert a in command("runs", "best", "churn", "--metric", "val_loss")
    assert len(command("runs", "ls", "--where", "val_accuracy > 0.8", "--csv").splitlines()) == 3
    command("report", a, "-o", "report.html")
    assert "val_loss" in (workspace / "report.html").read_text()


@pytest.mark.parametrize(
    ("words", "lacking"),
    [
        (("rerun", "{run}"), "there is nothing here to run again"),
        (("resume", "{run}", "--retry-failed"), "no trial of it was run here, and there is nothing to resume"),
        (("predict", "{run}", "data/points.csv"), "its model and other files are not here"),
        (("models", "register", "{run}"), "its model and other files are not here"),
        (("runs", "show", "{run}", "--profile"), "it has no profile of its data"),
        (("runs", "plot", "{run}", "learning_curve"), "there is nothing here to run again"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_what_takes_more_than_a_record_is_refused_in_a_line(workspace, store, words, lacking):
    record = import_runs(Wanted(store, "churn")).records[0]
    done = CliRunner().invoke(build(), [word.format(run=record.id) for word in words])
    assert str(done.exception.message) == f"{record.id} was imported from MLflow: {lacking}"
    assert done.exception.hint == f"it is run {record.tags['mlflow.run_id']} there"


def test_nested_runs_are_trials(workspace, store):
    (record,) = import_runs(Wanted(store, "../../etc/<b>pass wd")).records
    trials = read_trials(record.path)
    assert [trial.state for trial in trials] == [TrialState.COMPLETED, TrialState.FAILED, TrialState.LOST]
    assert [trial.params for trial in trials] == [{"C": 0.1}, {"C": 1}, {"C": 10}]
    assert (record.primary, record.best) == ("mean_test_score", BestTrial(0, {"C": 0.1}))
    assert record.counts == Counts(trials=3, completed=1, failed=2, lost=1)
    assert record.status is RunStatus.INTERRUPTED  # it was never ended
    assert math.isnan(trials[0].scores["std_test_score"][0])  # infinite


def test_what_ranks_them_can_be_said(workspace, store):
    from mlops_cli.workflows.runs.imported import Ranked

    import_runs(Wanted(store, "churn", ranked=Ranked("val_loss", minimize=True)))
    assert {(run.primary, run.direction) for run in runs_of(workspace)} == {("val_loss", Direction.MINIMIZE)}


def test_names_of_theirs_stay_names(workspace, store):
    (record,) = import_runs(Wanted(store, "../../etc/<b>pass wd")).records
    assert record.experiment == "etc-b-pass-wd"
    assert record.path.is_relative_to(workspace / "runs")
    command("report", record.id, "-o", "report.html")
    assert "<script>alert(1)" not in (workspace / "report.html").read_text()
    assert "'=1+1" in command("runs", "ls", "--csv", "--columns", "tags.mlflow.run_name")


def test_imported_twice_they_are_there_once(workspace, store):
    first = import_runs(Wanted(store))
    second = import_runs(Wanted(store))
    assert (len(first.records), second.records) == (3, ())
    assert set(second.known) == {record.id for record in first.records}
    assert len(runs_of(workspace)) == 3


def test_the_audit_log_says_where_they_are_from(workspace, store):
    (record,) = import_runs(Wanted(store, "../../etc/<b>pass wd")).records
    entries = list(AuditLog(WorkspacePaths(workspace)).entries())
    assert [(entry.action, entry.subject) for entry in entries] == [
        (Action.RUN_IMPORTED, record.id),
        (Action.RUN, record.id),
    ]
    assert entries[0].details == {"from": store, "run": record.tags["mlflow.run_id"]}
    assert not verify(workspace=workspace).faults


def test_one_run_by_its_id(workspace, store):
    known = {
        record.tags["mlflow.run_name"]: record.tags["mlflow.run_id"] for record in import_runs(Wanted(store)).records
    }
    (workspace / "other" / "configs").mkdir(parents=True)
    (record,) = import_runs(Wanted(store, run=known["net 0"]), workspace=workspace / "other").records
    assert record.tags["mlflow.run_name"] == "net 0"


@pytest.mark.parametrize(
    ("wanted", "error", "said"),
    [
        ({"experiment": "chrn"}, StoreError, "no experiment 'chrn'"),
        ({"run": "f" * 32}, StoreError, "not found"),
        ({"run": "../x"}, UsageError, "is no id of MLflow's"),
        ({"uri": "sqlite:///nothing.db"}, StoreError, "has nothing at"),
    ],
)
def test_what_is_not_there_is_said_in_a_line(workspace, store, wanted, error, said):
    with pytest.raises(error, match=said) as caught:
        import_runs(Wanted(**{"uri": store, **wanted}))
    assert "\n" not in caught.value.message
    assert not (workspace / "nothing.db").exists()


AUTOLOG = """
import sys, warnings
warnings.simplefilter("ignore")
import mlflow
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("searched")
mlflow.sklearn.autolog(log_models=False, log_datasets=False, silent=True)
X, y = load_iris(return_X_y=True)
GridSearchCV(LogisticRegression(max_iter=500), {"C": [0.01, 1.0]}, cv=3).fit(X, y)
"""


def test_a_search_that_scikit_learn_logged_by_itself(workspace, store):
    subprocess.run([sys.executable, "-c", AUTOLOG, store], cwd=workspace, check=True, capture_output=True)
    (record,) = import_runs(Wanted(store, "searched")).records
    trials = read_trials(record.path)
    assert len(trials) == 2
    assert record.primary == "mean_test_score"
    assert record.best.params["C"] == 1.0
    assert record.metrics["best_cv_score"].mean == record.metrics["mean_test_score"].mean
    assert "mean_test_score" in command("runs", "show", record.id)


# --- runs of ours --------------------------------------------------------------------------------------------------


@pytest.fixture
def ours(workspace):
    rows = ["x,y,label", *(f"{i % 7 + i % 2},{(i * 37) % 11},{['no', 'yes'][i % 2]}" for i in range(60))]
    (workspace / "data" / "points.csv").write_text("\n".join(rows) + "\n")
    (workspace / "configs" / "points.yaml").write_text(CONFIG)
    import mlops_cli

    run = mlops_cli.run("points", ["model.C=0.1,-1,1"], n_jobs=1, tags={"team": "x", "mlflow.odd": "y"}, note="why")
    return find_run(WorkspacePaths(workspace), run.id)


def tell(uri, record, trials):
    from mlops_cli.contracts import Ended

    tracker = MlflowTracker(uri)
    tracker.start(record, {})
    for result in trials:
        tracker.log_trial(record, result)
    tracker.finish(Ended(record, {"config.yaml": record.path / "config.yaml"}))
    tracker.close()


def test_a_run_of_ours_comes_back_as_it_was(ours, store, workspace):
    trials = read_trials(ours.path)
    tell(store, ours, trials)
    other = workspace / "elsewhere"
    (other / "configs").mkdir(parents=True)
    (back,) = import_runs(Wanted(store, "points"), workspace=other).records
    assert dict(back.metrics) == dict(ours.metrics)
    for key in ("status", "task", "primary", "directions", "best", "counts", "splits", "seed", "note", "environment"):
        assert getattr(back, key) == getattr(ours, key), key
    assert {key: back.params[key] for key in ours.params if not isinstance(ours.params[key], list | dict)} == {
        key: value for key, value in ours.params.items() if not isinstance(value, list | dict)
    }
    assert (back.tags["team"], back.tags["mlflow.odd"]) == ("x", "y")
    assert (back.dataset.version, back.dataset.target) == (ours.dataset.version, "label")
    assert (back.path / "config.yaml").read_text() == (ours.path / "config.yaml").read_text()
    for told, found in zip(trials, read_trials(back.path), strict=True):
        assert (found.state, found.params, dict(found.scores)) == (told.state, told.params, dict(told.scores))
    assert back.fingerprint == ""  # nothing is taken from it for a run of this workspace
    refuse_without_config(back)  # its config came with it, and runs again
    with pytest.raises(StoreError, match="no trial of it was run here") as refused:
        resume(back.id, RunOptions(workspace=other))
    assert refused.value.hint == f"mlops rerun {back.id}"


def test_a_run_of_this_workspace_is_there_already(ours, store, workspace):
    tell(store, replace(ours, experiment="mine"), read_trials(ours.path))
    done = import_runs(Wanted(store, "mine"))
    assert (done.records, done.known) == ((), (ours.id,))


def test_one_trial_with_a_curve_and_numbers_that_are_none(ours, store, workspace):
    curve = Curve("epoch", (1, 2), {"loss": (0.5, 0.25)})
    odd = {name: replace(summary, splits=(0.5, math.nan, math.inf)) for name, summary in ours.metrics.items()}
    one = replace(ours, experiment="one", counts=Counts(trials=1, completed=1), metrics=odd)
    scores = dict.fromkeys(odd, (0.5, 0.6, 0.7))
    tell(store, one, [TrialResult(0, TrialState.COMPLETED, {}, scores, curves={2: curve})])
    other = workspace / "elsewhere"
    (other / "configs").mkdir(parents=True)
    (back,) = import_runs(Wanted(store, "one"), workspace=other).records
    assert all(str(summary.splits) == "(0.5, nan, nan)" for summary in back.metrics.values())
    found = read_curves(RunPaths(back.path).curves)[0]
    assert found == {2: Curve("step", (1, 2), {"loss": (0.5, 0.25)})}


def test_a_version_becomes_one_of_their_registry(ours, store, workspace):
    from mlflow import MlflowClient

    command("models", "register", ours.id, "--alias", "champion", "--tag", "stage=draft")
    uris = [
        command("models", "export", "points@champion", "--to", "mlflow", "--uri", store, "-q").strip() for _ in "12"
    ]
    assert uris == ["models:/points/1"] * 2
    version = MlflowClient(store, store).get_model_version_by_alias("points", "champion")
    assert (version.tags["mlops.version"], version.tags["stage"]) == ("points/1", "draft")
    assert version.tags["mlops.run_id"] == ours.id
    run = MlflowClient(store, store).get_run(version.run_id)
    assert run.data.metrics["roc_auc"] == ours.metrics["roc_auc"].mean
