"""Runs found, labelled, removed and exported, as the commands and the library do it."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import mlops_cli as mlops
from mlops_cli.errors import StoreError, UsageError
from mlops_cli.records import (
    BestTrial,
    Counts,
    Direction,
    ErrorInfo,
    MetricSummary,
    RunRecord,
    RunStatus,
    SplitsInfo,
    Task,
    TrialResult,
    TrialState,
)
from mlops_cli.store.find import find_run, list_runs, read_run
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.runs import RunSources, RunWriter, amend
from mlops_cli.views.best import ranked
from mlops_cli.workflows.runs.finding import Query, best_run, search
from mlops_cli.workflows.runs.manage import chosen, export, label, reindex, remove


@pytest.fixture
def begin(workspace):
    """Begin a run; the caller finishes or leaves it."""
    writers = []

    def make(experiment="iris", started="2026-03-01T12:00:00+01:00", **more):
        draft = RunRecord("", Path(), experiment, RunStatus.RUNNING, started, **more)
        writers.append(RunWriter.create(WorkspacePaths(workspace), draft, RunSources("name: iris\n")))
        return writers[-1]

    yield make
    for writer in writers:
        writer.close()


@pytest.fixture
def done(begin):
    """A completed run of two trials, by its score."""

    def make(score=0.9, experiment="iris", *, primary="roc_auc", direction=Direction.MAXIMIZE, **more):
        writer = begin(experiment, primary=primary, direction=direction, **more)
        writer.append(TrialResult(0, TrialState.COMPLETED, {"model.C": 1.0}, {primary: (score, score)}, 0.5, 0.1))
        error = ErrorInfo("ValueError", "=cmd|' /C calc'!A0")
        writer.append(TrialResult(1, TrialState.FAILED, {"model.C": -1}, error=error))
        metrics = {primary: MetricSummary(score, 0.01, None, (score, score), score - 0.1)}
        ended = replace(
            writer.record, status=RunStatus.COMPLETED, metrics=metrics, params={"model": "svm", "model.C": 0.5}
        )
        return writer.finish(replace(ended, best=BestTrial(0, {"model.C": 1.0}), counts=Counts(2, 1, 1)))

    return make


# --- finding -----------------------------------------------------------------------------------------------------


def test_a_search_gives_records_as_they_are_on_disk_a_page_at_a_time(done):
    runs = [done(n / 10, started=f"2026-03-0{n}T12:00:00+01:00") for n in range(1, 8)]
    found = search(Query(where="roc_auc > 0.25", sort="score", limit=2, offset=1))
    assert found.records == (runs[5], runs[4])
    assert found.total == 5
    assert search(Query(columns=("C", "score"))).columns == ("params.model.C", "score")


def test_an_experiment_that_never_ran_is_told_from_one_of_which_nothing_matches(done):
    done()
    assert search(Query("iris", where="score > 2")).records == ()
    with pytest.raises(StoreError, match="did you mean 'iris'"):
        search(Query("irsi"))


def test_a_workspace_without_runs_is_no_error(workspace):
    assert search(Query("iris")).records == ()
    assert mlops.runs().empty
    assert {"id", "started", "score"} <= set(mlops.runs().columns)
    assert not (workspace / "runs").exists()


def test_runs_come_as_a_table_with_typed_columns(done):
    low, high = done(0.7, tags={"stage": "draft"}), done(0.9, started="2026-03-02T12:00:00+02:00", seed=3)
    table = mlops.runs("iris")
    assert table["id"].tolist() == [high.id, low.id]
    assert table["started"].tolist() == [pd.Timestamp("2026-03-02T10:00Z"), pd.Timestamp("2026-03-01T11:00Z")]
    assert table["seed"].tolist() == [3, 0]
    assert table["params.model.C"].tolist() == [1.0, 1.0]
    assert table["metrics.roc_auc.test"].tolist() == pytest.approx([0.8, 0.6])
    assert table["path"].tolist() == [str(high.path), str(low.path)]
    assert mlops.runs(where="stage = draft")["id"].tolist() == [low.id]
    assert mlops.runs(sort="score", limit=1)["id"].tolist() == [high.id]
    with pytest.raises(UsageError, match=r"did you mean 'metrics\.roc_auc'"):
        mlops.runs(where="roc_auk > 1")


def test_the_best_run_is_by_the_good_end_of_the_metric(done):
    done(0.9)
    low = done(0.1, "house", primary="rmse", direction=Direction.MINIMIZE, started="2026-03-02T12:00:00+01:00")
    done(0.2, "house", primary="rmse", direction=Direction.MINIMIZE)
    assert best_run("house").run.id == low.id
    assert best_run("house", "rmse").run.id == low.id
    assert best_run().run.id == low.id  # the newest run says what counts
    assert best_run(metric="roc_auc").run.experiment == "iris"
    with pytest.raises(UsageError, match=r"no run has the metric 'rmsee'.*did you mean 'rmse'"):
        best_run(metric="rmsee")
    with pytest.raises(StoreError, match="did you mean 'house'"):
        best_run("huose")


def test_the_best_run_is_told_with_what_it_was_ranked_against(done):
    same, other = SplitsInfo("a" * 64, 5, 0.25), SplitsInfo("b" * 64, 1, 0.25)
    done(0.8, splits=same)
    done(0.7, splits=same)
    done(0.9, "house", splits=other)
    ranking = best_run().ranking
    assert (ranking.experiments, ranking.total, ranking.otherwise) == (("house", "iris"), 3, 2)
    assert (best_run("iris").ranking.total, best_run("iris").ranking.otherwise) == (2, 0)
    head, parted = ranked(ranking, asked=False)
    assert head == "best of 3 completed runs of house, iris by roc_auc ↑, the newest one's primary metric"
    assert parted.startswith("2 of them were split otherwise")
    assert ranked(best_run("iris", "roc_auc").ranking, asked=True) == ["best of 2 completed runs of iris by roc_auc ↑"]


def test_a_filter_on_params_that_matches_nothing_says_whose_params_they_are(done):
    done()
    assert search(Query(where="model = svmm")).hints[0] == "no run has params.model = svmm; did you mean svm?"
    assert search(Query(where="params.nothing_like_it = 1 and score > 2")).hints == (
        "no run has params.nothing_like_it",
        "params are those of each run's best trial; mlops runs export --trials has all trials",
    )
    assert search(Query(where="tags.nothing = 1")).hints == ("no run has tags.nothing",)
    assert search(Query(where="model = svm")).hints == ()
    assert search(Query(where="score > 2")).hints == ()


def test_a_trial_is_exported_with_what_was_not_swept_and_nothing_of_another_option(begin, tmp_path):
    writer = begin(primary="f1", direction=Direction.MAXIMIZE, task=Task.CLASSIFICATION)
    for number, model in enumerate(("svm", "forest")):
        writer.append(TrialResult(number, TrialState.COMPLETED, {"model": model, "seed": number}, {"f1": (0.5,)}))
    params = {"model": "svm", "model.C": 1.0, "split": "kfold", "seed": 0, "model._target_.regression": "sklearn.SVR"}
    ended = replace(writer.record, status=RunStatus.COMPLETED, params=params)
    writer.finish(replace(ended, best=BestTrial(0, {"model": "svm", "seed": 0})))
    export(Query(), tmp_path / "t.json", with_trials=True)
    best, other = json.loads((tmp_path / "t.json").read_text())
    of_params = [{k: v for k, v in row.items() if k.startswith("params.")} for row in (best, other)]
    assert of_params == [
        {"params.model": "svm", "params.model.C": 1.0, "params.split": "kfold", "params.seed": 0},
        {"params.model": "forest", "params.split": "kfold", "params.seed": 1},
    ]


def test_which_end_of_another_metric_is_good_is_as_the_run_recorded_it(begin):
    def with_loss(loss):
        writer = begin(primary="roc_auc", direction=Direction.MAXIMIZE, directions={"loss": Direction.MINIMIZE})
        metrics = {"loss": MetricSummary(loss, None, None, (loss,)), "odd": MetricSummary(1.0, None, None, (1.0,))}
        return writer.finish(replace(writer.record, status=RunStatus.COMPLETED, metrics=metrics))

    with_loss(0.5)
    low = with_loss(0.2)
    assert best_run(metric="loss").run.id == low.id
    with pytest.raises(UsageError, match="does not record which end of odd is good"):
        best_run(metric="odd")


def test_the_latest_run_is_by_the_moment_whatever_the_names_say(done, workspace):
    late = done(started="2026-10-25T02:10:00+01:00")  # after the clock went back
    early = done(started="2026-10-25T02:50:00+02:00")
    assert early.id > late.id
    paths = WorkspacePaths(workspace)
    assert find_run(paths, "latest").id == late.id
    renamed = late.path.with_name("my-own-name")
    late.path.rename(renamed)
    assert find_run(paths, "latest").path == renamed
    shutil.rmtree(renamed)
    assert find_run(paths, "iris:latest").path == early.path


# --- labels ------------------------------------------------------------------------------------------------------


def test_tags_are_added_replaced_and_taken_away_and_nothing_else_changes(done):
    run = done(tags={"a": "1", "b": "2"})
    assert label(run.id, tags={"a": "3", "c": "4"}, without=["b"]).tags == {"a": "3", "c": "4"}
    label(run.id, note="a good one")
    assert read_run(run.path) == replace(run, tags={"a": "3", "c": "4"}, note="a good one")
    assert label(run.id, note="").note == ""
    with pytest.raises(UsageError, match="has no tag 'x'"):
        label(run.id, without=["x"])


def test_a_running_run_is_not_labelled(begin):
    writer = begin()
    with pytest.raises(StoreError, match="another process"):
        label(writer.record.id, tags={"a": "b"})


def test_a_killed_run_stays_resumable_when_it_is_labelled(begin):
    writer = begin(primary="roc_auc")
    writer.append(TrialResult(0, TrialState.COMPLETED, {}, {"roc_auc": (0.5,)}))
    writer.close()
    labelled = amend(read_run(writer.paths.root), tags={"a": "b"})
    assert labelled.status is RunStatus.INTERRUPTED
    assert labelled.counts.completed == 1
    with RunWriter.reopen(writer.paths.root) as again:
        assert again.record.tags == {"a": "b"}


# --- removing ----------------------------------------------------------------------------------------------------


def test_removed_runs_are_gone_with_all_their_files(done, workspace):
    gone, stays = done(), done()
    remove([gone])
    assert [r.id for r in list_runs(WorkspacePaths(workspace)).runs] == [stays.id]
    assert not list((workspace / "runs" / ".trash").iterdir())
    assert not list((workspace / "runs").glob("*/*trash*"))


def register(workspace, run):
    version = workspace / "models" / "flowers" / "3" / "version.json"
    version.parent.mkdir(parents=True)
    version.write_text(json.dumps({"schema_version": 1, "run": run.id}))
    return version


def test_a_run_of_another_workspace_is_guarded_by_the_models_of_that_one(done, workspace, tmp_path, monkeypatch):
    needed, free = done(), done()
    register(workspace, needed)
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "configs").mkdir(parents=True)
    monkeypatch.chdir(elsewhere)
    with pytest.raises(StoreError, match="the registered model flowers/3 came from it"):
        remove(chosen([str(needed.path)]))
    remove(chosen([str(free.path)]))
    assert [r.id for r in list_runs(WorkspacePaths(workspace)).runs] == [needed.id]
    assert not (elsewhere / "runs").exists()


def test_a_copy_of_a_run_outside_of_any_workspace_is_left_alone(done, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(done().path, copy)
    with pytest.raises(StoreError, match="it is in no workspace"):
        remove(chosen([str(copy)]))
    assert copy.exists()


def test_runs_on_another_disk_are_removed_there(workspace, done):
    disk = Path("/dev/shm")
    if not os.access(disk, os.W_OK) or disk.stat().st_dev == workspace.stat().st_dev:
        pytest.skip("there is no other disk")
    with tempfile.TemporaryDirectory(dir=disk) as other:
        (workspace / "runs").symlink_to(other)
        remove([done()])
        assert list_runs(WorkspacePaths(workspace)).runs == ()
        assert not [path for path in Path(other).rglob("*") if path.is_file()]


def test_many_processes_remove_at_once(done, workspace):
    runs = [done() for _ in range(24)]
    code = (
        "import sys; from mlops_cli.workflows.runs.manage import chosen, remove\nprint(flush=True)\nsys.stdin.read()\n"
    )
    code += "for ref in sys.argv[1:]: remove(chosen([ref]))"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, *(run.id for run in runs[n::6])],
            cwd=workspace,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for n in range(6)
    ]
    for process in started:
        process.stdout.readline()
    for process in started:  # all have begun by now, and wait for their input to end
        process.stdin.close()
    for process in started:
        process.stdin = None
        assert (process.communicate()[1], process.returncode) == (b"", 0)
    assert not [path for path in (workspace / "runs").rglob("*") if path.is_file()]


@pytest.mark.parametrize("text", ["{", None, '{"schema_version": 1}'])
def test_a_damaged_run_can_be_removed(done, begin, workspace, text):
    run, stays = done(), done()
    record = run.path / "run.json"
    record.write_text(text) if text else record.unlink()
    (found,) = chosen([run.id])
    assert (found.id, found.path) == (run.id, run.path)
    remove([found])
    assert [r.id for r in list_runs(WorkspacePaths(workspace)).runs] == [stays.id]
    assert list_runs(WorkspacePaths(workspace)).damaged == ()


def test_a_damaged_run_stays_where_it_is_written_or_needed(done, begin, workspace):
    run, running = done(), begin()
    for folder in (run.path, running.paths.root):
        (folder / "run.json").write_text("{")
    register(workspace, run)
    with pytest.raises(StoreError, match="flowers/3 came from it"):
        remove(chosen([run.id]))
    with pytest.raises(StoreError, match="is running"):
        remove(chosen([running.record.id]))


def test_runs_are_chosen_by_name_and_by_filter_each_once(done):
    first, second, _ = done(0.1), done(0.2), done(0.9)
    found = chosen([first.id, first.id], "score < 0.5")
    assert sorted(run.id for run in found) == sorted([first.id, second.id])


def test_nothing_is_removed_where_one_is_running_or_needed(done, begin, workspace):
    free, needed, running = done(), done(), begin()
    version = register(workspace, needed)
    with pytest.raises(StoreError, match="the registered model flowers/3 came from it"):
        remove([free, needed])
    with pytest.raises(StoreError, match="is running"):
        remove([free, running.record])
    version.write_text("{")
    with pytest.raises(StoreError, match=r"damaged: .*version\.json"):
        remove([free])
    assert len(list_runs(WorkspacePaths(workspace)).runs) == 3


KILLED = """
import shutil, os, signal, sys
from pathlib import Path
from mlops_cli.workflows.runs.manage import chosen, remove
removed = []
unlink = os.unlink
def dying(*args, **options):
    removed.append(args)
    if len(removed) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return unlink(*args, **options)
