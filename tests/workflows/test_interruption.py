"""Ctrl-C and SIGTERM keep what is finished, end the workers, and leave a run that says it was interrupted."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

SLOW = """
import time
from sklearn.linear_model import LogisticRegression


class Slow(LogisticRegression):
    def __init__(self, C=1.0, seconds=0.05):
        super().__init__(C=C)
        self.seconds = seconds

    def fit(self, X, y, sample_weight=None):
        time.sleep(self.seconds)
        return super().fit(X, y)
"""

CONFIG = """
    defaults: [experiment, {data: csv}, {transforms: tabular}, _self_]
    data: {path: data/mixed.csv, target: survived, drop: [note, weight, family, amount]}
    model: {_target_: slow.Slow, C: 1.0, seconds: 0.3}
    evaluation: {metrics: [roc_auc]}
    """


@pytest.fixture
def running(experiment, workspace):
    """A sweep that takes long, in a process group of its own, with at least two trials done."""
    (workspace / "slow.py").write_text(SLOW)
    (workspace / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["slow"]\n')
    name = experiment(CONFIG)
    choices = ",".join(str(c) for c in range(1, 200))
    command = [sys.executable, "-m", "mlops_cli", "run", f"config={name}", f"model.C={choices}", "-j", "2"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=workspace, start_new_session=True, **pipes) as process:
        try:
            yield process, _journal_with_trials(workspace, process)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _journal_with_trials(workspace, process):
    deadline = time.monotonic() + 60
    while True:
        journal = next((workspace / "runs").glob("e/*/trials.jsonl"), None)
        if journal is not None and len(journal.read_text().splitlines()) >= 2:
            return journal
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        os.sched_yield()


def alive_in_group(group):
    found = subprocess.run(["ps", "-eo", "pgid=,pid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in found.splitlines()]
    return [pid for pgid, pid, state in rows if int(pgid) == group and not state.startswith("Z")]


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_leaves_an_interrupted_run_with_its_finished_trials(running, kind):
    process, journal = running
    if kind is signal.SIGINT:
        os.killpg(process.pid, kind)  # a terminal sends Ctrl-C to the workers too
    else:
        process.send_signal(kind)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    record = json.loads((journal.parent / "run.json").read_text())
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert record["status"] == "interrupted"
    assert record["counts"]["completed"] == len(lines) >= 2
    assert record["metrics"]["roc_auc"]["mean"] == pytest.approx(
        max(sum(line["scores"]["roc_auc"]) / 5 for line in lines), abs=1e-12
    )
    assert "interrupted" in output
    deadline = time.monotonic() + 20
    while alive_in_group(process.pid):
        assert time.monotonic() < deadline, "a worker is left"
        os.sched_yield()


def test_a_killed_run_reads_as_interrupted(running, workspace, mlops):
    process, journal = running
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (listed,) = json.loads(mlops("runs", "ls", "--json", cwd=workspace).stdout)
    assert listed["status"] == "interrupted"
    shown = mlops("runs", "show", "latest", cwd=workspace)
    assert "interrupted" in shown.stdout
    assert journal.is_file()


def test_a_worker_that_is_killed_fails_its_own_trial_alone(experiment, workspace, mlops):
    (workspace / "killer.py").write_text(
        "import os, signal, time\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "class Killer(LogisticRegression):\n"
        "    def fit(self, X, y, sample_weight=None):\n"
        "        if self.C == 1:\n"
        "            time.sleep(1.0)\n"  # long enough for the others to go to workers
        "        if self.C == 3:\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n"
        "        return super().fit(X, y)\n"
    )
    (workspace / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["killer"]\n')
    name = experiment(CONFIG.replace("slow.Slow, C: 1.0, seconds: 0.3", "killer.Killer, C: 1.0"))
    done = mlops("run", f"config={name}", "model.C=1,2,3,4", "-j", "2", "--json", cwd=workspace)
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record["counts"]["completed"] == 3
    assert record["counts"]["lost"] == 1
