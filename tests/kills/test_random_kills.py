"""A hundred kills at random moments, of the parent, workers, everything: nothing lost, nothing twice, no orphan."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pandas as pd
import pytest

KILLS = 100
PER_RUN = 25
TRIALS = 60

MODEL = """
import time
from sklearn.linear_model import LogisticRegression


class Slow(LogisticRegression):
    def fit(self, X, y, sample_weight=None):
        time.sleep(0.01)
        return super().fit(X, y)
"""

CONFIG = """
defaults: [experiment, {data: sklearn}, {transforms: tabular}, _self_]
name: killed
data: {dataset: iris}
model: {_target_: slow.Slow, C: 1.0}
split: {n_splits: 3}
evaluation: {metrics: [accuracy, log_loss]}
"""

SWEEPS = {
    "a grid": ["model.C=" + ",".join(str(c) for c in range(1, TRIALS + 1))],
    "tpe": ["model.C=tag(log, interval(0.001, 1000))", "sweep.sampler=tpe", f"sweep.trials={TRIALS}"],
    "halving": [
        "model.C=tag(log, interval(0.001, 1000))",
        "sweep.sampler=random",
        f"sweep.trials={TRIALS}",
        "sweep.pruner=halving",
    ],
    "a grid of steps": [
        "model.C=" + ",".join(str(c / 7) for c in range(1, TRIALS // 2 + 1)),
        "transforms.scale.with_mean=true,false",
    ],
}


@pytest.fixture
def place(tmp_path):
    for name in ("killed", "whole"):
        (tmp_path / name / "configs").mkdir(parents=True)
        (tmp_path / name / "configs" / "killed.yaml").write_text(CONFIG)
        (tmp_path / name / "slow.py").write_text(MODEL)
        (tmp_path / name / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["slow"]\n')
    return tmp_path


class Victim:
    """A process of ours with all that it starts, known by a mark in their environment."""

    def __init__(self, folder, *arguments):
        self.mark = uuid.uuid4().hex
        self.output = (folder / "output.txt").open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mlops_cli", *arguments, "--quiet", "-j", "2"],
            cwd=folder,
            env={**os.environ, "MLOPS_TEST_MARK": self.mark},
            stdout=self.output,
            stderr=self.output,
            start_new_session=True,
        )

    def family(self):
        """Return the ids of all its living processes, its own last."""
        wanted = f"MLOPS_TEST_MARK={self.mark}".encode()
        found = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _has(entry, wanted)]
        return sorted(found, key=lambda pid: pid == self.process.pid)

    def workers(self):
        return [pid for pid in self.family() if pid != self.process.pid]

    def is_over(self):
        return self.process.poll() is not None

    def end(self):
        """Wait for its end, and see that nothing of it is left."""
        self.process.wait(timeout=120)
        self.output.close()
        deadline = time.monotonic() + 30
        while left := self.family():
            assert time.monotonic() < deadline, f"orphans: {left}"
            time.sleep(0.01)


def _has(entry, wanted):
    try:
        alive = (entry / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
        return alive and wanted in (entry / "environ").read_bytes()
    except OSError:
        return False


def kill(pid, how=signal.SIGKILL):
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        return False
    return True


def journal(folder):
    found = list((folder / "runs" / "killed").glob("*/trials.jsonl"))
    assert len(found) <= 1, "a run was begun twice"
    return found[0] if found else None


def lines(folder):
    path = journal(folder)
    whole = [] if path is None else [line for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]
    return [json.loads(line) for line in whole]


def wait_for(victim, folder, count):
    """Wait until so many trials are on record, or the process has ended."""
    deadline = time.monotonic() + 120
    while not victim.is_over() and len(lines(folder)) < count:
        assert time.monotonic() < deadline
        time.sleep(0.002)


def strike(rng, victim, done, spare):
    """Kill something, no worker where those are to be spared, and return whether the run goes on."""
    ways = ["parent", "everything", "term", "interrupt"] + ["worker"] * 3 * (done < TRIALS // 2 and not spare)
    way = rng.choice(ways)
    if way == "worker":
        # Those that a kill has struck run once more, alone: a second kill would rightly leave one lost.
        return any(kill(pid) for pid in rng.sample(victim.workers(), 1)) if victim.workers() else True
    if way == "everything":  # at once, as where a machine goes down: the parent must not see how its workers went
        kill(victim.process.pid, signal.SIGSTOP)
        for pid in rng.sample(victim.family(), len(victim.family())):
            kill(pid)
    else:
        kill(victim.process.pid, {"parent": signal.SIGKILL, "term": signal.SIGTERM, "interrupt": signal.SIGINT}[way])
    return False


def killed_run(folder, sweep, rng):
    """Run a sweep to its end under kills, and return how many there were."""
    kills, victim = 0, Victim(folder, "run", "config=killed", *sweep)
    struck = False  # whether a worker was killed a moment ago, so that what it had is being run again
    while True:
        known = len(lines(folder))
        wait_for(victim, folder, known + rng.randint(1, 2) if kills < PER_RUN else TRIALS + 1)
        if not victim.is_over():
            kills += 1
            struck = strike(rng, victim, len(lines(folder)), struck)
            if struck:
                continue
        victim.end()
        if victim.process.returncode == 0:
            return kills
        if journal(folder) is None:
            victim = Victim(folder, "run", "config=killed", *sweep)
        else:
            victim = Victim(folder, "resume", "latest")


def results(folder):
    (path,) = (folder / "runs" / "killed").glob("*")
    table = pd.read_csv(path / "trials.csv")
    record = json.loads((path / "run.json").read_text())
    predictions = pd.read_parquet(path / "predictions.parquet")
    kept = {key: record[key] for key in ("status", "best", "metrics", "counts", "warnings", "fingerprint")}
    return kept, table.drop(columns=[c for c in table if c.endswith("_s")]), predictions


@pytest.mark.parametrize("sweep", SWEEPS.values(), ids=SWEEPS)
def test_a_run_under_kills_comes_out_as_one_that_was_left_alone(place, sweep):
    rng = random.Random(str(sweep))
    kills = killed_run(place / "killed", sweep, rng)
    assert kills >= KILLS // len(SWEEPS)
    numbers = [line["trial"] for line in lines(place / "killed")]
    assert sorted(numbers) == list(range(TRIALS)), "a trial is missing, or there twice"
    Victim(place / "whole", "run", "config=killed", *sweep).end()
    (record, table, predictions), (expected, expected_table, expected_predictions) = map(
        results, (place / "killed", place / "whole")
    )
    assert record == expected
    pd.testing.assert_frame_equal(table, expected_table)
    pd.testing.assert_frame_equal(predictions, expected_predictions)
