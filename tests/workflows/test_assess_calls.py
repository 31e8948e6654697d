"""A call counts where something runs it, and a batch where it holds something new."""

from __future__ import annotations

import subprocess
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import mlops_cli as mlops
from mlops_cli.config.workspace import find_workspace
from mlops_cli.records import Level
from mlops_cli.workflows.assess.look import Look
from mlops_cli.workflows.assess.scan import CHECKS
from mlops_cli.workflows.assess.unattended import automation_around

CONFIG = """
defaults: [experiment, {data: csv}, {model: logistic_regression}, _self_]
data: {path: data/points.csv, target: label, id: key}
evaluation: {metrics: [roc_auc], test: TEST}
artifacts: {plots: none}
"""
CI = ".gitlab-ci.yml"


def check(name):
    return CHECKS[name](Look(find_workspace()))


def git(*words):
    subprocess.run(["git", "-c", "user.name=ann", "-c", "user.email=a@b.c", *words], check=True, capture_output=True)


# --- lines ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "called"),
    [
        ('- run: echo "try mlops run config=iris"', []),
        ("- run: printf 'mlops run; mlops audit\\n'", []),
        ("  script: [echo mlops run config=iris]", []),
        ("0 3 * * * echo mlops run config=iris", []),
        ("print('mlops run config=iris')", []),
        ("- displayName: mlops run", []),
        ("- mlops run config=iris --dry-run", []),
        ("- run: 'mlops run --help'", []),
        ("- mlops run -h | head", []),
        ("- mlops run \\\n    config=iris \\\n    --dry-run", []),
        ("- run: echo start && mlops run config=iris", ["run"]),
        ("- run: echo 'of wine'; mlops run config=iris | tee log", ["run"]),
        ('- run: echo "run=$(mlops run config=iris -q)" >> $GITHUB_OUTPUT', ["run"]),
        ("- mlops run --help && mlops run config=iris", ["run"]),
        ("- mlops run \\\n    config=iris", ["run"]),
        ("- mlops data gc --dry-run", []),
    ],
)
def test_what_is_printed_or_asks_for_help_or_a_plan_is_no_call(tmp_path, line, called):
    (tmp_path / CI).write_text(f"{line}\n")
    assert [call.verb for call in automation_around(tmp_path).calls] == called


def test_a_call_that_goes_on_in_the_next_line_is_of_what_that_names_and_stands_where_it_begins(tmp_path):
    (tmp_path / CI).write_text("a:\n- mlops run \\\n    config=wine\n- mlops audit\n")
    found = automation_around(tmp_path)
    assert found.of("run", about="iris") is None
    assert found.of("run", about="wine").place == f"{CI}:2"
    assert found.of("audit").place == f"{CI}:4"


# --- files ---------------------------------------------------------------------------------------------------------


def test_a_file_of_ci_that_no_commit_holds_is_named_and_counts_once_it_is_committed(workspace, make):
    make("null")
    git("init", "-q")
    Path(CI).write_text("- mlops run config=points\n- uv sync\n- mlops audit\n")
    Path("uv.lock").write_text("version = 1\n")
    for name in ("ci", "evaluated-held-out", "preparation-declared", "runs-recorded", "audit-kept"):
        assert check(name).level is not Level.AUTOMATED
    found = check("ci")
    assert found.level is Level.SEMI_AUTOMATED
    assert found.found == f"{CI}:1 calls mlops run, and no commit holds the file"
    assert check("environment-locked").level is Level.SEMI_AUTOMATED
    git("add", CI)
    assert check("ci").level is Level.SEMI_AUTOMATED
    git("commit", "-qm", "CI")
    assert {check(name).level for name in ("ci", "environment-locked", "audit-kept")} == {Level.AUTOMATED}


