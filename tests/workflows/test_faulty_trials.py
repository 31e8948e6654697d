"""Whatever a trial does, its own verdict is right, no other one is harmed, and nothing is left behind."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

FAULTY = """
import ctypes
import os
import signal
import sys
import threading
import time

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Odd(Exception):
    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


class Faulty(ClassifierMixin, BaseEstimator):
    def __init__(self, how="well"):
        self.how = how

    def fit(self, X, y):
        getattr(self, self.how)()
        self.classes_, counts = np.unique(y, return_counts=True)
        self.share_ = counts / counts.sum()
        return self

    def predict_proba(self, X):
        nan = self.how == "gives_nan"
        return np.full((len(X), len(self.classes_)), np.nan) if nan else np.tile(self.share_, (len(X), 1))

    def predict(self, X):
        return self.classes_[np.zeros(len(X), dtype=int)]

    def well(self):
        pass

    def raises(self):
        raise Odd("one", "two")

    def exits(self):
        sys.exit(3)

    def leaves(self):
        os._exit(3)

    def crashes(self):
        ctypes.string_at(0)

    def is_killed(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def hangs(self):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(1)

    def eats(self):
        self.eaten = []
        while True:
            self.eaten.append(np.ones(1 << 20))

    def gives_nan(self):
        pass

    def prints(self):
        for _ in range(20):
            print("x" * 1_000_000, flush=True)
            os.write(1, b"y" * 1_000_000)

    def starts_threads(self):
        for _ in range(5):
            threading.Thread(target=time.sleep, args=(3600,)).start()
"""

CONFIG = """
    defaults: [experiment, {data: csv}, {transforms: tabular}, _self_]
    data: {path: data/mixed.csv, target: survived, drop: [note, weight, family, amount]}
    model: {_target_: faulty.Faulty}
    split: {n_splits: 2}
    evaluation: {metrics: [log_loss, accuracy]}
    launcher: {n_jobs: 2, trial_timeout: 5, trial_memory: 800MB}
    """

VERDICTS = {
    "well": ("completed", None, ""),
    "raises": ("failed", "Odd", "one and two"),
    "exits": ("failed", "SystemExit", "3"),
    "leaves": ("lost", "WorkerLost", "exit"),
    "crashes": ("lost", "WorkerLost", "SIGSEGV"),
    "is_killed": ("lost", "WorkerLost", "SIGKILL"),
    "hangs": ("lost", "TimeLimit", "launcher.trial_timeout"),
    "eats": ("lost", "MemoryLimit", "launcher.trial_memory"),
    "gives_nan": ("failed", "", ""),
    "prints": ("completed", None, ""),
    "starts_threads": ("completed", None, ""),
}


@pytest.fixture
def faulty(experiment, workspace):
    (workspace / "faulty.py").write_text(FAULTY)
    (workspace / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["faulty"]\n')
    return experiment(CONFIG)


def processes_with(mark):
    wanted, found = f"MLOPS_TEST_MARK={mark}".encode(), []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and wanted in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def test_each_trial_gets_its_own_verdict_and_no_other_is_harmed(faulty, workspace, mlops):
    order = [*VERDICTS, "well"]
    sweep = [f"model.how={','.join(order[:-1])}"]
    done = mlops(
        "run", f"config={faulty}", *sweep, "--verbose", cwd=workspace, env={"MLOPS_TEST_MARK": str(os.getpid())}
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout) + len(done.stderr) < 100_000  # what trials print is not the run's own word
    (journal,) = (workspace / "runs").glob("e/*/trials.jsonl")
    found = {line["params"]["model.how"]: line for line in map(json.loads, journal.read_text().splitlines())}
    assert found.keys() == VERDICTS.keys()
    for how, (state, kind, words) in VERDICTS.items():
        line = found[how]
        assert line["state"] == state, line
        if kind is None:
            assert line["scores"] == found["well"]["scores"]
        else:
            assert kind in line["error"]["type"]
            assert words in line["error"]["message"]
    assert "faulty.py" in found["raises"]["error"]["traceback"]
    assert "faulty.py" in found["crashes"]["error"]["traceback"]  # where it crashed
    record = json.loads((journal.parent / "run.json").read_text())
    counts = {name: record["counts"][name] for name in ("trials", "completed", "failed", "lost")}
    assert counts == {"trials": 11, "completed": 3, "failed": 8, "lost": 5}
    assert "8 of 11 trials failed:" in done.stdout
    assert "1 × Odd: one and two" in done.stdout
    assert processes_with(os.getpid()) == []


def test_failures_are_grouped_and_counted(faulty, workspace, mlops):
    done = mlops("run", f"config={faulty}", "model.how=raises,well", "split.n_splits=2,3,4", "--strict", cwd=workspace)
    assert done.returncode == 1
    assert "3 of 6 trials failed:" in done.stdout
    assert "3 × Odd: one and two (split 0)" in done.stdout


def test_a_run_of_which_nothing_completed_has_failed(faulty, workspace, mlops):
    done = mlops("run", f"config={faulty}", "model.how=leaves", "--json", cwd=workspace)
    assert done.returncode == 1
    record = json.loads(done.stdout)
    assert (record["status"], record["error"]["type"]) == ("failed", "WorkerLost")


def test_several_processes_run_experiments_in_one_workspace(faulty, workspace):
    command = [sys.executable, "-m", "mlops_cli", "run", f"config={faulty}", "--quiet", "--force"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": workspace}
    running = [subprocess.Popen([*command, f"model.how={how}"], **pipes) for how in ("well", "prints", "well")]
    ended = []
    readers = [
        threading.Thread(target=lambda p=p: ended.append((p.communicate(timeout=120), p.returncode))) for p in running
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert [code for _, code in ended] == [0, 0, 0], ended
    folders = {output.strip() for (output, _), _ in ended}
    assert len(folders) == 3
    for folder in folders:
        record = json.loads((Path(folder) / "run.json").read_text())
        assert (record["status"], record["counts"]["completed"]) == ("completed", 1)
