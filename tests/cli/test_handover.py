"""A model is promoted once its owner has answered, and one that is made anew does not lose the answers."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import mlops_cli as mlops
from mlops_cli.cli.app import invoke

CONFIG = """
defaults: [experiment, {data: csv}, {model: logistic_regression}, _self_]
name: points
data: {path: data/points.csv, target: label, id: key}
evaluation: {metrics: [roc_auc], test: 0.2}
artifacts: {plots: none, predictions: false}
"""


def table(rows, start=0):
    x = np.random.default_rng(start).normal(size=rows).round(4)
    return pd.DataFrame({"key": np.arange(start, start + rows), "x": x, "label": (x > 0).astype(int)})


@pytest.fixture
def ws(workspace, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    (workspace / "configs" / "points.yaml").write_text(CONFIG)
    (workspace / "configs" / "promotion").mkdir()
    (workspace / "configs" / "promotion" / "points.yaml").write_text("handover: {max_age: 365d}\n")
    table(80).to_csv(workspace / "data" / "points.csv", index=False)
    mlops.register(mlops.run("points", n_jobs=1).id)
    return workspace


@pytest.fixture
def call(capsys, monkeypatch):
    """The command in this process: its exit code and what it prints."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["mlops", "models", *arguments])
        code = invoke()
        printed = capsys.readouterr()
        return SimpleNamespace(code=int(code), out=printed.out, err=printed.err)

    return run


def answer_all(path, *, but=()):
    lines = [
        f"{line} of [b]{line[:-1]}[/b]" if line.endswith(":") and line[:-1] not in ("questions", *but) else line
        for line in path.read_text().splitlines()
    ]
    path.write_text("\n".join(lines) + "\n")


def test_a_version_waits_for_its_owner_is_promoted_and_the_one_made_anew_keeps_the_answers(ws, call):
    refused = call("promote", "points/1")
    assert refused.code == 1
    assert "mlops models handover points --init writes the questions" in " ".join(refused.out.split())

    file = ws / "configs" / "handover" / "points.yaml"
    begun = call("handover", "points", "--init")
    assert (begun.code, begun.out, begun.err) == (0, f"{file} has the questions\n", "")
    again = call("handover", "points", "--init")
    assert (again.code, again.out) == (0, f"{file} is there, and stays as it is\n")
    assert call("handover", "points/1").code == 2

    answer_all(file, but=["failure"])
    line = file.read_text().splitlines().index("failure:") + 1
    partly = call("handover", "points/1")
    assert (partly.code, partly.out) == (4, "points/1 has answers to 14 of 15 questions\n")
    assert partly.err.startswith(f"configs/handover/points.yaml:{line}: failure: not answered: What happens")
    still = call("promote", "points/1")
    assert still.code == 1
    assert "not answered: failure; answer in configs/handover/points.yaml, then mlops models handover points/1" in (
        " ".join(still.out.split())
    )

    answer_all(file)
    assert call("handover", "points/1").code == 0
    assert call("promote", "points/1").out.splitlines()[-1] == "points/1 is @champion"

    pd.concat([table(80), table(120, start=80)]).to_csv(ws / "data" / "points.csv", index=False)
    made = mlops.retrain("points", n_jobs=1, promote=False)
    assert made.version == "points/2"
    gates = {gate.gate: gate for gate in mlops.models.promote("points/2", dry_run=True).gates}
    assert gates["handover"].passed
    assert gates["handover"].found.endswith("for points/1")
    assert gates["handover.max_age"].passed
    shown = call("handover", "points/2", "--show")
    assert shown.code == 0
    assert "  of [b]failure[/b]\n" in shown.out
    assert "for points/1" in shown.out.splitlines()[0]
    assert "of \\[b\\]failure\\[/b\\]" in call("card", "points/2").out


def test_answers_that_were_edited_do_not_pass(ws, call):
    call("handover", "points", "--init")
    answer_all(ws / "configs" / "handover" / "points.yaml")
    call("handover", "points/1")
    kept = ws / "models" / "points" / "handover.json"
    kept.write_text(kept.read_text().replace("of [b]failure[/b]", "nothing"))
    done = call("promote", "points/1")
    assert done.code == 1
    assert "it was edited" in " ".join(done.out.split())
    assert call("verify", "points").code == 4


