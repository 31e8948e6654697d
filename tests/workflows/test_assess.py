"""What the workspace shows of processes moves with what is done in it, and every word of it can be looked up."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.main import get_command

import mlops_cli as mlops
from mlops_cli.cli.app import build
from mlops_cli.records import Level
from mlops_cli.workflows.assess import look
from mlops_cli.workflows.assess.init import begin
from mlops_cli.workflows.assess.scan import CHECKS
from mlops_cli.workflows.models import ancestors, handover
from mlops_cli.workflows.running import rerun

CONFIG = """
defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
data: {path: data/loans.csv, target: bad, id: key}
evaluation: {metrics: [roc_auc], test: 0.2}
artifacts: {plots: none}
"""
RULES = "  expect: {columns: {bad: {allowed: [0, 1]}, age: {min: 0, max: 120}}}\n"


def loans(rows, start, *, seed, sign=1.0):
    """Loans of which income tells who cannot pay."""
    rng = np.random.default_rng(seed)
    income, age = rng.normal(0.8 * (sign < 0), 1, rows), rng.normal(40, 10, rows)
    bad = (sign * income + rng.normal(0, 0.7, rows) < 0).astype(int)
    home = rng.choice(["own", "rent"], rows)
    keys = np.arange(start, start + rows)
    return pd.DataFrame({"key": keys, "income": income.round(4), "age": age.round(1), "home": home, "bad": bad})


def git(*words):
    subprocess.run(["git", "-c", "user.name=ann", "-c", "user.email=a@b.c", *words], check=True, capture_output=True)


@pytest.fixture
def ws(workspace):
    """A workspace of loans, in git, in which nothing was done yet."""
    (workspace / "configs" / "loans.yaml").write_text(CONFIG)
    loans(300, 0, seed=0).to_csv("data/loans.csv", index=False)
    loans(300, 300, seed=1, sign=-1.0).to_csv("data/new.csv", index=False)
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "one")
    return workspace


def evidence():
    """Return what every check finds now."""
    return {check: found for check, (found, _) in both().items()}


def both():
    scanned = mlops.assess.scan(_every())
    return {one.scan: (one.evidence, one) for one in scanned.processes}


def _every():
    """Return a file of processes that has every check once."""
    path = Path("every.yaml")
    lines = [f"  p{n}: {{phase: a, actor: b, scan: {check}}}" for n, check in enumerate(CHECKS)]
    path.write_text("phases: [a]\nactors: [b]\nprocesses:\n" + "\n".join(lines) + "\n")
    return path


def levels():
    return {check: str(found.level) for check, found in evidence().items()}


def moved(before):
    """Return the levels that are others than before, and all of them."""
    now = levels()
    return {check: level for check, level in now.items() if level != before[check]}, now


def declare(section, text):
    folder = Path("configs") / section
    folder.mkdir(exist_ok=True)
    (folder / "loans.yaml").write_text(text)


def test_levels_move_with_what_is_done(ws):
    before = levels()
    assert set(before.values()) == {"absent"}

    first = mlops.run("loans", n_jobs=1)
    now, before = moved(before)
    assert now == {
        "data-fetched": "non-repeatable",
        "data-versioned": "manual",
        "preparation-declared": "semi-automated",
        "runs-recorded": "semi-automated",
        "parameters-swept": "manual",
        "evaluated-held-out": "semi-automated",
        "environment-locked": "non-repeatable",
        "audit-kept": "semi-automated",
    }

    mlops.register(first.id)
    now, before = moved(before)
    assert now == {"model-registered": "non-repeatable"}
    assert evidence()["model-registered"].found == (
        f"loans/1 from run {first.id}, data data/loans.csv: its data is kept nowhere"
    )

    mlops.data.add("data/loans.csv", "loans", key="key")
    now, before = moved(before)
    assert now == {
        "data-fetched": "semi-automated",
        "data-versioned": "non-repeatable",
        "model-registered": "semi-automated",
    }

    (ws / "configs" / "loans.yaml").write_text(
        CONFIG.replace("{data: csv}", "{data: dataset}").replace("path: data/loans.csv", "name: loans")
        + "sweep: {space: {model.C: [0.1, 1]}}\n"
    )
    swept = mlops.run("loans", n_jobs=1)
    mlops.rerun(first.id, n_jobs=1)
    now, before = moved(before)
    assert now == {
        "data-versioned": "semi-automated",
        "runs-reproduced": "semi-automated",
        "parameters-swept": "semi-automated",
        "candidates-compared": "semi-automated",
    }
    assert evidence()["data-versioned"].found == f"{swept.id} read loans@1"
    mlops.register(swept.id)

    fair = "fairness: {group: home, metric: roc_auc, max_difference: 0.9, min_rows: 5}\n"
    declare("promotion", "metrics: {roc_auc: {min: 0.5}}\n" + fair)
    now, before = moved(before)
    assert now == {"promotion-gated": "manual", "fairness-checked": "manual", "model-retrained": "manual"}
    assert mlops.models.promote("loans/2").done
    now, before = moved(before)
    assert now == {"promotion-gated": "semi-automated", "fairness-checked": "semi-automated"}
    assert re.fullmatch(
        r"loans/2 became @champion on \d{4}-\d\d-\d\d through the gates of configs/promotion/loans.yaml",
        evidence()["promotion-gated"].found,
    )

    mlops.models.approve("loans/2")
    handover.begin("loans")
    now, before = moved(before)
    assert now == {"model-approved": "manual"}

    declare("drift", "alerts: [{file: drift.jsonl}]\n")
    declare("retrain", "when: drift\ndata: data/new.csv\n")
    logged = mlops.monitor.log("loans@champion", "data/new.csv").batch
    assert logged.drifted
    now, before = moved(before)
    assert now == {
        "drift-watched": "semi-automated",
        "drift-alerted": "semi-automated",
        "labels-joined": "semi-automated",
    }
    assert "the last new.csv on" in evidence()["drift-watched"].found

    made = mlops.retrain("loans", if_needed=True, n_jobs=1)
    assert made.version == "loans/3"
    now, before = moved(before)
    assert now == {
        "data-fetched": "non-repeatable",  # the new rows came as a file
        "model-retrained": "semi-automated",  # by its policy, which nothing here calls by itself
    }
    found = evidence()["model-retrained"]
    assert found.command == "mlops retrain loans --if-needed"
    assert found.found.startswith("loans/3 was made anew on ")
    assert found.found.endswith(
        "no file of CI or schedule calls mlops retrain: if one elsewhere does, say level: automated"
    )

    Path("crontab").write_text("0 6 * * * mlops retrain loans --if-needed\n")
    now, before = moved(before)
    assert now == {
        "data-versioned": "automated",
        "preparation-declared": "automated",
        "runs-recorded": "automated",
        "candidates-compared": "automated",
        "evaluated-held-out": "automated",
        "fairness-checked": "automated",
        "model-registered": "automated",
        "promotion-gated": "automated",
        "model-retrained": "automated",
    }


def test_ci_that_calls_a_command_makes_what_it_does_automated(ws):
    mlops.run("loans", n_jobs=1)
    before = levels()
    (ws / ".gitlab-ci.yml").write_text("train:\n  script:\n    - mlops run config=loans\n    - mlops audit --verify\n")
    git("add", ".gitlab-ci.yml")
    git("commit", "-qm", "ci")
    now, _ = moved(before)
    assert now == {
        "preparation-declared": "automated",
        "runs-recorded": "automated",
        "evaluated-held-out": "automated",
        "ci": "automated",
        "audit-kept": "automated",
    }
    assert evidence()["runs-recorded"].found.endswith("; .gitlab-ci.yml:3 calls mlops run")


def test_only_a_call_that_does_it_makes_it_automated(ws):
    mlops.data.add("data/loans.csv", "loans", key="key")
    mlops.run("loans", ["model.C=0.5,1"], n_jobs=1)
    Path("crontab").write_text("0 6 * * * mlops run config=loans\n")
    now = levels()
    assert now["runs-recorded"] == "automated"
    assert now["parameters-swept"] == now["data-fetched"] == "semi-automated"
    assert evidence()["parameters-swept"].command == "mlops run config=loans model.C=0.5,1"
    Path("crontab").write_text(
        "0 6 * * * mlops run config=loans model.C=1,2\n0 5 * * * mlops data add data/loans.csv --name loans\n"
    )
    now = levels()
    assert now["parameters-swept"] == now["data-fetched"] == "automated"
    Path("crontab").write_text("0 6 * * * mlops run config=loans\n")
    (ws / "configs" / "loans.yaml").write_text(CONFIG + "sweep: {space: {model.C: [0.1, 1]}}\n")
    mlops.run("loans", n_jobs=1)
    assert levels()["parameters-swept"] == "automated"


def test_a_suggestion_keeps_what_the_newest_run_was_asked_for(ws):
    mlops.data.add("data/loans.csv", "loans", key="key")
    mlops.run("loans", n_jobs=1)
    asked = shlex.split(evidence()["data-versioned"].command)
    assert asked[3:] == ["data=dataset", "data.name=loans", "~data.path", "--force"]
    mlops.run("loans", asked[3:-1], n_jobs=1)
    found = evidence()
    assert found["data-versioned"].found.endswith(
        "without it, configs/loans.yaml must say so: data=dataset data.name=loans ~data.path"
    )
    assert shlex.split(found["runs-recorded"].command)[3:] == asked[3:-1]
    assert shlex.split(found["parameters-swept"].command)[3:-1] == asked[3:-1]


def test_what_is_made_again_is_not_what_is_registered(ws):
    first = mlops.run("loans", n_jobs=1)
    mlops.rerun(first.id, n_jobs=1)
    assert evidence()["model-registered"].command == f"mlops models register {first.id} --name loans"


def test_rules_that_are_written_are_put_into_the_config_next(ws):
    mlops.run("loans", n_jobs=1)
    Path("expect-loans.yaml").write_text("expect: {}\n")
    for check in ("data-expected", "labels-checked"):
        found = evidence()[check]
        assert found.command == "mlops run config=loans"
        assert "expect-loans.yaml is there: what it says belongs below data: in configs/loans.yaml" in found.found


def test_the_one_that_is_furthest_behind_gives_the_level_and_a_file_may_restrict_it(ws):
    (ws / "configs" / "checked.yaml").write_text(CONFIG.replace("id: key}", "id: key," + RULES.strip() + "}"))
    mlops.run("loans", n_jobs=1)
    run = mlops.run("checked", n_jobs=1)
    found = evidence()["data-expected"]
    assert (found.level, found.command) == (Level.ABSENT, "mlops data expect data/loans.csv -o expect-loans.yaml")
    assert found.found.endswith("; checked is semi-automated")
    path = Path("one.yaml")
    path.write_text(_every().read_text() + "experiments: checked\n")
    by_check = {one.scan: one.evidence for one in mlops.assess.scan(path).processes}
    assert by_check["data-expected"].found == f"{run.id} held its data against 3 rules"
    assert by_check["labels-checked"].found == f"{run.id} held its target bad against allowed"


def test_a_model_or_experiment_that_is_named_and_not_there_is_absent(ws):
    mlops.register(mlops.run("loans", n_jobs=1).id)
    Path("one.yaml").write_text(_every().read_text() + "models: [loans, cards]\nexperiments: [loans, cards]\n")
    found = {one.scan: one.evidence for one in mlops.assess.scan("one.yaml").processes}
    assert found["model-registered"].found.startswith("no version of cards is registered; loans is ")
    assert found["runs-recorded"].found.startswith("no run of cards has completed; loans is ")
    assert found["runs-recorded"].command == "mlops run config=cards"


# --- what is damaged ---------------------------------------------------------------------------------------------


def test_what_is_damaged_is_told_and_ends_nothing(ws):
    first = mlops.run("loans", n_jobs=1)
    mlops.register(first.id)
    mlops.register(first.id)
    mlops.monitor.log("loans", "data/new.csv")
    (ws / "models" / "loans" / "2" / "version.json").write_text("{")
    (next((ws / "models" / "loans" / "batches").glob("2*")) / "report.json").write_text("[]")
    declare("promotion", "metrics: {roc_auc: {min: high}}\n")
    found = evidence()
    assert "1 version of loans cannot be read: damaged: models/loans/2/version.json" in found["model-registered"].found
    assert found["model-registered"].command == "mlops models verify loans"
    assert found["drift-watched"].level is Level.ABSENT
    assert found["drift-watched"].found.startswith("loans: damaged: ")
    assert "configs/promotion/loans.yaml:1: metrics.roc_auc.min" in found["promotion-gated"].found

    (first.path / "run.json").write_text("{")
    found = evidence()
    assert found["runs-recorded"].found == "no run can be read: 1 damaged"

    (ws / "models" / "loans" / "1" / "run.json").write_text("{}")
    found = evidence()
    assert found["model-registered"].found.startswith("no version of loans can be read: damaged: ")
    assert found["model-registered"].command == "mlops models verify loans"


def test_an_edited_log_is_found(ws):
    mlops.run("loans", n_jobs=1)
    log = ws / ".mlops" / "audit.jsonl"
    log.write_text(log.read_text().replace('"user":"', '"user":"x'))
    found = evidence()["audit-kept"]
    assert (found.level, found.command) == (Level.NON_REPEATABLE, "mlops audit --verify")
    assert "is not as it was written" in found.found


def test_a_folder_that_is_no_workspace_is_looked_at_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = evidence()
    assert {one.level for one in found.values()} == {Level.ABSENT}
    assert found["runs-recorded"].command == "mlops init"


def test_hostile_names_are_words_of_a_shell_and_no_more(ws):
    hostile = Path("data") / "a b; rm -rf $HOME '.csv"
    shutil.copy("data/loans.csv", hostile)
    (ws / "configs" / "loans.yaml").write_text(CONFIG.replace("data/loans.csv", json.dumps(str(hostile))))
    mlops.run("loans", n_jobs=1)
    words = shlex.split(evidence()["data-fetched"].command)
    assert words == ["mlops", "data", "add", str(hostile), "--name", "loans"]


def test_the_names_of_runs_experiments_and_files_are_words_of_a_shell_too(ws):
    run = mlops.run("loans", n_jobs=1)
    hostile = "x;id #'"
    run.path.parent.rename(ws / "runs" / hostile)
    (ws / f"requirements {hostile}.txt").write_text("numpy==2.0.0\n")
    found = evidence()
    given = {check: shlex.split(one.command) for check, one in found.items()}
    assert given["runs-recorded"] == ["mlops", "run", f"config={hostile}"]
    assert given["data-expected"][-2:] == ["-o", f"expect-{hostile}.yaml"]
    assert given["environment-locked"][-1] == f"requirements {hostile}.txt"
    assert not {";id", "id", "x;id"} & {word for words in given.values() for word in words}


def test_ci_to_begin_with_is_a_workflow_that_runs_an_experiment(ws):
    before = evidence()["ci"]
    subprocess.run(["sh", "-c", before.command], check=True)
    written = yaml.safe_load((ws / ".github" / "workflows" / "ml.yml").read_text())
    assert written["jobs"]["ml"]["steps"][1]["run"].endswith(" && mlops run config=loans")
    git("add", ".github")
    git("commit", "-qm", "ci")
    assert evidence()["ci"].level is Level.AUTOMATED


# --- commands ----------------------------------------------------------------------------------------------------


def test_every_command_that_is_given_is_one_that_the_command_line_takes(ws):
    given = {found.command for found in evidence().values()}
    first = mlops.run("loans", n_jobs=1)
    given |= {found.command for found in evidence().values()}
    mlops.register(first.id, alias="champion")
    given |= {found.command for found in evidence().values()}
    mlops.data.add("data/loans.csv", "loans")
    given |= {found.command for found in evidence().values()}
    ours = {words for command in given for words in parts(command) if words[:1] == ("mlops",)}
    assert len(ours) > 12
    root = get_command(build())
    for command in ours:
        found, words = root, list(command[1:])
        while hasattr(found, "commands"):
            found = found.commands[words.pop(0)]
        found.make_context("mlops", words)


def parts(command):
    """Yield the commands of a line of a shell, each as its words."""
    words = shlex.split(command)
    while words:
        end = words.index("&&") if "&&" in words else len(words)
        yield tuple(words[:end])
        words = words[end + 1 :]


def test_commands_that_declare_something_raise_the_level(ws):
    mlops.register(mlops.run("loans", n_jobs=1).id, alias="champion")
    for check in ("promotion-gated", "fairness-checked", "drift-alerted", "model-retrained", "ci"):
        before = evidence()[check]
        subprocess.run(["sh", "-c", before.command], check=True)
        after = evidence()[check]
        assert after.level.rank > before.level.rank, (check, before, after)


def test_declared_and_found_are_both_shown_where_they_differ(ws):
    Path("one.yaml").write_text(
        "phases: [a]\nactors: [b]\nprocesses: {ci: {phase: a, actor: b, scan: ci, level: automated}}\n"
    )
    found = mlops.assess.processes("one.yaml").process("ci")
    assert (found.now, found.evidence.level) == (Level.AUTOMATED, Level.ABSENT)


def test_a_process_that_is_not_there_is_told_with_the_nearest_one(ws):
    Path("one.yaml").write_text("phases: [a]\nactors: [b]\nprocesses: {train: {phase: a, actor: b, scan: ci}}\n")
    with pytest.raises(KeyError, match="there is no process 'trian': did you mean 'train'"):
        mlops.assess.processes("one.yaml").process("trian")


# --- files -------------------------------------------------------------------------------------------------------


def test_files_to_begin_with_are_written_once_and_can_be_assessed(ws):
    made = begin()
    assert made.written == ("configs/assess/platforms.yaml", "configs/assess/processes.yaml")
    path = ws / "configs" / "assess" / "processes.yaml"
    path.write_text(path.read_text() + "\n# mine\n")
    again = begin()
    assert (again.written, again.kept) == ((), made.written)
    assert path.read_text().endswith("# mine\n")
    assert len(mlops.assess.processes().processes) > 20


def test_tags_are_called_as_those_who_give_them_call_them():
    assert (look.RERUN_OF, look.RETRAIN_OF) == (rerun.RERUN_OF, ancestors.RETRAIN_OF)


def test_the_rules_of_every_check_are_in_the_docs(repo):
    table = (repo / "docs" / "assess.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([\w-]+)` \|", table.partition("| check |")[2], re.MULTILINE) == list(CHECKS)
