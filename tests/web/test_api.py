"""The records as JSON, for scripts."""

import json

import pytest

from mlops_cli.records import ErrorInfo, TrialResult, TrialState

from .serving import trial


def test_runs_are_as_the_command_prints_them(server, finished, mlops, workspace):
    ids = [finished(0.5 + n / 10).id for n in range(3)]
    answer = server.get("/api/runs?sort=-score&limit=2").json()
    printed = json.loads(mlops("runs", "ls", "--sort=-score", "--limit", "2", "--json", cwd=workspace).stdout)
    assert answer == {"total": 3, "runs": printed, "damaged": []}
    assert [run["id"] for run in answer["runs"]] == ids[:2]
    assert [run["id"] for run in server.get("/api/runs?sort=-score&offset=2").json()["runs"]] == ids[2:]


def test_a_run_is_as_the_command_prints_it(server, finished, mlops, workspace):
    record = finished(0.9)
    printed = json.loads(mlops("runs", "show", record.id, "--json", cwd=workspace).stdout)
    assert server.get(f"/api/runs/{record.id}").json() == printed


def test_a_running_run_tells_how_far_it_is(server, start_run):
    run = start_run(planned=4)
    run.append(trial(0, 0.5))
    answer = server.get(f"/api/runs/{run.record.id}").json()
    assert answer["status"] == "running"
    assert (answer["counts"]["trials"], answer["counts"]["completed"]) == (4, 1)
    assert answer["best"] == {"trial": 0, "params": {"model.C": 0.0}}


def test_trials_come_as_they_ended_and_in_parts(server, start_run):
    run = start_run()
    for number in (2, 0, 1):
        run.append(trial(number, 0.5))
    path = f"/api/runs/{run.record.id}/trials"
    whole = server.get(path).json()
    assert [t["trial"] for t in whole["trials"]] == [2, 0, 1]
    assert (whole["total"], whole["status"]) == (3, "running")
    assert [t["trial"] for t in server.get(f"{path}?offset=1&limit=1").json()["trials"]] == [0]


def test_a_score_that_is_not_finite_is_null(server, start_run):
    run = start_run()
    run.append(TrialResult(0, TrialState.FAILED, scores={"accuracy": (float("nan"),)}, error=ErrorInfo("E", "no")))
    answer = server.get(f"/api/runs/{run.record.id}/trials").json()
    assert answer["trials"][0]["scores"] == {"accuracy": [None]}


@pytest.mark.parametrize("path", ["/api/runs/{id}", "/api/runs/{id}/trials"])
def test_what_has_not_changed_is_not_sent_again(server, start_run, path):
    run = start_run()
    path = path.format(id=run.record.id)
    tag = {"If-None-Match": server.get(path).headers["etag"]}
    assert server.get(path, headers=tag).status_code == 304
    run.append(trial(0, 0.5))
    assert server.get(path, headers=tag).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/runs?where=status+%3D", 400),
        ("/api/runs?where=nothing+%3E+1", 400),
        ("/api/runs?sort=nothing", 400),
        ("/api/runs?limit=0", 400),
        ("/api/runs?limit=100000", 400),
        ("/api/runs?offset=x", 400),
        ("/api/runs?experiment=none", 404),
        ("/api/runs/iris/20260301-120000-000000", 404),
        ("/api/nothing", 404),
    ],
)
def test_what_is_wrong_is_said_in_json(server, finished, path, status):
    finished(0.9)
    answer = server.get(path)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]