def test_answers_that_change_while_gates_are_asked_are_asked_again(ws, call, monkeypatch):
    from mlops_cli.workflows.models import gates

    file = ws / "configs" / "handover" / "points.yaml"
    call("handover", "points", "--init")
    answer_all(file)
    call("handover", "points/1")
    whole, judge = file.read_text(), gates.judge

    def judged(*arguments):  # as another process may once gates are run
        found = judge(*arguments)
        if file.read_text() == whole:
            file.write_text("licence: MIT\n")
            mlops.models.handover("points/1", file)
        return found

    monkeypatch.setattr(gates, "judge", judged)
    found = mlops.models.promote("points/1")
    assert (found.done, [gate.gate for gate in found.gates if not gate.passed]) == (False, ["handover"])
    assert found.said[-1].endswith("changed meanwhile, and the gates were run again")


def test_answers_that_were_taken_out_do_not_let_older_ones_pass(ws, call):
    file, kept = ws / "configs" / "handover" / "points.yaml", ws / "models" / "points" / "handover.json"
    call("handover", "points", "--init")
    answer_all(file)
    call("handover", "points/1")
    whole = kept.read_bytes()
    file.write_text("licence: MIT\n")
    call("handover", "points/1")
    kept.write_bytes(whole)
    (gate,) = mlops.models.promote("points/1", dry_run=True).gates
    assert (gate.gate, gate.passed) == ("handover", False)
    assert gate.detail.endswith("(mlops models handover points/1)")


@pytest.mark.parametrize(
    ("text", "why"),
    [("{", "damaged: "), ('{"schema_version": 99}', "schema_version 99"), ("zz", "damaged: ")],
)
def test_what_can_be_done_where_answers_cannot_be_read_is_done(ws, call, text, why):
    kept = ws / "models" / "points" / "handover.json"
    kept.write_text(text)
    assert call("approve", "points/1").code == 0
    assert why in " ".join(call("show", "points/1").out.split())
    assert "the answers cannot be read" in call("card", "points/1").out
    refused = call("handover", "points/1", "--show")
    assert (refused.code, refused.out) == (2, "")
    assert why in refused.err
    assert "try: " in refused.err
    (gate,) = mlops.models.promote("points/1").gates
    assert (gate.gate, gate.passed) == ("handover", False)
    assert gate.detail == refused.err.strip().removeprefix("error: ").replace("\n  try: ", " (") + ")"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["points", "--show"], "nobody has answered what the owner of points/1 is asked"),
        (["points/1"], "configs/handover/points.yaml: there is no such file"),
        (["points"], "'points' does not say which version"),
        (["pionts/1"], "did you mean 'points'?"),
        (["../x", "--init"], "cannot be"),
        (["points/1", "--show", "--init"], "--init and --show do not go together"),
        (["points/1", "--show", "--file", "x.yaml"], "--show and --file do not go together"),
        (["points/1", "--file", "x.yaml"], "x.yaml: there is no such file"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_mends_it(ws, call, arguments, message):
    done = call("handover", *arguments)
    assert done.code == 2
    assert message in done.err
    assert "try: " in done.err
    assert done.out == ""


def test_programs_get_all_of_it(ws, call):
    file = ws / "answers.yaml"
    file.write_text("business_owner: Ann\nquestions: {opening: When?}\nopening: mondays\n")
    told = json.loads(call("handover", "points/1", "--file", "answers.yaml", "--json").out)
    assert (told["ref"], told["file"], told["items"][0]["answer"]) == ("points/1", "answers.yaml", "Ann")
    assert json.loads(call("handover", "points", "--show", "--json").out) == told
    assert json.loads(call("show", "points", "--json").out)["handover"] == told
    assert "handover" in call("show", "points").out
    found = mlops.models.handover("points/1")
    assert found.items[-1].answer == "mondays"
    assert "failure" in found.missing
    assert mlops.models.handover("points/1", "answers.yaml").at >= found.at


def test_python_has_none_of_what_nobody_answered(ws):
    assert mlops.models.handover("points") is None
    assert mlops.models.show("points").handover is None


def test_a_gate_may_ask_for_the_owners_own_question(ws, call):
    (ws / "configs" / "promotion" / "points.yaml").write_text("handover: {questions: [opening, failure]}\n")
    (ws / "answers.yaml").write_text("failure: a rule\nquestions: {openin: When?}\nopenin: mondays\n")
    call("handover", "points/1", "--file", "answers.yaml")
    (gate,) = mlops.models.promote("points/1", dry_run=True).gates
    assert (gate.passed, gate.detail.partition("? ")[0]) == (
        False,
        "there is no question opening: did you mean 'openin'",
    )
    (ws / "answers.yaml").write_text("failure: a rule\nquestions: {opening: When?}\nopening: mondays\n")
    call("handover", "points/1", "--file", "answers.yaml")
    assert mlops.models.promote("points/1").done
