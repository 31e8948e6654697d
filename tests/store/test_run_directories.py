from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from mlops_cli.errors import StoreError
from mlops_cli.records import Direction, MetricSummary, RunStatus, TrialResult, TrialState
from mlops_cli.store.files import write_json
from mlops_cli.store.find import find_finished, find_run, is_alive, list_runs, read_run, read_trials
from mlops_cli.store.layout import RunPaths, WorkspacePaths
from mlops_cli.store.runs import RunSources, RunWriter


def test_a_run_is_running_while_it_is_written_and_completed_afterwards(start, workspace):
    writer = start()
    seen = read_run(writer.paths.root)
    assert seen.status is RunStatus.RUNNING
    assert is_alive(seen.path)
    assert seen.process.pid == os.getpid()
    writer.finish(replace(writer.record, status=RunStatus.COMPLETED, ended="2026-03-01T12:01:00+01:00"))
    assert not is_alive(seen.path)
    assert read_run(writer.paths.root) == writer.record
    assert find_run(workspace, writer.record.id) == writer.record


def test_a_new_run_holds_what_was_asked_before_any_trial_has_ended(workspace, draft):
    sources = RunSources("name: iris\n", ["model.C=1", "+x='a: \"é\"'"], b"diff --git\n")
    with RunWriter.create(workspace, draft(), sources) as writer:
        assert sorted(p.name for p in writer.paths.root.iterdir()) == sorted(
            ["config.yaml", "overrides.yaml", "run.json", "source.diff", "trials.jsonl"]
        )
        assert writer.paths.config.read_text() == "name: iris\n"
        assert yaml.safe_load(writer.paths.overrides.read_text()) == list(sources.overrides)
        assert writer.paths.source_diff.read_bytes() == b"diff --git\n"


def test_a_finished_run_has_its_tables_and_its_record(finished):
    record = finished(0.75)
    paths = RunPaths(record.path)
    assert paths.trials_csv.read_text().splitlines()[0].startswith("trial,state,params.model.C")
    assert json.loads(paths.metrics.read_text()) == {
        "schema_version": 1,
        "accuracy": {"mean": 0.75, "std": None, "ci95": None, "splits": [0.75], "test": None},
    }
    assert json.loads(paths.run_json.read_text())["path"] == f"runs/{record.id}"
    assert not [file for file in record.path.iterdir() if file.name.startswith(".")]


def test_a_run_that_is_left_without_an_end_reads_as_interrupted_with_its_trials(start):
    writer = start()
    writer.append(TrialResult(0, TrialState.COMPLETED))
    writer.close()
    assert read_run(writer.paths.root).status is RunStatus.INTERRUPTED
    assert [t.trial for t in read_trials(writer.paths.root)] == [0]


def test_an_interrupted_run_goes_on_where_it_stood(start):
    first = start()
    first.append(TrialResult(0, TrialState.COMPLETED))
    first.close()
    with RunWriter.reopen(first.paths.root) as second:
        assert read_run(first.paths.root).status is RunStatus.RUNNING
        second.append(TrialResult(1, TrialState.COMPLETED))
        second.finish(replace(second.record, status=RunStatus.COMPLETED))
    assert read_run(first.paths.root).status is RunStatus.COMPLETED
    assert [t.trial for t in read_trials(first.paths.root)] == [0, 1]


def test_a_run_that_is_alive_or_finished_is_not_taken_over(start, finished):
    alive = start()
    with pytest.raises(StoreError, match="another process"):
        RunWriter.reopen(alive.paths.root)
    with pytest.raises(StoreError, match="nothing to resume"):
        RunWriter.reopen(finished().path)


def test_scratch_ends_with_its_run_and_what_a_killed_one_left_is_swept(start, workspace):
    writer = start()
    writer.paths.scratch.mkdir(parents=True)
    left = workspace.run("iris/20250101-000000-abcdef").scratch
    left.mkdir(parents=True)
    (left / "array.mmap").write_bytes(b"x")
    start()
    assert not left.exists()
    assert writer.paths.scratch.exists()
    writer.close()
    assert not writer.paths.scratch.exists()


