"""What screens and pages say of runs that read no table: what was run, in words of repetitions and none of tables."""

import contextlib
import html
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import mlops_cli as mlops
from mlops_cli.cli.app import build
from mlops_cli.errors import MlopsError, StoreError
from mlops_cli.store.layout import RunPaths
from mlops_cli.workflows.running.earlier import earlier_run
from mlops_cli.workflows.runs.plots import read_specs, save

OF_TABLES = re.compile(r"\b(splits?|fits?|fitting|rows?|columns?|held[- ]out|data|model)\b", re.IGNORECASE)
"""Words of learning from a table."""

JOB = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--seed", type=int)
parser.add_argument("--name")
said = parser.parse_args()
for step in range(3):
    print(f"step {step}: loss={said.lr / (step + 1) + said.lr * said.seed / 1000}")
assert said.lr < 10
"""
COMMAND = 'python job.py --lr ${params.lr} --seed {seed} --name "<b>&"'
CONFIGS = {
    "job": {
        "task": "script",
        "command": COMMAND,
        "params": {"lr": 0.1},
        "evaluation": {"metrics": ["loss"], "repetitions": 2},
    },
    "lake": {
        "defaults": ["experiment", {"agent": "q_learning"}, "_self_"],
        "task": "reinforcement",
        "env": {"id": "FrozenLake-v1", "is_slippery": False},
        "training": {"episodes": 20, "evaluate_every": 10, "evaluation_episodes": 5},
        "evaluation": {"repetitions": 2},
    },
}
SWEPT = {"job": "params.lr=0.3,0.2", "lake": "agent.gamma=0.5,0.9"}
ONCE = {"job": "params.lr=0.4", "lake": "agent.gamma=0.7"}


@pytest.fixture(scope="module", params=["job", "lake"])
def name(request):
    if request.param == "lake":
        pytest.importorskip("gymnasium", reason='pip install "mlops-cli[reinforcement]"')
    return request.param


@pytest.fixture(scope="module")
def home(tmp_path_factory, name):
    """A workspace with a sweep and a single run of one experiment."""
    folder = tmp_path_factory.mktemp(name)
    (folder / "configs").mkdir()
    (folder / "configs" / f"{name}.yaml").write_text(json.dumps(CONFIGS[name]))
    (folder / "job.py").write_text(JOB)
    (folder / "pyproject.toml").write_text('[tool.mlops]\ncommands = ["python job.py"]\n')
    with contextlib.chdir(folder):
        mlops.run(name, [SWEPT[name]], n_jobs=1)
        mlops.run(name, [ONCE[name], "artifacts.plots=none"], n_jobs=1)
    return folder


@pytest.fixture
def ids(home, name, monkeypatch):
    """The sweep and the run after it."""
    monkeypatch.chdir(home)
    return sorted(mlops.runs(name)["id"])[:2]


def said_by(*words):
    done = CliRunner().invoke(build(), [*words])
    assert done.exit_code == 0, (words, done.output, done.exception)
    return done.output


def text_of(page):
    """The words that a page shows, without its styles, its scripts and its pictures."""
    shown = re.sub(r"<(style|script|head)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", shown)).split())


# --- screens -------------------------------------------------------------------------------------------------------


def test_the_plan_and_the_run_speak_of_repetitions(ids, name):
    for more in (["--dry-run"], ["-j", "1", "seed=7"]):
        shown = said_by("run", f"config={name}", ONCE[name], *more)
        assert "1 trial × 2 repetitions" in shown
        assert not OF_TABLES.findall(shown), shown


def test_a_run_is_shown_with_what_was_run(ids, name):
    shown = " ".join(said_by("runs", "show", ids[0]).split())
    assert "repetition 0 1" in shown
    assert "paired repetitions" in shown
    assert not OF_TABLES.findall(shown), shown
    ran = {
        "job": ('command python job.py --lr 0.2 --seed {seed} --name "<b>&"', "parameters lr=0.2"),
        "lake": ("environment FrozenLake-v1 is_slippery=false", "agent q_learning", "training episodes=20"),
    }
    for words in ran[name]:
        assert words in shown


def test_runs_are_compared_repetition_by_repetition(ids, name):
    for refs in (ids, [f"{ids[0]}#0", f"{ids[0]}#1"]):
        shown = said_by("runs", "compare", *refs)
        assert "repetitions" in shown
        assert not OF_TABLES.findall(shown), shown
    assert {"job": "python job.py --lr 0.2", "lake": "q_learning"}[name] in said_by("runs", "compare", *ids)


def test_the_best_and_the_rerun_are_told_without_tables(ids, name):
    for words in (("runs", "best", name), ("rerun", ids[1], "-j", "1")):
        shown = said_by(*words)
        assert not OF_TABLES.findall(shown), shown


def test_the_log_counts_repetitions(ids):
    log = RunPaths(mlops.find_run(ids[0]).path).log.read_text()
    assert "2 trials, 2 repetitions" in log
    assert not OF_TABLES.findall(log), log


def test_the_run_before_is_offered_for_comparison(ids):
    assert earlier_run(mlops.find_run(ids[1]).record).id == ids[0]


def test_a_plot_of_a_model_is_refused_by_what_it_is_of(ids, name):
    task = CONFIGS[name]["task"]
    with pytest.raises(MlopsError, match=f"the plot is of fits on rows of a table, and the run's task is {task}"):
        save(mlops.find_run(ids[0]).record, read_specs(["learning_curve"]))
    assert "learning_curve" not in said_by("runs", "plot", ids[0], "--list")


def test_there_is_no_profile_and_nothing_to_do_about_it(ids, name):
    done = CliRunner().invoke(build(), ["runs", "show", ids[0], "--profile"])
    assert "reads no table" in str(getattr(done.exception, "hint", "")) + done.output


# --- pages ---------------------------------------------------------------------------------------------------------


def test_a_report_says_what_was_run_and_has_no_empty_parts(ids, name):
    said_by("report", ids[0], "-o", "one.html", "--force")
    page = Path("one.html").read_text()
    shown = text_of(page)
    assert "What was run" in shown
    assert "On each repetition" in shown
    assert {"job": '--lr 0.2 --seed {seed} --name "<b>&"', "lake": "FrozenLake-v1 is_slippery=false"}[name] in shown
    assert "<b>&" not in page
    folded = re.sub(r"<details.*?</details>", " ", page, flags=re.DOTALL)
    assert not OF_TABLES.findall(text_of(folded)), text_of(folded)


def test_a_page_of_two_runs_compares_repetitions(ids):
    said_by("report", *ids, "-o", "two.html", "--force")
    shown = text_of(re.sub(r"<details.*?</details>", " ", Path("two.html").read_text(), flags=re.DOTALL))
    assert "Scores over the repetitions" in shown
    assert "paired t-test" in shown
    assert not OF_TABLES.findall(shown), shown


# --- where nothing went well ---------------------------------------------------------------------------------------


def test_a_run_that_failed_says_what_was_run_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "job.yaml").write_text(json.dumps(CONFIGS["job"]))
    (tmp_path / "job.py").write_text(JOB)
    (tmp_path / "pyproject.toml").write_text('[tool.mlops]\ncommands = ["python job.py"]\n')
    mlops.run("job", ["params.lr=11"], n_jobs=1)
    shown = " ".join(said_by("runs", "show", "latest").split())
    assert 'command python job.py --lr 11 --seed {seed} --name "<b>&" parameters lr=11' in shown
    said_by("report", "latest", "-o", "failed.html")
    assert "--lr 11 --seed {seed} --name &#34;&lt;b&gt;&amp;&#34;" in (tmp_path / "failed.html").read_text()
    with pytest.raises(StoreError, match=r"has no model: task: script$"):  # it has written nothing either
        mlops.find_run("latest").model()
