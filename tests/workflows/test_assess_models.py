"""What is told of models in use, of environments and of data from elsewhere, case by case."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mlops_cli as mlops
from mlops_cli.config.handover import QUESTIONS
from mlops_cli.config.workspace import find_workspace
from mlops_cli.records import Action, Level
from mlops_cli.store.audit import AuditLog
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.workflows.assess.look import Look
from mlops_cli.workflows.assess.scan import CHECKS

CONFIG = """
defaults: [experiment, {data: csv}, {model: logistic_regression}, _self_]
data: {path: data/points.csv, target: label, id: key}
evaluation: {metrics: [roc_auc]}
artifacts: {plots: none}
"""


def points(rows, *, seed=0):
    x = np.random.default_rng(seed).normal(size=rows).round(4)
    return pd.DataFrame({"key": np.arange(rows), "x": x, "label": (x > 0).astype(int)})


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A workspace with two versions of a model, none of which is in use."""
    root = tmp_path_factory.mktemp("points")
    for name in ("configs", "data"):
        (root / name).mkdir()
    (root / "configs" / "points.yaml").write_text(CONFIG)
    points(90).to_csv(root / "data" / "points.csv", index=False)
    points(60, seed=1).to_csv(root / "data" / "monday.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        for C in (0.1, 1.0):
            mlops.register(mlops.run("points", [f"model.C={C}"], n_jobs=1).id)
    return root


@pytest.fixture
def ws(base, tmp_path, monkeypatch):
    root = tmp_path / "work"
    shutil.copytree(base, root, ignore=shutil.ignore_patterns("index.sqlite*"))
    monkeypatch.chdir(root)
    return root


def check(name):
    return CHECKS[name](Look(find_workspace()))


def level(name):
    return check(name).level


def log(action, subject, **details):
    AuditLog(WorkspacePaths(Path.cwd())).append(action, subject, details)


def gates(text):
    Path("configs/promotion").mkdir(exist_ok=True)
    Path("configs/promotion/points.yaml").write_text(text)


# --- in use --------------------------------------------------------------------------------------------------------


def test_a_server_that_follows_an_alias_is_further_than_one_of_a_number(ws):
    assert check("deployed").command == "mlops serve points/2 --export deploy-points"
    log(Action.LOADED, "points/2", asked="points/2")
    found = check("deployed")
    assert found.level is Level.NON_REPEATABLE
    assert "points/2 was loaded for serving on " in found.found
    log(Action.LOADED, "points/2", asked="points@champion")
    assert level("deployed") is Level.SEMI_AUTOMATED
    Path("crontab").write_text("0 6 * * * mlops predict points@champion data/monday.csv -o out.csv\n")
    found = check("deployed")
    assert (found.level, found.command) == (Level.AUTOMATED, "")
    assert found.found.endswith("; crontab:1 calls mlops predict")


def test_an_image_counts_where_it_serves_this_model(ws):
    Path("deploy").mkdir()
    Path("deploy/Dockerfile").write_text('CMD ["mlops", "serve", "other@champion"]\n')
    assert level("deployed") is Level.ABSENT
    Path("deploy/Dockerfile").write_text('CMD ["mlops", "serve", "points@champion"]\n')
    assert check("deployed").found == "deploy/Dockerfile serves points"


def test_a_target_of_the_makefile_counts_once_there_is_a_champion(ws):
    Path("Makefile").write_text("score:\n\tmlops predict points@champion 'inbox/*.csv' -o scored/ --each\n")
    assert level("deployed") is Level.ABSENT
    mlops.models.alias("points/2", "champion")
    found = check("deployed")
    assert found.level is Level.SEMI_AUTOMATED
    assert found.found == "Makefile:2 calls mlops predict, which a person starts, and points/2 is @champion"


def test_there_is_something_to_go_back_to_once_two_versions_were_in_use(ws):
    assert level("rollback-possible") is Level.ABSENT
    mlops.models.alias("points/1", "champion")
    assert check("rollback-possible").found == "no version was @champion before points/1"
    mlops.models.alias("points/2", "champion")
    assert check("rollback-possible").level is Level.SEMI_AUTOMATED
    mlops.models.rm("points/1")
    assert level("rollback-possible") is Level.ABSENT


# --- gates and people ----------------------------------------------------------------------------------------------


def test_a_champion_that_went_past_its_gates_is_told_from_one_that_passed(ws):
    mlops.models.alias("points/1", "champion")
    found = check("promotion-gated")
    assert found.level is Level.MANUAL
    assert found.found.endswith("; no gates are declared")
    gates("metrics: {roc_auc: {min: 0.5}}\n")
    assert level("promotion-gated") is Level.NON_REPEATABLE
    assert mlops.models.promote("points/2").done
    assert level("promotion-gated") is Level.SEMI_AUTOMATED
    mlops.models.rollback("points")
    found = check("promotion-gated")  # points/1 never went through them
    assert (found.level, found.found.partition(" was ")[0]) == (Level.NON_REPEATABLE, "points/1")


def test_an_override_is_no_passing(ws):
    gates("metrics: {roc_auc: {min: 2.0}}\n")
    assert mlops.models.promote("points/2", override="the fair is on Monday").done
    found = check("promotion-gated")
    assert found.level is Level.NON_REPEATABLE
    assert found.found.endswith("although the gates of configs/promotion/points.yaml failed: the fair is on Monday")
    assert found.command == "mlops retrain points"


def test_no_suggestion_takes_the_alias_from_what_is_in_use(ws):
    gates("metrics: {roc_auc: {min: 0.5}}\n")
    assert mlops.models.promote("points/2").done
    gates("metrics: {roc_auc: {min: 0.5}}\nfairness: {group: x, metric: roc_auc, max_difference: 0.1}\n")
    assert check("fairness-checked").command == "mlops models promote points/2 --dry-run"
    mlops.models.alias("points/1", "champion")
    assert check("promotion-gated").command == "mlops models promote points/1 --dry-run"


def test_columns_of_which_none_has_groups_are_said(ws):
    found = check("fairness-checked")
    assert found.command == ""
    assert found.found.endswith("none of its columns has 2 to 10 groups to compare: a gate may name another one")


def test_what_a_person_answers_is_automated_by_no_call(ws):
    gates("handover: {}\n")
    path = Path("configs/handover/points.yaml")
    path.parent.mkdir()
    path.write_text("".join(f"{item.key}: said\n" for item in QUESTIONS))
    found = check("handover-answered")
    assert (found.level, found.command) == (Level.ABSENT, "mlops models handover points/2")
    assert "configs/handover/points.yaml is there" in found.found
    mlops.models.handover("points/2", path)
    Path("crontab").write_text("0 6 * * * mlops models promote points/2\n0 7 * * * mlops retrain points\n")
    assert level("handover-answered") is Level.SEMI_AUTOMATED


def test_a_word_of_a_person_counts_for_more_where_a_gate_asks_for_it(ws):
    assert check("model-approved").command == "mlops models approve points/2"
    assert level("model-approved") is Level.ABSENT
    signed = mlops.models.approve("points/2").status.sign_offs[-1]
    assert level("model-approved") is Level.MANUAL
    gates(f"approval: {{by: {signed.by}}}\n")
    found = check("model-approved")
    assert (found.level, found.command) == (Level.SEMI_AUTOMATED, "")
    mlops.models.reject("points/2")
    assert level("model-approved") is Level.NON_REPEATABLE


def test_answers_of_the_owner_count_for_more_where_a_gate_asks_for_them(ws):
    assert check("handover-answered").command == "mlops models handover points --init"
    path = Path("configs/handover/points.yaml")
    path.parent.mkdir()
    path.write_text("purpose: to sort points\n")
    mlops.models.handover("points/1", path)
    found = check("handover-answered")  # those of points/1 hold for points/2
    assert found.level is Level.MANUAL
    assert "of points/1 on " in found.found
    assert "must be answered" in found.found
    path.write_text("".join(f"{item.key}: said\n" for item in QUESTIONS))
    mlops.models.handover("points/1", path)
    assert level("handover-answered") is Level.NON_REPEATABLE
    gates("handover: {}\n")
    assert level("handover-answered") is Level.SEMI_AUTOMATED
    kept = Path("models/points/handover.json")
    whole = kept.read_text()
    kept.write_text(whole.replace('"said"', '"edited"', 1))
    found = check("handover-answered")
    assert (found.level, found.command) == (Level.ABSENT, "mlops audit --verify")
    assert "it was edited" in found.found
    kept.write_text(json.dumps({"schema_version": 1, "answered": json.loads(whole)["answered"][:1]}))
    found = check("handover-answered")
    assert (found.level, found.command) == (Level.ABSENT, "mlops models handover points/2")


# --- watched -------------------------------------------------------------------------------------------------------


def test_a_batch_of_a_version_that_is_no_longer_in_use_says_little(ws):
    mlops.models.alias("points/1", "champion")
    mlops.monitor.log("points@champion", "data/monday.csv")
    assert level("drift-watched") is Level.SEMI_AUTOMATED
    mlops.models.alias("points/2", "champion")
    found = check("drift-watched")
    assert found.level is Level.NON_REPEATABLE
    assert found.found.endswith("by points/1, and points/2 is in use")
    Path("crontab").write_text("0 6 * * * mlops monitor log points@champion data/monday.csv\n")
    assert level("drift-watched") is Level.NON_REPEATABLE  # a line in a file is no batch
    mlops.monitor.log("points@champion", "data/monday.csv")
    assert level("drift-watched") is Level.AUTOMATED


def test_a_place_that_is_told_of_drift_is_named_without_its_secrets(ws):
    Path("configs/drift").mkdir()
    Path("configs/drift/points.yaml").write_text("alerts: [{webhook: 'https://chat.example.org/hooks/s3cret'}]\n")
    found = check("drift-alerted")
    assert found.level is Level.SEMI_AUTOMATED
    assert "chat.example.org" in found.found
    assert "s3cret" not in found.found + found.command


# --- data and environment ------------------------------------------------------------------------------------------


def test_data_that_a_run_has_from_a_library_is_fetched_by_it(ws):
    mlops.run(
        "points",
        ["data=sklearn", "data.dataset=breast_cancer", "data.target=target", "~data.path", "~data.id"],
        n_jobs=1,
    )
    assert check("data-fetched").found.endswith("fetched breast_cancer itself")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("uv.lock", "version = 1\n", Level.SEMI_AUTOMATED),
        ("requirements.txt", "# all\npandas==2.2.3\nnumpy==2.1.0 ; python_version > '3'\n", Level.SEMI_AUTOMATED),
        ("requirements.txt", "pandas==2.2.3\nnumpy>=2\n", Level.NON_REPEATABLE),
        ("requirements.txt", "pandas==2.*\n", Level.NON_REPEATABLE),
        ("requirements.txt", "-r other.txt\n", Level.NON_REPEATABLE),
    ],
)
def test_an_environment_is_locked_where_every_version_is_said(ws, name, text, expected):
    Path(name).write_text(text)
    assert level("environment-locked") is expected


def test_an_environment_that_ci_installs_is_automated(ws):
    Path("uv.lock").write_text("version = 1\n")
    Path(".gitlab-ci.yml").write_text("test:\n  script:\n    - uv sync --locked\n")
    assert check("environment-locked").found == "uv.lock, and CI installs by uv sync"
    assert level("ci") is Level.SEMI_AUTOMATED