def test_runs_are_listed_newest_first_by_the_moment_and_not_by_the_clock(finished, workspace):
    late = finished(started="2026-10-25T02:10:00+01:00")  # after the clock went back
    early = finished(started="2026-10-25T02:50:00+02:00")
    assert early.id > late.id
    assert [r.id for r in list_runs(workspace).runs] == [late.id, early.id]
    assert find_run(workspace, "latest").id == late.id


def test_runs_of_one_experiment_are_listed_alone(finished, workspace):
    finished(experiment="iris")
    wine = finished(experiment="wine")
    assert [r.id for r in list_runs(workspace, "wine").runs] == [wine.id]
    assert list_runs(workspace, "../runs/wine").runs == ()
    assert list_runs(WorkspacePaths(workspace.root / "nowhere")).runs == ()


def test_a_damaged_run_is_reported_and_the_others_are_listed(finished, workspace):
    good = finished()
    for number, content in enumerate([b"", b"{", b'{"schema_version": 99}', b'{"schema_version": 1}']):
        folder = workspace.runs / "iris" / f"20260101-00000{number}-abcdef"
        folder.mkdir()
        (folder / "run.json").write_bytes(content)
    (workspace.runs / "iris" / "20260101-000009-abcdef").mkdir()
    (workspace.runs / "iris" / "notes").mkdir()
    listing = list_runs(workspace)
    assert [r.id for r in listing.runs] == [good.id]
    assert len(listing.damaged) == 5
    assert all("\n" not in notice.message for notice in listing.damaged)
    assert find_run(workspace, "latest").id == good.id


def test_links_among_the_runs_are_not_followed(finished, workspace, tmp_path):
    record = finished()
    outside = tmp_path / "outside"
    shutil.copytree(workspace.runs / "iris", outside)
    (workspace.runs / "linked").symlink_to(outside)
    (workspace.runs / "iris" / "20260101-000000-abcdef").symlink_to(outside / record.path.name)
    stolen = workspace.runs / "iris" / "20260101-000001-abcdef"
    stolen.mkdir()
    (stolen / "run.json").symlink_to(outside / record.path.name / "run.json")
    listing = list_runs(workspace)
    assert [r.path for r in listing.runs] == [record.path]
    assert len(listing.damaged) == 1


def test_a_workspace_can_be_moved(finished, workspace, tmp_path):
    record = finished()
    workspace.root.rename(tmp_path / "moved")
    moved = WorkspacePaths(tmp_path / "moved")
    found = find_run(moved, record.id)
    assert found == replace(record, path=moved.runs / record.id)


def test_a_run_is_found_by_all_that_names_it(finished, workspace, monkeypatch):
    record = finished()
    finished(experiment="wine", started="2026-04-01T12:00:00+01:00")
    name = record.path.name
    refs = [record.id, record.id[:-3], "iris/", "iris", name, "20260301-1", name[-6:], name[-6:-2], str(record.path)]
    refs += [str(record.path / "run.json"), f"runs/{record.id}", f"runs/{record.id}/", "iris:latest", "iris:best"]
    for ref in refs:
        assert find_run(workspace, ref).id == record.id, ref
    monkeypatch.chdir(record.path.parent)
    assert find_run(workspace, f"./{name}").id == record.id


def test_a_run_that_lies_elsewhere_is_found_by_its_path(finished, workspace, tmp_path):
    record = finished()
    shutil.copytree(record.path, tmp_path / "copy")
    assert find_run(workspace, str(tmp_path / "copy")).id == record.id


def test_latest_is_the_newest_of_all_or_of_one_experiment(finished, workspace):
    iris = finished(started="2026-03-02T00:00:00+00:00")
    finished(started="2026-02-02T00:00:00+00:00")
    wine = finished(experiment="wine", started="2026-03-09T00:00:00+00:00")
    assert find_run(workspace, "latest").id == wine.id
    assert find_run(workspace, "iris:latest").id == iris.id


@pytest.mark.parametrize(("direction", "best"), [(Direction.MAXIMIZE, 0.9), (Direction.MINIMIZE, 0.1)])
def test_best_is_the_best_primary_metric_among_completed_runs(finished, start, workspace, direction, best):
    for accuracy in (0.5, 0.9, 0.1):
        finished(accuracy, direction)
    failed = start(primary="accuracy", direction=direction)
    extreme = MetricSummary(2.0 if best == 0.9 else -2.0, None, None, ())
    failed.finish(replace(failed.record, status=RunStatus.FAILED, metrics={"accuracy": extreme}))
    finished(float("nan"), direction)
    assert find_run(workspace, "iris:best").metrics["accuracy"].mean == best