def test_a_process_that_waits_for_a_commit_says_so(workspace, make):
    make("0.2")
    git("init", "-q")
    Path(CI).write_text("- mlops run config=points\n")
    found = check("evaluated-held-out")
    assert found.level is Level.SEMI_AUTOMATED
    assert found.found.endswith(f"; {CI}:1 calls mlops run, and no commit holds the file")
    assert found.command == f"git add {CI} && git commit -m CI {CI}"
    git("config", "user.name", "ann")
    git("config", "user.email", "a@b.c")
    subprocess.run(["sh", "-c", found.command], check=True, capture_output=True)
    assert check("evaluated-held-out").level is Level.AUTOMATED


def test_a_schedule_needs_no_commit(tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "crontab").write_text("0 3 * * * mlops audit\n")
    assert automation_around(tmp_path).of("audit") is not None


@pytest.mark.parametrize(
    ("required", "installed"),
    [
        (None, "mlops-cli=={}"),
        ("numpy\n", "-r requirements.txt mlops-cli=={}"),
        ("numpy\nMLOps_cli==1.0\n", "-r requirements.txt"),
    ],
)
def test_ci_to_begin_with_installs_what_the_workspace_requires_and_this_version(workspace, required, installed):
    if required is not None:
        Path("requirements.txt").write_text(required)
    subprocess.run(["sh", "-c", check("ci").command], check=True)
    steps = yaml.safe_load(Path(".github/workflows/ml.yml").read_text())["jobs"]["ml"]["steps"]
    expected = installed.format(metadata.version("mlops-cli"))
    assert steps[1]["run"].partition(" && ")[0] == f"pip install {expected}"


# --- batches -------------------------------------------------------------------------------------------------------


@pytest.fixture
def make(workspace):
    """A model of points, of which a share is held out."""

    def made(test):
        for rows, seed, name in ((90, 0, "points"), (60, 1, "monday"), (60, 2, "tuesday")):
            x = np.random.default_rng(seed).normal(size=rows).round(4)
            table = pd.DataFrame({"key": np.arange(rows), "x": x, "label": (x > 0).astype(int)})
            table.to_csv(f"data/{name}.csv", index=False)
        Path("configs/points.yaml").write_text(CONFIG.replace("TEST", test))
        mlops.register(mlops.run("points", n_jobs=1).id)

    return made


@pytest.mark.parametrize("test", ["null", "0.2"])
def test_what_a_model_was_trained_on_is_no_batch_of_new_data(make, test):
    make(test)
    assert check("drift-watched").command == "mlops monitor log points/1 NEW.csv"
    Path("data/copy.csv").write_bytes(Path("data/points.csv").read_bytes())
    mlops.monitor.log("points/1", "data/copy.csv")
    for name in ("drift-watched", "labels-joined"):
        found = check(name)
        assert (found.level, found.command) == (Level.ABSENT, "mlops monitor log points/1 NEW.csv")
        assert found.found.endswith("; copy.csv holds what points/1 was trained on, and does not count")


def test_the_last_batch_of_new_data_is_what_the_next_command_names(make):
    make("null")
    for day in ("monday", "tuesday", "points"):
        mlops.monitor.log("points/1", f"data/{day}.csv")
    found = check("drift-watched")
    assert (found.level, found.command) == (Level.SEMI_AUTOMATED, "mlops monitor log points/1 data/tuesday.csv")
    assert found.found.startswith("2 batches of points, the last tuesday.csv on ")
    assert "points.csv holds what points/1 was trained on" in found.found
    found = check("labels-joined")
    assert found.command == "mlops monitor labels points data/tuesday.csv"
    assert found.found.startswith("2 of 2 batches of points have labels, the last tuesday.csv")


def test_a_policy_that_names_the_training_data_names_nothing_new(make):
    make("null")
    Path("configs/retrain").mkdir()
    for name, expected in (("points", "NEW.csv"), ("monday", "data/monday.csv")):
        Path("configs/retrain/points.yaml").write_text(f"when: drift\ndata: data/{name}.csv\n")
        assert check("drift-watched").command == f"mlops monitor log points/1 {expected}"
