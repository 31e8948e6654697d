"""Who is told of drift, what they are told, and whose word counts for it."""

from __future__ import annotations

import json

import pytest

from mlops_cli.components.alerts import Limits
from mlops_cli.config.workspace import Workspace
from mlops_cli.records import Alert, Drifted, DriftKind, DriftReport
from mlops_cli.workflows.watching.alerts import payload_of, send

FINDING = Drifted(DriftKind.DISTRIBUTION, "age", "age: psi 0.41, p 2e-9")


def report(*findings):
    at = "2026-01-31T10:15:00.000+00:00"
    return DriftReport(
        "titanic/3", "data/new.csv", "abc123", at, "the profile of titanic/3", 418, 891, findings=findings
    )


def declare(root, text, name="drift/titanic.yaml"):
    path = root / "configs" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def lines(root):
    path = root / "told.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


TOLD = Alert(file="told.jsonl")


def test_those_who_are_declared_are_told_of_a_finding(workspace):
    declare(workspace, "alerts: [{file: told.jsonl}]\n")
    assert send(report(FINDING), [TOLD], Workspace(workspace)) == ()
    (told,) = lines(workspace)
    assert told == {
        "schema_version": 1,
        "text": "titanic/3 on data/new.csv (418 rows): drift found\n"
        "- age: psi 0.41, p 2e-9\n"
        "mlops drift titanic/3 data/new.csv --no-alerts",
        "model": "titanic/3",
        "data": "data/new.csv",
        "version": "abc123",
        "rows": 418,
        "at": "2026-01-31T10:15:00.000+00:00",
        "drifted": True,
        "judged": True,
        "findings": [{"kind": "distribution", "subject": "age", "message": "age: psi 0.41, p 2e-9"}],
        "findings_in_all": 1,
        "see": "mlops drift titanic/3 data/new.csv --no-alerts",
    }


def test_nothing_found_is_told_to_those_alone_who_want_it_always(workspace):
    declare(workspace, "alerts: [{file: told.jsonl}, {file: always.jsonl, always: true}]\n")
    send(report(), [TOLD, Alert(file="always.jsonl", always=True)], Workspace(workspace))
    assert lines(workspace) == []
    assert json.loads((workspace / "always.jsonl").read_text())["drifted"] is False


def test_one_that_fails_is_said_and_the_others_are_told(workspace):
    declare(workspace, "alerts: [{command: exit 3}, {webhook: 'http://127.0.0.1:9/'}, {file: told.jsonl}]\n")
    alerts = [Alert(command="exit 3"), Alert(webhook="http://127.0.0.1:9/"), TOLD]
    notices = send(report(FINDING), alerts, Workspace(workspace), limits=Limits(waits_s=()))
    assert [notice.code for notice in notices] == ["alert-not-sent"] * 2
    assert "exit code 3" in notices[0].message
    assert len(lines(workspace)) == 1


@pytest.mark.parametrize("alert", [Alert(command="touch hacked"), Alert(file="hacked"), Alert(webhook="http://[::1]/")])
def test_what_the_workspaces_own_configs_do_not_declare_is_not_sent_and_said(workspace, alert):
    """A run that was copied from elsewhere brings its config along."""
    declare(workspace, "alerts: [{command: touch other}]\n")
    (notice,) = send(report(FINDING), [alert], Workspace(workspace))
    assert "configs/drift/NAME.yaml" in notice.message
    assert not (workspace / "hacked").exists()


def test_an_experiment_of_the_workspace_may_declare_them_too(workspace):
    declare(workspace, "name: titanic\ndrift: {alerts: {file: told.jsonl}}\n", "titanic.yaml")
    assert send(report(FINDING), [TOLD], Workspace(workspace)) == ()
    assert len(lines(workspace)) == 1


@pytest.mark.parametrize(
    "text", ["alerts: [", "alerts: {command: [1]}", "alerts: 3", "- alerts", "alerts: !!python/object:os.system x"]
)
def test_a_file_that_cannot_be_read_declares_nothing_and_breaks_nothing(workspace, text):
    declare(workspace, text, "drift/broken.yaml")
    declare(workspace, "alerts: [{file: told.jsonl}]\n")
    assert send(report(FINDING), [TOLD], Workspace(workspace)) == ()


def test_what_data_is_called_cannot_call_people_nor_run(workspace):
    hostile = Drifted(DriftKind.CATEGORIES, "<!channel>", "<!channel> & <@U1>: new categories, p < 0.001")
    told = payload_of(report(hostile))
    assert "- ‹!channel> & ‹@U1>: new categories, p < 0.001\n" in told["text"]
    assert told["findings"][0]["subject"] == "<!channel>"
    odd = DriftReport("titanic/3", "a b; rm -rf $HOME.csv", "v", "t", "r", 1, 1)
    assert payload_of(odd)["see"] == "mlops drift titanic/3 'a b; rm -rf $HOME.csv' --no-alerts"


def test_many_findings_are_counted_and_not_all_sent(workspace):
    told = payload_of(report(*[FINDING] * 2000))
    assert (len(told["findings"]), told["findings_in_all"]) == (50, 2000)
    assert "and 1,995 more" in told["text"]