def test_what_means_several_runs_is_refused_with_the_newest_of_them(finished, workspace):
    ids = sorted(finished(started=f"2026-03-0{day}T12:00:00+00:00").id for day in range(1, 9))
    with pytest.raises(StoreError, match="means 8 runs") as caught:
        find_run(workspace, "iris")
    assert ids[-1] in caught.value.message
    assert "3 more" in caught.value.message


def test_what_means_no_run_is_refused_with_the_nearest(finished, workspace):
    record = finished()
    with pytest.raises(StoreError, match="no run") as caught:
        find_run(workspace, record.id.replace("iris", "irsi"))
    assert record.id in caught.value.hint
    with pytest.raises(StoreError, match="no runs") as caught:
        find_run(workspace, "irsi:latest")
    assert "iris" in caught.value.hint


@pytest.mark.parametrize(
    "ref", ["", "/", "..", "../..", "a\0b", "latest ", ":latest", ":best", "%s", "[/x]", "x" * 5000]
)
def test_an_odd_reference_is_one_line_or_nothing_worse(finished, workspace, ref):
    finished()
    if ref == ":latest":
        assert find_run(workspace, ref).experiment == "iris"
        return
    with pytest.raises(StoreError):
        find_run(workspace, ref)


def test_an_empty_workspace_says_how_to_begin(workspace):
    for ref in ("latest", "iris:best", "abc"):
        with pytest.raises(StoreError) as caught:
            find_run(workspace, ref)
        assert "mlops run" in caught.value.hint


def test_an_identical_finished_run_is_found_and_no_other(finished, start, workspace):
    finished(fingerprint="aa", started="2026-03-01T12:00:00+00:00")
    newest = finished(fingerprint="aa", started="2026-03-02T12:00:00+00:00")
    finished(fingerprint="bb", started="2026-03-03T12:00:00+00:00")
    start(fingerprint="aa", started="2026-03-04T12:00:00+00:00").close()
    finished(experiment="wine", fingerprint="aa", started="2026-03-05T12:00:00+00:00")
    assert next(find_finished(workspace, "iris", "aa")).id == newest.id
    assert not list(find_finished(workspace, "iris", "cc"))
    assert not list(find_finished(workspace, "iris", ""))


def test_a_file_where_the_runs_should_be_is_said_in_one_line(workspace, draft):
    workspace.root.mkdir()
    workspace.runs.touch()
    with pytest.raises(StoreError, match="cannot write") as caught:
        RunWriter.create(workspace, draft(), RunSources(""))
    assert "\n" not in str(caught.value)


def test_a_read_only_workspace_is_said_in_one_line_and_can_still_be_read(finished, workspace, draft, read_only):
    record = finished()
    read_only(workspace.runs)
    with pytest.raises(StoreError, match="cannot write"):
        RunWriter.create(workspace, draft(experiment="wine"), RunSources(""))
    assert [r.id for r in list_runs(workspace).runs] == [record.id]


def test_a_name_that_cannot_be_a_folder_makes_no_run(workspace, draft):
    with pytest.raises(StoreError, match="experiment name"):
        RunWriter.create(workspace, draft(experiment="../x"), RunSources(""))
    assert not workspace.runs.exists() or list_runs(workspace).runs == ()


def test_runs_are_listed_by_their_records_alone(finished, workspace):
    record = finished(fingerprint="aa")
    data = json.loads((record.path / "run.json").read_text())
    for number in range(200):
        run_id = f"iris/20260201-{number:06d}-abcdef"
        started = f"2026-02-01T00:{number // 60:02d}:{number % 60:02d}+00:00"
        path = Path(workspace.runs / run_id)
        path.mkdir()
        write_json(path / "run.json", {**data, "id": run_id, "started": started})
    runs = list_runs(workspace).runs
    assert len(runs) == 201
    assert [r.started for r in runs[1:]] == sorted((r.started for r in runs[1:]), reverse=True)
