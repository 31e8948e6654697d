"""A version becomes the champion where its gates pass; where one fails nothing is changed, and that is recorded."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import sys
from types import SimpleNamespace

import pandas as pd
import pytest
import yaml

import mlops_cli as mlops
from mlops_cli.cli.app import invoke
from mlops_cli.errors import StoreError
from mlops_cli.store.audit import AuditLog, this_user
from mlops_cli.store.layout import WorkspacePaths

CONFIG = """
defaults: [experiment, {data: dataset}, {transforms: tabular}, {model: logistic_regression}, _self_]
name: points
data:
  name: points
  target: label
  drop: [sex]
  expect: {columns: {x: {min: -10, max: 10}}}
evaluation: {metrics: [roc_auc, accuracy], test: 0.25}
artifacts: {plots: none, predictions: false}
"""
FOREST = "model={_target_: sklearn.ensemble.RandomForestClassifier, n_estimators: 15, max_depth: 3, random_state: %d}"
VERSIONS = {
    1: [],
    2: ["model={_target_: sklearn.dummy.DummyClassifier, strategy: stratified, random_state: 0}"],
    3: [FOREST % 1],
    4: [FOREST % 2],
    5: ["evaluation.test=null", "artifacts.model_format=joblib", "data.accept=[imbalance]"],
}
"""Of points: a fit, one that guesses, two of a kind with other seeds, a pickle whose run held nothing out."""

RACE = """
import os
from pathlib import Path
import mlops_cli as mlops
from sklearn.metrics import accuracy_score

def racing(y_true, y_pred):
    if Path("race").exists():
        Path("race").unlink()
        mlops.models.alias("points/3", "champion")
    return accuracy_score(y_true, y_pred)
