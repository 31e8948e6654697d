"""What trials have in common is fitted once per split; everything else where it is needed."""

import json
from pathlib import Path

import pytest

import mlops_cli as mlops
from mlops_cli.components.layout import Columns, Step, Union
from mlops_cli.execution.job import Candidate
from mlops_cli.execution.sharing import Sharing, Stored, keyed, stand_in
from mlops_cli.records import ComponentSpec, TransformSpec, Trial, TrialSpec


def step(source, name, **params):
    return Step(source, TransformSpec(name, ComponentSpec(f"sklearn.{name}", params)))


def candidate(number, root, *, seed=0, splits="s"):
    return Candidate(Trial(number, {}, TrialSpec(ComponentSpec("sklearn.Model"), seed=seed)), root, splits)


RAW = Columns(("a", "b"))


def shared(*candidates, tmp=Path()):
    """Return the nodes that are stored for one split, each after those that it reads."""
    sharing = Sharing(tmp)
    trees = [(c.trial.number, keyed(c)) for c in candidates]
    sharing.look_ahead(trees)
    found = {}

    def visit(blocks):
        for block in blocks:
            visit(sharing.needed_below(block.keyed, 0))
            found[block.keyed.key] = block.keyed.node

    for _, tree in trees:
        visit(sharing.needed(tree, 0))
    return list(found.values())


def test_a_single_trial_shares_nothing():
    assert shared(candidate(0, step(RAW, "scale"))) == []


def test_a_sweep_over_the_model_shares_the_whole_transform():
    root = step(step(RAW, "impute"), "scale")
    assert shared(candidate(0, root), candidate(1, root)) == [root]


def test_a_sweep_over_the_last_step_shares_what_comes_before():
    first = step(RAW, "impute")
    assert shared(candidate(0, step(first, "select", k=1)), candidate(1, step(first, "select", k=2))) == [first]


def test_a_branch_that_is_not_swept_is_shared_beside_one_that_is():
    words = step(Columns(("t",)), "words")
    roots = [Union((step(RAW, "impute", strategy=s), words)) for s in ("mean", "median")]
    assert shared(*(candidate(n, r) for n, r in enumerate(roots))) == [words]


def test_what_reads_something_shared_comes_after_it():
    first = step(RAW, "impute")
    scaled, ranked = step(first, "scale"), step(first, "rank")
    trials = [candidate(n, root) for n, root in enumerate([scaled, scaled, ranked, ranked])]
    assert shared(*trials) == [first, scaled, ranked]


def test_other_seeds_or_splits_share_nothing():
    root = step(RAW, "scale")
    assert shared(candidate(0, root), candidate(1, root, seed=1)) == []
    assert shared(candidate(0, root), candidate(1, root, splits="other")) == []


def test_a_fit_on_fewer_rows_is_another_fit():
    root = step(RAW, "scale")
    assert keyed(candidate(0, root), 0.5).key != keyed(candidate(0, root)).key


def test_what_is_seen_again_later_is_shared_from_then_on(tmp_path):
    sharing = Sharing(tmp_path)
    tree = keyed(candidate(0, step(RAW, "scale")))
    sharing.look_ahead([(0, tree)])
    assert sharing.needed(tree, 0) == []
    sharing.look_ahead([(1, tree)])
    assert [block.keyed.node for block in sharing.needed(tree, 0)] == [tree.node]


def settled(sharing, tree, split, size):
    (block,) = sharing.needed(tree, split)
    block.readers += 1
    block.path.write_bytes(b"x" * size)
    sharing.settle(block, failed=False)
    return block


def test_stored_fits_stand_in_the_tree_and_go_when_there_is_no_room(tmp_path):
    sharing = Sharing(tmp_path, budget=150)
    trees = [keyed(candidate(n, step(RAW, "scale", n=n // 2))) for n in range(4)]
    sharing.look_ahead(list(enumerate(trees)))
    first, second = settled(sharing, trees[0], 0, 100), settled(sharing, trees[2], 0, 100)
    assert stand_in(trees[0], {trees[0].key: first}) == Stored(str(first.path))
    sharing.release([first])
    assert not first.path.exists()
    assert second.path.exists()  # it is being read
    assert stand_in(trees[0], {}) == trees[0].node


def test_a_fit_that_failed_is_made_by_whoever_needs_it(tmp_path):
    sharing = Sharing(tmp_path)
    tree = keyed(candidate(0, step(RAW, "scale")))
    sharing.look_ahead([(0, tree), (1, tree)])
    (block,) = sharing.needed(tree, 0)
    sharing.settle(block, failed=True)
    assert stand_in(tree, {tree.key: block}) == tree.node


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
def test_a_sweep_over_the_model_fits_each_transform_once_per_split(workspace, backend):
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
