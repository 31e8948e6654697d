"""A model's whole life on real data in order of time: trained, served, left behind, found out, renewed, switched."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import mlops_cli
from mlops_cli.records import Action
from mlops_cli.store.audit import AuditLog
from mlops_cli.store.layout import WorkspacePaths

from .asking import Asking, served, until

POLICY = """
when: [drift]
data: data/later.csv
rows: all
hold_out: 0.45
"""


@pytest.fixture
def passengers(real_data):
    """Monthly passengers of an airline, 1949 to 1960: they have tripled by the end."""
    table = pd.read_csv(real_data("airline-passengers.csv")).set_axis(["date", "passengers"], axis=1)
    date = pd.to_datetime(table["date"])
    last_year = table["passengers"].shift(12)
    table = table.assign(month=date.dt.strftime("%b"), last_month=table["passengers"].shift(1), last_year=last_year)
    return table.assign(date=date.dt.strftime("%Y-%m-%d"), id=range(len(table))).dropna()


def test_a_model_that_is_left_behind_is_renewed_and_no_request_fails(passengers, workspace, monkeypatch, mlops):
    monkeypatch.chdir(workspace)
    first, later = passengers.iloc[:72], passengers.iloc[72:]
    first.to_csv("data/first.csv", index=False)
    later.to_csv("data/later.csv", index=False)
    config = {
        "defaults": ["experiment", {"data": "csv"}, {"transforms": "tabular"}, {"model": "random_forest"}, "_self_"],
        "data": {"path": "data/first.csv", "target": "passengers", "id": "id", "time": "date"},
        "model": {"n_estimators": 20},
        "split": {"_target_": "sklearn.model_selection.TimeSeriesSplit", "n_splits": 3},
        "evaluation": {"metrics": ["mae"]},
        "artifacts": {"plots": "none"},
    }
    (workspace / "configs" / "air.yaml").write_text(json.dumps(config))
    (workspace / "configs" / "retrain").mkdir()
    (workspace / "configs" / "retrain" / "air.yaml").write_text(POLICY)
    mlops_cli.register(mlops_cli.run("air", n_jobs=1), alias="champion")

    row = json.loads(later.drop(columns="passengers").tail(1).to_json(orient="records"))[0]
    with served(workspace, "air@champion") as server:
        answer = server.ask(row)
        assert answer.status_code == 200, answer.text
        before = answer.json()["predictions"][0]["prediction"]
        with Asking(server, row, threads=1) as asking:
            logged = mlops("monitor", "log", "air", "data/later.csv")
            assert logged.returncode == 4, logged.stderr
            made = mlops("retrain", "air", "--if-needed", "-j", "1", "--json")
            assert made.returncode == 0, made.stderr
            until(lambda: "air/2" in asking.versions)
        after = server.ask(row).json()
    assert asking.failed == []
    assert asking.versions == {"air/1", "air/2"}
    assert asking.answered > 20

    told = json.loads(made.stdout)
    assert (told["version"], told["promotion"]["done"]) == ("air/2", True)
    assert all(gate["passed"] for gate in told["promotion"]["gates"])
    assert after["model"] == "air/2"
    truth = passengers["passengers"].iloc[-1]
    assert abs(after["predictions"][0]["prediction"] - truth) < abs(before - truth)
    did = [entry.action for entry in AuditLog(WorkspacePaths(workspace)).entries()]
    assert [action for action in did if action is not Action.RUN] == [
        Action.REGISTERED,
        Action.ALIAS,
        Action.LOADED,
        Action.WATCHED,
        Action.REGISTERED,
        Action.ALIAS,
        Action.RETRAINED,
        Action.PROMOTED,
        Action.LOADED,
    ]


LOUD = """
import sys, warnings
from sklearn.linear_model import LinearRegression


class Loud(LinearRegression):
    def predict(self, X):
        warnings.resetwarnings()
        warnings.simplefilter("always")
        warnings.warn("x" * 5000)
        print("y" * 5000)
        print("z" * 5000, file=sys.stderr)
        return super().predict(X)
"""


def test_what_a_model_prints_and_warns_of_at_each_call_holds_no_request(workspace, monkeypatch):
    """Nobody reads the two pipes of this server, which hold 64 KiB each."""
    monkeypatch.chdir(workspace)
    (workspace / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["loud"]\n')
    (workspace / "loud.py").write_text(LOUD)
    pd.DataFrame({"a": range(40), "b": range(40)}).to_csv("data/rows.csv", index=False)
    config = {
        "defaults": ["experiment", {"data": "csv"}, "_self_"],
        "data": {"path": "data/rows.csv", "target": "b"},
        "model": {"_target_": "loud.Loud"},
        "split": {"_target_": "sklearn.model_selection.KFold", "n_splits": 2},
        "artifacts": {"plots": "none"},
    }
    (workspace / "configs" / "loud.yaml").write_text(json.dumps(config))
    mlops_cli.run("loud", n_jobs=1)
    with served(workspace, "loud:latest") as server, Asking(server, {"a": 3}, threads=2) as asking:
        until(lambda: asking.answered > 60)
    assert asking.failed == []
