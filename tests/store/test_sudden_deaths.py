from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlops_cli.errors import StoreError
from mlops_cli.records import RunStatus
from mlops_cli.store.find import list_runs, read_run, read_trials
from mlops_cli.store.runs import RunWriter

if TYPE_CHECKING:
    from mlops_cli.store.layout import WorkspacePaths

MAKE_RUNS = """
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from mlops_cli.records import RunRecord, RunStatus, TrialResult, TrialState
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.runs import RunSources, RunWriter

workspace, how_many = WorkspacePaths(Path(sys.argv[1])), int(sys.argv[2])
for _ in range(how_many):
    started = datetime.now().astimezone().isoformat()
    draft = RunRecord("", Path(), "iris", RunStatus.RUNNING, started)
    with RunWriter.create(workspace, draft, RunSources("name: iris\\n" * 50)) as writer:
        print("made", flush=True)
        for number in range(5):
            writer.append(TrialResult(number, TrialState.COMPLETED, {"C": number}, {"accuracy": (0.5,) * 20}))
        writer.finish(replace(writer.record, status=RunStatus.COMPLETED))
"""


def runs_maker(workspace: WorkspacePaths, how_many: int, env: dict[str, str]) -> subprocess.Popen:
    command = [sys.executable, "-c", MAKE_RUNS, str(workspace.root), str(how_many)]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)


def kill_at(process: subprocess.Popen, seconds: float) -> None:
    process.stdout.readline()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=seconds)
    process.kill()
    process.communicate()


def test_a_process_killed_at_any_moment_leaves_runs_that_are_completed_or_interrupted(workspace, python_env):
    rng = random.Random(0)
    for _ in range(15):
        with runs_maker(workspace, 10**6, python_env) as process:
            kill_at(process, rng.uniform(0.001, 0.06))
    listing = list_runs(workspace)
    assert listing.damaged == ()
    assert {run.status for run in listing.runs} <= {RunStatus.COMPLETED, RunStatus.INTERRUPTED}
    assert len(listing.runs) == len(list((workspace.runs / "iris").iterdir()))
    for run in listing.runs:
        trials = read_trials(run.path)
        assert len(trials) == 5 or run.status is RunStatus.INTERRUPTED
    for run in listing.runs:
        if run.status is RunStatus.INTERRUPTED:
            RunWriter.reopen(run.path).close()


def test_a_run_whose_writer_is_killed_is_interrupted_at_once_whoever_has_its_pid_now(workspace, python_env, tmp_path):
    with runs_maker(workspace, 10**6, python_env) as process:
        kill_at(process, 0.05)
    for run in list_runs(workspace).runs:
        assert run.status is not RunStatus.RUNNING


def test_several_processes_make_runs_in_one_workspace_at_once(workspace, python_env):
    makers = [runs_maker(workspace, 10, python_env) for _ in range(4)]
    for maker in makers:
        maker.communicate()
    assert [maker.returncode for maker in makers] == [0] * 4
    listing = list_runs(workspace)
    assert len(listing.runs) == 40
    assert listing.damaged == ()
    assert {run.status for run in listing.runs} == {RunStatus.COMPLETED}
    assert list(workspace.new_runs.iterdir()) == []


def test_a_run_that_another_process_is_writing_is_running_and_cannot_be_taken_over(workspace, python_env):
    script = MAKE_RUNS.replace('print("made", flush=True)', "print(writer.paths.root, flush=True); input()")
    command = [sys.executable, "-c", script, str(workspace.root), "1"]
    with subprocess.Popen(command, env=python_env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        path = Path(process.stdout.readline().strip())
        assert read_run(path).status is RunStatus.RUNNING
        with pytest.raises(StoreError, match="another process"):
            RunWriter.reopen(path)
        process.communicate("\n")
    assert read_run(path).status is RunStatus.COMPLETED
