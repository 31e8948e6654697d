"""Runs found, labelled, removed and exported, as the commands and the library do it."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
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
    TrialResult,
    TrialState,
)
from mlops_cli.store.find import find_run, list_runs, read_run
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.runs import RunSources, RunWriter, amend
from mlops_cli.workflows.manage import chosen, export, label, reindex, remove
from mlops_cli.workflows.runs import Query, best_run, search


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
    assert best_run("house").id == low.id
    assert best_run("house", "rmse").id == low.id
    assert best_run().id == low.id  # the newest run says what counts
    assert best_run(metric="roc_auc").experiment == "iris"
    with pytest.raises(UsageError, match=r"no run has the metric 'rmsee'.*did you mean 'rmse'"):
        best_run(metric="rmsee")
    with pytest.raises(StoreError, match="did you mean 'house'"):
        best_run("huose")


def test_which_end_of_another_metric_is_good_is_as_the_run_recorded_it(begin):
    def with_loss(loss):
        writer = begin(primary="roc_auc", direction=Direction.MAXIMIZE, directions={"loss": Direction.MINIMIZE})
        metrics = {"loss": MetricSummary(loss, None, None, (loss,)), "odd": MetricSummary(1.0, None, None, (1.0,))}
        return writer.finish(replace(writer.record, status=RunStatus.COMPLETED, metrics=metrics))

    with_loss(0.5)
    low = with_loss(0.2)
    assert best_run(metric="loss").id == low.id
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
    assert not (workspace / ".mlops" / "trash").exists()


def test_runs_are_chosen_by_name_and_by_filter_each_once(done):
    first, second, _ = done(0.1), done(0.2), done(0.9)
    found = chosen([first.id, first.id], "score < 0.5")
    assert sorted(run.id for run in found) == sorted([first.id, second.id])


def test_nothing_is_removed_where_one_is_running_or_needed(done, begin, workspace):
    free, needed, running = done(), done(), begin()
    version = workspace / "models" / "flowers" / "3" / "version.json"
    version.parent.mkdir(parents=True)
    version.write_text(json.dumps({"schema_version": 1, "run": needed.id}))
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
from mlops_cli.workflows.manage import chosen, remove
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
    assert any((workspace / ".mlops" / "trash").iterdir())
    remove([stays])
    assert not (workspace / ".mlops" / "trash").exists()


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