"""


def table(rows, seed):
    chance = random.Random(seed)
    lines = ["x,z,kind,sex,label"]
    for i in range(rows):
        x, z = chance.gauss(1.5 * (i % 2), 1), chance.gauss(0, 1)
        lines.append(f"{x:.4f},{z:.4f},{'ab'[i % 3 == 0]},{'mf'[chance.random() < 0.4]},{i % 2}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A workspace with five versions of a model, none of which has an alias, and new rows."""
    root = tmp_path_factory.mktemp("promote")
    (root / "configs" / "promotion").mkdir(parents=True)
    (root / "configs" / "points.yaml").write_text(CONFIG)
    (root / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["race_metric"]\n')
    (root / "race_metric.py").write_text(RACE)
    (root / "points.csv").write_text(table(240, seed=1))
    (root / "new.csv").write_text(table(300, seed=2))
    mlops.data.add(root / "points.csv", "points", workspace=root)
    for overrides in VERSIONS.values():
        mlops.register(mlops.run("points", overrides, n_jobs=1, workspace=root).id, workspace=root)
    return root


@pytest.fixture
def ws(made, tmp_path, monkeypatch):
    """A copy of it, and the current folder."""
    root = tmp_path / "ws"
    shutil.copytree(made, root)
    monkeypatch.chdir(root)
    monkeypatch.setenv("COLUMNS", "120")
    return root


@pytest.fixture
def declare(ws):
    """Write the owner's gates."""

    def write(gates):
        text = gates if isinstance(gates, str) else yaml.safe_dump(gates)
        (ws / "configs" / "promotion" / "points.yaml").write_text(text)

    return write


@pytest.fixture
def call(capsys, monkeypatch):
    """The command in this process: its exit code and what it prints."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["mlops", "models", *arguments])
        code = invoke()
        printed = capsys.readouterr()
        return SimpleNamespace(code=int(code), out=printed.out, err=printed.err)

    return run


@pytest.fixture
def gates(ws, declare):
    """What each gate says of a version, by its name, without changing anything."""

    def judge(declared, ref="points/1", **how):
        declare(declared)
        return {gate.gate: gate for gate in mlops.models.promote(ref, dry_run=True, workspace=ws, **how).gates}

    return judge


def entries(ws):
    return list(AuditLog(WorkspacePaths(ws)).entries())


def registry_files(ws):
    return {path: path.read_bytes() for path in (ws / "models").rglob("*") if path.is_file()}


# --- promoting and refusing --------------------------------------------------------------------------------------


def test_where_nothing_is_declared_it_says_so_and_promotes(ws, call):
    done = call("promote", "points/1")
    assert (done.code, done.out) == (0, "points/1 is @champion\n")
    assert done.err == "no gates are declared for points: nothing was asked but that it opens\n"
    assert mlops.models.find("points@champion", workspace=ws).number == 1
    assert call("promote", "points/1").out == "points/1 is @champion already\n"


@pytest.mark.parametrize("declared", ["", "size: {max_mb: 5}"])
def test_a_version_that_cannot_be_opened_is_not_promoted_whatever_is_declared(ws, call, declare, declared):
    (ws / "no_longer.py").write_text("from sklearn.dummy import DummyClassifier as Base\n\nclass Own(Base): ...\n")
    (ws / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["no_longer", "race_metric"]\n')
    mlops.register(mlops.run("points", ["model={_target_: no_longer.Own}"], n_jobs=1, workspace=ws).id, workspace=ws)
    (ws / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["race_metric"]\n')
    declare(declared)
    done = call("promote", "points/6")
    assert (done.code, done.out.splitlines()[2].split()) == (1, ["failed", "model", "opens", "does", "not"])
    assert "no_longer.Own" in done.out
    assert entries(ws)[-1].action == "promotion-refused"
    assert call("promote", "points/6", "--override", "it opens elsewhere").code == 0


def test_a_pickle_is_promoted_unopened_and_that_is_said(ws, call):
    done = call("promote", "points/5")
    assert (done.code, done.out) == (0, "points/5 is @champion\n")
    assert "its model is a pickle and was not opened; --allow-pickle opens it" in done.err
    assert "not opened" not in call("promote", "points/5", "--alias", "staging", "--allow-pickle").err


def test_an_empty_file_of_the_owner_declares_no_gates(ws, call, declare):
    declare("# none yet\n")
    assert call("promote", "points/1").err == "no gates are declared for points: nothing was asked but that it opens\n"
    assert call("alias", "points/2", "staging").err == ""


@pytest.mark.parametrize("declared", ["", "size: {max_mb: 5}"])
def test_who_has_the_alias_does_not_matter_to_gates_that_ask_for_no_champion(ws, declare, monkeypatch, declared):
    from mlops_cli.workflows.models import gates

    judge = gates.judge

    def judged(*arguments):  # as another process may while gates are run
        mlops.models.alias("points/3", "champion", workspace=ws)
        return judge(*arguments)

    monkeypatch.setattr(gates, "judge", judged)
    declare(declared)
    found = mlops.models.promote("points/1", workspace=ws)
    assert (found.done, found.before, found.said) == (True, "points/3", ())
    assert entries(ws)[-1].details["before"] == 3


def test_all_gates_are_run_and_the_last_champion_is_named(ws, call, declare):
    call("alias", "points/2", "champion")
    declare({"metrics": {"accuracy": {"min": 0.5}}, "size": {"max_mb": 5}, "champion": {}})
    done = call("promote", "points/1")
    assert done.code == 0
    assert [line.split()[:2] for line in done.out.splitlines() if line.startswith("passed")] == [
        ["passed", "metrics.accuracy.min"],
        ["passed", "champion"],
        ["passed", "size.max_mb"],
    ]
    assert done.out.splitlines()[-1] == "points/1 is @champion; points/2 was"
    entry = entries(ws)[-1]
    assert (entry.action, entry.subject, entry.details["before"]) == ("promoted", "points/1", 2)
    assert [gate["passed"] for gate in entry.details["gates"]] == [True, True, True]
    assert "called `@champion`" in (ws / "models" / "points" / "1" / "card.md").read_text()


def test_a_failing_gate_changes_nothing_but_the_audit_log(ws, call, declare):
    call("alias", "points/2", "champion")
    declare({"metrics": {"accuracy": {"min": 2}, "accurcy": {"min": 0}}, "size": {"max_mb": 5}})
    files, before = registry_files(ws), len(entries(ws))
    done = call("promote", "points/1")
    assert done.code == 1
    assert done.out.splitlines()[-1] == "points/1 is not promoted: 2 of 3 gates failed"
    assert "its run has no accurcy; did you mean 'accuracy'?" in done.out
    assert registry_files(ws) == files
    (entry,) = entries(ws)[before:]
    assert (entry.action, entry.subject, entry.details["alias"]) == ("promotion-refused", "points/1", "champion")
    assert [gate["passed"] for gate in entry.details["gates"]] == [False, False, True]
    assert entry.details["declared"] == "configs/promotion/points.yaml"


def test_a_dry_run_writes_nothing_at_all_and_fails_where_a_gate_does(ws, call, declare):
    declare({"metrics": {"accuracy": {"min": 0.5}}})
    before, files = len(entries(ws)), registry_files(ws)
    assert call("promote", "points/1", "--dry-run").out.endswith("points/1 would be @champion\n")
    declare({"metrics": {"accuracy": {"min": 2}}})
    done = call("promote", "points/1", "--dry-run")
    assert (done.code, done.out.splitlines()[-1]) == (1, "points/1 would not be promoted: 1 of 1 gate failed")
    assert (len(entries(ws)), registry_files(ws)) == (before, files)


def test_an_override_is_recorded_in_the_log_the_alias_and_the_card(ws, call, declare):
    declare({"metrics": {"accuracy": {"min": 2}}})
    reason = "for the *show* <b>tonight</b>"
    done = call("promote", "points/1", "--override", reason)
    assert (done.code, done.out.splitlines()[-1]) == (
        0,
        f"points/1 is @champion; 1 of 1 gate failed, and that was overridden: {reason}",
    )
    assert entries(ws)[-1].details["override"] == reason
    (move,) = json.loads((ws / "models" / "points" / "aliases.json").read_text())["moves"]
    assert (move["why"], move["override"]) == ("promotion", reason)
    card = (ws / "models" / "points" / "1" / "card.md").read_text()
    assert "although gates had failed: for the \\*show\\* &lt;b&gt;tonight&lt;/b&gt;" in card
    assert all(not check.faults for check in mlops.models.verify("points", workspace=ws, allow_pickle=True))


def test_an_override_that_is_not_needed_is_not_recorded(ws, call, declare):
    declare({"metrics": {"accuracy": {"min": 0}}})
    call("promote", "points/1", "--override", "why not")
    assert "override" not in entries(ws)[-1].details
    assert "although" not in (ws / "models" / "points" / "1" / "card.md").read_text()


def test_the_owners_file_comes_before_what_the_run_declares(ws, call, declare):
    run = mlops.run("points", ["promotion.metrics.accuracy.min=2", "seed=1"], n_jobs=1, workspace=ws)
    mlops.register(run.id, workspace=ws)
    done = call("promote", "points/6")
    assert (done.code, done.err) == (1, f"gates of the config of {run.id}\n")
    declare({"metrics": {"accuracy": {"min": 0}}})
    done = call("promote", "points/6")
    assert done.code == 0
    assert done.err.splitlines() == [
        "gates of configs/promotion/points.yaml",
        "the config of its run declares other gates; configs/promotion/points.yaml comes first",
    ]


def test_gates_do_not_make_another_run_and_that_they_differ_is_said(ws):
    first = mlops.run("points", n_jobs=1, workspace=ws)
    again = mlops.run("points", ["promotion.champion.data=race_metric.csv"], n_jobs=1, workspace=ws)
    assert again.id == first.id
    assert [w.code for w in again.record.warnings if w.code == "other-gates"] == ["other-gates"]


@pytest.mark.parametrize("word", ["reject", "archive"])
def test_a_version_that_is_out_of_use_is_refused_whatever_its_gates_say(ws, call, word):
    call(word, "points/1", "--note", "wrong for children")
    done = call("promote", "points/1", "--override", "never mind")
    assert (done.code, done.out) == (1, "")
    assert f"points/1 is {word}{'ed' if word == 'reject' else 'd'} by" in done.err
    assert "wrong for children" in done.err
    assert entries(ws)[-1].action == "promotion-refused"
    assert call("approve", "points/1").code == call("promote", "points/1").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["promote", "points"], "mlops models promote points/5"),
        (["promote", "points/9"], "has no version '9'"),
        (["promote", "pionts/1"], "did you mean 'points'?"),
        (["promote", "points/1", "--alias", "7"], "would be taken for a number"),
        (["promote", "points/1", "--override", " "], "an override needs a reason"),
        (["rollback", "points/1"], "mlops models rollback points"),
        (["rollback", "pionts"], "did you mean 'points'?"),
        (["rollback", "points"], "no version of 'points' has had @champion"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be_done_is_said_in_a_line_with_its_mend(ws, call, arguments, message):
    done = call(*arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert done.err.count("\n") <= 2


def test_wrong_gates_promote_nothing(ws, call, declare):
    declare("metrics:\n  accuracy: {mim: 0.5}\n")
    done = call("promote", "points/1", "--override", "x")
    assert (done.code, done.out) == (2, "")
    assert "configs/promotion/points.yaml:2: metrics.accuracy.mim: unknown key" in done.err
    with pytest.raises(StoreError, match="champion"):
        mlops.models.find("points@champion", workspace=ws)


def test_a_version_that_was_tampered_with_is_not_promoted(ws, call):
    file = ws / "models" / "points" / "1" / "config.yaml"
    file.chmod(0o644)
    file.write_text(file.read_text().replace("seed: 0", "seed: 9"))
    done = call("promote", "points/1")
    assert done.code == 2
    assert "points/1: config.yaml: its content has changed" in done.err


def edit_scores(version):
    """Edit the scores of a version, and what its own record says of that file."""
    for name in ("run.json", "version.json"):
        (version / name).chmod(0o644)
    run, record = (json.loads((version / name).read_text()) for name in ("run.json", "version.json"))
    run["metrics"]["accuracy"]["mean"] = 1.0
    (version / "run.json").write_text(json.dumps(run))
    record["files"]["run.json"] = hashlib.sha256((version / "run.json").read_bytes()).hexdigest()
    (version / "version.json").write_text(json.dumps(record))


def test_scores_that_the_audit_log_does_not_know_are_not_judged(ws, call, declare):
    declare({"metrics": {"accuracy": {"min": 0.999}}})
    edit_scores(ws / "models" / "points" / "1")
    done = call("promote", "points/1", "--override", "never mind")
    assert (done.code, done.out) == (2, "")
    assert "points/1: version.json: " in done.err


def test_a_champion_whose_scores_were_edited_is_not_compared_with(ws, gates):
    mlops.models.alias("points/2", "champion", workspace=ws)
    edit_scores(ws / "models" / "points" / "2")
    gate = gates({"champion": {}})["champion"]
    assert (gate.passed, gate.found) == (False, "not known")
    assert "points/2, which has @champion, is not as it was registered: version.json: " in gate.detail


def own_accuracy(ws):
    """Register a version whose run calls a function of its own accuracy; it is the sixth."""
    (ws / "race_metric.py").write_text("def one(y_true, y_pred):\n    return 1.0\n")
    metrics = "evaluation.metrics=[roc_auc,{name: accuracy, _target_: race_metric.one, greater_is_better: true}]"
    mlops.register(mlops.run("points", [metrics], n_jobs=1, workspace=ws).id, workspace=ws)


def test_a_run_does_not_say_what_a_known_metric_means(ws, gates):
    own_accuracy(ws)
    mlops.models.alias("points/2", "champion", workspace=ws)
    fair = {"group": "sex", "metric": "accuracy", "max_difference": 1, "min_rows": 5}
    wanted = {"metrics": {"accuracy": {"min": 0.999}}, "champion": {"metric": "accuracy"}, "fairness": fair}
    for gate in gates(wanted, "points/6").values():
        assert (gate.passed, gate.found) == (False, "not known")
        assert "points/6 means a function of its own by accuracy: race_metric.one" in gate.detail


def test_a_version_does_not_choose_the_metric_by_which_it_beats_the_champion(ws, gates):
    other = mlops.run("points", ["evaluation.metrics=[accuracy,roc_auc]"], n_jobs=1, workspace=ws)
    mlops.register(other.id, workspace=ws)
    mlops.models.alias("points/2", "champion", workspace=ws)
    gate = gates({"champion": {}}, "points/6")["champion"]
    assert (gate.passed, gate.found) == (False, "not known")
    assert "points/2 is ranked by, and points/6 by accuracy: champion.metric says which" in gate.detail
    assert gates({"champion": {"metric": "roc_auc"}}, "points/6")["champion"].passed


def test_gates_that_are_made_stricter_meanwhile_are_those_that_count(ws, declare):
    strict = "Path('configs/promotion/points.yaml').write_text('metrics: {accuracy: {min: 2}}')"
    code = f"from pathlib import Path\n\ndef racing(y_true, y_pred):\n    {strict}\n    return 1.0\n"
    (ws / "race_metric.py").write_text(code)
    metric = "evaluation.metrics=[accuracy,{name: racing, _target_: race_metric.racing, greater_is_better: true}]"
    mlops.register(mlops.run("points", [metric], n_jobs=1, workspace=ws).id, workspace=ws)
    declare({"fairness": {"group": "kind", "metric": "racing", "max_difference": 1, "min_rows": 5}})
    found = mlops.models.promote("points/6", workspace=ws)
    assert [gate.gate for gate in found.gates] == ["metrics.accuracy.min"]
    assert (found.done, found.passed) == (False, False)


def test_json_and_quiet_say_the_same_for_scripts(ws, call, declare):
    declare({"metrics": {"accuracy": {"min": 0}}})
    told = json.loads(call("promote", "points/1", "--json").out)
    assert (told["version"], told["alias"], told["before"], told["done"], told["passed"]) == (
        "points/1",
        "champion",
        None,
        True,
        True,
    )
    (gate,) = told["gates"]
    score = mlops.models.find("points/1", workspace=ws).record.metrics["accuracy"].mean
    assert (gate["gate"], gate["value"], gate["bound"], gate["interval"]) == ("metrics.accuracy.min", score, 0, None)
    (kept,) = entries(ws)[-1].details["gates"]
    assert (kept["value"], kept["bound"]) == (score, 0)
    assert call("promote", "points/3", "--quiet").out == "points/3\n"
    assert json.loads(call("rollback", "points", "--json").out) == {
        "version": "points/1",
        "alias": "champion",
        "before": "points/3",
        "skipped": [],
    }


def test_a_champion_that_changes_meanwhile_is_seen_and_the_gates_run_again(ws, declare):
    metric = "evaluation.metrics=[accuracy,{name: racing, _target_: race_metric.racing}]"
    mlops.register(mlops.run("points", [metric], n_jobs=1, workspace=ws).id, workspace=ws)
    mlops.models.alias("points/2", "champion", workspace=ws)
    fair = {"group": "kind", "metric": "racing", "max_difference": 1, "min_rows": 5}
    declare({"champion": {"metric": "accuracy"}, "fairness": fair})
    (ws / "race").touch()
    found = mlops.models.promote("points/6", override="whatever it is", workspace=ws)
    assert not (ws / "race").exists()
    assert (found.done, found.before) == (True, "points/3")
    assert "points/3" in found.gates[0].wanted
    again = "@champion, the gates or what is said of points/6 changed meanwhile, and the gates were run again"
    assert found.said == (again,)


# --- each gate on a real model -----------------------------------------------------------------------------------


def test_numbers_of_the_champions_gate_are_those_that_are_shown(ws, call, declare):
    mlops.models.alias("points/2", "champion", workspace=ws)
    declare({"champion": {"margin": 0.01}, "approval": {"by": ["ann", "bob"], "count": 2}})
    champion, approval = json.loads(call("promote", "points/1", "--dry-run", "--json").out)["gates"]
    low, high = champion["interval"]
    assert f"{champion['value']:+.4g} ({low:+.4g} … {high:+.4g})" in champion["found"]
    assert champion["bound"] == 0.01
    assert champion["passed"] is (low > 0.01)
    assert (approval["value"], approval["bound"]) == (0, 2)


def test_without_a_champion_its_gate_passes_and_says_so(gates):
    gate = gates({"champion": {}})["champion"]
    assert (gate.passed, gate.found, gate.detail) == (True, "no champion yet", "no version has @champion")


@pytest.mark.parametrize("data", [None, "new.csv"])
def test_what_is_better_beats_the_champion_and_what_is_worse_does_not(ws, gates, data):
    mlops.models.alias("points/2", "champion", workspace=ws)
    assert gates({"champion": {"data": data}}, "points/1")["champion"].passed
    mlops.models.alias("points/1", "champion", workspace=ws)
    assert not gates({"champion": {"data": data, "at_least": True}}, "points/2")["champion"].passed


@pytest.mark.parametrize("data", [None, "new.csv"])
def test_one_of_the_same_kind_with_another_seed_is_noise(ws, gates, data):
    mlops.models.alias("points/3", "champion", workspace=ws)
    gate = gates({"champion": {"data": data}}, "points/4")["champion"]
    assert not gate.passed
    assert "no more than noise" in gate.found
    assert not gates({"champion": {"data": data, "at_least": True}}, "points/4")["champion"].passed
    assert gates({"champion": {"data": data, "at_least": True, "margin": 0.4}}, "points/4")["champion"].passed


def test_a_margin_is_asked_beyond_noise(ws, gates):
    mlops.models.alias("points/2", "champion", workspace=ws)
    assert gates({"champion": {"data": "new.csv", "margin": 0.05}}, "points/1")["champion"].passed
    assert not gates({"champion": {"data": "new.csv", "margin": 0.45}}, "points/1")["champion"].passed


def test_rows_that_a_model_was_trained_on_are_said(ws, gates):
    mlops.models.alias("points/2", "champion", workspace=ws)
    detail = gates({"champion": {"data": "points.csv"}}, "points/1")["champion"].detail
    assert "both on the same 240 rows of points.csv, rows drawn 1,000 times" in detail
    assert "180 of them have a twin, equal in all features and the target, that points/2 was trained on" in detail
    detail = gates({"champion": {"data": "new.csv"}}, "points/1")["champion"].detail
    assert "points/2 was trained on none of them; points/1 was trained on none of them" in detail


def test_fairness_on_data_is_what_a_hand_reckons(ws, gates):
    rows = pd.read_csv(ws / "new.csv")
    rows["said"] = mlops.load_model("points/1", workspace=ws).predict(rows)
    selected = rows.groupby("sex")["said"].mean()
    found_of = rows[rows["label"] == 1].groupby("sex")["said"].mean()
    found = gates(
        {
            "fairness": [
                {"group": "sex", "metric": "selection_rate", "max_difference": 0, "data": "new.csv"},
                {"group": "sex", "metric": "recall", "min_ratio": 0.01, "data": "new.csv"},
            ]
        }
    )
    difference, ratio = found["fairness[0].max_difference"], found["fairness[1].min_ratio"]
    assert (difference.passed, ratio.passed) == (False, True)
    assert float(difference.found) == pytest.approx(selected.max() - selected.min(), rel=1e-3)
    assert float(ratio.found) == pytest.approx(found_of.min() / found_of.max(), rel=1e-3)
    assert f"f {selected['f']:.4g} ({(rows['sex'] == 'f').sum()} rows)" in difference.detail
    assert "points/1 was trained on none of them" in difference.detail


def test_fairness_without_data_is_on_the_rows_that_the_run_held_out(gates):
    spec = {"fairness": {"group": "sex", "metric": "accuracy", "max_difference": 1, "min_rows": 10}}
    gate = gates(spec)["fairness.max_difference"]
    assert gate.passed
    assert "accuracy by sex on the 60 rows that its run held out" in gate.detail


@pytest.mark.parametrize(
    ("ref", "fairness", "why"),
    [
        ("points/1", {"group": "sx"}, "'sx' is no column of the data (did you mean 'sex'?"),
        ("points/1", {"group": "sx", "data": "new.csv"}, "new.csv has no column 'sx' (did you mean 'sex'?"),
        ("points/1", {"group": "sex", "data": "none.csv"}, "none.csv"),
        ("points/1", {"group": "sex", "min_rows": 1000}, "0 of 2 groups of sex have 1000 rows; two are needed"),
        ("points/1", {"group": "sex", "metric": "recal", "min_rows": 5}, "did you mean 'recall'?"),
        ("points/5", {"group": "sex"}, "its run held no rows out"),
        ("points/5", {"group": "sex", "data": "new.csv"}, "--allow-pickle"),
    ],
)
def test_a_gate_that_cannot_be_computed_fails_with_why_and_hides_no_other(gates, ref, fairness, why):
    spec = {"metric": "recall", "max_difference": 1, **fairness}
    found = gates({"fairness": spec, "approval": {"by": this_user()}, "size": {"max_mb": 5}}, ref)
    gate = found["fairness.max_difference"]
    assert (gate.passed, gate.found) == (False, "not known")
    assert why in gate.detail
    assert (found["size.max_mb"].passed, found["approval"].passed) == (True, False)


def test_a_pickle_is_opened_where_that_is_asked(gates):
    fairness = {"group": "sex", "metric": "recall", "max_difference": 1, "data": "new.csv"}
    assert gates({"fairness": fairness}, "points/5", allow_pickle=True)["fairness.max_difference"].passed


def test_latency_and_size_are_measured(gates):
    far = gates({"latency": {"rows": 3, "p50_ms": 1e9, "p99_ms": 1e9}, "size": {"max_mb": 50}})
    near = gates({"latency": {"rows": 3, "p50_ms": 0, "p99_ms": 0}, "size": {"max_mb": 0.001}})
    assert [gate.passed for gate in far.values()] == [True, True, True]
    assert [gate.passed for gate in near.values()] == [False, False, False]
    assert "warm calls of 3 rows" in far["latency.p50_ms"].detail
    assert "loaded in" in far["latency.p50_ms"].detail


def test_the_data_is_read_again_byte_by_byte(ws, gates):
    spec = {"data": {"warnings": "none", "verify": True, "expect": True}}
    assert [gate.passed for gate in gates(spec).values()] == [True, True, True]
    (content,) = (path for path in (ws / ".mlops" / "datasets" / "objects").rglob("*") if path.is_file())
    content.chmod(0o644)
    content.write_bytes(content.read_bytes().replace(b"a,m", b"b,m", 1))
    assert not gates(spec)["data.verify"].passed


def test_what_the_run_kept_from_being_said_is_not_known(gates):
    found = gates({"data": {"warnings": ["imbalance"]}}, "points/5")["data.warnings"]
    assert (found.passed, found.found) == (False, "not known")
    assert "data.accept of its run keeps imbalance from being said" in found.detail


def test_those_who_are_named_must_have_approved_this_very_version(ws, gates):
    spec = {"approval": {"by": [this_user(), "somebody-else"], "count": 1}}
    mlops.models.approve("points/3", workspace=ws)
    assert not gates(spec)["approval"].passed
    mlops.models.approve("points/1", workspace=ws)
    assert gates(spec)["approval"].passed
    assert not gates({"approval": {"by": ["somebody-else"]}})["approval"].passed


# --- giving back -------------------------------------------------------------------------------------------------


def champion(ws):
    return mlops.models.find("points@champion", workspace=ws).number


def test_rollback_gives_the_alias_back_and_once_more_goes_further(ws, call):
    for number in (1, 2, 3):
        call("promote", f"points/{number}")
    done = call("rollback", "points")
    assert (done.code, done.out) == (0, "points/2 is @champion again; points/3 was\n")
    entry = entries(ws)[-1]
    assert (entry.action, entry.subject, entry.details["before"]) == ("rolled-back", "points/2", 3)
    assert mlops.models.rollback("points", workspace=ws).to == 1
    done = call("rollback", "points")
    assert (done.code, done.out) == (2, "")
    assert "no other version of 'points' had @champion before points/1" in done.err
    assert champion(ws) == 1


def test_after_a_rollback_a_promotion_goes_on_from_there(ws, call):
    for number in (1, 2, 3):
        call("promote", f"points/{number}")
    call("rollback", "points")
    call("promote", "points/4")
    call("rollback", "points")
    assert champion(ws) == 2
    call("rollback", "points")
    assert champion(ws) == 1


def test_rollback_passes_over_what_is_removed_or_out_of_use_and_says_so(ws, call):
    for number in (1, 2, 3, 4):
        call("promote", f"points/{number}")
    call("rm", "points/3", "--yes")
    call("reject", "points/2")
    done = call("rollback", "points")
    assert done.out == "points/1 is @champion again; points/4 was\n"
    assert done.err.splitlines() == ["points/3 has been removed", "points/2 is rejected"]
    assert entries(ws)[-1].details["skipped"] == ["points/3 has been removed", "points/2 is rejected"]


def test_rollback_passes_over_what_was_changed_by_hand(ws, call):
    for number in (1, 2, 3):
        call("promote", f"points/{number}")
    edit_scores(ws / "models" / "points" / "2")
    done = call("rollback", "points")
    assert done.out == "points/1 is @champion again; points/3 was\n"
    assert "points/2 is not as it was registered: version.json: " in done.err


def test_rollback_after_the_champion_was_removed_gives_it_to_the_one_before(ws, call):
    call("promote", "points/1")
    call("promote", "points/2")
    assert call("rm", "points/2", "--yes").code == 2
    call("rm", "points/2", "--yes", "--force")
    assert call("rollback", "points").out == "points/1 is @champion again\n"


def test_other_aliases_have_a_history_of_their_own(ws, call):
    call("promote", "points/1", "--alias", "staging")
    call("promote", "points/2")
    call("promote", "points/3", "--alias", "staging")
    call("rollback", "points", "--alias", "staging")
    assert mlops.models.find("points@staging", workspace=ws).number == 1
    assert champion(ws) == 2