os.unlink = dying
remove(chosen(["latest"]))
"""


def test_a_kill_in_the_middle_leaves_no_half_run_and_the_next_removal_clears_up(done, workspace):
    stays = done()
    gone = done(started="2026-03-02T12:00:00+01:00")
    killed = subprocess.run([sys.executable, "-c", KILLED], cwd=workspace, capture_output=True, text=True, check=False)
    assert killed.returncode == -9, killed.stderr
    listed = list_runs(WorkspacePaths(workspace))
    assert [r.id for r in listed.runs] == [stays.id]
    assert listed.damaged == ()
    assert not gone.path.exists()
    assert any((workspace / "runs" / ".trash").iterdir())
    remove([stays])
    assert not list((workspace / "runs" / ".trash").iterdir())


# --- exporting ---------------------------------------------------------------------------------------------------


def test_a_csv_has_a_row_for_each_run_and_no_formula(done, tmp_path):
    run = done(note="=1+1", tags={"@k": "+x", "s": "a\r\nb"})
    export(Query(), tmp_path / "out" / "runs.csv")
    with (tmp_path / "out" / "runs.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["id"] == run.id
    assert float(row["metrics.roc_auc"]) == 0.9
    assert row["note"] == "'=1+1"
    assert row["tags.@k"] == "'+x"
    assert row["tags.s"] == "a\nb"
    assert row["git.commit"] == ""


def test_a_parquet_file_has_typed_columns(done, tmp_path):
    done(0.7, note="a")
    done(0.9, seed=3)
    export(Query(sort="score"), tmp_path / "runs.parquet")
    table = pd.read_parquet(tmp_path / "runs.parquet")
    assert table["score"].tolist() == [0.9, 0.7]
    assert table["seed"].tolist() == [3, 0]
    assert table["started"].tolist() == [pd.Timestamp("2026-03-01T11:00Z")] * 2
    assert table["note"].isna().tolist() == [True, False]


def test_a_json_file_has_the_runs_as_they_are_recorded(done, tmp_path):
    run = done()
    export(Query(), tmp_path / "runs.json")
    assert json.loads((tmp_path / "runs.json").read_text()) == [json.loads((run.path / "run.json").read_text())]


@pytest.mark.parametrize("ending", ["csv", "parquet", "json"])
def test_trials_can_be_exported_instead(done, tmp_path, ending):
    run = done()
    file = tmp_path / f"trials.{ending}"
    export(Query(), file, with_trials=True)
    table = {"csv": pd.read_csv, "parquet": pd.read_parquet, "json": pd.read_json}[ending](file)
    assert table["run"].tolist() == [run.id] * 2
    assert table["state"].tolist() == ["completed", "failed"]
    assert table["params.model.C"].tolist() == [1.0, -1]
    assert table["metrics.roc_auc"][0] == 0.9
    assert "ValueError: =cmd" in table["error"][1]


def test_what_matches_nothing_is_an_empty_table_with_its_header(done, tmp_path):
    done()
    for ending in ("csv", "parquet", "json"):
        assert export(Query(where="score > 2"), tmp_path / f"none.{ending}").records == ()
    assert pd.read_csv(tmp_path / "none.csv").columns[0] == "id"
    assert len(pd.read_parquet(tmp_path / "none.parquet")) == 0
    with pytest.raises(UsageError, match=r"none of the formats.*\.csv, \.parquet, \.json"):
        export(Query(), tmp_path / "runs.xls")


def test_the_index_can_be_built_again_at_any_time(done, workspace):
    done()
    (workspace / ".mlops" / "index.sqlite").unlink(missing_ok=True)
    assert reindex().total == 1
    assert (workspace / ".mlops" / "index.sqlite").is_file()


def test_an_export_overwrites_nothing_unasked(done, tmp_path):
    file = tmp_path / "data.csv"
    file.write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        export(Query(), file)
    assert file.read_text() == "mine"
    export(Query(), file, force=True)
    assert file.read_text().startswith("id,")


@pytest.mark.parametrize(
    ("where", "meant"),
    [
        ("metrics.roc_auk > 0", "metrics.roc_auc"),
        ("not params.modle = svm", "params.model"),
        ("roc_auk > 0", "roc_auc"),
    ],
)
def test_a_slip_in_a_field_is_an_error_with_the_name_that_was_meant(done, where, meant):
    done()
    with pytest.raises(UsageError, match=f"did you mean '[a-z.]*{meant}'"):
        search(Query(where=where))
