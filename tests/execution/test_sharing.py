"""What trials have in common is fitted once per split; everything else where it is needed."""

import json

import pytest

import mlops_cli as mlops
from mlops_cli.components.layout import Columns, Step, Union
from mlops_cli.execution.job import Candidate
from mlops_cli.execution.sharing import shared_levels
from mlops_cli.records import ComponentSpec, TransformSpec, Trial, TrialSpec


def step(source, name, **params):
    return Step(source, TransformSpec(name, ComponentSpec(f"sklearn.{name}", params)))


def candidate(number, root, *, seed=0, splits="s"):
    return Candidate(Trial(number, {}, TrialSpec(ComponentSpec("sklearn.Model"), seed=seed)), root, splits)


RAW = Columns(("a", "b"))


def shared(*candidates):
    return [[s.node for s in level] for level in shared_levels(candidates)]


def test_a_single_trial_shares_nothing():
    assert shared(candidate(0, step(RAW, "scale"))) == []


def test_a_sweep_over_the_model_shares_the_whole_transform():
    root = step(step(RAW, "impute"), "scale")
    assert shared(candidate(0, root), candidate(1, root)) == [[root]]


def test_a_sweep_over_the_last_step_shares_what_comes_before():
    first = step(RAW, "impute")
    assert shared(candidate(0, step(first, "select", k=1)), candidate(1, step(first, "select", k=2))) == [[first]]


def test_a_branch_that_is_not_swept_is_shared_beside_one_that_is():
    words = step(Columns(("t",)), "words")
    roots = [Union((step(RAW, "impute", strategy=s), words)) for s in ("mean", "median")]
    assert shared(*(candidate(n, r) for n, r in enumerate(roots))) == [[words]]


def test_what_reads_something_shared_comes_in_a_later_level():
    first = step(RAW, "impute")
    scaled, ranked = step(first, "scale"), step(first, "rank")
    trials = [candidate(n, root) for n, root in enumerate([scaled, scaled, ranked, ranked])]
    assert shared(*trials) == [[first], [scaled, ranked]]


def test_other_seeds_or_splits_share_nothing():
    root = step(RAW, "scale")
    assert shared(candidate(0, root), candidate(1, root, seed=1)) == []
    assert shared(candidate(0, root), candidate(1, root, splits="other")) == []


COUNTING = """
import os
from sklearn.preprocessing import StandardScaler


class Counting(StandardScaler):
    def __init__(self, log="", copy=True, with_mean=True, with_std=True):
        super().__init__(copy=copy, with_mean=with_mean, with_std=with_std)
        self.log = log

    def fit(self, X, y=None, sample_weight=None):
        with open(self.log, "a") as file:
            file.write("fit\\n")
        return super().fit(X, y)
"""


@pytest.mark.parametrize("backend", ["sequential", "loky"])
def test_a_sweep_over_the_model_fits_each_transform_once_per_split(workspace, monkeypatch, backend):
    monkeypatch.setattr("mlops_cli.execution.pool.POOL_START_S", 0.0)
    (workspace / "counting.py").write_text(COUNTING)
    (workspace / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["counting"]\n')
    (workspace / "data" / "d.csv").write_text("x,y\n" + "".join(f"{i},{i % 2}\n" for i in range(40)))
    log = workspace / "fits.txt"
    (workspace / "configs" / "c.yaml").write_text(
        "defaults: [experiment, {data: csv}, {model: logistic_regression}, _self_]\n"
        "data: {path: data/d.csv, target: y}\n"
        f"transforms: {{count: {{_target_: counting.Counting, log: {json.dumps(str(log))}}}}}\n"
        f"launcher: {{backend: {backend}, n_jobs: 2}}\n"
        "evaluation: {metrics: [accuracy]}\n"
    )
    run = mlops.run("c", ["model.C=0.1,1,10,100"])
    assert run.record.counts.completed == 4
    assert len(log.read_text().splitlines()) == 5 + 1  # once per split, and once for the winner on all rows
